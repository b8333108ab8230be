/* SPDX-License-Identifier: BSD-3-Clause */
/* What the arguments of a search by place mean. Errors come in the order of the arguments; what
 * concerns several of them comes when all have been read. */
#include "base/mem.h"
#include "commands/geo_internal.h"

enum { VERTICES_MIN = 3 };

void geo_query_deinit(struct geo_query *query) {
    mem_free(query->vertices);
    query->vertices = NULL;
}

/* ---- centre ---- */

/* The place of a member. Of a set that does not exist, it does not matter. */
static bool read_member(struct call *call, uint32_t arg, const struct zset *zset,
                        struct geo_query *query) {
    double score;
    query->has_centre = true;
    if (!zset) return true;
    if (!zset_score(zset, call->argv[arg], &score)) {
        int shown = (int)size_min(call->argv[arg].size, INT32_MAX);
        call_errorf(call, ERROR_GEO_NO_MEMBER, shown, call->argv[arg].data);
        return false;
    }
    query->shape.centre = geohash_decode(score);
    return true;
}

static bool read_centre(struct call *call, uint32_t arg, struct geo_query *query) {
    query->has_centre = true;
    return geo_read_point(call, arg, &query->shape.centre);
}

/* ---- shapes ---- */

static bool read_length(struct call *call, uint32_t arg, enum error_id error, double *out) {
    if (num_parse_double(call->argv[arg], out)) return true;
    call_error(call, error);
    return false;
}

static bool read_circle(struct call *call, uint32_t arg, struct geo_query *query) {
    double radius;
    if (!read_length(call, arg, ERROR_GEO_RADIUS, &radius)) return false;
    if (radius < 0) {
        call_error(call, ERROR_GEO_RADIUS_NEGATIVE);
        return false;
    }
    if (!geo_read_unit(call, arg + 1, &query->unit_m)) return false;
    query->shape.form = GEO_CIRCLE;
    query->shape.radius_m = radius * query->unit_m;
    query->has_shape = true;
    return true;
}

static bool read_box(struct call *call, uint32_t arg, struct geo_query *query) {
    double width, height;
    if (!read_length(call, arg, ERROR_GEO_WIDTH, &width)) return false;
    if (!read_length(call, arg + 1, ERROR_GEO_HEIGHT, &height)) return false;
    if (width < 0 || height < 0) {
        call_error(call, ERROR_GEO_BOX_NEGATIVE);
        return false;
    }
    if (!geo_read_unit(call, arg + 2, &query->unit_m)) return false;
    query->shape.form = GEO_BOX;
    query->shape.width_m = width * query->unit_m;
    query->shape.height_m = height * query->unit_m;
    query->has_shape = true;
    return true;
}

/* count longitude latitude ...; *used is how many arguments that is. */
static bool read_polygon(struct call *call, uint32_t arg, struct geo_query *query, uint32_t *used) {
    int64_t count;
    if (!call_int_range(call, arg, INT64_MIN, INT64_MAX, ERROR_GEO_VERTEX_COUNT, &count)) {
        return false;
    }
    if (count < VERTICES_MIN || count > (call->argc - arg - 1) / 2) {
        call_error(call, ERROR_GEO_VERTICES_MIN);
        return false;
    }
    mem_free(query->vertices);
    query->vertices = mem_alloc_array((size_t)count, sizeof(struct geo_point));
    for (uint32_t i = 0; i < count; i++) {
        if (!geo_read_point(call, arg + 1 + 2 * i, &query->vertices[i])) return false;
    }
    query->shape.form = GEO_POLYGON;
    query->shape.vertices = query->vertices;
    query->shape.vertex_count = (size_t)count;
    query->unit_m = 1;
    query->has_shape = true;
    *used = 1 + 2 * (uint32_t)count;
    return true;
}

/* ---- options ---- */

enum option {
    OPTION_WITHDIST,
    OPTION_WITHHASH,
    OPTION_WITHCOORD,
    OPTION_ANY,
    OPTION_ASC,
    OPTION_DESC,
    OPTION_COUNT,
    OPTION_STORE,
    OPTION_STOREDIST,
    OPTION_STOREDIST_FLAG,
    OPTION_FROMMEMBER,
    OPTION_FROMLONLAT,
    OPTION_BYRADIUS,
    OPTION_BYBOX,
    OPTION_BYPOLYGON,
};

