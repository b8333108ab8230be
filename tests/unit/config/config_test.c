/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config.h"

#include "tests/unit/config/toy.h"
#include "tests/unit/test.h"

static struct config *make(struct toy *toy) {
    *toy = (struct toy){0};
    struct config *config = config_create();
    config_add_table(config, &(struct config_table){toy_options, toy, toy});
    return config;
}

static const char *text_of(const struct config *config, const char *name) {
    static char text[256];
    struct buf out = {0};
    expect_true(config_format(config, bytes_of(name), &out));
    snprintf(text, sizeof(text), "%.*s", (int)out.size, out.data ? out.data : "");
    buf_deinit(&out);
    return text;
}

/* CONFIG SET of up to four names and values; returns the text of the error, "" if it worked. */
static const char *set(struct config *config, const char *const pairs[], size_t count, bool loading,
                       bool protected_allowed) {
    static struct diag diag;
    struct bytes names[4], values[4];
    for (size_t i = 0; i < count; i++) {
        names[i] = bytes_of(pairs[2 * i]);
        values[i] = bytes_of(pairs[2 * i + 1]);
    }
    diag = (struct diag){0};
    struct config_set_request request = {names, values, count, loading, protected_allowed};
    enum err err = config_set_many(config, &request, &diag);
    expect_eq(err == ERR_NONE, diag.text[0] == '\0');
    return diag.text;
}
#define SET(config, ...)                            \
    set(config, (const char *const[]){__VA_ARGS__}, \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) / 2, false, true)
#define FAILED(name, reason) "CONFIG SET failed (possibly related to argument '" name "') - " reason

TEST(initial_values_are_set_and_shown) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_true(toy.flag);
    expect_eq(toy.number, 10);
    expect_eq(toy.bytes, 1048576);
    expect_eq(toy.mode, 0640);
    expect_eq(toy.level, 2);
    expect_eq(toy.colour, 1);
    expect_str_eq(toy.name, "joe");
    expect_null(toy.maybe);
    expect_str_eq(toy.secret, "");
    expect_str_eq(text_of(config, "bytes"), "1048576");
    expect_str_eq(text_of(config, "mode"), "640");
    expect_str_eq(text_of(config, "marks"), "none");
    expect_str_eq(text_of(config, "list"), "1 2");
    expect_true(config_is_default(config, "list"));
    config_destroy(&config);
    expect_null(config);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(numbers_respect_their_bounds) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(SET(config, "number", "1000"), "");
    expect_str_eq(SET(config, "number", "-4"), "");
    expect_eq(toy.number, -4);
    expect_str_eq(SET(config, "number", "1001"),
                  FAILED("number", "argument must be between -5 and 1000 inclusive"));
    expect_str_eq(SET(config, "number", "-6"),
                  FAILED("number", "argument must be between -5 and 1000 inclusive"));
    const char *const not_numbers[] = {"",   "abc", "1.5", "10kb", " 5", "99999999999999999999",
                                       "+1", "0x1", "--1", "1 "};
    for (size_t i = 0; i < COUNT_OF(not_numbers); i++) {
        expect_str_eq(SET(config, "number", not_numbers[i]),
                      FAILED("number", "argument couldn't be parsed into an integer"));
    }
    expect_str_eq(SET(config, "narrow", "4294967295"), "");
    expect_eq(toy.narrow, UINT32_MAX);
    expect_str_eq(SET(config, "narrow", "4294967296"),
                  FAILED("narrow", "argument must be between 0 and 4294967295 inclusive"));
    expect_str_eq(SET(config, "narrow", "-1"),
                  FAILED("narrow", "argument must be between 0 and 4294967295 inclusive"));
    expect_eq(toy.number, -4);
    config_destroy(&config);
}

TEST(validate_refuses_or_rounds) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(SET(config, "number", "7"), "");
    expect_eq(toy.number, 6);
    expect_str_eq(SET(config, "number", "13"), FAILED("number", "not 13"));
    expect_eq(toy.number, 6);
    config_destroy(&config);
}

TEST(words_may_stand_for_numbers) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(SET(config, "threads", "AUTO"), "");
    expect_eq(toy.threads, 0);
    expect_str_eq(text_of(config, "threads"), "auto");
    expect_str_eq(SET(config, "threads", "0"),
                  FAILED("threads", "argument must be between 1 and 8 inclusive"));
    config_destroy(&config);
}

