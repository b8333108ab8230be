/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/cluster.h"

#include "base/hash.h"
#include "tests/unit/test.h"

TEST(every_slot_has_a_tag_that_leads_there) {
    char(*tags)[3] = cluster_tags_create();
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        expect_eq(hash_crc16(bytes_make(tags[slot], 3)) % CLUSTER_SLOTS, slot);
    }
    mem_free(tags);
}

/* Reads a reply of CLUSTER SLOTS; the map is the caller's. */
static enum err read_map(const char *text, enum bench_read_from read_from,
                         struct cluster_map **out) {
    struct reply_reader reader;
    struct resp_value *reply = NULL;
    struct diag diag;
    struct bytes input = bytes_of(text);
    *out = mem_zalloc(sizeof(**out));
    reply_reader_init(&reader, true);
    expect_eq(reply_reader_next(&reader, &input, &reply), REPLY_READ_WHOLE);
    enum err err = cluster_map_read(*out, reply, "asked", read_from, &diag);
    resp_value_destroy(&reply);
    reply_reader_deinit(&reader);
    return err;
}

static const char two_primaries[] =
    "*2\r\n"
    "*4\r\n:0\r\n:9\r\n*3\r\n$1\r\na\r\n:1000\r\n$1\r\nx\r\n*3\r\n$1\r\nr\r\n:1001\r\n$1\r\ny\r\n"
    "*3\r\n:10\r\n:16383\r\n*3\r\n$0\r\n\r\n:1002\r\n$1\r\nz\r\n";

TEST(nodes_and_slots_are_read_and_an_empty_host_is_the_one_asked) {
    struct cluster_map *map;
    expect_eq(read_map(two_primaries, BENCH_READ_PRIMARIES, &map), ERR_NONE);
    expect_eq(map->node_count, 3);
    expect_eq(map->nodes[0].slot_count, 10);
    expect_eq(map->nodes[1].slot_count, 10);
    expect_true(map->nodes[1].is_replica);
    expect_str_eq(map->nodes[2].host, "asked");
    expect_eq(map->nodes[2].slots[0], 10);
    expect_eq(map->nodes[2].slot_count, 16374);
    for (size_t i = 0; i < 3; i++) {
        expect_eq(cluster_node_is_used(&map->nodes[i], BENCH_READ_PRIMARIES), i != 1);
        expect_eq(cluster_node_is_used(&map->nodes[i], BENCH_READ_REPLICAS), i == 1);
        expect_true(cluster_node_is_used(&map->nodes[i], BENCH_READ_ALL));
    }
    cluster_map_destroy(&map);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(maps_are_equal_only_if_all_is) {
    static const char *const others[] = {
        "*1\r\n*3\r\n:0\r\n:9\r\n*3\r\n$1\r\na\r\n:1000\r\n$1\r\nx\r\n",
        "*1\r\n*3\r\n:0\r\n:8\r\n*3\r\n$1\r\na\r\n:1000\r\n$1\r\nx\r\n",
        "*1\r\n*3\r\n:1\r\n:10\r\n*3\r\n$1\r\na\r\n:1000\r\n$1\r\nx\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n*3\r\n$1\r\na\r\n:1001\r\n$1\r\nx\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n*3\r\n$1\r\nb\r\n:1000\r\n$1\r\nx\r\n",
        two_primaries,
    };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct cluster_map *map, *other;
        expect_eq(read_map(others[0], BENCH_READ_PRIMARIES, &map), ERR_NONE);
        expect_eq(read_map(others[i], BENCH_READ_PRIMARIES, &other), ERR_NONE);
        expect_eq(cluster_map_equals(map, other), i == 0);
        other->nodes[0].is_replica = true;
        expect_false(cluster_map_equals(map, other));
        cluster_map_destroy(&map);
        cluster_map_destroy(&other);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(ill_formed_maps_are_refused) {
    static const struct {
        const char *text;
        enum err err;
    } cases[] = {
        {"-ERR This instance has cluster support disabled\r\n", ERR_UNSUPPORTED},
        {"+OK\r\n", ERR_SYNTAX},
        {"*0\r\n", ERR_NOT_FOUND},
        {"*1\r\n:1\r\n", ERR_SYNTAX},
        {"*1\r\n*2\r\n:0\r\n:1\r\n", ERR_SYNTAX},
        {"*1\r\n*3\r\n:5\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n", ERR_SYNTAX},
        {"*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n", ERR_SYNTAX},
        {"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:65536\r\n", ERR_SYNTAX},
        {"*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\na\r\n", ERR_SYNTAX},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cluster_map *map;
        expect_eq(read_map(cases[i].text, BENCH_READ_PRIMARIES, &map), cases[i].err);
        cluster_map_destroy(&map);
    }
    struct cluster_map *map;
    expect_eq(
        read_map("*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n", BENCH_READ_REPLICAS, &map),
        ERR_NOT_FOUND);
    cluster_map_destroy(&map);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
