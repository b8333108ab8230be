/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of a sorted set as places: GEOADD, GEODIST, GEOHASH, GEOPOS. Searches: geo_search.c. */
#include "base/mem.h"
#include "commands/geo_internal.h"

/* ---- steps ---- */

bool geo_read_point(struct call *call, uint32_t arg, struct geo_point *out) {
    struct geo_point point;
    if (!call_double(call, arg, &point.longitude)) return false;
    if (!call_double(call, arg + 1, &point.latitude)) return false;
    if (!geo_point_is_valid(point)) {
        call_errorf(call, ERROR_GEO_POINT, point.longitude, point.latitude);
        return false;
    }
    *out = point;
    return true;
}

bool geo_read_unit(struct call *call, uint32_t arg, double *out) {
    static const struct {
        const char *name;
        double metres;
    } units[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (call_is(call, arg, units[i].name)) {
            *out = units[i].metres;
            return true;
        }
    }
    call_error(call, ERROR_GEO_UNIT);
    return false;
}

/* A coordinate with as many digits as other servers give: a double in RESP3, else a string. */
static void reply_coordinate(struct reply *reply, double value) {
    char text[64] = ",";
    size_t size = 1 + num_format_ldouble(text + 1, sizeof(text) - 3, value);
    if (reply->resp == 2) {
        reply_bulk(reply, bytes_make(text + 1, size - 1));
        return;
    }
    memcpy(text + size, "\r\n", 2);
    reply_raw(reply, text, size + 2);
}

void geo_reply_point(struct reply *reply, struct geo_point point) {
    reply_array(reply, 2);
    reply_coordinate(reply, point.longitude);
    reply_coordinate(reply, point.latitude);
}

/* ---- GEOADD ---- */

enum { PLACES_INLINE = 16 };

struct places { /* longitude latitude member ... */
    uint32_t first, count;
    unsigned flags; /* enum zset_add_flag */
    bool counts_changes;
    double *scores; /* inline_scores, or allocated */
    double inline_scores[PLACES_INLINE];
};

/* Options, then triples. False: it has replied. */
static bool read_options(struct call *call, struct places *places) {
    uint32_t arg = 2;
    for (; arg < call->argc; arg++) {
        if (call_is(call, arg, "NX")) {
            places->flags |= ZSET_ADD_NX;
        } else if (call_is(call, arg, "XX")) {
            places->flags |= ZSET_ADD_XX;
        } else if (call_is(call, arg, "CH")) {
            places->counts_changes = true;
        } else {
            break;
        }
    }
    bool both = places->flags & ZSET_ADD_NX && places->flags & ZSET_ADD_XX;
    if (both || arg == call->argc || (call->argc - arg) % 3 != 0) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    places->first = arg;
    places->count = (call->argc - arg) / 3;
    return true;
}

static bool read_places(struct call *call, struct places *places) {
    if (places->count > PLACES_INLINE) {
        places->scores = mem_alloc_array(places->count, sizeof(double));
    }
    for (uint32_t i = 0; i < places->count; i++) {
        struct geo_point point;
        if (!geo_read_point(call, places->first + 3 * i, &point)) return false;
        places->scores[i] = geohash_encode(point);
    }
    return true;
}

static size_t longest_member(const struct call *call, const struct places *places) {
    size_t longest = 0;
    for (uint32_t i = 0; i < places->count; i++)
        longest = size_max(longest, call->argv[places->first + 3 * i + 2].size);
    return longest;
}

/* Adds the places to a set; how many the reply counts. *changed: whether any was new or moved. */
static size_t add_to_set(struct call *call, const struct places *places, struct zset **zset,
                         bool *changed) {
    size_t added = 0, moved = 0;
    zset_expect(zset, zset_limits_of(call), places->count, longest_member(call, places));
    for (uint32_t i = 0; i < places->count; i++) {
        double score = places->scores[i];
        enum zset_added result =
            zset_add(zset, zset_limits_of(call), call->argv[places->first + 3 * i + 2],
                     places->flags, &score);
        added += result == ZSET_NEW;
        moved += result == ZSET_UPDATED;
    }
    *changed = added + moved > 0;
    return places->counts_changes ? added + moved : added;
}

static void add_places(struct call *call, const struct places *places) {
    struct entry *entry;
    bool changed = false;
    size_t counted = 0;
    if (!call_find_write(call, 1, TYPE_ZSET, &entry)) return;
    struct zset *zset = zset_of(entry);
    if (entry) {
        counted = add_to_set(call, places, &zset, &changed);
        entry_set_object(entry, zset);
        if (changed) zset_changed(call, 1, entry, zset, "zadd");
    } else if (!(places->flags & ZSET_ADD_XX)) {
        zset = zset_create(zset_limits_of(call), places->count, longest_member(call, places));
        counted = add_to_set(call, places, &zset, &changed);
        (void)keyspace_add_object(call->db, call->argv[1], call_hash(call, 1), TYPE_ZSET, zset);
        keyspace_event(call->db, call->argv[1], EVENT_ZSET, "zadd");
    }
    reply_integer(call->reply, (int64_t)counted);
}

/* GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...] */
void cmd_geoadd(struct call *call) {
    struct places places = {0};
    places.scores = places.inline_scores;
    if (!read_options(call, &places)) return;
    if (read_places(call, &places)) add_places(call, &places);
    if (places.scores != places.inline_scores) mem_free(places.scores);
}

/* ---- reading ---- */

/* GEODIST key member member [unit] */
void cmd_geodist(struct call *call) {
    double unit = 1, a, b;
    struct entry *entry;
    if (call->argc > 5) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (call->argc == 5 && !geo_read_unit(call, 4, &unit)) return;
    if (!call_find(call, 1, TYPE_ZSET, &entry)) return;
    const struct zset *zset = zset_of(entry);
    if (!zset_score(zset, call->argv[2], &a) || !zset_score(zset, call->argv[3], &b)) {
        reply_null(call->reply);
        return;
    }
    geo_reply_distance(call->reply, geo_distance(geohash_decode(a), geohash_decode(b)) / unit);
}

/* GEOHASH key [member ...] */
void cmd_geohash(struct call *call) {
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_ZSET, &entry)) return;
    const struct zset *zset = zset_of(entry);
    reply_array(call->reply, call->argc - 2);
    for (uint32_t arg = 2; arg < call->argc; arg++) {
        char text[GEOHASH_TEXT_SIZE];
        double score;
        if (zset && zset_score(zset, call->argv[arg], &score)) {
            geohash_text(score, text);
            reply_bulk(call->reply, bytes_make(text, sizeof(text)));
        } else {
            reply_null(call->reply);
        }
    }
}

/* GEOPOS key [member ...] */
void cmd_geopos(struct call *call) {
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_ZSET, &entry)) return;
    const struct zset *zset = zset_of(entry);
    reply_array(call->reply, call->argc - 2);
    for (uint32_t arg = 2; arg < call->argc; arg++) {
        double score;
        if (zset && zset_score(zset, call->argv[arg], &score)) {
            geo_reply_point(call->reply, geohash_decode(score));
        } else {
            reply_null_array(call->reply);
        }
    }
}
