/* SPDX-License-Identifier: BSD-3-Clause */
/* notify -- keyspace notifications: events of keys as messages, and the option that chooses them.
 *
 *   __keyspace@<database>__:<key>     the event is the message
 *   __keyevent@<database>__:<event>   the key is the message */
#include "pubsub/pubsub_internal.h"

/* ---- the messages ---- */

static void notify(struct pubsub *pubsub, const char *prefix, const struct db *db,
                   struct bytes name, struct bytes body) {
    struct buf *channel = &pubsub->channel;
    buf_clear(channel);
    buf_add_text(channel, prefix);
    buf_add_i64(channel, db_index(db));
    buf_add(channel, BYTES("__:"));
    buf_add(channel, name);
    (void)pubsub_publish(pubsub, buf_bytes(channel), body);
}

void pubsub__on_event(void *ctx, struct db *db, struct bytes key, uint32_t event_class,
                      const char *name) {
    struct pubsub *pubsub = ctx;
    uint32_t wanted = pubsub->config->notify;
    if (!(wanted & event_class) || !pubsub->topics.subscribers) return;
    if (wanted & NOTIFY_KEYSPACE) notify(pubsub, "__keyspace@", db, key, bytes_of(name));
    if (wanted & NOTIFY_KEYEVENT) notify(pubsub, "__keyevent@", db, bytes_of(name), key);
}

void pubsub__notify_changed(struct pubsub *pubsub) {
    const uint32_t channels = NOTIFY_KEYSPACE | NOTIFY_KEYEVENT;
    uint32_t bits = pubsub->config->notify;
    /* Without a channel to go to no event is worth a call. */
    uint32_t events = bits & channels ? bits & ~channels : 0;
    keyspace_set_interest(pubsub->exec->keyspace, pubsub, false, events);
}

/* ---- the option: letters ---- */

struct event_letter {
    char letter;
    uint32_t bit;
};
/* In the order in which CONFIG GET shows them. */
static const struct event_letter event_classes[] = {
    {'g', EVENT_GENERIC}, {'$', EVENT_STRING}, {'l', EVENT_LIST},    {'s', EVENT_SET},
    {'h', EVENT_HASH},    {'z', EVENT_ZSET},   {'x', EVENT_EXPIRED}, {'e', EVENT_EVICTED},
    {'t', EVENT_STREAM},  {'d', EVENT_MODULE}, {'n', EVENT_NEW}, /* n is no part of A */
};
static const struct event_letter event_marks[] = {
    {'K', NOTIFY_KEYSPACE}, {'E', NOTIFY_KEYEVENT}, {'m', EVENT_MISS}};

enum {
    EVENT_ALL = EVENT_GENERIC | EVENT_STRING | EVENT_LIST | EVENT_SET | EVENT_HASH | EVENT_ZSET |
                EVENT_EXPIRED | EVENT_EVICTED | EVENT_STREAM | EVENT_MODULE
};

static uint32_t event_bits(char letter) {
    if (letter == 'A') return EVENT_ALL;
    for (size_t i = 0; i < COUNT_OF(event_classes); i++) {
        if (event_classes[i].letter == letter) return event_classes[i].bit;
    }
    for (size_t i = 0; i < COUNT_OF(event_marks); i++) {
        if (event_marks[i].letter == letter) return event_marks[i].bit;
    }
    return 0;
}

static enum err notify_parse(const struct config_parse *in, void *out, struct diag *diag) {
    uint32_t bits = 0;
    struct bytes letters = in->words[0];
    for (size_t i = 0; i < letters.size; i++) {
        uint32_t bit = event_bits(letters.data[i]);
        if (bit == 0)
            return diag_set(diag, ERR_SYNTAX,
                            "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
        bits |= bit;
    }
    *(uint32_t *)out = bits;
    return ERR_NONE;
}

static void add_letters(struct buf *out, uint32_t bits, const struct event_letter *letters,
                        size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bits & letters[i].bit) buf_add_char(out, letters[i].letter);
    }
}

static void notify_format(const void *value, struct buf *out) {
    uint32_t bits = *(const uint32_t *)value;
    if ((bits & EVENT_ALL) == EVENT_ALL) {
        buf_add_char(out, 'A'); /* clients know it without an n behind it, even if n is set */
    } else {
        add_letters(out, bits, event_classes, COUNT_OF(event_classes));
    }
    add_letters(out, bits, event_marks, COUNT_OF(event_marks));
}

static void notify_write_lines(const char *name, const void *value, struct buf *out) {
    uint32_t bits = *(const uint32_t *)value;
    buf_addf(out, "%s \"", name);
    notify_format(value, out);
    /* What CONFIG GET leaves out must not be lost in a file. */
    if ((bits & EVENT_ALL) == EVENT_ALL && (bits & EVENT_NEW)) buf_add_char(out, 'n');
    buf_add_text(out, "\"\n");
}

static bool notify_equal(const void *a, const void *b) {
    return *(const uint32_t *)a == *(const uint32_t *)b;
}

static const struct config_custom option_notify = {.parse = notify_parse,
                                                   .format = notify_format,
                                                   .equal = notify_equal,
                                                   .write_lines = notify_write_lines};

static enum err notify_apply(void *ctx, struct diag *diag) {
    struct pubsub_config *config = ctx;
    (void)diag;
    if (config->pubsub) pubsub__notify_changed(config->pubsub);
    return ERR_NONE;
}

const struct config_option pubsub_options[] = {
    {
        .name = "notify-keyspace-events",
        .kind = CONFIG_CUSTOM,
        .initial = "",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct pubsub_config, notify),
        .custom = &option_notify,
        .apply = notify_apply,
        .help = "Which changes of keys are published: K by key, E by event, with "
                "classes g $ l s h z x e t m d n, A for most. Empty: none.",
    },
    {0},
};
