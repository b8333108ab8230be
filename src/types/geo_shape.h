/* SPDX-License-Identifier: BSD-3-Clause */
/* geo_shape -- circles, boxes and polygons on Earth: what is inside, and which ranges of scores to
 * look through for it. */
#pragma once

#include "types/geohash.h"

enum geo_form { GEO_CIRCLE = 0, GEO_BOX, GEO_POLYGON };

struct geo_shape {
    enum geo_form form;
    struct geo_point centre;          /* distances are from here */
    double radius_m;                  /* GEO_CIRCLE; not negative, as all lengths */
    double width_m, height_m;         /* GEO_BOX */
    const struct geo_point *vertices; /* GEO_POLYGON: three or more, valid ones, borrowed */
    size_t vertex_count;
};

/* Sets the centre of a polygon: the mean of its vertices on the globe. O(vertices). */
void geo_shape_find_centre(struct geo_shape *shape);
/* Whether the point is inside, and if so how many metres from the centre. O(1), of a polygon
 * O(vertices): a point is inside if a line to the east of it crosses an odd number of edges. */
must_use bool geo_shape_contains(const struct geo_shape *shape, struct geo_point point,
                                 double *distance_m);

struct geo_range { /* scores first <= score < end */
    double first, end;
};
/* Three by three cells, and a row and a column beyond the last ones. */
enum { GEO_RANGES_MAX = 16 };
/* Ranges of scores that do not overlap, and in which all that is inside the shape lies; but a
 * shape whose centre has longitude 180 does not reach the first cells behind the date line, as on
 * other servers. Returns how many. */
size_t geo_shape_ranges(const struct geo_shape *shape, struct geo_range out[GEO_RANGES_MAX]);
