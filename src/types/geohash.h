/* SPDX-License-Identifier: BSD-3-Clause */
/* geohash -- places on Earth as integers, and how far apart they are.
 *
 * Longitude (-180 .. 180) and latitude (-85.05112878 .. 85.05112878, the square of the Mercator
 * map) are each divided into 2^26 steps, and the bits of the two numbers are interleaved, longitude
 * above latitude. Places that agree in their upper bits are close together, so the score of a
 * sorted set can be searched for a region as some ranges (geo_shape.h). 52 bits are exact as a
 * double.
 *
 * A coordinate at its very maximum is step 2^26, a bit too many: such places lie above all others.
 * Other servers have them there, and so have their files. */
#pragma once

#include "base/attr.h"

#define GEO_PI 3.14159265358979323846
#define GEO_LONGITUDE_MAX 180.0
#define GEO_LATITUDE_MAX 85.05112878
#define GEO_EARTH_RADIUS_M 6372797.560856 /* as other servers reckon */

enum {
    GEOHASH_STEPS_BITS = 26, /* of each coordinate */
    GEOHASH_TEXT_SIZE = 11,
};

struct geo_point { /* degrees */
    double longitude, latitude;
};

bool geo_point_is_valid(struct geo_point point);
/* Radians. */
double geo_radians(double degrees);
double geo_degrees(double radians);
/* Along a great circle, in metres (haversine). */
double geo_distance(struct geo_point a, struct geo_point b);

/* Interleaves two numbers of steps. */
uint64_t geohash_interleave(uint32_t longitude, uint32_t latitude);
/* In how many of 2^bits steps a valid coordinate is. */
uint32_t geohash_longitude_step(double longitude, unsigned bits);
uint32_t geohash_latitude_step(double latitude, unsigned bits);
/* The score of a valid point. */
double geohash_encode(struct geo_point point);
/* The middle of the cell that a score means; of any double at all, some valid point. */
struct geo_point geohash_decode(double score);
/* The usual geohash text (latitudes up to 90), without a NUL. */
void geohash_text(double score, char out[GEOHASH_TEXT_SIZE]);
