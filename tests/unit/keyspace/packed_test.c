/* SPDX-License-Identifier: BSD-3-Clause */
/* Collections that live in their entries, with hashes for values, against a model. */
#include "ds/listpack.h"
#include "tests/unit/keyspace/keyspace_fixture.h"
#include "types/hash.h"

enum { KEYS = 12, FIELDS = 10, VALUE_MAX = 100, STEPS = 40000 };

static const struct hash_limits limits = {.entries = 8, .value = 64};

/* ---- the model ---- */

struct model {
    size_t count;   /* 0: there is no key, or a string */
    bool is_string; /* "string" */
    bool may_be_in; /* it was never too large since the key was added */
    bool is_table;
    int64_t at_ms; /* of the key; -1: none */
    struct {
        bool exists;
        size_t size;
        char value[VALUE_MAX];
    } fields[FIELDS];
};

static struct bytes field_name(char out[32], size_t number) {
    return bytes_make(out, (size_t)snprintf(out, 32, number % 2 ? "%zu" : "field:%zu", number));
}

static size_t packed_size(const struct model *model) {
    struct listpack *lp = listpack_create(0);
    char name[32];
    for (size_t i = 0; i < FIELDS; i++) {
        if (!model->fields[i].exists) continue;
        listpack_append(&lp, field_name(name, i));
        listpack_append(&lp, bytes_make(model->fields[i].value, model->fields[i].size));
    }
    size_t size = listpack_size(lp);
    listpack_destroy(&lp);
    return size;
}

/* After a change of the fields, or where the key is new. */
static void model_changed(struct model *model, bool is_new) {
    bool fits = packed_size(model) <= ENTRY_PACKED_MAX && !model->is_table;
    model->may_be_in = fits && (is_new || model->may_be_in);
}

/* ---- what commands do ---- */

static void set_field(struct test *t, struct db *db, struct bytes key, struct model *model) {
    char name[32];
    size_t number = rng_below(t->rng, FIELDS);
    size_t size = rng_below(t->rng, rng_below(t->rng, 8) ? 12 : VALUE_MAX);
    char *value = model->fields[number].value;
    for (size_t i = 0; i < size; i++)
        value[i] = (char)((size % 3 ? 'a' : '1') + (int)rng_below(t->rng, 9));
    struct entry *entry = fixture_find(db, key);
    bool is_copy = false;
    struct hash *hash = entry ? keyspace_take_object(entry, &is_copy) : hash_create(0);
    struct hash_setting to = {.name = field_name(name, number),
                              .value = bytes_make(value, size),
                              .at_ms = HASH_NO_TIME,
                              .now_ms = FIXTURE_START_MS};
    to.code = hash_code(hash, to.name);
    expect_eq(hash_set(&hash, &limits, &to), !model->fields[number].exists);
    model->count += !model->fields[number].exists;
    model->fields[number].exists = true;
    model->fields[number].size = size;
    model->is_table = !hash_is_listpack(hash);
    model_changed(model, !entry);
    if (entry) {
        (void)keyspace_put_object(db, entry, hash_bytes(key), hash);
    } else {
        (void)keyspace_add_object(db, key, hash_bytes(key), TYPE_HASH, hash);
    }
}

static void remove_field(struct test *t, struct db *db, struct bytes key, struct model *model) {
    char name_text[32];
    bool is_copy;
    struct entry *entry = fixture_find(db, key);
    struct hash *hash = keyspace_take_object(entry, &is_copy);
    size_t number = rng_below(t->rng, FIELDS);
    struct bytes name = field_name(name_text, number);
    bool removed = hash_remove(&hash, name, hash_code(hash, name), FIXTURE_START_MS);
    expect_eq(removed, model->fields[number].exists);
    if (!removed) {
        if (is_copy) hash_destroy(&hash);
        return;
    }
    model->fields[number].exists = false;
    model->count--;
    entry = keyspace_put_object(db, entry, hash_bytes(key), hash);
    if (model->count > 0) return;
    keyspace_remove(db, entry, KEY_DELETED);
    *model = (struct model){.at_ms = -1};
}

/* Another key takes the value, as with COPY, RENAME and STORE. */
static void change_key(struct test *t, struct db *db, struct model *models, size_t from) {
    char text[512], other_text[512];
    size_t to = rng_below(t->rng, KEYS);
    struct bytes key = fixture_key(text, from), other = fixture_key(other_text, to);
    struct entry *entry = fixture_find(db, key), *target = fixture_find(db, other);
    uint64_t kind = rng_below(t->rng, 4);
    bool is_copy;
    if (from == to) return;
    models[to] = models[from];
    if (kind == 0) {
        struct hash *hash = keyspace_take_object(entry, &is_copy);
        if (!is_copy) hash = hash_copy(hash);
        (void)keyspace_store_object(db, target, other, hash_bytes(other), TYPE_HASH, hash);
        models[to].at_ms = -1;
        model_changed(&models[to], true);
        return;
    }
    if (target) keyspace_remove(db, target, KEY_OVERWRITTEN);
    if (kind == 1) {
        (void)keyspace_move_entry(db, entry, db, other, hash_bytes(other));
        models[from] = (struct model){.at_ms = -1};
    } else {
        (void)keyspace_copy_entry(db, other, hash_bytes(other), entry);
    }
}

