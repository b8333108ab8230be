/* SPDX-License-Identifier: BSD-3-Clause */
/* GEOSEARCH, GEORADIUS and their relatives: the members of a sorted set inside a shape.
 *
 * What is found is kept as ranks: the members' bytes stay where they are, and are looked up again
 * when the reply or the stored set is made. Without an order to bring them into, they are replied
 * with as they are found. */
#include "base/mem.h"
#include "commands/geo_internal.h"

#include <stdlib.h>

struct found { /* a member inside the shape */
    size_t rank;
    double score, distance_m;
};

struct finds {
    struct found *items;
    size_t count, cap;
};

/* ---- searching ---- */

struct search {
    const struct geo_query *query;
    const struct zset *zset;
    bool (*fn)(void *ctx, const struct found *found, struct bytes member); /* false: stop */
    void *ctx;
};

static bool search_range(const struct search *search, struct geo_range range) {
    const struct zset_score_range scores = {
        .min = range.first, .max = range.end, .without_max = true};
    struct zset_span span = zset_span_of_scores(search->zset, &scores);
    if (span.count == 0) return true;
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, search->zset, span.first, false);
    for (size_t i = 0; i < span.count && zset_iter_next(&iter, &item); i++) {
        struct found found = {.rank = span.first + i, .score = item.score};
        struct geo_point point = geohash_decode(item.score);
        if (!geo_shape_contains(&search->query->shape, point, &found.distance_m)) continue;
        if (!search->fn(search->ctx, &found, item.member)) return false;
    }
    return true;
}

static void search_all(const struct search *search) {
    struct geo_range ranges[GEO_RANGES_MAX];
    size_t count = geo_shape_ranges(&search->query->shape, ranges);
    for (size_t i = 0; i < count; i++) {
        if (!search_range(search, ranges[i])) return;
    }
}

struct gathering {
    const struct geo_query *query;
    struct finds *finds;
};

static bool gather(void *ctx, const struct found *found, struct bytes member) {
    struct gathering *gathering = ctx;
    struct finds *finds = gathering->finds;
    (void)member;
    if (finds->count == finds->cap) {
        finds->cap = finds->cap ? finds->cap * 2 : 32;
        finds->items = mem_realloc(finds->items, finds->cap * sizeof(struct found));
    }
    finds->items[finds->count++] = *found;
    return !(gathering->query->any && (int64_t)finds->count == gathering->query->count);
}

/* Nearest first; equally near ones by rank, so that the order is always the same. */
static int compare_found(const void *a, const void *b) {
    const struct found *x = a, *y = b;
    if (x->distance_m != y->distance_m) return x->distance_m < y->distance_m ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}
static int compare_found_down(const void *a, const void *b) { return compare_found(b, a); }

/* All that is asked for, in order. */
static struct finds find(const struct geo_query *query, const struct zset *zset) {
    struct finds finds = {0};
    struct gathering gathering = {.query = query, .finds = &finds};
    const struct search search = {.query = query, .zset = zset, .fn = gather, .ctx = &gathering};
    search_all(&search);
    if (query->order != GEO_UNSORTED && finds.count > 1) {
        qsort(finds.items, finds.count, sizeof(struct found),
              query->order == GEO_ASCENDING ? compare_found : compare_found_down);
    }
    if (query->count && finds.count > (uint64_t)query->count) finds.count = (size_t)query->count;
    return finds;
}

/* ---- to the client ---- */

static void reply_found(struct reply *reply, const struct geo_query *query,
                        const struct found *found, struct bytes member) {
    if (!query->with) {
        reply_bulk(reply, member);
        return;
    }
    reply_array(reply, 1 + (size_t)__builtin_popcount(query->with));
    reply_bulk(reply, member);
    if (query->with & GEO_WITH_DIST) geo_reply_distance(reply, found->distance_m / query->unit_m);
    if (query->with & GEO_WITH_HASH) reply_integer(reply, (int64_t)found->score);
    if (query->with & GEO_WITH_COORD) geo_reply_point(reply, geohash_decode(found->score));
}

struct listing {
    struct reply *reply;
    const struct geo_query *query;
    size_t count;
};

static bool list(void *ctx, const struct found *found, struct bytes member) {
    struct listing *listing = ctx;
    reply_found(listing->reply, listing->query, found, member);
    listing->count++;
    return !(listing->query->count && (int64_t)listing->count == listing->query->count);
}

static void reply_as_found(struct call *call, const struct geo_query *query,
                           const struct zset *zset) {
    struct listing listing = {.reply = call->reply, .query = query};
    const struct search search = {.query = query, .zset = zset, .fn = list, .ctx = &listing};
    struct reply_mark mark = reply_defer(call->reply);
    search_all(&search);
    reply_defer_array(call->reply, mark, listing.count);
}

