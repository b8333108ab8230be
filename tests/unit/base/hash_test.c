/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/hash.h"

#include <sys/mman.h>

#include "base/hash_internal.h"
#include "tests/unit/test.h"

/* The hash functions this CPU can run. */
static size_t hash_functions(hash_fn out[2]) {
    out[0] = hash_siphash13;
    out[1] = hash__aes;
    return hash__aes_is_supported() ? 2 : 1;
}

static struct hash_key random_key(struct rng *rng) {
    struct hash_key key;
    for (size_t i = 0; i < COUNT_OF(key.word); i++)
        key.word[i] = rng_next(rng);
    return key;
}

static void fill_random(struct rng *rng, char *out, size_t size) {
    for (size_t i = 0; i < size; i++)
        out[i] = (char)rng_next(rng);
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static void expect_all_different(uint64_t *hashes, size_t count) {
    qsort(hashes, count, sizeof(*hashes), compare_u64);
    for (size_t i = 1; i < count; i++)
        expect_ne(hashes[i - 1], hashes[i]);
}

/* Every bit of the input changes every bit of the hash half of the time. */
static void check_avalanche(hash_fn fn, struct rng *rng, size_t size) {
    enum { SAMPLES = 400 };
    char data[200];
    for (size_t bit = 0; bit < size * 8; bit += 1 + rng_below(rng, 1 + size / 8)) {
        unsigned flips[64] = {0};
        for (int i = 0; i < SAMPLES; i++) {
            struct hash_key key = random_key(rng);
            fill_random(rng, data, size);
            uint64_t before = fn(&key, data, size);
            data[bit / 8] = (char)(data[bit / 8] ^ (1 << bit % 8));
            uint64_t changed = before ^ fn(&key, data, size);
            for (int k = 0; k < 64; k++)
                flips[k] += changed >> k & 1;
        }
        for (int k = 0; k < 64; k++) /* seven standard deviations: 400 * 0.5 +- 70 */
            expect_double_near(flips[k], SAMPLES / 2, 70);
    }
}

TEST(a_changed_bit_changes_half_of_the_hash) {
    static const size_t sizes[] = {1,  2,  3,  4,  5,  7,  8,  9,  12, 15,  16,  17, 20,
                                   24, 31, 32, 33, 48, 63, 64, 65, 96, 128, 129, 200};
    hash_fn fns[2];
    size_t count = hash_functions(fns);
    for (size_t f = 0; f < count; f++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            check_avalanche(fns[f], t->rng, sizes[i]);
    }
}

/* The distance from an even distribution, in standard deviations. */
static double unevenness(const unsigned *counts, size_t buckets, size_t total) {
    double mean = (double)total / (double)buckets, chi = 0;
    for (size_t i = 0; i < buckets; i++)
        chi += (counts[i] - mean) * (counts[i] - mean) / mean;
    return (chi - (double)buckets) / sqrt(2.0 * (double)buckets);
}

TEST(names_with_numbers_fill_buckets_and_tags_evenly) {
    enum { KEYS = 1 << 18, BUCKETS = 1 << 14, TAGS = 256 };
    static const char *const formats[] = {"%d", "key:%012d", "user:%d:session", "%032d",
                                          "a/rather/long/name/of/a/key/that/ends/in/a/number/%09d"};
    unsigned *buckets = mem_alloc_array(BUCKETS, sizeof(unsigned));
    uint64_t *hashes = mem_alloc_array(KEYS, sizeof(uint64_t));
    hash_fn fns[2];
    size_t count = hash_functions(fns);
    for (size_t i = 0; i < count * COUNT_OF(formats); i++) {
        struct hash_key key = random_key(t->rng);
        unsigned tags[TAGS] = {0};
        memset(buckets, 0, BUCKETS * sizeof(unsigned));
        for (int k = 0; k < KEYS; k++) {
            char text[80];
            int size = snprintf(text, sizeof(text), formats[i / count], k); /* NOLINT */
            hashes[k] = fns[i % count](&key, text, (size_t)size);
            buckets[hashes[k] % BUCKETS]++;
            tags[hashes[k] >> 56]++;
        }
        expect_double_near(unevenness(buckets, BUCKETS, KEYS), 0, 7);
        expect_double_near(unevenness(tags, TAGS, KEYS), 0, 7);
        expect_all_different(hashes, KEYS);
    }
    mem_free(buckets);
    mem_free(hashes);
}

TEST(keys_that_are_alike_differ_in_their_hash) {
    enum { SIZES = 300 };
    char data[SIZES];
    uint64_t hashes[SIZES * 8];
    hash_fn fns[2];
    size_t count = hash_functions(fns);
    for (size_t f = 0; f < count; f++) {
        struct hash_key key = random_key(t->rng);
        for (int fill = 0; fill < 256; fill += 51) { /* the same byte, more and more often */
            memset(data, fill, sizeof(data));
            for (size_t size = 0; size < SIZES; size++)
                hashes[size] = fns[f](&key, data, size);
            expect_all_different(hashes, SIZES);
        }
        memset(data, 0, sizeof(data));
        for (size_t bit = 0; bit < SIZES * 8; bit++) { /* one bit, anywhere */
            data[bit / 8] = (char)(1 << bit % 8);
            hashes[bit] = fns[f](&key, data, SIZES);
            data[bit / 8] = 0;
        }
        expect_all_different(hashes, SIZES * 8);
    }
}

TEST(short_keys_with_two_changed_bytes_do_not_collide) {
    /* Differences that could stand in for another size or cancel each other out. */
    enum { SIZE_MAX_ = 16, VALUES = 32, COUNT = SIZE_MAX_ * VALUES * VALUES };
    uint64_t *hashes = mem_alloc_array(COUNT, sizeof(uint64_t));
    hash_fn fns[2];
    size_t count = hash_functions(fns);
    for (size_t f = 0; f < count; f++) {
        struct hash_key key = random_key(t->rng);
        size_t n = 0;
        for (size_t size = 2; size <= SIZE_MAX_; size++) {
            for (int i = 0; i < VALUES * VALUES; i++) {
                char data[SIZE_MAX_] = {0};
                data[0] = (char)(i % VALUES);
                data[size - 1] = (char)(i / VALUES);
                hashes[n++] = fns[f](&key, data, size);
            }
        }
        expect_all_different(hashes, n);
    }
    mem_free(hashes);
}

TEST(blocks_that_change_places_change_the_hash) {
    char data[128], swapped[128];
    hash_fn fns[2];
    size_t count = hash_functions(fns);
    for (size_t f = 0; f < count; f++) {
        struct hash_key key = random_key(t->rng);
        for (size_t size = 32; size <= sizeof(data); size += 16) {
            fill_random(t->rng, data, size);
            for (size_t i = 0; i < size / 16 * (size / 16); i++) {
                size_t a = i % (size / 16) * 16, b = i / (size / 16) * 16;
                if (a == b) continue;
                memcpy(swapped, data, size);
                memcpy(swapped + a, data + b, 16);
                memcpy(swapped + b, data + a, 16);
                expect_ne(fns[f](&key, data, size), fns[f](&key, swapped, size));
            }
        }
    }
}

TEST(every_bit_of_the_key_matters) {
    hash_fn fns[2];
    size_t count = hash_functions(fns);
    static const size_t sizes[] = {0, 5, 16, 20, 40, 100};
    for (size_t i = 0; i < count * COUNT_OF(sizes) * 256; i++) {
        size_t f = i % count, size = sizes[i / count % COUNT_OF(sizes)];
        size_t bit = i / count / COUNT_OF(sizes);
        if (f == 0 && bit >= 128) continue; /* SipHash has no use for more */
        char data[100];
        fill_random(t->rng, data, size);
        struct hash_key key = random_key(t->rng), other = key;
        other.word[bit / 64] ^= 1ull << bit % 64;
        expect_ne(fns[f](&key, data, size), fns[f](&other, data, size));
    }
}

TEST(no_byte_outside_the_key_is_read) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect_true(pages != MAP_FAILED);
    memset(pages, 'x', 3 * page);
    expect_eq(mprotect(pages, page, PROT_NONE), 0);
    expect_eq(mprotect(pages + 2 * page, page, PROT_NONE), 0);
    hash_fn fns[2];
    size_t count = hash_functions(fns);
    for (size_t f = 0; f < count; f++) {
        struct hash_key key = random_key(t->rng);
        for (size_t size = 0; size < 300; size++) {
            expect_eq(fns[f](&key, pages + page, size),
                      fns[f](&key, pages + 2 * page - size, size));
        }
    }
    munmap(pages, 3 * page);
}

