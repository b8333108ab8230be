/* SPDX-License-Identifier: BSD-3-Clause */
/* Places, distances and searches against a look at every point. */
#include "types/geo_shape.h"

#include "tests/unit/test.h"

enum { POINTS = 4000 };

static double random_between(struct rng *rng, double low, double high) {
    return low + rng_unit(rng) * (high - low);
}

static struct geo_point random_point(struct rng *rng) {
    return (struct geo_point){
        .longitude = random_between(rng, -GEO_LONGITUDE_MAX, GEO_LONGITUDE_MAX),
        .latitude = random_between(rng, -GEO_LATITUDE_MAX, GEO_LATITUDE_MAX),
    };
}

TEST(a_score_means_the_place_it_was_made_of) {
    for (int i = 0; i < 20000; i++) {
        struct geo_point point = random_point(t->rng);
        double score = geohash_encode(point);
        struct geo_point back = geohash_decode(score);
        expect_true(score >= 0 && score < 0x1p52);
        expect_double_near(back.longitude, point.longitude, 360 / 0x1p26);
        expect_double_near(back.latitude, point.latitude, 171 / 0x1p26);
        expect_double_near(geohash_encode(back), score, 0);
    }
}

TEST(scores_and_texts_are_those_of_other_servers) {
    static const struct {
        struct geo_point point;
        double score;
        const char *text;
    } places[] = {
        {{-9.139337, 38.722252}, 1966377783324484.0, "eycs210vqn0"},
        {{-3.703790, 40.416775}, 1969393810321054.0, "ezjmgtwuz20"},
        {{0, 0}, 3377699720527872.0, "s0000000000"},
        {{-180, -85}, -1, "00bh2n0p050"},
        {{180, 85}, -1, "bp0581b0bh0"},
    };
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        char text[GEOHASH_TEXT_SIZE];
        double score = geohash_encode(places[i].point);
        if (places[i].score >= 0) expect_double_near(score, places[i].score, 0);
        geohash_text(score, text);
        expect_bytes_eq(bytes_make(text, sizeof(text)), bytes_of(places[i].text));
    }
}

TEST(any_score_means_some_place) {
    static const double scores[] = {-1,  -0.5, -1e300, -INFINITY, INFINITY,
                                    NAN, 1e17, 0x1p53, 1e300};
    for (size_t i = 0; i < COUNT_OF(scores); i++) {
        char text[GEOHASH_TEXT_SIZE];
        expect_true(geo_point_is_valid(geohash_decode(scores[i])));
        geohash_text(scores[i], text);
    }
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = rng_next(t->rng);
        double score;
        memcpy(&score, &bits, sizeof(score));
        expect_true(geo_point_is_valid(geohash_decode(score)));
    }
}

TEST(the_maxima_lie_above_all_others) {
    struct geo_point corner = {GEO_LONGITUDE_MAX, GEO_LATITUDE_MAX};
    double score = geohash_encode(corner);
    expect_double_near(score, 0x1p53 + 0x1p52, 0);
    expect_double_near(geohash_decode(score).longitude, GEO_LONGITUDE_MAX, 0);
    expect_double_near(geohash_decode(score).latitude, GEO_LATITUDE_MAX, 0);
}

TEST(distances_are_along_great_circles) {
    struct geo_point lisbon = {-9.13933485746383667, 38.72225204386871411};
    struct geo_point madrid = {-3.70379000902175903, 40.4167739721946262};
    expect_double_near(geo_distance(lisbon, madrid), 502593.6931, 0.0001);
    for (int i = 0; i < 1000; i++) {
        struct geo_point a = random_point(t->rng), b = random_point(t->rng);
        double distance = geo_distance(a, b);
        expect_double_near(geo_distance(b, a), distance, 1e-6);
        expect_true(distance >= 0 && distance <= GEO_EARTH_RADIUS_M * GEO_PI);
        expect_double_near(geo_distance(a, a), 0, 0);
    }
}

/* ---- shapes ---- */

static double random_length(struct rng *rng) {
    static const double largest[] = {10, 1000, 100000, 3e6, 5e7};
    return rng_unit(rng) * largest[rng_below(rng, COUNT_OF(largest))];
}

static void random_shape(struct rng *rng, struct geo_shape *shape, struct geo_point vertices[8]) {
    *shape = (struct geo_shape){.form = (enum geo_form)rng_below(rng, 3)};
    shape->centre = random_point(rng);
    if (rng_below(rng, 4) == 0) shape->centre.latitude = rng_below(rng, 2) ? 84.9 : -84.9;
    if (rng_below(rng, 4) == 0) shape->centre.longitude = rng_below(rng, 2) ? 179.99 : -180;
    shape->radius_m = random_length(rng);
    shape->width_m = random_length(rng);
    shape->height_m = random_length(rng);
    if (shape->form != GEO_POLYGON) return;
    double size = random_between(rng, 0.0001, 40);
    shape->vertex_count = 3 + rng_below(rng, 6);
    shape->vertices = vertices;
    for (size_t i = 0; i < shape->vertex_count; i++) {
        double longitude = shape->centre.longitude + random_between(rng, -size, size);
        double latitude = shape->centre.latitude + random_between(rng, -size, size);
        vertices[i].longitude = fmax(-180, fmin(180, longitude));
        vertices[i].latitude = fmax(-GEO_LATITUDE_MAX, fmin(GEO_LATITUDE_MAX, latitude));
    }
    geo_shape_find_centre(shape);
}

