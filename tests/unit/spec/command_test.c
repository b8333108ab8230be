/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec/command.h"

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"

static void handle(struct call *call) { (void)call; }

/* SORT's keys as its row could find them: the first, and what follows STORE. */
static bool find_sort_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out) {
    command_keys_add(out, 1, KEY_RO);
    for (uint32_t i = 2; i + 1 < argc; i++) {
        if (bytes_equal_nocase(argv[i], BYTES("store"))) command_keys_add(out, i + 1, KEY_OW);
    }
    return argc > 1;
}

static const struct command_spec sub_rows[] = {
    {
        .name = "get",
        .handler = handle,
        .arity = -3,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT,
    },
    {
        .name = "encoding",
        .handler = handle,
        .arity = 3,
        .group = GROUP_GENERIC,
        .flags = CMD_READONLY,
        .acl = ACL_KEYSPACE,
        .keys = KEY_AT(2, KEY_RO),
    },
    {0},
};

static const struct command_spec rows[] = {
    {
        .name = "get",
        .handler = handle,
        .arity = 2,
        .group = GROUP_STRING,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
    },
    {
        .name = "mset",
        .handler = handle,
        .arity = -3,
        .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEY_RANGE(1, -1, 2, KEY_OW | KEY_UPDATE),
    },
    {
        .name = "bitop",
        .handler = handle,
        .arity = -4,
        .group = GROUP_BITMAP,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEYS(
            {.flags = KEY_OW, .begin = KEY_BEGIN_INDEX, .index = 2, .step = 1},
            {.flags = KEY_RO, .begin = KEY_BEGIN_INDEX, .index = 3, .last_key = -1, .step = 1}),
    },
    {
        .name = "zunionstore",
        .handler = handle,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEYS({.flags = KEY_OW, .begin = KEY_BEGIN_INDEX, .index = 1, .step = 1},
                     {.flags = KEY_RO,
                      .begin = KEY_BEGIN_INDEX,
                      .index = 2,
                      .find = KEY_FIND_KEYNUM,
                      .first_key = 1,
                      .key_step = 1}),
    },
    {
        .name = "msetex",
        .handler = handle,
        .arity = -4,
        .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEYS({.flags = KEY_OW,
                      .begin = KEY_BEGIN_INDEX,
                      .index = 1,
                      .find = KEY_FIND_KEYNUM,
                      .first_key = 1,
                      .key_step = 2}),
    },
    {
        .name = "eval_ro",
        .handler = handle,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = CMD_READONLY | CMD_NOSCRIPT | CMD_NO_MANDATORY_KEYS,
        .keys = KEYS({.flags = KEY_RO,
                      .begin = KEY_BEGIN_INDEX,
                      .index = 2,
                      .find = KEY_FIND_KEYNUM,
                      .first_key = 1,
                      .key_step = 1}),
    },
    {
        .name = "xread",
        .handler = handle,
        .arity = -4,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY | CMD_BLOCKING,
        .keys = KEYS({.flags = KEY_RO,
                      .begin = KEY_BEGIN_KEYWORD,
                      .keyword = "STREAMS",
                      .start_from = 1,
                      .last_key = -1,
                      .step = 1,
                      .limit = 2}),
    },
    {
        .name = "migrate",
        .handler = handle,
        .arity = -6,
        .group = GROUP_GENERIC,
        .flags = CMD_WRITE,
        .acl = ACL_KEYSPACE | ACL_DANGEROUS,
        .keys = KEYS({.flags = KEY_RW, .begin = KEY_BEGIN_INDEX, .index = 3, .step = 1},
                     {.flags = KEY_RW,
                      .begin = KEY_BEGIN_KEYWORD,
                      .keyword = "KEYS",
                      .start_from = -2,
                      .last_key = -1,
                      .step = 1}),
    },
    {
        .name = "sort",
        .handler = handle,
        .arity = -2,
        .group = GROUP_GENERIC,
        .flags = CMD_WRITE,
        .keys = KEYS({.flags = KEY_RO, .begin = KEY_BEGIN_INDEX, .index = 1, .step = 1},
                     {.flags = KEY_OW, .begin = KEY_BEGIN_UNKNOWN, .find = KEY_FIND_UNKNOWN}),
        .find_keys = find_sort_keys,
    },
    {
        .name = "spublish",
        .handler = handle,
        .arity = 3,
        .group = GROUP_PUBSUB,
        .flags = CMD_PUBSUB | CMD_FAST,
        .keys = KEY_AT(1, KEY_NOT_KEY),
    },
    {.name = "object", .arity = -2, .group = GROUP_GENERIC, .subs = sub_rows},
    {.name = "client", .arity = -2, .group = GROUP_CONNECTION, .subs = sub_rows},
    {.name = "ping", .handler = handle, .arity = -1, .group = GROUP_CONNECTION, .flags = CMD_FAST},
    {0},
};

