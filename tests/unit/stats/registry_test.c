/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/registry.h"

#include "tests/unit/test.h"

struct figures {
    uint64_t big;
    int64_t less;
    uint32_t word;
    int32_t half;
    bool yes;
    double ratio;
    const char *name, *missing;
    unsigned refreshed;
};

static void print_name(struct buf *out, void *ctx) {
    buf_addf(out, "<%s>", ((struct figures *)ctx)->name);
}
static void print_lines(struct buf *out, void *ctx) {
    (void)ctx;
    buf_add_text(out, "db0:keys=1\r\ndb7:keys=2\r\n");
}
static bool when_yes(void *ctx) { return ((struct figures *)ctx)->yes; }
static void refresh(void *ctx) { ((struct figures *)ctx)->refreshed++; }

#define AT(member) .offset = offsetof(struct figures, member)
static const struct stats_field all_kinds[] = {
    {.name = "big", .kind = STATS_U64, AT(big)},
    {.name = "less", .kind = STATS_I64, AT(less)},
    {.name = "word", .kind = STATS_U32, AT(word)},
    {.name = "half", .kind = STATS_I32, AT(half)},
    {.name = "yes", .kind = STATS_BOOL, AT(yes)},
    {.name = "ratio", .kind = STATS_F64, AT(ratio)},
    {.name = "name", .kind = STATS_TEXT, AT(name)},
    {.name = "missing", .kind = STATS_TEXT, AT(missing)},
    {.name = "fixed", .kind = STATS_FIXED, .text = "none"},
    {.name = "printed", .kind = STATS_PRINT, .print = print_name},
    {.name = "only_if_yes", .kind = STATS_U32, AT(word), .when = when_yes},
    {0},
};
static const struct stats_field lines[] = {{.kind = STATS_LINES, .print = print_lines}, {0}};
static const struct stats_field more[] = {{.name = "more", .kind = STATS_BOOL, AT(yes)}, {0}};

static struct stats_registry *registry_with(struct figures *figures) {
    struct stats_registry *registry = stats_registry_create();
    stats_add_section(registry, "kinds", "Kinds",
                      STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING);
    stats_add_section(registry, "lines|rows", "Lines", STATS_IN_ALL | STATS_IN_EVERYTHING);
    stats_add_section(registry, "extra", "Extra", STATS_IN_EVERYTHING);
    stats_add_section(registry, "hidden", "Hidden", 0);
    stats_add_fields(registry, "kinds", all_kinds, figures);
    stats_add_refresh(registry, "kinds", refresh, figures);
    stats_add_fields(registry, "lines", lines, figures);
    stats_add_fields(registry, "hidden", more, figures);
    return registry;
}

static void expect_info(const struct stats_registry *registry, const char *words,
                        const char *expected) {
    struct bytes wanted[8];
    size_t count = 0;
    for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ')
        wanted[count++] = bytes_make(at, strcspn(at, " "));
    struct buf out = {0};
    stats_print(registry, wanted, count, &out);
    expect_str_eq(out.data ? out.data : "", expected);
    buf_deinit(&out);
}

TEST(every_kind_is_shown_as_info_shows_it) {
    struct figures figures = {.big = UINT64_MAX,
                              .less = INT64_MIN,
                              .word = UINT32_MAX,
                              .half = -7,
                              .ratio = 1.005e3,
                              .name = "n"};
    struct stats_registry *registry = registry_with(&figures);
    expect_info(registry, "kinds",
                "# Kinds\r\nbig:18446744073709551615\r\nless:-9223372036854775808\r\n"
                "word:4294967295\r\nhalf:-7\r\nyes:0\r\nratio:1005.00\r\nname:n\r\nmissing:\r\n"
                "fixed:none\r\nprinted:<n>\r\n");
    stats_registry_destroy(&registry);
    expect_null(registry);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_field_with_a_condition_comes_and_goes) {
    struct figures figures = {.yes = true, .name = "n", .word = 5};
    struct stats_registry *registry = registry_with(&figures);
    struct buf out = {0};
    stats_print(registry, (struct bytes[]){BYTES("kinds")}, 1, &out);
    expect_not_null(strstr(out.data, "\r\nonly_if_yes:5\r\n"));
    buf_clear(&out);
    figures.yes = false;
    stats_print(registry, (struct bytes[]){BYTES("kinds")}, 1, &out);
    expect_null(strstr(out.data, "only_if_yes"));
    buf_deinit(&out);
    stats_registry_destroy(&registry);
}

TEST(sections_come_in_declared_order_and_none_twice) {
    struct figures figures = {.yes = true, .name = ""};
    struct stats_registry *registry = registry_with(&figures);
    const char *expected = "# Lines\r\ndb0:keys=1\r\ndb7:keys=2\r\n\r\n# Hidden\r\nmore:1\r\n";
    expect_info(registry, "hidden lines", expected);
    expect_info(registry, "HIDDEN Rows lines nosuch", expected);
    stats_registry_destroy(&registry);
}

TEST(default_all_and_everything_are_three_sets) {
    struct figures figures = {.name = ""};
    struct stats_registry *registry = registry_with(&figures);
    static const struct {
        const char *words;
        bool lines, extra, hidden;
    } cases[] = {{"", 0, 0, 0},
                 {"default", 0, 0, 0},
                 {"ALL", 1, 0, 0},
                 {"everything", 1, 1, 0},
                 {"default hidden", 0, 0, 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes wanted[2] = {bytes_of(cases[i].words), BYTES("hidden")};
        size_t count = cases[i].hidden ? 2 : cases[i].words[0] ? 1 : 0;
        if (count == 2) wanted[0].size = strlen("default");
        struct buf out = {0};
        stats_print(registry, wanted, count, &out);
        expect_not_null(strstr(out.data, "# Kinds"));
        expect_eq(strstr(out.data, "# Lines") != NULL, cases[i].lines);
        expect_eq(strstr(out.data, "# Extra") != NULL, cases[i].extra);
        expect_eq(strstr(out.data, "# Hidden") != NULL, cases[i].hidden);
        buf_deinit(&out);
    }
    stats_registry_destroy(&registry);
}

TEST(an_unknown_section_gives_nothing) {
    struct figures figures = {.name = ""};
    struct stats_registry *registry = registry_with(&figures);
    expect_info(registry, "nosuch", "");
    expect_info(registry, "line", "");
    expect_eq(figures.refreshed, 0);
    stats_registry_destroy(&registry);
}

TEST(refresh_runs_once_each_time_its_section_is_shown) {
    struct figures figures = {.name = ""};
    struct stats_registry *registry = registry_with(&figures);
    expect_info(registry, "extra", "# Extra\r\n");
    expect_eq(figures.refreshed, 0);
    struct buf out = {0};
    stats_print(registry, (struct bytes[]){BYTES("kinds"), BYTES("all")}, 2, &out);
    expect_eq(figures.refreshed, 1);
    stats_print(registry, NULL, 0, &out);
    expect_eq(figures.refreshed, 2);
    buf_deinit(&out);
    stats_registry_destroy(&registry);
}

TEST_MAIN()
