/* SPDX-License-Identifier: BSD-3-Clause */
/* call -- one execution of a command: what a handler sees, and the words it is written in.
 *
 * A handler validates everything first, then changes, then replies; it gives exactly one reply. It
 * tells the keyspace of changes through keyspace functions (they call the observers) and names the
 * event with keyspace_event. Slices in argv are valid during the call only. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "exec/client.h"
#include "exec/error.h"
#include "exec/exec.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"
#include "resp/request.h"
#include "spec/command.h"

struct call {
    struct exec *exec;
    struct client *client;
    const struct command *command; /* of a container: the subcommand */
    const struct bytes *argv;
    uint32_t argc;
    struct reply *reply;
    struct keyspace *keyspace;
    struct db *db;           /* of the client when the call began */
    uint64_t hash;           /* of the first key, if command->first_key */
    int64_t now_ms;          /* the time of the whole window */
    struct request *request; /* NULL inside EXEC: for call_take_blob only */
    bool failed;             /* an error was replied */
    bool blocked;            /* call_block: the client waits, nothing was replied */
};

/* ---- replies ---- */
void call_error(struct call *call, enum error_id id);
void call_errorf(struct call *call, enum error_id id, ...); /* fills the row's % places */
/* An error text made elsewhere ("CODE text"), for instance from a diag. */
void call_error_text(struct call *call, const char *fmt, ...) printf_like(2, 3);
void call_error_arity(struct call *call); /* wrong number of arguments for this command */
/* The command's own name (of a subcommand: that of its container) in upper case. */
enum { CALL_NAME_MAX = 64 };
void call_container_name(const struct command *command, char out[CALL_NAME_MAX]);
/* HELP of a container: its title, the lines (list ends with NULL), and the HELP entry itself. */
void call_help(struct call *call, const char *const *lines);

/* ---- arguments ---- */
/* Each replies with the usual error and returns false if the argument does not fit. */
must_use bool call_int(struct call *call, uint32_t arg, int64_t *out);
must_use bool call_int_range(struct call *call, uint32_t arg, int64_t min, int64_t max,
                             enum error_id error, int64_t *out);
must_use bool call_double(struct call *call, uint32_t arg, double *out);
must_use bool call_ldouble(struct call *call, uint32_t arg, long double *out);
/* True if the argument is this word, in any case. */
static inline bool call_is(const struct call *call, uint32_t arg, const char *word) {
    return bytes_equal_nocase(call->argv[arg], bytes_of(word));
}

/* ---- keys ---- */
static inline uint64_t call_hash(const struct call *call, uint32_t arg) {
    return arg == (uint32_t)call->command->first_key ? call->hash : hash_bytes(call->argv[arg]);
}
/* Look-up flags that this client's state asks for (CLIENT NO-TOUCH and IMPORT-SOURCE). */
static inline unsigned call_lookup_flags(const struct call *call) {
    uint32_t flags = call->client->flags;
    if (likely(!(flags & (CLIENT_NO_TOUCH | CLIENT_IMPORT_SOURCE)))) return 0;
    bool expired_too = (flags & CLIENT_IMPORT_SOURCE) && call->exec->config->import_mode;
    return (flags & CLIENT_NO_TOUCH ? LOOKUP_NO_TOUCH : 0) | (expired_too ? LOOKUP_EXPIRED_TOO : 0);
}
/* For reading: the entry or NULL. No reply. type TYPE_ANY: whatever it is. */
static inline struct entry *call_peek(struct call *call, uint32_t arg) {
    return keyspace_find(call->db, call->argv[arg], call_hash(call, arg), call_lookup_flags(call));
}
/* For writing: the same without hit and miss counts. */
static inline struct entry *call_peek_write(struct call *call, uint32_t arg) {
    return keyspace_find(call->db, call->argv[arg], call_hash(call, arg),
                         LOOKUP_WRITE | call_lookup_flags(call));
}
/* For reading: true and *out if the key is there and of the type. Else it has replied: null if
 * absent, WRONGTYPE otherwise. */
must_use bool call_find(struct call *call, uint32_t arg, uint8_t type, struct entry **out);
/* For reading or writing: false (and WRONGTYPE replied) only if the type is wrong; *out is NULL if
 * absent. */
must_use bool call_find_or_null(struct call *call, uint32_t arg, uint8_t type, struct entry **out);
must_use bool call_find_write(struct call *call, uint32_t arg, uint8_t type, struct entry **out);
/* The blob that holds a large argument, if it came in one: the reference is the caller's. Else
 * NULL. */
must_use struct blob *call_take_blob(struct call *call, uint32_t arg);

/* Executes another command line inside this call (EXEC, later scripts): same client, same reply. */
void call_nested(struct call *outer, const struct command *command, const struct bytes *argv,
                 uint32_t argc, uint64_t hash);
