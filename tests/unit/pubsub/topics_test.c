/* SPDX-License-Identifier: BSD-3-Clause */
/* Topics against a plain matrix: client c is subscribed to name n of kind k, or is not. */
#include "pubsub/topics.h"
#include "tests/unit/test.h"

enum { CLIENTS = 40, NAMES = 60 };

struct model {
    struct topics topics;
    struct client clients[CLIENTS];
    bool has[SUBSCRIPTION_KINDS][NAMES][CLIENTS];
};

static struct bytes name_of(unsigned n, char text[32]) {
    /* Patterns among them, of which the first match everything and the last nothing. */
    int size = n < 3 ? snprintf(text, 32, "%.*s", (int)n + 1, "***")
                     : snprintf(text, 32, n % 2 ? "name:%u" : "name:[%u]*", n);
    return bytes_make(text, (size_t)size);
}

static struct model *model_create(void) {
    struct model *m = mem_zalloc(sizeof(*m));
    topics_init(&m->topics);
    for (unsigned i = 0; i < CLIENTS; i++)
        m->clients[i].id = i + 1;
    return m;
}

static void model_destroy(struct model **m) {
    for (unsigned c = 0; c < CLIENTS; c++)
        topics_leave_all(&(*m)->topics, &(*m)->clients[c]);
    topics_deinit(&(*m)->topics);
    mem_free(*m);
    *m = NULL;
}

static void model_leave(struct model *m, unsigned c) {
    topics_leave_all(&m->topics, &m->clients[c]);
    for (int k = 0; k < SUBSCRIPTION_KINDS; k++) {
        for (unsigned n = 0; n < NAMES; n++)
            m->has[k][n][c] = false;
    }
}

/* What both say about a topic, a client and the whole is the same. */
static void compare(const struct model *m, enum client_subscription kind, unsigned n, unsigned c) {
    char text[32];
    const struct topic *topic = topics_find(&m->topics, kind, name_of(n, text));
    uint32_t of_topic = 0, of_client = 0, topics = 0, subscribers = 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        of_topic += m->has[kind][n][i];
    for (unsigned i = 0; i < NAMES; i++)
        of_client += m->has[kind][i][c];
    for (unsigned i = 0; i < NAMES; i++) {
        bool any = false;
        for (unsigned k = 0; k < CLIENTS; k++)
            any |= m->has[kind][i][k];
        topics += any;
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        subscribers += m->clients[i].subscriber != NULL;
    expect_eq(topic ? topic->count : 0, of_topic);
    expect_eq(m->clients[c].subscriptions[kind], of_client);
    expect_eq(topics_count(&m->topics, kind), topics);
    expect_eq(m->topics.subscribers, subscribers);
    expect_eq(topics_memory_bytes(&m->clients[c]) > 0, m->clients[c].subscriber != NULL);
}

TEST(topics_agree_with_a_matrix_under_random_use) {
    struct model *m = model_create();
    for (int step = 0; step < 20000; step++) {
        enum client_subscription kind =
            (enum client_subscription)rng_below(t->rng, SUBSCRIPTION_KINDS);
        unsigned n = (unsigned)rng_below(t->rng, NAMES), c = (unsigned)rng_below(t->rng, CLIENTS);
        char text[32];
        struct bytes name = name_of(n, text);
        bool *has = &m->has[kind][n][c];
        uint64_t dice = rng_below(t->rng, 100);
        if (dice < 1) {
            model_leave(m, c);
        } else if (dice < 55) {
            expect_eq(topics_subscribe(&m->topics, &m->clients[c], kind, name), !*has);
            *has = true;
        } else {
            expect_eq(topics_unsubscribe(&m->topics, &m->clients[c], kind, name), *has);
            *has = false;
        }
        compare(m, kind, n, c);
        if (step % 16 == 0) topics_verify(&m->topics);
    }
    model_destroy(&m);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* Clients leave while a topic is walked: nobody else is met twice or left out. */
TEST(who_leaves_during_a_walk_disturbs_nobody) {
    struct model *m = model_create();
    for (int round = 0; round < 300; round++) {
        char text[32];
        struct bytes name = name_of((unsigned)rng_below(t->rng, NAMES), text);
        enum client_subscription kind =
            (enum client_subscription)rng_below(t->rng, SUBSCRIPTION_KINDS);
        for (unsigned c = 0; c < CLIENTS; c++) {
            (void)topics_subscribe(&m->topics, &m->clients[c], kind, name);
            (void)topics_subscribe(&m->topics, &m->clients[c], SUBSCRIBED_CHANNELS,
                                   name_of(c % NAMES, (char[32]){0}));
        }
        unsigned met[CLIENTS] = {0};
        bool left[CLIENTS] = {0};
        topics_walk_begin(&m->topics);
        const struct topic *topic = topics_find(&m->topics, kind, name);
        for (uint32_t i = 0; i < topic->count; i++) {
            const struct client *client = topic->clients[i];
            if (client) met[client->id - 1]++;
            if (rng_below(t->rng, 3) > 0) continue;
            unsigned victim = (unsigned)rng_below(t->rng, CLIENTS);
            topics_leave_all(&m->topics, &m->clients[victim]);
            if (!met[victim]) left[victim] = true;
        }
        topics_walk_end(&m->topics);
        topics_verify(&m->topics);
        for (unsigned c = 0; c < CLIENTS; c++)
            expect_eq(met[c], !left[c]);
        for (unsigned c = 0; c < CLIENTS; c++)
            model_leave(m, c);
        expect_eq(topics_count(&m->topics, kind), 0);
    }
    model_destroy(&m);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static unsigned matches(const struct topics *topics, const char *channel) {
    uint32_t at = 0;
    unsigned count = 0;
    while (topics_next_match(topics, bytes_of(channel), &at))
        count++;
    return count;
}

TEST(patterns_are_found_whatever_they_begin_with) {
    static const char *const patterns[] = {
        "*",          "news.*",      "news.sport.*", "[n]ews.*", "n?ws.art", "news.art",
        "\\news.art", "averylong:*", "averylong:na", "",         "a\\*b",
    };
    struct model *m = model_create();
    struct client *client = &m->clients[0];
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        expect_true(
            topics_subscribe(&m->topics, client, SUBSCRIBED_PATTERNS, bytes_of(patterns[i])));
    }
    expect_eq(matches(&m->topics, "news.art"), 6);
    expect_eq(matches(&m->topics, "news.sport.x"), 4);
    expect_eq(matches(&m->topics, "new"), 1);
    expect_eq(matches(&m->topics, ""), 2);
    expect_eq(matches(&m->topics, "a*b"), 2);
    expect_eq(matches(&m->topics, "axb"), 1);
    expect_eq(matches(&m->topics, "averylong:na"), 3);
    expect_eq(matches(&m->topics, "averylong:nb"), 2);
    model_destroy(&m);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