TEST(memory_sizes_have_suffixes) {
    struct toy toy;
    struct config *config = make(&toy);
    const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"100", 100},    {"100b", 100},    {"2k", 2000},       {"2kb", 2048},
                {"1M", 1000000}, {"1mB", 1048576}, {"1g", 1000000000}, {"1GB", 1073741824}};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        expect_str_eq(SET(config, "bytes", good[i].text), "");
        expect_eq(toy.bytes, good[i].bytes);
    }
    const char *const bad[] = {"10x", "-1", "abc", "1.5mb", "1 mb", "kb"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        expect_str_eq(SET(config, "bytes", bad[i]),
                      FAILED("bytes", "argument must be a memory value"));
    }
    expect_str_eq(SET(config, "bytes", "9"),
                  FAILED("bytes", "argument must be between 10 and 9223372036854775807 inclusive"));
    expect_str_eq(SET(config, "huge", ""), ""); /* clients know it to mean 0 */
    expect_eq(toy.huge, 0);
    expect_str_eq(SET(config, "huge", "18446744073709551615"), "");
    expect_true(toy.huge == UINT64_MAX);
    expect_str_eq(text_of(config, "huge"), "18446744073709551615");
    config_destroy(&config);
}

TEST(memory_may_be_a_percentage_or_negative_where_the_row_says_so) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(SET(config, "share", "5%"), "");
    expect_eq(toy.share, -5);
    expect_str_eq(text_of(config, "share"), "5%");
    expect_str_eq(SET(config, "share", "0%"), "");
    expect_str_eq(text_of(config, "share"), "0");
    expect_str_eq(SET(config, "share", "10mb"), "");
    expect_str_eq(text_of(config, "share"), "10485760");
    expect_str_eq(SET(config, "share", "101%"),
                  FAILED("share", "percentage argument must be less or equal to 100"));
    expect_str_eq(SET(config, "share", "x%"),
                  FAILED("share", "argument must be a memory or percent value"));
    expect_str_eq(SET(config, "share", "-5"),
                  FAILED("share", "argument must be a memory or percent value"));
    expect_str_eq(SET(config, "debt", "-1"), "");
    expect_eq(toy.debt, -1);
    expect_str_eq(text_of(config, "debt"), "-1");
    expect_str_eq(SET(config, "debt", "-2"),
                  FAILED("debt", "argument must be between -1 and 9223372036854775807 inclusive"));
    expect_str_eq(SET(config, "debt", "x"), FAILED("debt", "argument must be a memory value"));
    config_destroy(&config);
}

TEST(words_and_sets_of_words) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(SET(config, "level", "HIGH"), "");
    expect_str_eq(text_of(config, "level"), "high");
    expect_str_eq(SET(config, "colour", "middle"), "");
    expect_eq(toy.colour, 2);
    expect_str_eq(SET(config, "level", "top"),
                  FAILED("level", "argument(s) must be one of the following: low, middle, high"));
    expect_str_eq(SET(config, "marks", "star dot"), "");
    expect_eq(toy.marks, 5);
    expect_str_eq(text_of(config, "marks"), "dot star");
    expect_str_eq(
        SET(config, "marks", "star  dot"),
        FAILED("marks", "argument(s) must be one of the following: none, dot, dash, star"));
    expect_str_eq(
        SET(config, "marks", ""),
        FAILED("marks", "argument(s) must be one of the following: none, dot, dash, star"));
    expect_str_eq(SET(config, "flag", "NO"), "");
    expect_false(toy.flag);
    expect_str_eq(SET(config, "flag", "1"), FAILED("flag", "argument must be 'yes' or 'no'"));
    expect_str_eq(SET(config, "mode", "8"),
                  FAILED("mode", "argument couldn't be parsed as an octal number"));
    config_destroy(&config);
}