struct siphash_case {
    size_t size;
    uint64_t hash;
};

TEST(siphash_gives_the_published_values) {
    /* The key and the message count up from 0, as in the paper. */
    struct hash_key counting = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}}, zero = {{0}};
    static const struct siphash_case zero_cases[] = {
        {1, 0x68a914128e01e473},  {7, 0x2f098ab0c751325a},  {8, 0xead411e67ebe2eea},
        {9, 0x75927f9d95124362},  {15, 0xf30eb725bb91c9ea}, {16, 0x8972188433a5c5b7},
        {63, 0x385d3e39e5f37359},
    };
    char data[64];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)i;
    expect_eq(hash_siphash13(&counting, data, 0), 0xabac0158050fc4dc);
    expect_eq(hash_siphash13(&counting, data, 1), 0xc9f49bf37d57ca93);
    for (size_t i = 0; i < COUNT_OF(zero_cases); i++)
        expect_eq(hash_siphash13(&zero, data, zero_cases[i].size), zero_cases[i].hash);
}

TEST(letters_count_without_case) {
    char text[600], other[600];
    for (size_t size = 0; size < sizeof(text); size += 1 + size / 10) {
        fill_random(t->rng, text, size);
        for (size_t i = 0; i < size; i++)
            other[i] = rng_below(t->rng, 2) ? char_lower(text[i]) : char_upper(text[i]);
        uint64_t hash = hash_bytes_nocase(bytes_make(text, size));
        expect_eq(hash, hash_bytes_nocase(bytes_make(other, size)));
        if (size == 0) continue;
        size_t at = rng_below(t->rng, size);
        other[at] = (char)(char_lower(other[at]) ^ 1); /* another letter, or no letter */
        if (char_lower(other[at]) == char_lower(text[at])) continue;
        expect_ne(hash, hash_bytes_nocase(bytes_make(other, size)));
    }
    expect_eq(hash_bytes_nocase(BYTES("GETRANGE")), hash_bytes(BYTES("getrange")));
}

