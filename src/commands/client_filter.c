/* SPDX-License-Identifier: BSD-3-Clause */
/* The filters of CLIENT LIST and CLIENT KILL: a table of what each reads and what it compares. */
#include "base/mem.h"
#include "commands/client_internal.h"
#include "net/listener.h"

#include <stdlib.h>

/* Reads the value at argument arg into the condition. False: an error was replied. */
typedef bool (*filter_parse_fn)(struct call *call, uint32_t arg, bool negated,
                                struct client_condition *condition);
typedef bool (*filter_match_fn)(const struct client *client,
                                const struct client_condition *condition);

/* The classes that TYPE names. */
enum peer_class { PEER_NORMAL = 0, PEER_REPLICA, PEER_PUBSUB, PEER_PRIMARY };

/* ---- reading values ---- */

static bool parse_text(struct call *call, uint32_t arg, bool negated,
                       struct client_condition *condition) {
    (void)negated;
    condition->text = call->argv[arg];
    return true;
}

static bool parse_type(struct call *call, uint32_t arg, bool negated,
                       struct client_condition *condition) {
    static const struct {
        const char *name;
        enum peer_class class;
    } types[] = {
        {"normal", PEER_NORMAL}, {"slave", PEER_REPLICA},  {"replica", PEER_REPLICA},
        {"pubsub", PEER_PUBSUB}, {"master", PEER_PRIMARY}, {"primary", PEER_PRIMARY},
    };
    (void)negated;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!call_is(call, arg, types[i].name)) continue;
        condition->number = types[i].class;
        return true;
    }
    call_errorf(call, ERROR_CLIENT_TYPE, (int)size_min(call->argv[arg].size, 128),
                call->argv[arg].data);
    return false;
}

static bool parse_user(struct call *call, uint32_t arg, bool negated,
                       struct client_condition *condition) {
    (void)negated;
    (void)condition;
    struct bytes name = call->argv[arg];
    if (!bytes_equal(name, BYTES("default"))) { /* the only user there is */
        call_errorf(call, ERROR_NO_SUCH_USER, (int)size_min(name.size, 128), name.data);
        return false;
    }
    return true;
}

static bool parse_seconds(struct call *call, uint32_t arg, const char *name,
                          struct client_condition *condition) {
    int64_t seconds;
    if (!num_parse_i64(call->argv[arg], &seconds)) {
        call_errorf(call, ERROR_NAMED_NOT_INTEGER, name);
        return false;
    }
    if (seconds <= 0) {
        call_errorf(call, ERROR_NAMED_NOT_POSITIVE, name);
        return false;
    }
    condition->number = seconds;
    return true;
}

static bool parse_maxage(struct call *call, uint32_t arg, bool negated,
                         struct client_condition *condition) {
    (void)negated;
    return parse_seconds(call, arg, "maxage", condition);
}

static bool parse_idle(struct call *call, uint32_t arg, bool negated,
                       struct client_condition *condition) {
    (void)negated;
    return parse_seconds(call, arg, "idle", condition);
}

static bool parse_db(struct call *call, uint32_t arg, bool negated,
                     struct client_condition *condition) {
    const char *name = negated ? "NOT-DB" : "DB";
    int last = (int)keyspace_db_count(call->keyspace) - 1;
    int64_t db;
    if (!num_parse_i64(call->argv[arg], &db)) {
        call_errorf(call, ERROR_NAMED_NOT_INTEGER, name);
        return false;
    }
    if (db < 0 || db > last) {
        call_errorf(call, ERROR_DB_NUMBER, name, last);
        return false;
    }
    condition->number = db;
    return true;
}

/* True if each letter of text is among the known ones. */
static bool letters_within(struct bytes text, const char *known) {
    struct bytes all = bytes_of(known);
    for (size_t i = 0; i < text.size; i++) {
        if (bytes_find_byte(all, text.data[i]) == all.size) return false;
    }
    return true;
}

static bool parse_letters(struct call *call, uint32_t arg, const char *known, const char *what,
                          const char *filter, struct client_condition *condition) {
    struct bytes text = call->argv[arg];
    if (!letters_within(text, known)) {
        call_errorf(call, ERROR_FILTER_LETTERS, what, filter, (int)size_min(text.size, 128),
                    text.data);
        return false;
    }
    condition->text = text;
    return true;
}

static bool parse_flags(struct call *call, uint32_t arg, bool negated,
                        struct client_condition *condition) {
    return parse_letters(call, arg, "OSMPxbtRBdcuAUreTIiEN", "flags",
                         negated ? "NOT-FLAGS" : "provided", condition);
}