static struct command_table *create_table(void) {
    struct command_table *table = command_table_create();
    command_table_add(table, rows);
    return table;
}

static const struct command *find(const struct command_table *table, const char *name) {
    return command_find_full(table, bytes_of(name));
}

TEST(commands_are_found_in_any_case) {
    struct command_table *table = create_table();
    const struct command *get = command_find(table, BYTES("get"));
    expect_not_null(get);
    expect_str_eq(get->full_name, "get");
    expect_ptr_eq(command_find(table, BYTES("GET")), get);
    expect_ptr_eq(command_find(table, BYTES("gEt")), get);
    expect_null(command_find(table, BYTES("ge")));
    expect_null(command_find(table, BYTES("gets")));
    expect_null(command_find(table, BYTES("")));
    expect_null(command_find(table, BYTES("get\0")));
    expect_null(command_find(table, BYTES("\0get")));
    expect_null(command_find(table, BYTES("g\xc5t")));
    expect_null(command_find(table, BYTES("g%t")));
    expect_null(command_find(table, BYTES("getgetgetgetgetgetgetgetgetgetgetgetget")));
    expect_not_null(command_find(table, BYTES("EVAL_RO")));
    expect_null(command_find(table, BYTES("EVAL\x7fRO"))); /* '_' has no other case */
    expect_eq(command_table_count(table), COUNT_OF(rows) - 1);
    command_table_destroy(&table);
    expect_null(table);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(every_byte_is_told_apart_from_every_letter) {
    struct command_table *table = create_table();
    for (int c = 0; c < 256; c++) {
        char name[] = {'p', (char)c, 'n', 'g'};
        bool expected = c == 'i' || c == 'I';
        expect_eq(command_find(table, bytes_make(name, 4)) != NULL, expected);
    }
    command_table_destroy(&table);
}

TEST(subcommands_are_found_by_full_name_and_in_their_container) {
    struct command_table *table = create_table();
    const struct command *object = find(table, "object");
    const struct command *encoding = find(table, "OBJECT|Encoding");
    expect_not_null(encoding);
    expect_str_eq(encoding->full_name, "object|encoding");
    expect_ptr_eq(encoding->parent, object);
    expect_ptr_eq(command_find_sub(object, BYTES("ENCODING")), encoding);
    expect_null(command_find_sub(object, BYTES("nosuch")));
    expect_null(command_find_sub(find(table, "get"), BYTES("get")));
    expect_null(find(table, "get|foo"));
    expect_null(find(table, "nosuch|get"));
    expect_null(find(table, "object|"));
    expect_null(find(table, "|"));
    expect_true(find(table, "client|get") != find(table, "object|get"));
    expect_eq(object->sub_count, 2);
    command_table_destroy(&table);
}

TEST(ids_are_dense_and_names_sorted) {
    struct command_table *table = create_table();
    expect_eq(command_table_id_count(table), COUNT_OF(rows) - 1 + 4);
    for (size_t i = 0; i < command_table_id_count(table); i++)
        expect_eq(command_table_at_id(table, i)->id, i);
    for (size_t i = 1; i < command_table_count(table); i++) {
        expect_true(strcmp(command_table_at(table, i - 1)->full_name,
                           command_table_at(table, i)->full_name) < 0);
    }
    command_table_destroy(&table);
}

TEST(renaming_moves_or_removes_a_name) {
    static const char secret[] = "b840fc02d524045429941cc15f59e41cb7be6c52-and-more-of-it";
    struct command_table *table = create_table();
    const struct command *get = find(table, "get"), *ping = find(table, "ping");
    expect_false(command_table_rename(table, BYTES("nosuch"), BYTES("x")));
    expect_false(command_table_rename(table, BYTES("get"), BYTES("PING")));
    expect_ptr_eq(find(table, "get"), get);
    expect_true(command_table_rename(table, BYTES("GET"), bytes_of(secret)));
    expect_null(find(table, "get"));
    expect_ptr_eq(command_find(table, bytes_of(secret)), get);
    expect_true(command_table_rename(table, bytes_of(secret), BYTES("Fetch")));
    expect_ptr_eq(find(table, "fetch"), get);
    expect_null(command_find(table, bytes_of(secret)));
    expect_true(command_table_rename(table, BYTES("ping"), BYTES("")));
    expect_null(find(table, "ping"));
    expect_eq(command_table_count(table), COUNT_OF(rows) - 2);
    expect_ptr_eq(command_table_at_id(table, ping->id), ping);
    command_table_destroy(&table);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(many_commands_are_all_found) {
    enum { COUNT = 2000 };
    struct command_spec *many = mem_zalloc((COUNT + 1) * sizeof(*many));
    char(*names)[40] = mem_alloc(COUNT * sizeof(*names));
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "c%x.%0*d", i, 1 + i % 30, i % 7);
        many[i] = (struct command_spec){.name = names[i], .handler = handle, .arity = 1};
    }
    struct command_table *table = command_table_create();
    command_table_add(table, many);
    for (int i = 0; i < COUNT; i++) {
        const struct command *command = command_find(table, bytes_of(names[i]));
        expect_not_null(command);
        expect_ptr_eq(command->spec, &many[i]);
    }
    command_table_destroy(&table);
    mem_free(many);
    mem_free(names);
}