TEST(a_key_from_text_depends_on_all_of_it) {
    struct hash_key a, b, again;
    hash_key_from_text(&a, BYTES("seed"));
    hash_key_from_text(&again, BYTES("seed"));
    hash_key_from_text(&b, BYTES("seee"));
    for (size_t i = 0; i < COUNT_OF(a.word); i++) {
        expect_eq(a.word[i], again.word[i]);
        expect_ne(a.word[i], b.word[i]);
        for (size_t k = 0; k < i; k++)
            expect_ne(a.word[i], a.word[k]);
    }
    expect_str_eq(hash_describe(), hash__aes_is_supported() ? "aes" : "siphash-1-3");
}

static uint16_t naive_crc16(struct bytes bytes) {
    unsigned crc = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned)(unsigned char)bytes.data[i] << 8;
        for (int k = 0; k < 8; k++)
            crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
    }
    return (uint16_t)crc;
}

static uint64_t naive_crc64(uint64_t crc, struct bytes bytes) {
    static const uint64_t reflected = 0x95ac9329ac4bc9b5; /* 0xad93d23594c935a9 */
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned char)bytes.data[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? reflected : 0);
    }
    return crc;
}

TEST(checksums_agree_with_their_polynomials) {
    char data[100];
    expect_eq(hash_crc16(BYTES("123456789")), 0x31c3);
    expect_eq(hash_crc64(0, BYTES("123456789")), 0xe9c6d914c4b8d9ca);
    for (int i = 0; i < 5000; i++) {
        size_t size = rng_below(t->rng, sizeof(data) + 1), cut = rng_below(t->rng, size + 1);
        fill_random(t->rng, data, size);
        struct bytes all = bytes_make(data, size);
        uint64_t start = rng_next(t->rng);
        expect_eq(hash_crc16(all), naive_crc16(all));
        expect_eq(hash_crc64(start, all), naive_crc64(start, all));
        expect_eq(hash_crc64(hash_crc64(start, bytes_make(data, cut)), bytes_from(all, cut)),
                  hash_crc64(start, all));
    }
}

static void expect_sha1(struct bytes message, size_t piece, const char *expected) {
    struct sha1 sha;
    uint8_t digest[20];
    char text[41];
    sha1_init(&sha);
    for (size_t i = 0; i < message.size; i += piece)
        sha1_add(&sha, bytes_make(message.data + i, size_min(piece, message.size - i)));
    sha1_finish(&sha, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    expect_str_eq(text, expected);
}

TEST(sha1_gives_the_published_digests) {
    struct bytes two = BYTES("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
    char *million = mem_alloc(1000000);
    memset(million, 'a', 1000000);
    expect_sha1(BYTES(""), 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect_sha1(BYTES("abc"), 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
    for (size_t piece = 1; piece <= two.size; piece++)
        expect_sha1(two, piece, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    expect_sha1(bytes_make(million, 1000000), 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    expect_sha1(bytes_make(million, 1000000), 97, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    mem_free(million);
}

TEST_MAIN()