TEST(set_refuses_by_name_before_it_reads_any_value) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(SET(config, "number", "abc", "nosuch", "1"),
                  "Unknown option or number of arguments for CONFIG SET - 'nosuch'");
    expect_str_eq(SET(config, "old-thing", "1"),
                  "Unknown option or number of arguments for CONFIG SET - 'old-thing'");
    expect_str_eq(SET(config, "fixed", "2", "nosuch", "1"),
                  FAILED("fixed", "can't set immutable config"));
    expect_str_eq(SET(config, "Flag", "no", "flag", "yes"), FAILED("flag", "duplicate parameter"));
    const char *const secret[] = {"secret", "x"};
    expect_str_eq(set(config, secret, 1, false, false),
                  FAILED("secret", "can't set protected config"));
    expect_ne(set(config, secret, 1, true, true)[0], '\0'); /* loading */
    expect_str_eq(toy.secret, "");
    expect_str_eq(set(config, secret, 1, false, true), "");
    expect_str_eq(toy.secret, "x");
    /* Both names of one option are not the same parameter: the last one wins. */
    expect_str_eq(SET(config, "number", "2", "digits", "4"), "");
    expect_eq(toy.number, 4);
    config_destroy(&config);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(set_is_all_or_nothing_when_a_value_is_bad) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(SET(config, "name", "ann", "number", "20", "level", "top"),
                  FAILED("level", "argument(s) must be one of the following: low, middle, high"));
    expect_str_eq(toy.name, "joe");
    expect_eq(toy.number, 10);
    expect_eq(toy.applied_number, 0);
    config_destroy(&config);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(set_rolls_back_when_applying_fails) {
    struct toy toy;
    struct config *config = make(&toy);
    toy.fail_pair = 1;
    expect_str_eq(SET(config, "name", "ann", "number", "20", "twin", "3", "digits", "40"),
                  FAILED("twin", "pair says no"));
    expect_str_eq(toy.name, "joe");
    expect_eq(toy.number, 10);
    expect_eq(toy.twin, 0);
    expect_eq(toy.applied_number, 2); /* with the new value, and again with the old one */
    expect_eq(toy.seen_number, 10);
    expect_eq(toy.applied_pair, 2);
    config_destroy(&config);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(apply_runs_once_for_options_that_share_it_and_only_on_change) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(SET(config, "twin", "1", "quiet", "1"), "");
    expect_eq(toy.applied_pair, 1);
    expect_str_eq(SET(config, "twin", "1", "quiet", "1"), "");
    expect_eq(toy.applied_pair, 1);
    config_destroy(&config);
}

struct got {
    char text[512];
};

static void collect(struct bytes name, struct bytes value, void *ctx) {
    struct got *got = ctx;
    size_t used = strlen(got->text);
    snprintf(got->text + used, sizeof(got->text) - used, "%.*s=%.*s;", (int)name.size, name.data,
             (int)value.size, value.data ? value.data : "");
}

static const char *get(const struct config *config, const char *a, const char *b) {
    static struct got got;
    got = (struct got){0};
    struct bytes patterns[2] = {bytes_of(a), bytes_of(b)};
    config_get(config, patterns, b ? 2 : 1, collect, &got);
    return got.text;
}

TEST(get_finds_names_patterns_and_aliases_once_each) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_str_eq(get(config, "number", NULL), "number=10;");
    expect_str_eq(get(config, "NumBer", NULL), "NumBer=10;");
    expect_str_eq(get(config, "digits", NULL), "digits=10;");
    expect_str_eq(get(config, "n?mber", "number"), "number=10;");
    expect_str_eq(get(config, "NA*", "nosuch"), "name=joe;narrow=7;");
    expect_str_eq(get(config, "[n]umber", "dig*"), "number=10;digits=10;");
    expect_str_eq(get(config, "quiet", NULL), "quiet=0;");
    expect_str_eq(get(config, "qui*", NULL), "");
    expect_str_eq(get(config, "old*", "old-thing"), "");
    expect_str_eq(get(config, "maybe", NULL), "maybe=;");
    config_destroy(&config);
}

static struct config_fault fault;

static bool load(struct config *config, const char *text) {
    return config_load_text(config, bytes_of(text), "toy.conf", &fault) == ERR_NONE;
}

TEST(files_set_options) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_true(load(config,
                     "# a comment\n\n  NUMBER 20\r\nname \"a b\\x41\\n\"\nold-thing 5 6\n"
                     "level 'high'\nmarks dot \"star\"\n\tmaybe \"\"\nflag no"));
    expect_eq(toy.number, 20);
    expect_str_eq(toy.name, "a bA\n");
    expect_eq(toy.level, 3);
    expect_eq(toy.marks, 5);
    expect_false(toy.flag);
    expect_eq(toy.applied_number, 0); /* loading applies nothing */
    config_destroy(&config);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(lines_of_an_accumulating_option_add_up_and_the_first_replaces_the_default) {
    struct toy toy;
    struct config *config = make(&toy);
    expect_true(load(config, "list 5\nlist 6 7\n"));
    expect_str_eq(text_of(config, "list"), "5 6 7");
    expect_true(load(config, "list \"\"\nlist \"8 9\""));
    expect_str_eq(text_of(config, "list"), "8 9");
    expect_str_eq(SET(config, "list", "1"), "");
    expect_str_eq(text_of(config, "list"), "1");
    config_destroy(&config);
}

