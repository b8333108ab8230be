/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/keyspace/keyspace_fixture.h"

static void expect_holds(const struct entry *e, struct bytes value) {
    char scratch[NUM_I64_TEXT_MAX];
    expect_not_null(e);
    expect_bytes_eq(entry_string(e, scratch), value);
    expect_eq(entry_string_size(e), value.size);
}

TEST(encodings_follow_the_value) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    static char big[5000];
    memset(big, 'x', sizeof(big));
    static const struct {
        const char *value, *name;
    } rows[] = {
        {"12345", "int"},
        {"-1", "int"},
        {"0", "int"},
        {"9223372036854775807", "int"},
        {"-9223372036854775808", "int"},
        {"9223372036854775808", "embstr"},
        {"abc", "embstr"},
        {"01", "embstr"},
        {"-0", "embstr"},
        {"-", "embstr"},
        {"+1", "embstr"},
        {"1 ", "embstr"},
        {"", "embstr"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "embstr"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "raw"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct entry *e = fixture_set(db, BYTES("k"), bytes_of(rows[i].value), -1);
        expect_holds(e, bytes_of(rows[i].value));
        expect_str_eq(entry_encoding_name(e), rows[i].name);
        keyspace_verify(ks);
    }
    for (size_t size = 4094; size < 4100; size++) {
        struct entry *e = fixture_set(db, BYTES("k"), bytes_make(big, size), -1);
        expect_eq(entry_encoding(e), size > ENTRY_EMBED_MAX ? ENCODING_BLOB : ENCODING_EMBEDDED);
        expect_holds(e, bytes_make(big, size));
        expect_str_eq(entry_encoding_name(e), "raw");
        keyspace_verify(ks);
    }
    struct bytes key = BYTES("k");
    struct entry *e = keyspace_set_string(db, key, hash_bytes(key), fixture_find(db, key),
                                          BYTES("7"), NULL, -1, SET_AS_TEXT);
    expect_str_eq(entry_encoding_name(e), "embstr");
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_short_entry_is_a_class_of_32_bytes_and_is_overwritten_in_place) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    struct bytes key = BYTES("0123456789abcdef");
    struct entry *e = fixture_set(db, key, BYTES("abcdefgh"), -1);
    expect_true(entry_memory_bytes(e, 0) <= 40);
    expect_ptr_eq(fixture_set(db, key, BYTES("ijklmnop"), -1), e);
    expect_ptr_eq(fixture_set(db, key, BYTES("123"), -1), e);
    uint64_t hash = hash_bytes(key);
    expect_ptr_eq(keyspace_set_int(db, key, hash, e, 55, -1, 0), e);
    expect_holds(e, BYTES("55"));
    e = keyspace_set_expiry(db, e, FIXTURE_START_MS + 5000);
    expect_holds(e, BYTES("55"));
    expect_ptr_eq(keyspace_set_int(db, key, hash, e, 56, -1, SET_KEEP_TTL), e);
    expect_eq(entry_expiry_ms(e), FIXTURE_START_MS + 5000);
    e = keyspace_set_int(db, key, hash, e, 57, -1, 0);
    expect_false(entry_expires(e));
    expect_eq(db_expire_count(db), 0);
    keyspace_destroy(&ks);
}

