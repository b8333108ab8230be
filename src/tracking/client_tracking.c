/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO. */
#include "base/mem.h"
#include "tracking/tracking_internal.h"

#include <stdlib.h>

enum { SHOWN_MAX = 256 }; /* bytes of a prefix in an error */

struct request_options {
    unsigned mode; /* enum tracking_mode */
    uint64_t redirect_id;
    uint32_t *prefixes; /* arguments, owned */
    uint32_t prefix_count;
};

/* ---- reading ---- */

static bool read_redirect(struct call *call, uint32_t arg, struct request_options *options) {
    int64_t id;
    if (options->redirect_id) {
        call_error(call, ERROR_TRACKING_TWO_REDIRECTS);
        return false;
    }
    if (!call_int(call, arg, &id)) return false;
    if (id <= 0 || !client_find(call->exec, (uint64_t)id)) {
        call_error(call, ERROR_TRACKING_NO_REDIRECT);
        return false;
    }
    options->redirect_id = (uint64_t)id;
    return true;
}

/* False: it has replied. options->prefixes has room for an argument each. */
static bool read_options(struct call *call, struct request_options *options) {
    static const struct {
        const char *word;
        unsigned mode;
    } words[] = {
        {"bcast", TRACKING_BCAST},
        {"optin", TRACKING_OPTIN},
        {"optout", TRACKING_OPTOUT},
        {"noloop", TRACKING_NOLOOP},
    };
    for (uint32_t i = 3; i < call->argc; i++) {
        bool has_more = i + 1 < call->argc;
        unsigned mode = 0;
        for (size_t k = 0; k < COUNT_OF(words); k++) {
            if (call_is(call, i, words[k].word)) mode = words[k].mode;
        }
        if (mode) {
            options->mode |= mode;
        } else if (has_more && call_is(call, i, "redirect")) {
            if (!read_redirect(call, ++i, options)) return false;
        } else if (has_more && call_is(call, i, "prefix")) {
            options->prefixes[options->prefix_count++] = ++i;
        } else {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* ---- what does not go together ---- */

/* False: it has replied. */
static bool modes_fit(struct call *call, const struct request_options *options) {
    const struct tracker *tracker = call->client->tracker;
    unsigned mode = options->mode, old = tracker ? tracker->mode : 0;
    enum error_id error = ERROR_ID_COUNT;
    if (options->prefix_count && !(mode & TRACKING_BCAST)) {
        error = ERROR_TRACKING_PREFIX_WITHOUT_BCAST;
    } else if (tracker && ((mode ^ old) & TRACKING_BCAST)) {
        error = ERROR_TRACKING_SWITCH_BCAST;
    } else if ((mode & TRACKING_BCAST) && (mode & (TRACKING_OPTIN | TRACKING_OPTOUT))) {
        error = ERROR_TRACKING_OPT_WITH_BCAST;
    } else if ((mode & TRACKING_OPTIN) && (mode & TRACKING_OPTOUT)) {
        error = ERROR_TRACKING_OPTIN_AND_OPTOUT;
    } else if (((mode & TRACKING_OPTIN) && (old & TRACKING_OPTOUT)) ||
               ((mode & TRACKING_OPTOUT) && (old & TRACKING_OPTIN))) {
        error = ERROR_TRACKING_SWITCH_OPT;
    }
    if (error == ERROR_ID_COUNT) return true;
    call_error(call, error);
    return false;
}

static bool overlap(struct bytes a, struct bytes b) {
    return bytes_starts_with(a, b) || bytes_starts_with(b, a);
}

static void refuse_overlap(struct call *call, enum error_id error, struct bytes given,
                           struct bytes other) {
    call_errorf(call, error, (int)size_min(given.size, SHOWN_MAX), given.data,
                (int)size_min(other.size, SHOWN_MAX), other.data);
}

/* A key would be told to a client twice. O(prefixes squared). False: it has replied. */
static bool prefixes_fit(struct call *call, const struct request_options *options) {
    const struct tracker *tracker = call->client->tracker;
    for (uint32_t i = 0; i < options->prefix_count; i++) {
        struct bytes given = call->argv[options->prefixes[i]];
        for (uint32_t k = 0; tracker && k < tracker->prefixes.count; k++) {
            struct bytes other = prefix_text(tracker->prefixes.slots[k].prefix);
            if (!overlap(given, other)) continue;
            refuse_overlap(call, ERROR_TRACKING_OVERLAP_EXISTING, given, other);
            return false;
        }
        for (uint32_t k = i + 1; k < options->prefix_count; k++) {
            struct bytes other = call->argv[options->prefixes[k]];
            if (!overlap(given, other)) continue;
            refuse_overlap(call, ERROR_TRACKING_OVERLAP_GIVEN, given, other);
            return false;
        }
    }
    return true;
}

/* ---- the commands ---- */

static void start(struct call *call, const struct request_options *options) {
    struct tracking *tracking = call->exec->tracking;
    struct client *client = call->client;
    tracking__enable(tracking, client, options->mode, options->redirect_id);
    struct prefix_list *list = &client->tracker->prefixes;
    for (uint32_t i = 0; i < options->prefix_count; i++) {
        struct bytes text = call->argv[options->prefixes[i]];
        (void)prefixes_join(&tracking->prefixes, client, list, text);
    }
    if ((options->mode & TRACKING_BCAST) && !options->prefix_count) {
        (void)prefixes_join(&tracking->prefixes, client, list, BYTES(""));
    }
    reply_ok(call->reply);
}

/* CLIENT TRACKING ON|OFF [REDIRECT id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP] */
void cmd_client_tracking(struct call *call) {
    struct request_options options = {.prefixes =
                                          mem_alloc_array(call->argc, sizeof(options.prefixes[0]))};
    if (!read_options(call, &options)) goto out;
    if (call_is(call, 2, "on")) {
        if (modes_fit(call, &options) && prefixes_fit(call, &options)) start(call, &options);
    } else if (call_is(call, 2, "off")) {
        tracking__disable(call->exec->tracking, call->client);
        reply_ok(call->reply);
    } else {
        call_error(call, ERROR_SYNTAX);
    }
out:
    mem_free(options.prefixes);
}

/* CLIENT CACHING YES|NO -- for the next command */
void cmd_client_caching(struct call *call) {
    struct client *client = call->client;
    unsigned mode = client->tracker ? client->tracker->mode : 0;
    if (!client->tracker) {
        call_error(call, ERROR_CACHING_WITHOUT_TRACKING);
    } else if (call_is(call, 2, "yes") && !(mode & TRACKING_OPTIN)) {
        call_error(call, ERROR_CACHING_YES);
    } else if (call_is(call, 2, "no") && !(mode & TRACKING_OPTOUT)) {
        call_error(call, ERROR_CACHING_NO);
    } else if (!call_is(call, 2, "yes") && !call_is(call, 2, "no")) {
        call_error(call, ERROR_SYNTAX);
    } else {
        client->tracker->mode |= TRACKING_CACHING;
        tracking__set_gates(client);
        reply_ok(call->reply);
    }
}

static int64_t redirect_shown(const struct client *client) {
    return client->tracker ? (int64_t)client->redirect_id : -1;
}

/* CLIENT GETREDIR */
void cmd_client_getredir(struct call *call) {
    reply_integer(call->reply, redirect_shown(call->client));
}

static void reply_modes(struct call *call) {
    const struct client *client = call->client;
    if (!client->tracker) {
        reply_set(call->reply, 1);
        reply_bulk_text(call->reply, "off");
        return;
    }
    unsigned mode = client->tracker->mode;
    const struct {
        const char *name;
        bool shown;
    } flags[] = {
        {"on", true},
        {"bcast", mode & TRACKING_BCAST},
        {"optin", mode & TRACKING_OPTIN},
        {"caching-yes", (mode & TRACKING_OPTIN) && (mode & TRACKING_CACHING)},
        {"optout", mode & TRACKING_OPTOUT},
        {"caching-no", (mode & TRACKING_OPTOUT) && (mode & TRACKING_CACHING)},
        {"noloop", mode & TRACKING_NOLOOP},
        {"broken_redirect", client->flags & CLIENT_TRACKING_BROKEN},
    };
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        count += flags[i].shown;
    reply_set(call->reply, count);
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        if (flags[i].shown) reply_bulk_text(call->reply, flags[i].name);
    }
}

static int compare_prefixes(const void *a, const void *b) {
    const struct prefix *const *x = a, *const *y = b;
    return bytes_compare(prefix_text(*x), prefix_text(*y));
}

static void reply_prefixes(struct call *call) {
    const struct tracker *tracker = call->client->tracker;
    uint32_t count = tracker ? tracker->prefixes.count : 0;
    const struct prefix **sorted = mem_alloc_array(count, sizeof(sorted[0]));
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = tracker->prefixes.slots[i].prefix;
    if (count) qsort(sorted, count, sizeof(sorted[0]), compare_prefixes);
    reply_array(call->reply, count);
    for (uint32_t i = 0; i < count; i++)
        reply_bulk(call->reply, prefix_text(sorted[i]));
    mem_free(sorted);
}

/* CLIENT TRACKINGINFO */
void cmd_client_trackinginfo(struct call *call) {
    reply_map(call->reply, 3);
    reply_bulk_text(call->reply, "flags");
    reply_modes(call);
    reply_bulk_text(call->reply, "redirect");
    reply_integer(call->reply, redirect_shown(call->client));
    reply_bulk_text(call->reply, "prefixes");
    reply_prefixes(call);
}