static bool parse_capa(struct call *call, uint32_t arg, bool negated,
                       struct client_condition *condition) {
    return parse_letters(call, arg, "r", "capa", negated ? "NOT-CAPA" : "provided", condition);
}

/* ---- comparing ---- */

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool match_id(const struct client *client, const struct client_condition *condition) {
    return bsearch(&client->id, condition->ids, condition->id_count, sizeof(condition->ids[0]),
                   compare_ids) != NULL;
}

/* There is no connection to a primary yet. */
static bool match_type(const struct client *client, const struct client_condition *condition) {
    switch (client_class_of(client)) {
    case CLASS_NORMAL: return condition->number == PEER_NORMAL;
    case CLASS_REPLICA: return condition->number == PEER_REPLICA;
    case CLASS_PUBSUB: return condition->number == PEER_PUBSUB;
    }
    return false;
}

/* There is one user, and parse_user accepts no other. */
static bool match_user(const struct client *client, const struct client_condition *condition) {
    (void)client;
    return condition->given;
}

static bool match_address(const struct client *client, bool peer, struct bytes wanted) {
    char address[ENDPOINT_TEXT_MAX];
    client_address(client, peer, address);
    return bytes_equal(bytes_of(address), wanted);
}

static bool match_addr(const struct client *client, const struct client_condition *condition) {
    return match_address(client, true, condition->text);
}

static bool match_laddr(const struct client *client, const struct client_condition *condition) {
    return match_address(client, false, condition->text);
}

/* The peer's address without its port: "1.2.3.4", "::1" without brackets, or the socket's path. */
static bool match_ip(const struct client *client, const struct client_condition *condition) {
    char address[ENDPOINT_TEXT_MAX];
    client_address(client, true, address);
    struct bytes ip = bytes_of(address);
    while (ip.size && ip.data[ip.size - 1] != ':')
        ip.size--;
    if (ip.size) ip.size--;
    if (ip.size >= 2 && ip.data[0] == '[' && ip.data[ip.size - 1] == ']') {
        ip = bytes_make(ip.data + 1, ip.size - 2);
    }
    return bytes_equal(ip, condition->text);
}

/* Ages are whole seconds, as CLIENT LIST shows them. */
static bool match_maxage(const struct client *client, const struct client_condition *condition) {
    return (client->exec->now_ms - client->created_ms) / 1000 >= condition->number;
}

static bool match_idle(const struct client *client, const struct client_condition *condition) {
    return (client->exec->now_ms - client->active_ms) / 1000 >= condition->number;
}

/* A text that was never set equals nothing, not even an empty value. */
static bool match_text(const char *text, struct bytes wanted) {
    return text && bytes_equal(bytes_of(text), wanted);
}

static bool match_name(const struct client *client, const struct client_condition *condition) {
    return match_text(client->name, condition->text);
}

static bool match_lib_name(const struct client *client, const struct client_condition *condition) {
    return match_text(client->lib_name, condition->text);
}

static bool match_lib_ver(const struct client *client, const struct client_condition *condition) {
    return match_text(client->lib_version, condition->text);
}

static bool match_flags(const struct client *client, const struct client_condition *condition) {
    char letters[CLIENT_FLAGS_MAX];
    client_flag_letters(client, letters);
    return letters_within(condition->text, letters);
}

static bool match_db(const struct client *client, const struct client_condition *condition) {
    return db_index(client->db) == condition->number;
}

static bool match_capa(const struct client *client, const struct client_condition *condition) {
    char letters[CLIENT_CAPA_MAX];
    client_capa_letters(client, letters);
    return letters_within(condition->text, letters);
}

/* ---- the table ---- */

static const struct filter_row {
    const char *name, *negated_name; /* the second NULL: has no opposite */
    filter_parse_fn parse;           /* NULL: ids, which take several arguments */
    filter_match_fn match;
} filter_rows[FILTER_COUNT] = {
    [FILTER_ID] = {"id", "not-id", NULL, match_id},
    [FILTER_TYPE] = {"type", "not-type", parse_type, match_type},
    [FILTER_USER] = {"user", "not-user", parse_user, match_user},
    [FILTER_ADDR] = {"addr", "not-addr", parse_text, match_addr},
    [FILTER_LADDR] = {"laddr", "not-laddr", parse_text, match_laddr},
    [FILTER_MAXAGE] = {"maxage", NULL, parse_maxage, match_maxage},
    [FILTER_NAME] = {"name", "not-name", parse_text, match_name},
    [FILTER_IDLE] = {"idle", NULL, parse_idle, match_idle},
    [FILTER_FLAGS] = {"flags", "not-flags", parse_flags, match_flags},
    [FILTER_LIB_NAME] = {"lib-name", "not-lib-name", parse_text, match_lib_name},
    [FILTER_LIB_VER] = {"lib-ver", "not-lib-ver", parse_text, match_lib_ver},
    [FILTER_DB] = {"db", "not-db", parse_db, match_db},
    [FILTER_CAPA] = {"capa", "not-capa", parse_capa, match_capa},
    [FILTER_IP] = {"ip", "not-ip", parse_text, match_ip},
};

