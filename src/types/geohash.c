/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/geohash.h"

#include "base/check.h"

#include <math.h>

enum { SCORE_BITS = 2 * GEOHASH_STEPS_BITS, TEXT_BITS = 5 }; /* a character of text has 5 bits */

#define SCORE_LIMIT 0x1p64 /* scores from here on mean nothing */

bool geo_point_is_valid(struct geo_point point) {
    return fabs(point.longitude) <= GEO_LONGITUDE_MAX && fabs(point.latitude) <= GEO_LATITUDE_MAX;
}

double geo_radians(double degrees) { return degrees * (GEO_PI / 180); }
double geo_degrees(double radians) { return radians / (GEO_PI / 180); }

double geo_distance(struct geo_point a, struct geo_point b) {
    double a_latitude = geo_radians(a.latitude), b_latitude = geo_radians(b.latitude);
    double u = sin((b_latitude - a_latitude) / 2);
    double v = sin((geo_radians(b.longitude) - geo_radians(a.longitude)) / 2);
    if (v == 0) return GEO_EARTH_RADIUS_M * fabs(b_latitude - a_latitude);
    double h = u * u + cos(a_latitude) * cos(b_latitude) * v * v;
    return 2 * GEO_EARTH_RADIUS_M * asin(sqrt(fmin(h, 1)));
}

/* ---- bits ---- */

/* Moves bit i to bit 2 * i (Morton, 1966). */
static uint64_t spread(uint32_t value) {
    uint64_t x = value;
    x = (x | x << 16) & 0x0000ffff0000ffffull;
    x = (x | x << 8) & 0x00ff00ff00ff00ffull;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0full;
    x = (x | x << 2) & 0x3333333333333333ull;
    return (x | x << 1) & 0x5555555555555555ull;
}

/* Moves bit 2 * i to bit i, and drops the others. */
static uint32_t gather(uint64_t x) {
    x &= 0x5555555555555555ull;
    x = (x | x >> 1) & 0x3333333333333333ull;
    x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0full;
    x = (x | x >> 4) & 0x00ff00ff00ff00ffull;
    x = (x | x >> 8) & 0x0000ffff0000ffffull;
    return (uint32_t)(x | x >> 16);
}

uint64_t geohash_interleave(uint32_t longitude, uint32_t latitude) {
    return spread(longitude) << 1 | spread(latitude);
}

static uint32_t step_of(double value, double max, unsigned bits) {
    dcheck(fabs(value) <= max);
    return (uint32_t)((value + max) / (max * 2) * (double)BIT(bits));
}

uint32_t geohash_longitude_step(double longitude, unsigned bits) {
    return step_of(longitude, GEO_LONGITUDE_MAX, bits);
}
uint32_t geohash_latitude_step(double latitude, unsigned bits) {
    return step_of(latitude, GEO_LATITUDE_MAX, bits);
}

double geohash_encode(struct geo_point point) {
    check(geo_point_is_valid(point));
    uint32_t longitude = geohash_longitude_step(point.longitude, GEOHASH_STEPS_BITS);
    uint32_t latitude = geohash_latitude_step(point.latitude, GEOHASH_STEPS_BITS);
    return (double)geohash_interleave(longitude, latitude);
}

/* The middle of a step, or the maximum for what is beyond. */
static double middle_of(uint32_t step, double max) {
    double steps = (double)BIT(GEOHASH_STEPS_BITS);
    double low = -max + step / steps * (max * 2);
    double high = -max + (step + 1.0) / steps * (max * 2);
    return fmin((low + high) / 2, max);
}

/* Sorted sets have scores that are no places; they too need an answer. */
static uint64_t bits_of(double score) {
    if (score >= 0 && score < SCORE_LIMIT) return (uint64_t)score;
    if (score < 0 && score > -SCORE_LIMIT / 2) return (uint64_t)(int64_t)score;
    return 0;
}

struct geo_point geohash_decode(double score) {
    uint64_t bits = bits_of(score);
    return (struct geo_point){.longitude = middle_of(gather(bits >> 1), GEO_LONGITUDE_MAX),
                              .latitude = middle_of(gather(bits), GEO_LATITUDE_MAX)};
}

void geohash_text(double score, char out[GEOHASH_TEXT_SIZE]) {
    static const char alphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    struct geo_point point = geohash_decode(score);
    uint64_t bits =
        geohash_interleave(step_of(point.longitude, GEO_LONGITUDE_MAX, GEOHASH_STEPS_BITS),
                           step_of(point.latitude, 90, GEOHASH_STEPS_BITS));
    for (unsigned i = 0; i < GEOHASH_TEXT_SIZE; i++) {
        unsigned used = (i + 1) * TEXT_BITS;
        /* The last character has 2 bits only, which are always given as 0. */
        out[i] = alphabet[used <= SCORE_BITS ? bits >> (SCORE_BITS - used) & 31 : 0];
    }
}
