/* SPDX-License-Identifier: BSD-3-Clause */
#include "pubsub/topics.h"

#include "base/check.h"
#include "base/glob.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
    PATTERN_START_MAX = 8, /* bytes compared ahead of a pattern's own */
    ARRAY_MIN = 4,         /* elements of an array that is allocated */
};

struct subscription {
    struct client *client; /* these two are its key */
    struct topic *topic;
    uint32_t seat;  /* index in topic->clients */
    uint32_t place; /* index in the client's topics of this kind */
};
enum { SUBSCRIPTION_KEY = 2 * sizeof(void *) };

struct subscriber {
    struct topic **topics[SUBSCRIPTION_KINDS]; /* client->subscriptions[kind] of them */
    uint32_t caps[SUBSCRIPTION_KINDS];
    size_t name_bytes;
};

/* ---- the tables ---- */

static struct bytes topic_key(const void *entry) { return topic_name(entry); }
static uint64_t topic_hash(const void *entry) { return ((const struct topic *)entry)->hash; }

static const struct hashtab_type topic_type = {.key = topic_key, .hash = topic_hash};

static struct bytes subscription_key(const void *entry) {
    return bytes_make(entry, SUBSCRIPTION_KEY);
}
static uint64_t subscription_hash(const void *entry) { return hash_bytes(subscription_key(entry)); }

static const struct hashtab_type subscription_type = {.key = subscription_key,
                                                      .hash = subscription_hash};

static struct subscription *find_subscription(const struct topics *topics, struct client *client,
                                              struct topic *topic) {
    static_assert(offsetof(struct subscription, seat) == SUBSCRIPTION_KEY, "the key comes first");
    const struct subscription wanted = {.client = client, .topic = topic};
    return hashtab_find(topics->subscriptions, subscription_hash(&wanted),
                        subscription_key(&wanted));
}

void topics_init(struct topics *topics) {
    *topics = (struct topics){0};
    for (int kind = 0; kind < SUBSCRIPTION_KINDS; kind++)
        topics->tables[kind] = hashtab_create(&topic_type);
    topics->subscriptions = hashtab_create(&subscription_type);
}

void topics_deinit(struct topics *topics) {
    check(hashtab_count(topics->subscriptions) == 0);
    for (int kind = 0; kind < SUBSCRIPTION_KINDS; kind++) {
        check(hashtab_count(topics->tables[kind]) == 0);
        hashtab_destroy(&topics->tables[kind]);
    }
    hashtab_destroy(&topics->subscriptions);
    mem_free(topics->patterns);
    *topics = (struct topics){0};
}

/* ---- arrays of pointers, grown twofold and shrunk when a quarter full ---- */

static void *grow(void *array, uint32_t count, uint32_t *cap, size_t size) {
    if (count < *cap) return array;
    *cap = *cap ? *cap * 2 : ARRAY_MIN;
    return mem_realloc(array, *cap * size);
}

static void *shrink(void *array, uint32_t count, uint32_t *cap, size_t size) {
    if (count == 0) {
        mem_free(array);
        *cap = 0;
        return NULL;
    }
    if (*cap <= ARRAY_MIN || count > *cap / 4) return array;
    *cap /= 2;
    return mem_realloc(array, *cap * size);
}

/* ---- patterns ---- */

/* The first bytes of text, and a mask of how many there are. */
static uint64_t load_start(struct bytes text) {
    uint64_t start = 0;
    memcpy(&start, text.data, size_min(text.size, PATTERN_START_MAX));
    return start;
}

static struct pattern_row make_row(struct topic *topic) {
    struct bytes name = topic_name(topic);
    struct bytes special = BYTES("*?[\\");
    struct bytes start = bytes_make(name.data, 0);
    while (start.size < size_min(name.size, PATTERN_START_MAX) &&
           bytes_find_byte(special, name.data[start.size]) == special.size) {
        start.size++;
    }
    uint64_t mask = 0;
    memset(&mask, 0xff, start.size);
    return (struct pattern_row){.topic = topic, .start = load_start(start), .mask = mask};
}

static void add_pattern(struct topics *topics, struct topic *topic) {
    topics->patterns = grow(topics->patterns, topics->pattern_count, &topics->pattern_cap,
                            sizeof(topics->patterns[0]));
    topic->place = topics->pattern_count++;
    topics->patterns[topic->place] = make_row(topic);
}

static void remove_pattern(struct topics *topics, const struct topic *topic) {
    struct pattern_row *row = &topics->patterns[topic->place];
    check(row->topic == topic);
    *row = topics->patterns[--topics->pattern_count];
    row->topic->place = topic->place;
    topics->patterns = shrink(topics->patterns, topics->pattern_count, &topics->pattern_cap,
                              sizeof(topics->patterns[0]));
}