static void change(struct test *t, struct db *db, struct model *models, size_t number) {
    char text[512];
    struct bytes key = fixture_key(text, number);
    struct model *model = &models[number];
    uint64_t kind = rng_below(t->rng, 100);
    if (model->is_string) {
        keyspace_remove(db, fixture_find(db, key), KEY_DELETED);
        *model = (struct model){.at_ms = -1};
    } else if (model->count == 0 || kind < 45) {
        set_field(t, db, key, model);
    } else if (kind < 82) {
        remove_field(t, db, key, model);
    } else if (kind < 90) {
        change_key(t, db, models, number);
    } else if (kind < 97) {
        model->at_ms = kind < 92 ? -1 : FIXTURE_START_MS + 1 + (int64_t)kind;
        (void)keyspace_set_expiry(db, fixture_find(db, key), model->at_ms);
    } else {
        (void)fixture_set(db, key, BYTES("string"), -1);
        *model = (struct model){.is_string = true, .at_ms = -1};
    }
}

/* ---- comparing ---- */

static void expect_fields(const struct entry *entry, const struct model *model) {
    struct entry_room room;
    char name_text[32], value_text[NUM_I64_TEXT_MAX];
    const struct hash *hash = entry_view(entry, &room);
    expect_eq(hash_count(hash), model->count);
    for (size_t i = 0; i < FIELDS; i++) {
        struct bytes name = field_name(name_text, i);
        struct hash_item item;
        bool found = hash_find(hash, name, hash_code(hash, name), FIXTURE_START_MS, &item);
        expect_eq(found, model->fields[i].exists);
        if (!found) continue;
        struct bytes value = hash_text_bytes(&item.value, value_text);
        expect_bytes_eq(value, bytes_make(model->fields[i].value, model->fields[i].size));
        if (!item.value.data) continue;
        const char *origin = entry_view_origin(entry, &room, item.value.data);
        expect_true(memcmp(origin, item.value.data, item.value.size) == 0);
        bool is_inside = origin > (const char *)entry &&
                         origin < entry_value_field(entry) + entry_value_size(entry);
        expect_eq(is_inside, model->may_be_in);
    }
}

static void expect_same(struct db *db, const struct model *models) {
    char text[512];
    for (size_t i = 0; i < KEYS; i++) {
        const struct model *model = &models[i];
        struct entry *entry = fixture_find(db, fixture_key(text, i));
        expect_eq(entry != NULL, model->is_string || model->count > 0);
        if (!entry) continue;
        expect_eq(entry_expires(entry) ? entry_expiry_ms(entry) : -1, model->at_ms);
        expect_eq(entry_is_string(entry), model->is_string);
        if (model->is_string) continue;
        expect_fields(entry, model);
        expect_eq(entry_encoding(entry), model->may_be_in ? ENCODING_PACKED : ENCODING_OBJECT);
        expect_str_eq(entry_encoding_name(entry), model->is_table ? "hashtable" : "listpack");
        expect_eq(entry_free_effort(entry), model->is_table ? model->count : 1);
        expect_true(entry_memory_bytes(entry, 0) >= packed_size(model) - LISTPACK_EMPTY_SIZE);
    }
}

TEST(packed_hashes_agree_with_a_model_whatever_happens_to_them) {
    static struct model models[KEYS];
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    size_t seen[2] = {0};
    for (size_t i = 0; i < KEYS; i++)
        models[i] = (struct model){.at_ms = -1};
    for (int step = 0; step < STEPS; step++) {
        size_t number = rng_below(t->rng, KEYS);
        change(t, db, models, number);
        if (models[number].count > 0) seen[models[number].may_be_in]++;
        if (step % 16 != 0) continue;
        expect_same(db, models);
        keyspace_verify(ks);
    }
    expect_true(seen[0] > STEPS / 10 && seen[1] > STEPS / 10);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(an_entry_keeps_its_clock_when_its_elements_outgrow_it) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    struct bytes key = BYTES("a key");
    struct model model = {.at_ms = -1};
    for (int i = 0; i < 200; i++) {
        if (i > 0) entry_set_clock(fixture_find(db, key), (uint32_t)i);
        set_field(t, db, key, &model);
        if (i > 0) expect_eq(entry_clock(fixture_find(db, key)), i);
    }
    expect_eq(entry_encoding(fixture_find(db, key)), ENCODING_OBJECT);
    keyspace_destroy(&ks);
}

/* The figures that it is all for: five short fields under a key of 12 bytes. */
TEST(a_small_hash_is_one_allocation) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    struct hash *hash = hash_create(0);
    for (char i = '1'; i <= '5'; i++) {
        const char name[] = {'f', i}, value[] = {'v', i};
        const struct hash_setting to = {.name = bytes_make(name, 2),
                                        .value = bytes_make(value, 2),
                                        .at_ms = HASH_NO_TIME,
                                        .now_ms = FIXTURE_START_MS};
        (void)hash_set(&hash, &limits, &to);
    }
    struct bytes key = BYTES("h:0000000001");
    struct entry *e = keyspace_add_object(db, key, hash_bytes(key), TYPE_HASH, hash);
    expect_eq(entry_memory_bytes(e, 0), mem_usable_size(e));
    expect_eq(mem_usable_size(e), mem_good_size(ENTRY_SHORT_HEADER + key.size + 1 + 40));
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