/* Points all over the map, at its edges and around the shape. */
static struct geo_point point_for(struct rng *rng, const struct geo_shape *shape) {
    struct geo_point point = random_point(rng);
    if (rng_below(rng, 3)) {
        double size = pow(10, random_between(rng, -5, 1.5));
        struct geo_point near = shape->form == GEO_POLYGON ? shape->vertices[0] : shape->centre;
        point.longitude = near.longitude + random_between(rng, -size, size);
        point.latitude = near.latitude + random_between(rng, -size, size);
        if (point.longitude > 180) point.longitude -= 360;
        if (point.longitude < -180) point.longitude += 360;
        point.latitude = fmax(-GEO_LATITUDE_MAX, fmin(GEO_LATITUDE_MAX, point.latitude));
    }
    if (rng_below(rng, 50) == 0) point.longitude = rng_below(rng, 2) ? 180 : -180;
    if (rng_below(rng, 50) == 0) point.latitude = rng_below(rng, 2) ? GEO_LATITUDE_MAX : -85.05;
    return point;
}

TEST(what_is_inside_a_shape_is_in_exactly_one_of_its_ranges) {
    size_t inside = 0;
    for (int round = 0; round < 400; round++) {
        struct geo_shape shape;
        struct geo_point vertices[8];
        struct geo_range ranges[GEO_RANGES_MAX];
        random_shape(t->rng, &shape, vertices);
        size_t count = geo_shape_ranges(&shape, ranges);
        expect_true(count >= 1 && count <= GEO_RANGES_MAX);
        for (int i = 0; i < POINTS / 10; i++) {
            double distance, score = geohash_encode(point_for(t->rng, &shape));
            if (!geo_shape_contains(&shape, geohash_decode(score), &distance)) continue;
            size_t hits = 0;
            for (size_t r = 0; r < count; r++)
                hits += score >= ranges[r].first && score < ranges[r].end;
            expect_eq(hits, 1);
            inside++;
        }
    }
    expect_true(inside > 1000);
}

TEST(small_shapes_have_small_ranges) {
    struct geo_shape shape = {.form = GEO_CIRCLE, .centre = {13.4, 52.5}, .radius_m = 100};
    struct geo_range ranges[GEO_RANGES_MAX];
    size_t count = geo_shape_ranges(&shape, ranges);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ranges[i].end - ranges[i].first;
    expect_true(sum / 0x1p52 < 1e-9); /* of all scores: some cells of about 300 metres */
}

TEST(circles_and_boxes_end_where_they_say) {
    struct geo_shape circle = {.form = GEO_CIRCLE, .centre = {10, 50}, .radius_m = 1000};
    struct geo_shape box = {.form = GEO_BOX, .centre = {10, 50}, .width_m = 4000, .height_m = 1000};
    double degree = GEO_EARTH_RADIUS_M * GEO_PI / 180, distance;
    struct geo_point north = {10, 50 + 900 / degree}, far = {10, 50 + 1100 / degree};
    struct geo_point east = {10 + 1900 / degree / cos(geo_radians(50)), 50};
    expect_true(geo_shape_contains(&circle, north, &distance));
    expect_double_near(distance, 900, 0.01);
    expect_false(geo_shape_contains(&circle, far, &distance));
    expect_false(geo_shape_contains(&circle, east, &distance));
    expect_true(geo_shape_contains(&box, east, &distance));
    expect_double_near(distance, 1900, 0.1);
    expect_false(geo_shape_contains(&box, north, &distance));
}

TEST(a_polygon_may_have_a_dent_and_cross_itself) {
    static const struct geo_point dent[] = {{0, 0}, {6, 0}, {6, 4}, {4, 4}, {3, 1}, {2, 4}, {0, 4}};
    static const struct geo_point bow[] = {{0, 0}, {2, 2}, {2, 0}, {0, 2}};
    struct geo_shape shape = {.form = GEO_POLYGON, .vertices = dent, .vertex_count = 7};
    double distance;
    expect_true(geo_shape_contains(&shape, (struct geo_point){1, 1}, &distance));
    expect_true(geo_shape_contains(&shape, (struct geo_point){5, 1}, &distance));
    expect_false(geo_shape_contains(&shape, (struct geo_point){3, 3}, &distance));
    shape.vertices = bow;
    shape.vertex_count = 4;
    expect_true(geo_shape_contains(&shape, (struct geo_point){0.2, 1}, &distance));
    expect_false(geo_shape_contains(&shape, (struct geo_point){1, 0.2}, &distance));
    geo_shape_find_centre(&shape);
    expect_double_near(shape.centre.longitude, 1, 0.01);
    expect_double_near(shape.centre.latitude, 1, 0.01);
}

TEST_MAIN()
