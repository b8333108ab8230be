/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the geo group share: the handlers that its table names, and small steps. */
#pragma once

#include "commands/zset_internal.h"
#include "types/geo_shape.h"

/* ---- geo.c ---- */
void cmd_geoadd(struct call *call);
void cmd_geodist(struct call *call);
void cmd_geohash(struct call *call);
void cmd_geopos(struct call *call);

/* ---- geo_search.c ---- */
void cmd_geosearch(struct call *call);
void cmd_geosearchstore(struct call *call);
void cmd_georadius(struct call *call);
void cmd_georadius_ro(struct call *call);
void cmd_georadiusbymember(struct call *call);
void cmd_georadiusbymember_ro(struct call *call);
/* Keys of GEORADIUS and GEORADIUSBYMEMBER: the source, and what STORE or STOREDIST names. */
bool georadius_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out);
bool georadiusbymember_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out);

/* ---- geo_query.c ---- */
enum geo_style { /* how the arguments of a search are laid out */
                 GEO_SEARCH = 0,
                 GEO_SEARCH_STORE,
                 GEO_RADIUS,
                 GEO_RADIUS_BY_MEMBER,
};
enum geo_with { GEO_WITH_DIST = BIT(0), GEO_WITH_HASH = BIT(1), GEO_WITH_COORD = BIT(2) };
enum geo_order { GEO_UNSORTED = 0, GEO_ASCENDING, GEO_DESCENDING };

struct geo_query {
    struct geo_shape shape;
    struct geo_point *vertices; /* of a polygon; owned */
    double unit_m;              /* metres to the unit of distances */
    bool has_centre, has_shape;
    uint32_t with; /* enum geo_with */
    enum geo_order order;
    int64_t count;      /* at most so many; 0: no limit */
    bool any;           /* the first ones found will do */
    uint32_t store_arg; /* 0: to the client */
    bool stores_distance;
};

/* Reads the arguments behind the source key at key_arg, whose set is given (NULL: no such key).
 * read_only: without STORE. False: it has replied. geo_query_deinit in any case. */
must_use bool geo_query_read(struct call *call, enum geo_style style, bool read_only,
                             const struct zset *zset, struct geo_query *out);
void geo_query_deinit(struct geo_query *query);

/* ---- steps ---- */
/* Longitude at arg, latitude behind it. False: it has replied. */
must_use bool geo_read_point(struct call *call, uint32_t arg, struct geo_point *out);
/* Metres to a unit. False: it has replied. */
must_use bool geo_read_unit(struct call *call, uint32_t arg, double *out);
void geo_reply_point(struct reply *reply, struct geo_point point);
static inline void geo_reply_distance(struct reply *reply, double distance) {
    reply_bulkf(reply, "%.4f", distance);
}
