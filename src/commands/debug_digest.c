/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG DIGEST and DIGEST-VALUE: equal content, equal digest, whatever the order of insertion, the
 * encoding and the hash seed.
 *
 *   value   SHA-1 of: type (1 byte), content
 *           string: size (8, little-endian), bytes
 *           list: size (8) and bytes of each element, in their order
 *           set: XOR of the members' SHA-1, each of size (8) and bytes
 *           hash: XOR of the fields' SHA-1, each of name and value as a member, volatile (1)
 *           zset: of each member in order, size (8), bytes, score (8)
 *   key     SHA-1 of: database (4), volatile (1), size of the key (8), key, value's digest (20)
 *   all     XOR of the keys' digests; 20 zero bytes if there are none */
#include "base/check.h"
#include "commands/debug_internal.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

enum { DIGEST_SIZE = 20, DIGEST_TEXT_SIZE = 40 };

struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

static void add_number(struct sha1 *sha, uint64_t value, size_t size) {
    char bytes[sizeof(value)];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(value >> (8 * i));
    sha1_add(sha, bytes_make(bytes, size));
}

static void add_sized(struct sha1 *sha, struct bytes bytes) {
    add_number(sha, bytes.size, 8);
    sha1_add(sha, bytes);
}

static void digest_string(struct sha1 *sha, const struct entry *entry) {
    char scratch[NUM_I64_TEXT_MAX];
    add_sized(sha, entry_string(entry, scratch));
}

static void digest_list(struct sha1 *sha, const struct entry *entry) {
    struct list_iter iter;
    struct list_item item;
    char scratch[NUM_I64_TEXT_MAX];
    list_iter_init(&iter, entry_object(entry), 0, LIST_HEAD);
    while (list_iter_next(&iter, &item))
        add_sized(sha, listpack_value_bytes(&item.value, scratch));
    list_iter_deinit(&iter);
}

/* Elements without an order: their digests are summed up. */
static void digest_mix(struct digest *sum, struct sha1 *element) {
    struct digest digest;
    sha1_finish(element, digest.bytes);
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        sum->bytes[i] ^= digest.bytes[i];
}

static bool digest_member(void *ctx, const struct set_member *member) {
    char scratch[NUM_I64_TEXT_MAX];
    struct sha1 sha;
    sha1_init(&sha);
    add_sized(&sha, set_member_bytes(member, scratch));
    digest_mix(ctx, &sha);
    return true;
}

static void digest_set(struct sha1 *sha, const struct entry *entry) {
    struct digest sum = {0};
    set_each(entry_object(entry), digest_member, &sum);
    sha1_add(sha, bytes_make(sum.bytes, DIGEST_SIZE));
}

static void digest_hash(struct sha1 *sha, const struct entry *entry, int64_t now_ms) {
    struct digest sum = {0};
    struct hash_iter iter;
    struct hash_item item;
    struct entry_room room;
    char scratch[NUM_I64_TEXT_MAX];
    hash_iter_init(&iter, entry_view(entry, &room), now_ms);
    while (hash_iter_next(&iter, &item)) {
        struct sha1 field;
        sha1_init(&field);
        add_sized(&field, hash_text_bytes(&item.name, scratch));
        add_sized(&field, hash_text_bytes(&item.value, scratch));
        add_number(&field, item.at_ms >= 0, 1);
        digest_mix(&sum, &field);
    }
    hash_iter_deinit(&iter);
    sha1_add(sha, bytes_make(sum.bytes, DIGEST_SIZE));
}

static void digest_zset(struct sha1 *sha, const struct entry *entry) {
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, entry_object(entry), 0, false);
    while (zset_iter_next(&iter, &item)) {
        double score = item.score == 0 ? 0 : item.score; /* the sign of -0 is not kept everywhere */
        uint64_t bits;
        memcpy(&bits, &score, sizeof(bits));
        add_sized(sha, item.member);
        add_number(sha, bits, 8);
    }
}

static void digest_value(const struct entry *entry, int64_t now_ms, struct digest *out) {
    struct sha1 sha;
    sha1_init(&sha);
    add_number(&sha, entry_type(entry), 1);
    switch (entry_type(entry)) {
    case TYPE_STRING: digest_string(&sha, entry); break;
    case TYPE_LIST: digest_list(&sha, entry); break;
    case TYPE_SET: digest_set(&sha, entry); break;
    case TYPE_HASH: digest_hash(&sha, entry, now_ms); break;
    case TYPE_ZSET: digest_zset(&sha, entry); break;
    default: panic("debug: no digest of a %s", value_type_name(entry_type(entry)));
    }
    sha1_finish(&sha, out->bytes);
}

struct digest_walk {
    const struct keyspace *keyspace;
    int64_t now_ms;
    int32_t db_index;
    struct digest sum;
};

static bool digest_key(void *ctx, struct entry *entry) {
    struct digest_walk *walk = ctx;
    if (keyspace_is_expired(walk->keyspace, entry)) return true;
    struct digest value, key;
    digest_value(entry, walk->now_ms, &value);
    struct sha1 sha;
    sha1_init(&sha);
    add_number(&sha, (uint64_t)walk->db_index, 4);
    add_number(&sha, entry_expires(entry), 1);
    add_number(&sha, entry_key_size(entry), 8);
    sha1_add(&sha, entry_key(entry));
    sha1_add(&sha, bytes_make(value.bytes, DIGEST_SIZE));
    sha1_finish(&sha, key.bytes);
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        walk->sum.bytes[i] ^= key.bytes[i];
    return true;
}

static void reply_digest(struct reply *reply, const struct digest *digest) {
    static const char digits[] = "0123456789abcdef";
    char text[DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        text[2 * i] = digits[digest->bytes[i] >> 4];
        text[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    reply_simple(reply, bytes_make(text, sizeof(text)));
}

/* DEBUG DIGEST */
void debug_digest(struct call *call) {
    struct digest_walk walk = {.keyspace = call->keyspace, .now_ms = call->now_ms};
    int32_t count = keyspace_db_count(call->keyspace);
    for (walk.db_index = 0; walk.db_index < count; walk.db_index++)
        keyspace_each(keyspace_db(call->keyspace, walk.db_index), digest_key, &walk);
    reply_digest(call->reply, &walk.sum);
}

/* DEBUG DIGEST-VALUE [key ...] */
void debug_digest_value(struct call *call) {
    reply_array(call->reply, call->argc - 2);
    for (uint32_t arg = 2; arg < call->argc; arg++) {
        struct digest digest = {0};
        const struct entry *entry =
            keyspace_find(call->db, call->argv[arg], hash_bytes(call->argv[arg]),
                          LOOKUP_WRITE | LOOKUP_NO_TOUCH | LOOKUP_NO_STATS);
        if (entry) digest_value(entry, call->now_ms, &digest);
        reply_digest(call->reply, &digest);
    }
}
