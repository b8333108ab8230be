/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of a sorted set as places: GEOADD, GEODIST, GEOHASH, GEOPOS. Searches: geo_search.c. */
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

/* Options, then triples. False: it has replied. */
static bool read_options(struct call *call, struct zset_additions *adds) {
    uint32_t arg = 2;
    for (; arg < call->argc; arg++) {
        if (call_is(call, arg, "NX")) {
            adds->flags |= ZSET_ADD_NX;
        } else if (call_is(call, arg, "XX")) {
            adds->flags |= ZSET_ADD_XX;
        } else if (call_is(call, arg, "CH")) {
            adds->counts_all = true;
        } else {
            break;
        }
    }
    bool both = adds->flags & ZSET_ADD_NX && adds->flags & ZSET_ADD_XX;
    if (both || arg == call->argc || (call->argc - arg) % 3 != 0) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    adds->first = arg;
    adds->count = (call->argc - arg) / 3;
    return true;
}

static bool read_places(struct call *call, struct zset_additions *adds) {
    zset_additions_alloc(adds);
    for (uint32_t i = 0; i < adds->count; i++) {
        struct geo_point point;
        if (!geo_read_point(call, adds->first + 3 * i, &point)) return false;
        adds->scores[i] = geohash_encode(point);
    }
    return true;
}

/* GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...] */
void cmd_geoadd(struct call *call) {
    struct zset_additions adds;
    zset_additions_init(&adds, 3);
    if (!read_options(call, &adds)) return;
    if (read_places(call, &adds) && zset_add_members(call, &adds)) {
        reply_integer(call->reply, zset_additions_counted(&adds));
    }
    zset_additions_deinit(&adds);
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