TEST(editing_keeps_bytes_and_expiry_and_fills_with_zeros) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    static char model[200000];
    struct bytes key = BYTES("edited");
    uint64_t hash = hash_bytes(key);
    size_t size = 0;
    int64_t at_ms = -1;
    struct blob *pinned = NULL;
    static char pinned_bytes[200000];
    for (int step = 0; step < 4000; step++) {
        struct entry *e = fixture_find(db, key);
        size_t wanted = rng_below(t->rng, rng_below(t->rng, 8) ? 600 : 150000);
        uint64_t choice = rng_below(t->rng, 12);
        if (choice == 0 && e) {
            at_ms =
                rng_below(t->rng, 2) ? FIXTURE_START_MS + (int64_t)rng_below(t->rng, 1000) + 1 : -1;
            e = keyspace_set_expiry(db, e, at_ms);
        } else if (choice == 1) {
            e = keyspace_set_int(db, key, hash, e, 12345, at_ms, 0);
            memcpy(model, "12345", size = 5);
        } else if (choice == 2 && e && entry_encoding(e) == ENCODING_BLOB && !pinned) {
            pinned = blob_retain(entry_blob(e)); /* a reply under way */
            memcpy(pinned_bytes, pinned->data, pinned->size);
        } else {
            char *data;
            e = keyspace_edit_string(db, key, hash, e, wanted, &data);
            expect_not_null(e);
            if (wanted > size) memset(model + size, 0, wanted - size);
            size = wanted;
            if (size > 0) {
                size_t at = rng_below(t->rng, size);
                model[at] = data[at] = (char)rng_next(t->rng);
            }
            expect_str_eq(entry_encoding_name(e), "raw");
        }
        if (e) {
            expect_holds(e, bytes_make(model, size));
            expect_eq(entry_expires(e) ? entry_expiry_ms(e) : -1, at_ms);
        }
        if (pinned && rng_below(t->rng, 3) == 0) {
            expect_bytes_eq(blob_bytes(pinned), bytes_make(pinned_bytes, pinned->size));
            blob_release(pinned);
            pinned = NULL;
        }
        if (step % 64 == 0) keyspace_verify(ks);
    }
    char *data;
    expect_null(keyspace_edit_string(db, key, hash, fixture_find(db, key), SIZE_MAX - 8, &data));
    expect_holds(fixture_find(db, key), bytes_make(model, size));
    blob_release(pinned);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_blob_that_comes_with_the_request_becomes_the_value) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    struct bytes key = BYTES("k");
    struct blob *blob = blob_create(40000);
    memset(blob->data, 'b', blob->size);
    struct entry *e =
        keyspace_set_string(db, key, hash_bytes(key), NULL, (struct bytes){0}, blob, -1, 0);
    expect_ptr_eq(entry_blob(e), blob);
    expect_true(blob_is_sole(blob));

    static char other[39999];
    struct entry *again = fixture_set(db, key, bytes_make(other, sizeof(other)), -1);
    expect_holds(again, bytes_make(other, sizeof(other)));
    blob = blob_copy(BYTES("42"));
    e = keyspace_set_string(db, key, hash_bytes(key), again, (struct bytes){0}, blob, -1, 0);
    expect_str_eq(entry_encoding_name(e), "int");
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void count_touched(void *ctx, struct db *db, struct bytes key) {
    (void)db;
    (void)key;
    ++*(int *)ctx;
}

TEST(unpacking_changes_the_name_of_the_encoding_and_nothing_else) {
    int touched = 0;
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    keyspace_add_observer(ks,
                          &(struct keyspace_observer){.ctx = &touched, .touched = count_touched});
    const struct bytes values[] = {BYTES("-1234567890123456789"), BYTES("7"), BYTES("short"),
                                   BYTES("")};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        for (int with_expiry = 0; with_expiry < 2; with_expiry++) {
            struct bytes key = BYTES("unpacked");
            int64_t at_ms = with_expiry ? FIXTURE_START_MS + 1000 : -1;
            struct entry *e = fixture_set(db, key, values[i], at_ms);
            int before = touched;
            e = keyspace_unpack_string(db, key, hash_bytes(key), e);
            expect_eq(touched, before);
            expect_ptr_eq(fixture_find(db, key), e);
            expect_str_eq(entry_encoding_name(e), "raw");
            expect_holds(e, values[i]);
            expect_eq(entry_expires(e) ? entry_expiry_ms(e) : -1, at_ms);
            keyspace_verify(ks);
        }
    }
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