struct topic *topics_next_match(const struct topics *topics, struct bytes channel, uint32_t *at) {
    uint64_t start = load_start(channel);
    while (*at < topics->pattern_count) {
        const struct pattern_row *row = &topics->patterns[(*at)++];
        if ((start & row->mask) != row->start) continue;
        if (glob_match(topic_name(row->topic), channel)) return row->topic;
    }
    return NULL;
}

/* ---- topics ---- */

struct topic *topics_find(const struct topics *topics, enum client_subscription kind,
                          struct bytes name) {
    return hashtab_find(topics->tables[kind], hash_bytes(name), name);
}

size_t topics_count(const struct topics *topics, enum client_subscription kind) {
    return hashtab_count(topics->tables[kind]);
}

static struct topic *find_or_create(struct topics *topics, enum client_subscription kind,
                                    struct bytes name) {
    uint64_t hash = hash_bytes(name);
    struct topic *topic = hashtab_find(topics->tables[kind], hash, name);
    if (topic) return topic;

    check(name.size <= UINT32_MAX);
    topic = mem_zalloc(sizeof(*topic) + name.size);
    topic->kind = (uint8_t)kind;
    topic->hash = hash;
    topic->name_size = (uint32_t)name.size;
    if (name.size) memcpy(topic->name, name.data, name.size);
    hashtab_add_new(topics->tables[kind], hash, topic);
    if (kind == SUBSCRIBED_PATTERNS) add_pattern(topics, topic);
    return topic;
}

static void destroy_topic(struct topics *topics, struct topic *topic) {
    check(topic->count == 0 && !topics->walking);
    hashtab_take_entry(topics->tables[topic->kind], topic->hash, topic);
    if (topic->kind == SUBSCRIBED_PATTERNS) remove_pattern(topics, topic);
    mem_free(topic->clients);
    mem_free(topic);
}

/* ---- seats: a topic's clients ---- */

static void take_seat(struct topic *topic, struct subscription *subscription) {
    topic->clients = grow(topic->clients, topic->count, &topic->cap, sizeof(topic->clients[0]));
    subscription->seat = topic->count++;
    topic->clients[subscription->seat] = subscription->client;
}

/* The last client takes the seat, unless it is that seat. */
static void close_gap(struct topics *topics, struct topic *topic, uint32_t seat) {
    struct client *last = topic->clients[--topic->count];
    if (seat == topic->count) return;
    topic->clients[seat] = last;
    if (last) find_subscription(topics, last, topic)->seat = seat;
}

static void leave_seat(struct topics *topics, struct topic *topic, uint32_t seat) {
    if (topics->walking) {
        topic->clients[seat] = NULL;
        if (topic->holed) return;
        topic->holed = true;
        topic->next_holed = topics->holed;
        topics->holed = topic;
        return;
    }
    close_gap(topics, topic, seat);
    topic->clients = shrink(topic->clients, topic->count, &topic->cap, sizeof(topic->clients[0]));
    if (topic->count == 0) destroy_topic(topics, topic);
}

void topics_walk_begin(struct topics *topics) {
    check(!topics->walking);
    topics->walking = true;
}

void topics_walk_end(struct topics *topics) {
    check(topics->walking);
    topics->walking = false;
    while (topics->holed) {
        struct topic *topic = topics->holed;
        topics->holed = topic->next_holed;
        topic->next_holed = NULL;
        topic->holed = false;
        /* From the end: what fills a gap is no gap itself. */
        for (uint32_t seat = topic->count; seat-- > 0;) {
            if (!topic->clients[seat]) close_gap(topics, topic, seat);
        }
        topic->clients =
            shrink(topic->clients, topic->count, &topic->cap, sizeof(topic->clients[0]));
        if (topic->count == 0) destroy_topic(topics, topic);
    }
}

/* ---- places: a client's topics ---- */

static void take_place(struct client *client, struct subscription *subscription) {
    struct subscriber *subscriber = client->subscriber;
    const struct topic *topic = subscription->topic;
    uint32_t *count = &client->subscriptions[topic->kind];
    struct topic ***list = &subscriber->topics[topic->kind];
    *list = grow(*list, *count, &subscriber->caps[topic->kind], sizeof((*list)[0]));
    subscription->place = (*count)++;
    (*list)[subscription->place] = subscription->topic;
    subscriber->name_bytes += topic->name_size;
}