static void reply_in_order(struct call *call, const struct geo_query *query,
                           const struct zset *zset) {
    struct finds finds = find(query, zset);
    reply_array(call->reply, finds.count);
    for (size_t i = 0; i < finds.count; i++) {
        char scratch[NUM_I64_TEXT_MAX];
        struct zset_item item;
        zset_at(zset, finds.items[i].rank, scratch, &item);
        reply_found(call->reply, query, &finds.items[i], item.member);
    }
    mem_free(finds.items);
}

/* ---- to a key ---- */

static struct zset *make_result(struct call *call, const struct geo_query *query,
                                const struct zset *zset, const struct finds *finds) {
    struct zset *result = zset_create(zset_limits_of(call), 0, 0);
    for (size_t i = 0; i < finds->count; i++) {
        const struct found *found = &finds->items[i];
        char scratch[NUM_I64_TEXT_MAX];
        struct zset_item item;
        zset_at(zset, found->rank, scratch, &item);
        double score = query->stores_distance ? found->distance_m / query->unit_m : found->score;
        (void)zset_add(&result, zset_limits_of(call), item.member, 0, &score);
    }
    return result;
}

static void store(struct call *call, enum geo_style style, const struct geo_query *query,
                  const struct zset *zset) {
    struct finds finds = {0};
    if (zset) finds = find(query, zset);
    struct zset *result = make_result(call, query, zset, &finds);
    mem_free(finds.items);
    zset_store(call, query->store_arg, result,
               style == GEO_SEARCH_STORE ? "geosearchstore" : "georadiusstore");
}

/* ---- commands ---- */

static void search_by_place(struct call *call, enum geo_style style, bool read_only) {
    struct entry *entry;
    struct geo_query query;
    if (!call_find_or_null(call, style == GEO_SEARCH_STORE ? 2 : 1, TYPE_ZSET, &entry)) return;
    const struct zset *zset = zset_of(entry);
    if (geo_query_read(call, style, read_only, zset, &query)) {
        if (query.store_arg) {
            store(call, style, &query, zset);
        } else if (!zset) {
            reply_array(call->reply, 0);
        } else if (query.order == GEO_UNSORTED) {
            reply_as_found(call, &query, zset);
        } else {
            reply_in_order(call, &query, zset);
        }
    }
    geo_query_deinit(&query);
}

/* GEOSEARCH key centre shape [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH] */
void cmd_geosearch(struct call *call) { search_by_place(call, GEO_SEARCH, true); }

/* GEOSEARCHSTORE destination source centre shape [ASC | DESC] [COUNT count [ANY]] [STOREDIST] */
void cmd_geosearchstore(struct call *call) { search_by_place(call, GEO_SEARCH_STORE, false); }

/* GEORADIUS key longitude latitude radius unit [options] [STORE key | STOREDIST key] */
void cmd_georadius(struct call *call) { search_by_place(call, GEO_RADIUS, false); }
void cmd_georadius_ro(struct call *call) { search_by_place(call, GEO_RADIUS, true); }

/* GEORADIUSBYMEMBER key member radius unit [options] [STORE key | STOREDIST key] */
void cmd_georadiusbymember(struct call *call) {
    search_by_place(call, GEO_RADIUS_BY_MEMBER, false);
}
void cmd_georadiusbymember_ro(struct call *call) {
    search_by_place(call, GEO_RADIUS_BY_MEMBER, true);
}

/* ---- where the keys are ---- */

static void find_store_key(const struct bytes *argv, uint32_t argc, uint32_t first,
                           struct command_keys *out) {
    uint32_t store = 0; /* the last one counts, as in execution */
    command_keys_add(out, 1, KEY_RO | KEY_ACCESS);
    for (uint32_t arg = first; arg + 1 < argc; arg++) {
        if (bytes_equal_nocase(argv[arg], BYTES("STORE")) ||
            bytes_equal_nocase(argv[arg], BYTES("STOREDIST"))) {
            store = ++arg;
        }
    }
    if (store) command_keys_add(out, store, KEY_OW | KEY_UPDATE);
}

bool georadius_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out) {
    if (argc < 6) return false;
    find_store_key(argv, argc, 6, out);
    return true;
}

bool georadiusbymember_find_keys(const struct bytes *argv, uint32_t argc,
                                 struct command_keys *out) {
    if (argc < 5) return false;
    find_store_key(argv, argc, 5, out);
    return true;
}
