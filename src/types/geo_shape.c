/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranges: the map is divided into 2^n times 2^n cells, n as large as it can be while a cell is
 * still as wide and as tall as half the shape's bounding box. Then the cell of the centre and the
 * eight around it cover the box. A cell is one range of scores, since its place is their upper
 * bits. */
#include "types/geo_shape.h"

#include "base/check.h"

#include <math.h>

enum { CELL_BITS_MIN = 1 };   /* two by two cells: all are around any of them */
#define BOX_MARGIN 1.000001   /* of rounding */
#define BOX_MARGIN_DEG 0.0001 /* some metres */

/* ---- inside ---- */

static bool is_in_box(const struct geo_shape *shape, struct geo_point point) {
    /* The height along the meridian, the width along the point's own parallel. */
    struct geo_point north = {shape->centre.longitude, point.latitude};
    return geo_distance(shape->centre, north) <= shape->height_m / 2 &&
           geo_distance(point, north) <= shape->width_m / 2;
}

static bool is_in_polygon(const struct geo_shape *shape, struct geo_point point) {
    bool inside = false;
    const struct geo_point *a = &shape->vertices[shape->vertex_count - 1];
    for (size_t i = 0; i < shape->vertex_count; i++) {
        const struct geo_point *b = &shape->vertices[i];
        if ((a->latitude > point.latitude) != (b->latitude > point.latitude)) {
            double share = (point.latitude - a->latitude) / (b->latitude - a->latitude);
            double crossing = a->longitude + share * (b->longitude - a->longitude);
            inside ^= point.longitude < crossing;
        }
        a = b;
    }
    return inside;
}

bool geo_shape_contains(const struct geo_shape *shape, struct geo_point point, double *distance_m) {
    double distance;
    switch (shape->form) {
    case GEO_CIRCLE:
        distance = geo_distance(shape->centre, point);
        if (distance > shape->radius_m) return false;
        *distance_m = distance;
        return true;
    case GEO_BOX:
        if (!is_in_box(shape, point)) return false;
        break;
    case GEO_POLYGON:
        if (!is_in_polygon(shape, point)) return false;
        break;
    }
    *distance_m = geo_distance(shape->centre, point);
    return true;
}

void geo_shape_find_centre(struct geo_shape *shape) {
    check(shape->form == GEO_POLYGON && shape->vertex_count >= 3);
    double x = 0, y = 0, z = 0; /* the sum of the vertices as directions from the globe's middle */
    for (size_t i = 0; i < shape->vertex_count; i++) {
        double longitude = geo_radians(shape->vertices[i].longitude);
        double latitude = geo_radians(shape->vertices[i].latitude);
        x += cos(latitude) * cos(longitude);
        y += cos(latitude) * sin(longitude);
        z += sin(latitude);
    }
    shape->centre.longitude = geo_degrees(atan2(y, x));
    shape->centre.latitude = geo_degrees(atan2(z, hypot(x, y)));
}

/* ---- the bounding box ---- */

struct bounds { /* a box around its middle, in degrees; it may go beyond the map */
    struct geo_point middle;
    double half_width, half_height;
};

/* How far to east and west of the centre something reaches whose sine of half the angle is this, at
 * a latitude. */
static double reach(double sine, double latitude) {
    double scaled = sine / cos(geo_radians(latitude));
    return scaled < 1 ? 2 * geo_degrees(asin(scaled)) : GEO_LONGITUDE_MAX;
}

static struct bounds bounds_of_polygon(const struct geo_shape *shape) {
    struct geo_point low = shape->vertices[0], high = low;
    for (size_t i = 1; i < shape->vertex_count; i++) {
        low.longitude = fmin(low.longitude, shape->vertices[i].longitude);
        low.latitude = fmin(low.latitude, shape->vertices[i].latitude);
        high.longitude = fmax(high.longitude, shape->vertices[i].longitude);
        high.latitude = fmax(high.latitude, shape->vertices[i].latitude);
    }
    return (struct bounds){
        .middle = {(low.longitude + high.longitude) / 2, (low.latitude + high.latitude) / 2},
        .half_width = (high.longitude - low.longitude) / 2,
        .half_height = (high.latitude - low.latitude) / 2,
    };
}

static struct bounds bounds_of(const struct geo_shape *shape) {
    if (shape->form == GEO_POLYGON) return bounds_of_polygon(shape);