static void expect_range(const struct command_table *table, const char *name, int first, int last,
                         int step) {
    const struct command *command = find(table, name);
    expect_eq(command->first_key, first);
    expect_eq(command->last_key, last);
    expect_eq(command->key_step, step);
}

TEST(the_range_of_fixed_keys_follows_from_the_specs) {
    struct command_table *table = create_table();
    expect_range(table, "get", 1, 1, 1);
    expect_range(table, "mset", 1, -1, 2);
    expect_range(table, "bitop", 2, -1, 1);
    expect_range(table, "zunionstore", 1, 1, 1);
    expect_range(table, "msetex", 0, 0, 0);
    expect_range(table, "xread", 0, 0, 0);
    expect_range(table, "migrate", 3, 3, 1);
    expect_range(table, "sort", 1, 1, 1);
    expect_range(table, "ping", 0, 0, 0);
    expect_range(table, "object|encoding", 2, 2, 1);
    static const char *const movable[] = {"zunionstore", "msetex",  "eval_ro",
                                          "xread",       "migrate", "sort"};
    for (size_t i = 0; i < COUNT_OF(movable); i++)
        expect_true(find(table, movable[i])->flags & CMD_MOVABLEKEYS);
    expect_false(find(table, "bitop")->flags & CMD_MOVABLEKEYS);
    expect_false(find(table, "mset")->flags & CMD_MOVABLEKEYS);
    expect_eq(command_first_key(find(table, "get"), 2), 1);
    expect_eq(command_first_key(find(table, "get"), 1), 0);
    command_table_destroy(&table);
}

TEST(categories_follow_from_flags_and_group) {
    struct command_table *table = create_table();
    expect_eq(find(table, "get")->acl, ACL_STRING | ACL_READ | ACL_FAST);
    expect_eq(find(table, "mset")->acl, ACL_STRING | ACL_WRITE | ACL_SLOW);
    expect_eq(find(table, "eval_ro")->acl, ACL_SCRIPTING | ACL_SLOW);
    expect_eq(find(table, "xread")->acl, ACL_STREAM | ACL_READ | ACL_BLOCKING | ACL_SLOW);
    expect_eq(find(table, "spublish")->acl, ACL_PUBSUB | ACL_FAST);
    expect_eq(find(table, "client")->acl, ACL_SLOW);
    expect_eq(find(table, "ping")->acl, ACL_CONNECTION | ACL_FAST);
    expect_eq(find(table, "client|get")->acl, ACL_ADMIN | ACL_DANGEROUS | ACL_SLOW);
    expect_eq(find(table, "object|encoding")->acl, ACL_KEYSPACE | ACL_READ | ACL_SLOW);
    command_table_destroy(&table);
}