enum { /* who knows an option */
       BY_SEARCH = BIT(GEO_SEARCH),
       BY_SEARCH_STORE = BIT(GEO_SEARCH_STORE),
       BY_ANY_SEARCH = BY_SEARCH | BY_SEARCH_STORE,
       BY_RADIUS = BIT(GEO_RADIUS) | BIT(GEO_RADIUS_BY_MEMBER),
       BY_ALL = BY_ANY_SEARCH | BY_RADIUS,
};

static const struct option_row {
    const char *word;
    enum option option;
    uint8_t known_by;
    uint8_t values; /* arguments that have to follow */
} option_rows[] = {
    {"WITHDIST", OPTION_WITHDIST, BY_ALL, 0},
    {"WITHHASH", OPTION_WITHHASH, BY_ALL, 0},
    {"WITHCOORD", OPTION_WITHCOORD, BY_ALL, 0},
    {"ANY", OPTION_ANY, BY_ALL, 0},
    {"ASC", OPTION_ASC, BY_ALL, 0},
    {"DESC", OPTION_DESC, BY_ALL, 0},
    {"COUNT", OPTION_COUNT, BY_ALL, 1},
    {"STORE", OPTION_STORE, BY_RADIUS, 1},
    {"STOREDIST", OPTION_STOREDIST, BY_RADIUS, 1},
    {"STOREDIST", OPTION_STOREDIST_FLAG, BY_SEARCH_STORE, 0},
    {"FROMMEMBER", OPTION_FROMMEMBER, BY_ANY_SEARCH, 1},
    {"FROMLONLAT", OPTION_FROMLONLAT, BY_ANY_SEARCH, 2},
    {"BYRADIUS", OPTION_BYRADIUS, BY_ANY_SEARCH, 2},
    {"BYBOX", OPTION_BYBOX, BY_ANY_SEARCH, 3},
    {"BYPOLYGON", OPTION_BYPOLYGON, BY_ANY_SEARCH, 1},
};

struct reading {
    struct call *call;
    const struct zset *zset;
    struct geo_query *query;
    bool from_member, from_point; /* which kind of centre has been given */
    uint32_t used;                /* by the values of the last option */
};

/* The row of the word at arg, or NULL: nobody's, or too few arguments follow. */
static const struct option_row *find_option(const struct call *call, uint32_t arg,
                                            enum geo_style style, bool read_only) {
    for (size_t i = 0; i < COUNT_OF(option_rows); i++) {
        const struct option_row *row = &option_rows[i];
        if (!(row->known_by & BIT(style)) || !call_is(call, arg, row->word)) continue;
        bool stores = row->option == OPTION_STORE || row->option == OPTION_STOREDIST;
        return (stores && read_only) || call->argc - arg - 1 < row->values ? NULL : row;
    }
    return NULL;
}

/* One kind of centre and one of shape, and a polygon has its own centre. */
static bool is_contradiction(const struct reading *reading, enum option option) {
    const struct geo_query *query = reading->query;
    bool polygon = query->has_shape && query->shape.form == GEO_POLYGON;
    switch (option) {
    case OPTION_FROMMEMBER: return reading->from_point || polygon;
    case OPTION_FROMLONLAT: return reading->from_member || polygon;
    case OPTION_BYRADIUS: return query->has_shape && query->shape.form != GEO_CIRCLE;
    case OPTION_BYBOX: return query->has_shape && query->shape.form != GEO_BOX;
    case OPTION_BYPOLYGON: return query->has_centre || (query->has_shape && !polygon);
    default: return false;
    }
}

static bool read_count(struct call *call, uint32_t arg, struct geo_query *query) {
    int64_t count;
    if (!call_int(call, arg, &count)) return false;
    if (count <= 0) {
        call_error(call, ERROR_GEO_COUNT);
        return false;
    }
    query->count = count;
    return true;
}