static void leave_place(struct topics *topics, struct client *client, const struct topic *topic,
                        uint32_t place) {
    struct subscriber *subscriber = client->subscriber;
    uint32_t *count = &client->subscriptions[topic->kind];
    struct topic ***list = &subscriber->topics[topic->kind];
    struct topic *last = (*list)[--*count];
    if (place != *count) {
        (*list)[place] = last;
        find_subscription(topics, client, last)->place = place;
    }
    *list = shrink(*list, *count, &subscriber->caps[topic->kind], sizeof((*list)[0]));
    subscriber->name_bytes -= topic->name_size;
}

struct topic *topics_of_client(const struct client *client, enum client_subscription kind,
                               uint32_t index) {
    check(index < client->subscriptions[kind]);
    return client->subscriber->topics[kind][index];
}

static uint32_t count_all(const struct client *client) {
    uint32_t count = 0;
    for (int kind = 0; kind < SUBSCRIPTION_KINDS; kind++)
        count += client->subscriptions[kind];
    return count;
}

/* ---- both sides ---- */

bool topics_subscribe(struct topics *topics, struct client *client, enum client_subscription kind,
                      struct bytes name) {
    check(!topics->walking);
    struct topic *topic = find_or_create(topics, kind, name);
    if (find_subscription(topics, client, topic)) return false;

    if (!client->subscriber) {
        client->subscriber = mem_zalloc(sizeof(*client->subscriber));
        topics->subscribers++;
    }
    struct subscription *subscription = mem_alloc(sizeof(*subscription));
    *subscription = (struct subscription){.client = client, .topic = topic};
    take_seat(topic, subscription);
    take_place(client, subscription);
    hashtab_add_new(topics->subscriptions, subscription_hash(subscription), subscription);
    return true;
}

bool topics_unsubscribe(struct topics *topics, struct client *client, enum client_subscription kind,
                        struct bytes name) {
    struct topic *topic = topics_find(topics, kind, name);
    struct subscription *subscription = topic ? find_subscription(topics, client, topic) : NULL;
    if (!subscription) return false;

    uint32_t seat = subscription->seat;
    leave_place(topics, client, topic, subscription->place);
    hashtab_take_entry(topics->subscriptions, subscription_hash(subscription), subscription);
    mem_free(subscription);
    leave_seat(topics, topic, seat); /* perhaps the end of the topic, and with it of name */
    if (count_all(client) == 0) {
        mem_free(client->subscriber);
        client->subscriber = NULL;
        topics->subscribers--;
    }
    return true;
}

void topics_leave_all(struct topics *topics, struct client *client) {
    for (int i = 0; i < SUBSCRIPTION_KINDS; i++) {
        enum client_subscription kind = (enum client_subscription)i;
        while (client->subscriptions[kind]) {
            struct topic *last = topics_of_client(client, kind, client->subscriptions[kind] - 1);
            check(topics_unsubscribe(topics, client, kind, topic_name(last)));
        }
    }
}

size_t topics_memory_bytes(const struct client *client) {
    const struct subscriber *subscriber = client->subscriber;
    if (!subscriber) return 0;
    size_t bytes = sizeof(*subscriber) + subscriber->name_bytes;
    bytes += count_all(client) * (sizeof(struct subscription) + sizeof(void *));
    for (int kind = 0; kind < SUBSCRIPTION_KINDS; kind++)
        bytes += subscriber->caps[kind] * sizeof(struct topic *);
    return bytes;
}

/* ---- checking ---- */

static void verify_topic(const struct topics *topics, struct topic *topic) {
    check(topic->count > 0 && topic->count <= topic->cap);
    check(!topic->holed);
    if (topic->kind == SUBSCRIBED_PATTERNS) check(topics->patterns[topic->place].topic == topic);
    for (uint32_t seat = 0; seat < topic->count; seat++) {
        struct client *client = topic->clients[seat];
        const struct subscription *subscription = find_subscription(topics, client, topic);
        check(subscription && subscription->seat == seat);
        check(topics_of_client(client, topic->kind, subscription->place) == topic);
    }
}

void topics_verify(const struct topics *topics) {
    size_t seats = 0;
    check(!topics->walking && !topics->holed);
    check(topics->pattern_count == topics_count(topics, SUBSCRIBED_PATTERNS));
    for (int kind = 0; kind < SUBSCRIPTION_KINDS; kind++) {
        struct hashtab_iter iter;
        struct topic *topic;
        hashtab_verify(topics->tables[kind]);
        hashtab_iter_init(&iter, topics->tables[kind]);
        while ((topic = hashtab_iter_next(&iter)) != NULL) {
            check(topic->kind == kind);
            verify_topic(topics, topic);
            seats += topic->count;
        }
        hashtab_iter_deinit(&iter);
    }
    check(seats == hashtab_count(topics->subscriptions));
    hashtab_verify(topics->subscriptions);
}