static uint32_t needs_arity(const struct command *command) {
    return (uint32_t)(command->arity + 100);
}

TEST(needs_are_filled_for_all_commands_whenever_they_come) {
    struct command_table *table = command_table_create();
    command_table_set_needs(table, needs_arity);
    command_table_add(table, rows);
    expect_eq(find(table, "get")->needs, 102);
    expect_eq(find(table, "object|get")->needs, 97);
    command_table_destroy(&table);
}

/* Splits the text at spaces; the keys' positions as text, or "no" if the arguments are wrong. */
static void expect_keys(const struct command_table *table, const char *name, const char *text,
                        const char *expected) {
    struct bytes argv[64];
    uint32_t argc = 0;
    while (*text) {
        size_t size = strcspn(text, " ");
        argv[argc++] = bytes_make(text, size);
        text += size;
        if (*text) text++;
    }
    struct command_keys keys;
    struct buf got = {0};
    command_keys_init(&keys);
    if (command_find_keys(find(table, name), argv, argc, &keys)) {
        for (uint32_t i = 0; i < keys.count; i++)
            buf_addf(&got, i ? " %u" : "%u", keys.keys[i].position);
    } else {
        buf_add_text(&got, "no");
    }
    expect_bytes_eq(buf_bytes(&got), bytes_of(expected));
    buf_deinit(&got);
    command_keys_deinit(&keys);
}

TEST(keys_are_found_at_fixed_places) {
    struct command_table *table = create_table();
    expect_keys(table, "get", "get k", "1");
    expect_keys(table, "get", "get", "no");
    expect_keys(table, "mset", "mset a 1 b 2 c 3", "1 3 5");
    expect_keys(table, "mset", "mset a 1 b", "1 3");
    expect_keys(table, "mset", "mset", "no");
    expect_keys(table, "bitop", "bitop and d a b", "2 3 4");
    expect_keys(table, "bitop", "bitop and d", "no");
    expect_keys(table, "ping", "ping a", "");
    expect_keys(table, "spublish", "spublish c m", "");
    expect_keys(table, "object|encoding", "object encoding k", "2");
    expect_true(command_has_keys(find(table, "get")));
    expect_true(command_has_keys(find(table, "sort")));
    expect_false(command_has_keys(find(table, "spublish")));
    expect_false(command_has_keys(find(table, "ping")));
    command_table_destroy(&table);
}

TEST(keys_are_counted_by_a_number_that_may_lie) {
    struct command_table *table = create_table();
    expect_keys(table, "zunionstore", "zunionstore d 2 a b weights 1 2", "1 3 4");
    expect_keys(table, "zunionstore", "zunionstore d 9 a", "no");
    expect_keys(table, "zunionstore", "zunionstore d 0 a", "no");
    expect_keys(table, "zunionstore", "zunionstore d -1 a", "no");
    expect_keys(table, "zunionstore", "zunionstore d x a", "no");
    expect_keys(table, "zunionstore", "zunionstore d", "no");
    expect_keys(table, "zunionstore", "zunionstore d 9223372036854775807 a", "no");
    expect_keys(table, "zunionstore", "zunionstore d -9223372036854775808 a", "no");
    expect_keys(table, "zunionstore", "zunionstore d 4294967297 a", "no");
    expect_keys(table, "msetex", "msetex 2 a 1 b 2 EX 10", "2 4");
    expect_keys(table, "msetex", "msetex 3 a 1 b 2", "no");
    expect_keys(table, "eval_ro", "eval_ro x 0 a", "");
    expect_keys(table, "eval_ro", "eval_ro x 1 a b", "3");
    expect_keys(table, "eval_ro", "eval_ro x 5 a", "no");
    command_table_destroy(&table);
}

