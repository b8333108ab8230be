/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/hash.h"

#include "base/hash_internal.h"

struct hash_state hash_state = {.fn = hash_siphash13};

void hash_init(const struct hash_key *seed) {
    hash_state.key = *seed;
    hash_state.fn = hash__aes_is_supported() ? hash__aes : hash_siphash13;
}

void hash_key_from_text(struct hash_key *out, struct bytes text) {
    struct hash_key number = {0};
    for (size_t i = 0; i < COUNT_OF(out->word); i++) {
        number.word[0] = i + 1; /* another function for each word */
        out->word[i] = hash_siphash13(&number, text.data, text.size);
    }
}

const char *hash_describe(void) { return hash_state.fn == hash__aes ? "aes" : "siphash-1-3"; }

uint64_t hash_bytes_nocase(struct bytes bytes) {
    /* The hash so far, then the next piece in lower case. Names fit in one piece. */
    enum { PIECE = 128 };
    char buffer[sizeof(uint64_t) + PIECE];
    size_t kept = 0, done = 0;
    for (;;) {
        size_t size = size_min(bytes.size - done, PIECE);
        for (size_t i = 0; i < size; i++)
            buffer[kept + i] = char_lower(bytes.data[done + i]);
        done += size;
        uint64_t hash = hash_state.fn(&hash_state.key, buffer, kept + size);
        if (done == bytes.size) return hash;

        kept = sizeof(hash);
        memcpy(buffer, &hash, sizeof(hash));
    }
}
