/* SPDX-License-Identifier: BSD-3-Clause */
/* prefixes -- which clients want to hear of all keys that begin with some text.
 *
 * All prefixes are in one sorted array. Those that a key begins with are never far from where the
 * key itself would stand: with P the last prefix that does not come behind the key, each of them is
 * P or a prefix of P. So each prefix knows its parent, the longest other one that it begins with,
 * and a look-up is one bisection and a walk up.
 *
 *   ""  ◀─ "user:" ◀─ "user:1:"          key "user:17" ─▶ bisection finds "user:1:", no;
 *    ▲        ▲                          parent "user:", yes; parent "", yes
 *    │        └───── "user:2:"
 *    └─ "x"
 *
 * 1. Prefixes rise, none twice, and each has at least one member.
 * 2. parent is the longest other prefix that it begins with, or NULL.
 * 3. members[seat] and the client's prefixes[slot] know each other.
 * Executor only. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct client;

struct prefix_member {
    struct client *client;
    uint32_t slot; /* in the client's list */
};

struct prefix {
    struct prefix *parent;
    struct prefix_member *members;
    uint32_t count, cap; /* of members */
    uint32_t mark;       /* for whoever gathers prefixes: 0 outside of that */
    uint32_t text_size;
    char text[];
};

/* A client's prefixes. */
struct prefix_slot {
    struct prefix *prefix;
    uint32_t seat; /* in prefix->members */
};
struct prefix_list {
    struct prefix_slot *slots;
    uint32_t count, cap;
};

struct prefixes {
    struct prefix **sorted;
    uint32_t count, cap;
};

static inline struct bytes prefix_text(const struct prefix *prefix) {
    return bytes_make(prefix->text, prefix->text_size);
}

void prefixes_init(struct prefixes *prefixes);
void prefixes_deinit(struct prefixes *prefixes); /* none may be left */
/* The client wants it; false if it does already. O(its prefixes + log n), for a new one O(n).
 * list: the client's, which list_of finds when others of it are moved. */
bool prefixes_join(struct prefixes *prefixes, struct client *client, struct prefix_list *list,
                   struct bytes text);
/* The client leaves all its prefixes. O(n) for each that nobody else wants, else O(1). list_of: the
 * list of another member. */
void prefixes_leave_all(struct prefixes *prefixes, struct prefix_list *list,
                        struct prefix_list *(*list_of)(const struct client *client));
/* The longest prefix that the key begins with, or NULL; its parent is the next. O(log n). */
struct prefix *prefixes_find(const struct prefixes *prefixes, struct bytes key);
/* Checks every invariant above. O(n^2); for tests. */
void prefixes_verify(const struct prefixes *prefixes,
                     struct prefix_list *(*list_of)(const struct client *client));