TEST(keys_follow_keywords) {
    struct command_table *table = create_table();
    expect_keys(table, "xread", "xread count 1 streams a b 0 0", "4 5");
    expect_keys(table, "xread", "xread STREAMS a 0", "2");
    expect_keys(table, "xread", "xread count 1 block", "");
    expect_keys(table, "xread", "xread count 1 streams", "");
    expect_keys(table, "xread", "xread streams a", "no");
    expect_keys(table, "migrate", "migrate h 1 k 0 10", "3");
    expect_keys(table, "migrate", "migrate h 1 k 0 10 copy keys a b", "3 8 9");
    expect_keys(table, "migrate", "migrate h 1 k 0 10 keys", "3");
    expect_keys(table, "sort", "sort l by x store d", "1 5");
    command_table_destroy(&table);
}

TEST(many_keys_leave_the_inline_room) {
    struct command_keys keys;
    command_keys_init(&keys);
    for (uint32_t i = 0; i < 1000; i++)
        command_keys_add(&keys, i, KEY_RW);
    expect_eq(keys.count, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        expect_eq(keys.keys[i].position, i);
    command_keys_deinit(&keys);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(random_arguments_never_give_a_position_outside) {
    static const char *const words[] = {"streams", "keys", "-1", "0",         "1", "2",
                                        "3",       "99",   "a",  "store",     "",  "2147483648",
                                        "-5",      "x",    "k",  "4294967296"};
    struct command_table *table = create_table();
    for (int round = 0; round < 50000; round++) {
        struct bytes argv[12];
        uint32_t argc = 1 + (uint32_t)rng_below(t->rng, COUNT_OF(argv));
        for (uint32_t i = 0; i < argc; i++)
            argv[i] = bytes_of(words[rng_below(t->rng, COUNT_OF(words))]);
        size_t id = rng_below(t->rng, command_table_id_count(table));
        struct command_keys keys;
        command_keys_init(&keys);
        if (command_find_keys(command_table_at_id(table, id), argv, argc, &keys)) {
            for (uint32_t i = 0; i < keys.count; i++)
                expect_true(keys.keys[i].position > 0 && keys.keys[i].position < argc);
        }
        command_keys_deinit(&keys);
    }
    command_table_destroy(&table);
}

TEST(a_key_of_four_gigabytes_does_not_fit) {
    struct command_table *table = command_table_create();
    command_table_add(table, rows);
    const struct command *mset = command_find(table, BYTES("mset"));
    struct bytes argv[] = {BYTES("mset"), BYTES("a"), BYTES("1"), BYTES("b"), BYTES("2")};
    expect_true(command_keys_fit(mset, argv, 5));
    argv[4].size = (size_t)1 << 32; /* a value may be as long; no byte of it is read */
    expect_true(command_keys_fit(mset, argv, 5));
    argv[3].size = UINT32_MAX;
    expect_true(command_keys_fit(mset, argv, 5));
    argv[3].size = (size_t)1 << 32;
    expect_false(command_keys_fit(mset, argv, 5));
    command_table_destroy(&table);
}

TEST(a_field_of_four_gigabytes_does_not_fit) {
    static const struct command_spec row = {.name = "hset", .group = GROUP_HASH, .arity = -4};
    struct command hset = {.spec = &row};
    struct bytes argv[] = {BYTES("hset"), BYTES("h"), BYTES("f"), BYTES("v")};
    expect_true(command_keys_fit(&hset, argv, 4));
    argv[2].size = UINT32_MAX;
    expect_true(command_keys_fit(&hset, argv, 4));
    argv[2].size = (size_t)1 << 32;
    expect_false(command_keys_fit(&hset, argv, 4));
}

TEST(names_are_those_of_the_protocol) {
    expect_str_eq(command_flag_name(0), "write");
    expect_str_eq(command_flag_name(13), "fast");
    expect_str_eq(command_flag_name(19), "allow_busy");
    expect_null(command_flag_name(20));
    expect_null(command_flag_name(64));
    expect_str_eq(acl_category_name(0), "keyspace");
    expect_str_eq(acl_category_name(20), "scripting");
    expect_null(acl_category_name(21));
    expect_str_eq(command_group_name(GROUP_SORTED_SET), "sorted-set");
    expect_null(command_group_name(200));
    expect_str_eq(key_flag_name(0), "RO");
    expect_str_eq(key_flag_name(10), "variable_flags");
    expect_null(key_flag_name(11));
    expect_str_eq(arg_type_name(ARG_PURE_TOKEN), "pure-token");
}

TEST_MAIN()