/* Reads ids from argument *arg up to the first that is no integer; there must be one. *arg is then
 * the argument after them. */
static bool parse_ids(struct call *call, uint32_t *arg, struct client_condition *condition) {
    int64_t id;
    uint32_t from = *arg;
    while (*arg < call->argc && num_parse_i64(call->argv[*arg], &id)) {
        if (id <= 0) {
            call_errorf(call, ERROR_NAMED_NOT_POSITIVE, "client-id");
            return false;
        }
        if (!condition->ids) condition->ids = mem_alloc(call->argc * sizeof(condition->ids[0]));
        condition->ids[condition->id_count++] = (uint64_t)id;
        (*arg)++;
    }
    if (*arg > from) return true;
    call_error(call, ERROR_SYNTAX);
    return false;
}

static bool parse_skip_me(struct call *call, uint32_t arg, bool *skip_me) {
    *skip_me = call_is(call, arg, "yes");
    if (*skip_me || call_is(call, arg, "no")) return true;
    call_error(call, ERROR_SYNTAX);
    return false;
}

/* The condition that the word at argument arg is for, or NULL. */
static struct client_condition *find_condition(const struct call *call, uint32_t arg,
                                               struct client_filter *filter, size_t *kind) {
    for (size_t i = 0; i < FILTER_COUNT; i++) {
        *kind = i;
        if (call_is(call, arg, filter_rows[i].name)) return &filter->must[i];
        const char *negated = filter_rows[i].negated_name;
        if (negated && call_is(call, arg, negated)) return &filter->must_not[i];
    }
    return NULL;
}

/* Reads the filter that begins at *arg, which has a value behind it, and moves *arg past it. */
static bool parse_one(struct call *call, uint32_t *arg, struct client_filter *filter) {
    uint32_t value = *arg + 1;
    if (call_is(call, *arg, "skipme")) {
        *arg += 2;
        return parse_skip_me(call, value, &filter->skip_me);
    }
    size_t kind;
    struct client_condition *condition = find_condition(call, *arg, filter, &kind);
    if (!condition) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    condition->given = true;
    if (kind == FILTER_ID) {
        (*arg)++;
        return parse_ids(call, arg, condition);
    }
    *arg += 2;
    return filter_rows[kind].parse(call, value, condition == &filter->must_not[kind], condition);
}

static void sort_ids(struct client_condition *condition) {
    if (condition->id_count < 2) return;
    qsort(condition->ids, condition->id_count, sizeof(condition->ids[0]), compare_ids);
}

bool client_filter_parse(struct call *call, uint32_t first, bool skip_me,
                         struct client_filter *filter) {
    *filter = (struct client_filter){.skip_me = skip_me};
    uint32_t arg = first;
    while (arg < call->argc) {
        if (arg + 1 == call->argc) { /* a filter without a value */
            call_error(call, ERROR_SYNTAX);
            return false;
        }
        if (!parse_one(call, &arg, filter)) return false;
    }
    sort_ids(&filter->must[FILTER_ID]);
    sort_ids(&filter->must_not[FILTER_ID]);
    return true;
}

void client_filter_deinit(struct client_filter *filter) {
    mem_free(filter->must[FILTER_ID].ids);
    mem_free(filter->must_not[FILTER_ID].ids);
    *filter = (struct client_filter){0};
}

bool client_filter_matches(const struct call *call, const struct client_filter *filter,
                           const struct client *client) {
    if (filter->skip_me && client == call->client) return false;
    for (size_t i = 0; i < FILTER_COUNT; i++) {
        const struct client_condition *must = &filter->must[i];
        if (must->given && !filter_rows[i].match(client, must)) return false;
        const struct client_condition *must_not = &filter->must_not[i];
        if (must_not->given && filter_rows[i].match(client, must_not)) return false;
    }
    return true;
}