    bool is_circle = shape->form == GEO_CIRCLE;
    double height_m = is_circle ? shape->radius_m : shape->height_m / 2;
    double width_m = is_circle ? shape->radius_m : shape->width_m / 2;
    struct bounds bounds = {.middle = shape->centre};
    bounds.half_height = geo_degrees(fmin(height_m / GEO_EARTH_RADIUS_M, GEO_PI));
    double farthest = fmin(fabs(shape->centre.latitude) + bounds.half_height, GEO_LATITUDE_MAX);
    double angle = fmin(width_m / GEO_EARTH_RADIUS_M, GEO_PI);
    bounds.half_width = reach(sin(angle / 2), farthest);
    return bounds;
}

/* ---- ranges ---- */

struct cells { /* steps of one coordinate, around the middle's */
    uint32_t steps[4];
    unsigned count;
};

static void cells_add(struct cells *cells, uint32_t step) {
    for (unsigned i = 0; i < cells->count; i++) {
        if (cells->steps[i] == step) return;
    }
    check(cells->count < COUNT_OF(cells->steps));
    cells->steps[cells->count++] = step;
}

/* Where the last step is, also the one beyond, of places at the very maximum. */
static void cells_add_edge(struct cells *cells, uint32_t last) {
    for (unsigned i = 0; i < cells->count; i++) {
        if (cells->steps[i] != last) continue;
        cells_add(cells, last + 1);
        return;
    }
}

/* Whether what lies between the middle and another coordinate is all in the middle's cell. */
static bool stays(double to, double max, uint32_t middle, unsigned bits,
                  uint32_t (*step_of)(double coordinate, unsigned bits)) {
    return fabs(to) <= max && step_of(to, bits) == middle;
}

static void find_columns(const struct bounds *bounds, unsigned bits, struct cells *out) {
    const double at = bounds->middle.longitude, reach = bounds->half_width, max = GEO_LONGITUDE_MAX;
    uint32_t last = (uint32_t)BIT(bits) - 1, middle = geohash_longitude_step(at, bits);
    *out = (struct cells){0};
    cells_add(out, middle);
    if (!stays(at - reach, max, middle, bits, geohash_longitude_step)) {
        cells_add(out, (middle - 1) & last);
    }
    if (!stays(at + reach, max, middle, bits, geohash_longitude_step)) {
        cells_add(out, (middle + 1) & last);
    }
    cells_add_edge(out, last);
}

static void find_rows(const struct bounds *bounds, unsigned bits, struct cells *out) {
    const double at = bounds->middle.latitude, reach = bounds->half_height, max = GEO_LATITUDE_MAX;
    uint32_t last = (uint32_t)BIT(bits) - 1, middle = geohash_latitude_step(at, bits);
    *out = (struct cells){0};
    cells_add(out, middle);
    if (middle > 0 && !stays(at - reach, max, middle, bits, geohash_latitude_step)) {
        cells_add(out, middle - 1);
    }
    if (middle < last && !stays(at + reach, max, middle, bits, geohash_latitude_step)) {
        cells_add(out, middle + 1);
    }
    cells_add_edge(out, last);
}

static unsigned cell_bits_for(const struct bounds *bounds) {
    double width = bounds->half_width, height = bounds->half_height;
    unsigned bits = GEOHASH_STEPS_BITS;
    while (bits > CELL_BITS_MIN && (GEO_LONGITUDE_MAX * 2 / (double)BIT(bits) < width ||
                                    GEO_LATITUDE_MAX * 2 / (double)BIT(bits) < height)) {
        bits--;
    }
    return bits;
}

size_t geo_shape_ranges(const struct geo_shape *shape, struct geo_range out[GEO_RANGES_MAX]) {
    struct bounds bounds = bounds_of(shape);
    bounds.half_width = bounds.half_width * BOX_MARGIN + BOX_MARGIN_DEG;
    bounds.half_height = bounds.half_height * BOX_MARGIN + BOX_MARGIN_DEG;
    struct cells columns, rows;
    unsigned bits = cell_bits_for(&bounds), shift = 2 * (GEOHASH_STEPS_BITS - bits);
    size_t count = 0;
    find_columns(&bounds, bits, &columns);
    find_rows(&bounds, bits, &rows);
    for (unsigned x = 0; x < columns.count; x++) {
        for (unsigned y = 0; y < rows.count; y++) {
            uint64_t cell = geohash_interleave(columns.steps[x], rows.steps[y]);
            check(count < GEO_RANGES_MAX);
            out[count++] = (struct geo_range){.first = (double)(cell << shift),
                                              .end = (double)((cell + 1) << shift)};
        }
    }
    return count;
}