/* Options that say where; arg is the option's. False: it has replied. */
static bool read_place_option(struct reading *reading, const struct option_row *row, uint32_t arg) {
    struct call *call = reading->call;
    struct geo_query *query = reading->query;
    switch (row->option) {
    case OPTION_FROMMEMBER:
        reading->from_member = true;
        return read_member(call, arg + 1, reading->zset, query);
    case OPTION_FROMLONLAT: reading->from_point = true; return read_centre(call, arg + 1, query);
    case OPTION_BYRADIUS: return read_circle(call, arg + 1, query);
    case OPTION_BYBOX: return read_box(call, arg + 1, query);
    default: return read_polygon(call, arg + 1, query, &reading->used);
    }
}

static bool read_option(struct reading *reading, const struct option_row *row, uint32_t arg) {
    struct geo_query *query = reading->query;
    reading->used = row->values;
    switch (row->option) {
    case OPTION_WITHDIST: query->with |= GEO_WITH_DIST; break;
    case OPTION_WITHHASH: query->with |= GEO_WITH_HASH; break;
    case OPTION_WITHCOORD: query->with |= GEO_WITH_COORD; break;
    case OPTION_ANY: query->any = true; break;
    case OPTION_ASC: query->order = GEO_ASCENDING; break;
    case OPTION_DESC: query->order = GEO_DESCENDING; break;
    case OPTION_COUNT: return read_count(reading->call, arg + 1, query);
    case OPTION_STORE:
    case OPTION_STOREDIST:
        query->store_arg = arg + 1;
        query->stores_distance = row->option == OPTION_STOREDIST;
        break;
    case OPTION_STOREDIST_FLAG: query->stores_distance = true; break;
    default: return read_place_option(reading, row, arg);
    }
    return true;
}

/* ---- all of it ---- */

/* What the options have to be together. */
static bool check_query(struct call *call, enum geo_style style, const struct geo_query *query) {
    int shown = (int)size_min(call->argv[0].size, INT32_MAX);
    const char *name = call->argv[0].data;
    bool polygon = query->has_shape && query->shape.form == GEO_POLYGON;
    if (query->store_arg && query->with) {
        call_errorf(call, ERROR_GEO_STORE_WITH,
                    style == GEO_SEARCH_STORE ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
    } else if (!query->has_centre && !polygon) {
        call_errorf(call, ERROR_GEO_ONE_CENTRE, shown, name);
    } else if (!query->has_shape) {
        call_errorf(call, ERROR_GEO_ONE_SHAPE, shown, name);
    } else if (query->any && !query->count) {
        call_error(call, ERROR_GEO_ANY);
    } else {
        return true;
    }
    return false;
}

/* Where GEORADIUS and GEORADIUSBYMEMBER have centre and radius. *next: the first option. */
static bool read_fixed(struct reading *reading, enum geo_style style, uint32_t *next) {
    struct call *call = reading->call;
    if (style == GEO_RADIUS) {
        *next = 6;
        return read_centre(call, 2, reading->query) && read_circle(call, 4, reading->query);
    }
    *next = 5;
    if (!read_member(call, 2, reading->zset, reading->query)) return false;
    if (reading->zset) return read_circle(call, 3, reading->query);
    reading->query->has_shape = true; /* without a set, it is not looked at */
    return true;
}

bool geo_query_read(struct call *call, enum geo_style style, bool read_only,
                    const struct zset *zset, struct geo_query *out) {
    *out = (struct geo_query){.unit_m = 1};
    struct reading reading = {.call = call, .zset = zset, .query = out};
    bool is_search = style == GEO_SEARCH || style == GEO_SEARCH_STORE;
    uint32_t arg = style == GEO_SEARCH_STORE ? 3 : 2;
    if (style == GEO_SEARCH_STORE) out->store_arg = 1;
    if (!is_search && !read_fixed(&reading, style, &arg)) return false;

    for (; arg < call->argc; arg += 1 + reading.used) {
        const struct option_row *row = find_option(call, arg, style, read_only);
        if (!row || is_contradiction(&reading, row->option)) {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
        if (!read_option(&reading, row, arg)) return false;
    }
    if (!check_query(call, style, out)) return false;
    if (out->shape.form == GEO_POLYGON) geo_shape_find_centre(&out->shape);
    if (out->count && !out->any && out->order == GEO_UNSORTED) out->order = GEO_ASCENDING;
    return true;
}
