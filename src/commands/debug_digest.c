/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG DIGEST and DIGEST-VALUE: equal content, equal digest, whatever the order of insertion, the
 * encoding and the hash seed.
 *
 *   value   SHA-1 of: type (1 byte), size (8, little-endian), bytes
 *   key     SHA-1 of: database (4), volatile (1), size of the key (8), key, value's digest (20)
 *   all     XOR of the keys' digests; 20 zero bytes if there are none */
#include "base/check.h"
#include "commands/debug_internal.h"

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

static void digest_value(const struct entry *entry, struct digest *out) {
    check(entry_is_string(entry)); /* other types bring their own */
    char scratch[NUM_I64_TEXT_MAX];
    struct bytes value = entry_string(entry, scratch);
    struct sha1 sha;
    sha1_init(&sha);
    add_number(&sha, entry_type(entry), 1);
    add_number(&sha, value.size, 8);
    sha1_add(&sha, value);
    sha1_finish(&sha, out->bytes);
}

struct digest_walk {
    const struct keyspace *keyspace;
    int32_t db_index;
    struct digest sum;
};

static bool digest_key(void *ctx, struct entry *entry) {
    struct digest_walk *walk = ctx;
    if (keyspace_is_expired(walk->keyspace, entry)) return true;
    struct digest value, key;
    digest_value(entry, &value);
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
    struct digest_walk walk = {.keyspace = call->keyspace};
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
        if (entry) digest_value(entry, &digest);
        reply_digest(call->reply, &digest);
    }
}
