/* SPDX-License-Identifier: BSD-3-Clause */
/* broadcast -- changed keys for clients with prefixes. They are gathered while commands run, each
 * once, and told before output is sent: one message for each prefix and client, however many
 * commands there were. A client with NOLOOP that changed some of them itself gets a message of its
 * own. */
#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "resp/encode.h"
#include "tracking/tracking_internal.h"

#include <stdlib.h>

/* The keys of one prefix, and who wants them. Sending may close its members, and with the last one
 * the prefix is gone: what is needed of it is copied before anything is sent. */
struct broadcast {
    struct prefix *prefix; /* until then */
    struct buf text;
    struct buf names;
    size_t count;
    size_t targets_begin, targets_end; /* in tracking->targets */
};

struct broadcasts {
    struct broadcast *at;
    size_t count, cap;
    uint64_t *authors; /* of all changed keys, sorted; some twice */
    size_t author_count;
};

/* ---- gathering ---- */

static struct bytes changed_name(const struct changed_key *changed) {
    return bytes_make(changed->name, changed->name_size);
}
static struct bytes changed_key(const void *entry) { return changed_name(entry); }
static uint64_t changed_hash(const void *entry) {
    return ((const struct changed_key *)entry)->hash;
}

static const struct hashtab_type changed_type = {.key = changed_key, .hash = changed_hash};

void tracking__broadcast_init(struct tracking *tracking) {
    tracking->changed = hashtab_create(&changed_type);
    tracking->changed_end = &tracking->changed_first;
}

static void free_changed(struct changed_key *changed) {
    while (changed) {
        struct changed_key *next = changed->next;
        mem_free(changed);
        changed = next;
    }
}

void tracking__broadcast_deinit(struct tracking *tracking) {
    free_changed(tracking->changed_first);
    hashtab_clear(tracking->changed);
    hashtab_destroy(&tracking->changed);
}

void tracking__gather(struct tracking *tracking, struct bytes key, uint64_t hash) {
    if (!prefixes_find(&tracking->prefixes, key)) return;
    const struct client *author = tracking__author(tracking);
    uint64_t author_id = author ? author->id : 0;
    struct changed_key *changed = hashtab_find(tracking->changed, hash, key);
    if (changed) {
        if (changed->author != author_id) changed->author = 0;
        return;
    }
    check(key.size <= UINT32_MAX);
    changed = mem_alloc(sizeof(*changed) + key.size);
    *changed =
        (struct changed_key){.hash = hash, .author = author_id, .name_size = (uint32_t)key.size};
    if (key.size) memcpy(changed->name, key.data, key.size);
    hashtab_add_new(tracking->changed, hash, changed);
    *tracking->changed_end = changed;
    tracking->changed_end = &changed->next;
    tracking->exec->flush_wanted = true;
}

/* ---- telling ---- */

static struct broadcast *broadcast_of(struct broadcasts *all, struct prefix *prefix) {
    if (prefix->mark) return &all->at[prefix->mark - 1];
    if (all->count == all->cap) {
        all->cap = all->cap ? all->cap * 2 : 4;
        all->at = mem_realloc(all->at, all->cap * sizeof(all->at[0]));
    }
    all->at[all->count] = (struct broadcast){.prefix = prefix};
    prefix->mark = (uint32_t)++all->count;
    return &all->at[all->count - 1];
}

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts the changed keys into the prefixes that they begin with. */
static void sort_out(struct tracking *tracking, const struct changed_key *changed,
                     struct broadcasts *all, size_t count) {
    all->authors = mem_alloc_array(count, sizeof(all->authors[0]));
    for (; changed; changed = changed->next) {
        struct prefix *prefix = prefixes_find(&tracking->prefixes, changed_name(changed));
        for (; prefix; prefix = prefix->parent) {
            struct broadcast *broadcast = broadcast_of(all, prefix);
            encode_bulk(&broadcast->names, changed_name(changed));
            broadcast->count++;
        }
        if (changed->author) all->authors[all->author_count++] = changed->author;
    }
    qsort(all->authors, all->author_count, sizeof(all->authors[0]), compare_ids);
}

static void make_body(struct buf *body, size_t count, const struct buf *names) {
    buf_clear(body);
    encode_header(body, '*', count);
    buf_add(body, buf_bytes(names));
}

/* The same without the keys that the client changed itself. */
static void send_others_keys(struct tracking *tracking, struct client *client, struct bytes prefix,
                             const struct changed_key *changed) {
    struct buf names = {0}, body = {0};
    size_t count = 0;
    for (; changed; changed = changed->next) {
        if (changed->author == client->id) continue;
        if (!bytes_starts_with(changed_name(changed), prefix)) continue;
        encode_bulk(&names, changed_name(changed));
        count++;
    }
    if (count) {
        make_body(&body, count, &names);
        tracking__send(tracking, client, &body);
    }
    buf_deinit(&names);
    buf_deinit(&body);
}

static bool is_author(const struct broadcasts *all, const struct client *client) {
    return bsearch(&client->id, all->authors, all->author_count, sizeof(all->authors[0]),
                   compare_ids) != NULL;
}

static void freeze(struct tracking *tracking, struct broadcast *broadcast) {
    struct prefix *prefix = broadcast->prefix;
    buf_add(&broadcast->text, prefix_text(prefix));
    broadcast->targets_begin = tracking->target_count;
    for (uint32_t i = 0; i < prefix->count; i++)
        tracking__add_target(tracking, prefix->members[i].client);
    broadcast->targets_end = tracking->target_count;
    prefix->mark = 0;
    broadcast->prefix = NULL;
}

static void send_broadcast(struct tracking *tracking, const struct broadcasts *all,
                           const struct broadcast *broadcast, const struct changed_key *changed) {
    make_body(&tracking->body, broadcast->count, &broadcast->names);
    for (size_t i = broadcast->targets_begin; i < broadcast->targets_end; i++) {
        struct client *client = client_find(tracking->exec, tracking->targets[i]);
        if (!client || !client->tracker) continue;
        if ((client->tracker->mode & TRACKING_NOLOOP) && is_author(all, client)) {
            send_others_keys(tracking, client, buf_bytes(&broadcast->text), changed);
        } else {
            tracking__send(tracking, client, &tracking->body);
        }
    }
}

void tracking__broadcast(struct tracking *tracking) {
    struct changed_key *changed = tracking->changed_first;
    size_t count = hashtab_count(tracking->changed);
    if (!count) return;
    hashtab_clear(tracking->changed);
    tracking->changed_first = NULL;
    tracking->changed_end = &tracking->changed_first;

    struct broadcasts all = {0};
    sort_out(tracking, changed, &all, count);
    tracking->target_count = 0;
    for (size_t i = 0; i < all.count; i++)
        freeze(tracking, &all.at[i]);
    for (size_t i = 0; i < all.count; i++) {
        send_broadcast(tracking, &all, &all.at[i], changed);
        buf_deinit(&all.at[i].text);
        buf_deinit(&all.at[i].names);
    }
    mem_free(all.at);
    mem_free(all.authors);
    free_changed(changed);
}