TEST(a_wrong_file_names_line_text_and_reason) {
    struct toy toy;
    struct config *config = make(&toy);
    const struct {
        const char *line, *reason;
    } bad[] = {
        {"nosuch 1", "Bad directive or wrong number of arguments"},
        {"old-thing", "Bad directive or wrong number of arguments"},
        {"include", "Bad directive or wrong number of arguments"},
        {"number", "wrong number of arguments"},
        {"number 1 2", "wrong number of arguments"},
        {"number \"--bla\"", "argument couldn't be parsed into an integer"},
        {"number 2000", "argument must be between -5 and 1000 inclusive"},
        {"name \"a", "Unbalanced quotes in configuration line"},
        {"name \"a\"b", "Unbalanced quotes in configuration line"},
        {"name \"a\\x00b\"", "argument must not contain a NUL byte"},
        {"list x", "bad list"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char text[256];
        snprintf(text, sizeof(text), "flag no\n# comment\n  %s \nflag yes\n", bad[i].line);
        expect_false(load(config, text));
        expect_eq(fault.line, 3);
        expect_str_eq(fault.text, bad[i].line);
        expect_str_eq(fault.reason.text, bad[i].reason);
        expect_false(toy.flag);
        toy.flag = true;
    }
    struct buf out = {0};
    config_fault_describe(&fault, "Toy 1.0", &out);
    expect_str_eq(out.data,
                  "\n*** FATAL CONFIG FILE ERROR (Toy 1.0) ***\n"
                  "Reading the configuration file 'toy.conf', at line 3\n"
                  ">>> 'list x'\nbad list\n");
    buf_clear(&out);
    config_fault_brief(&fault, &out);
    expect_str_eq(out.data, "toy.conf:3: bad list");
    buf_deinit(&out);
    config_destroy(&config);
}

TEST(words_of_the_command_line_set_options) {
    struct toy toy;
    struct config *config = make(&toy);
    struct bytes words[] = {BYTES("port"), BYTES("a \"b"), BYTES("")};
    expect_true(config_load_words(config, words, 3, &fault) != ERR_NONE);
    expect_str_eq(fault.text, "port \"a \\\"b\" \"\"");
    expect_str_eq(fault.file, "");
    words[0] = BYTES("name");
    expect_true(config_load_words(config, words, 2, &fault) == ERR_NONE);
    expect_str_eq(toy.name, "a \"b");
    config_destroy(&config);
}

TEST(lines_split_like_a_shell_without_its_magic) {
    struct buf store = {0};
    struct bytes words[8];
    size_t count = 0;
    expect_eq(config_split_line(BYTES("a \"b c\" 'd\\'e' f\"g\" \"\\\"\\\\\\x4a\\q\" ''"), &store,
                                words, 8, &count),
              ERR_NONE);
    expect_eq(count, 6);
    const char *const expected[] = {"a", "b c", "d'e", "fg", "\"\\Jq", ""};
    for (size_t i = 0; i < count; i++)
        expect_bytes_eq(words[i], bytes_of(expected[i]));
    expect_eq(config_split_line(BYTES("a 'b"), &store, words, 8, &count), ERR_SYNTAX);
    expect_eq(config_split_line(BYTES("\"a\\"), &store, words, 8, &count), ERR_SYNTAX);
    expect_eq(config_split_line(BYTES("a b c"), &store, words, 2, &count), ERR_RANGE);
    expect_eq(config_split_line(BYTES("  \t "), &store, words, 2, &count), ERR_NONE);
    expect_eq(count, 0);
    buf_deinit(&store);
}

/* What is shown can be set again and reads back the same, whatever the value. */
TEST(shown_values_can_be_set_again) {
    struct toy toy;
    struct config *config = make(&toy);
    const char *const names[] = {"number", "narrow", "huge", "share", "mode", "marks", "list"};
    for (int step = 0; step < 2000; step++) {
        const char *name = names[rng_below(t->rng, COUNT_OF(names))];
        char value[64];
        static const char *const forms[] = {"%d", "-%d", "%dkb", "%d%%", "%d %d", "dot", "%o"};
        const char *form = forms[rng_below(t->rng, COUNT_OF(forms))];
        int number = (int)rng_below(t->rng, 1200);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(value, sizeof(value), form, number, number);
#pragma GCC diagnostic pop
        (void)SET(config, name, value);
        char shown[256];
        snprintf(shown, sizeof(shown), "%s", text_of(config, name));
        expect_str_eq(SET(config, name, shown), "");
        expect_str_eq(text_of(config, name), shown);
    }
    config_destroy(&config);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
