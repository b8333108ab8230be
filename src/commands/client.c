/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT: what a connection says about itself and asks for itself, and the pause of all. LIST, INFO
 * and KILL are in client_list.c. */
#include "commands/client_internal.h"
#include "exec/block.h"
#include "exec/gate.h"

/* ---- who it is ---- */

/* CLIENT ID */
void cmd_client_id(struct call *call) { reply_integer(call->reply, (int64_t)call->client->id); }

/* CLIENT GETNAME */
void cmd_client_getname(struct call *call) {
    if (call->client->name) {
        reply_bulk_text(call->reply, call->client->name);
    } else {
        reply_null(call->reply);
    }
}

/* CLIENT SETNAME name -- an empty one removes it */
void cmd_client_setname(struct call *call) {
    if (!client_text_is_valid(call->argv[2])) {
        call_error(call, ERROR_CLIENT_NAME);
        return;
    }
    client_set_text(&call->client->name, call->argv[2]);
    reply_ok(call->reply);
}

/* CLIENT SETINFO LIB-NAME|LIB-VER text */
void cmd_client_setinfo(struct call *call) {
    struct bytes attribute = call->argv[2];
    char **field;
    if (call_is(call, 2, "lib-name")) {
        field = &call->client->lib_name;
    } else if (call_is(call, 2, "lib-ver")) {
        field = &call->client->lib_version;
    } else {
        call_errorf(call, ERROR_UNRECOGNIZED_OPTION, (int)size_min(attribute.size, 128),
                    attribute.data);
        return;
    }
    if (!client_text_is_valid(call->argv[3])) {
        call_errorf(call, ERROR_ATTRIBUTE_TEXT, (int)attribute.size, attribute.data);
        return;
    }
    client_set_text(field, call->argv[3]);
    reply_ok(call->reply);
}

/* CLIENT CAPA capability ... -- those that are not known are left for newer servers */
void cmd_client_capa(struct call *call) {
    for (uint32_t i = 2; i < call->argc; i++) {
        if (call_is(call, i, "redirect")) call->client->flags |= CLIENT_CAPA_REDIRECT;
    }
    reply_ok(call->reply);
}

/* ---- switches ---- */

/* Sets or clears the flag as argument 2, ON or OFF, says, and replies. */
static void switch_flag(struct call *call, uint32_t flag) {
    if (call_is(call, 2, "on")) {
        call->client->flags |= flag;
    } else if (call_is(call, 2, "off")) {
        call->client->flags &= ~flag;
    } else {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    reply_ok(call->reply);
}

/* CLIENT NO-EVICT ON|OFF */
void cmd_client_no_evict(struct call *call) { switch_flag(call, CLIENT_NO_EVICT); }

/* CLIENT NO-TOUCH ON|OFF */
void cmd_client_no_touch(struct call *call) { switch_flag(call, CLIENT_NO_TOUCH); }

/* CLIENT IMPORT-SOURCE ON|OFF */
void cmd_client_import_source(struct call *call) {
    if (!call->exec->config->import_mode && !call_is(call, 2, "off")) {
        call_error(call, ERROR_NOT_IMPORT_MODE);
        return;
    }
    switch_flag(call, CLIENT_IMPORT_SOURCE);
}

/* CLIENT REPLY ON|OFF|SKIP -- only ON is answered. How the flags act: reply_mode_* in run.c. */
void cmd_client_reply(struct call *call) {
    struct client *client = call->client;
    if (call_is(call, 2, "on")) {
        client->flags &= ~(uint32_t)(CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP);
        reply_set_muted(call->reply, false);
        reply_ok(call->reply);
    } else if (call_is(call, 2, "off")) {
        client->flags |= CLIENT_REPLY_OFF;
        client->gates |= GATE_REPLY;
        reply_set_muted(call->reply, true);
    } else if (call_is(call, 2, "skip")) {
        if (client->flags & CLIENT_REPLY_OFF) return;
        client->flags |= CLIENT_REPLY_SKIP_NEXT;
        client->gates |= GATE_REPLY;
    } else {
        call_error(call, ERROR_SYNTAX);
    }
}

/* ---- waits ---- */

/* CLIENT UNBLOCK id [TIMEOUT|ERROR] -- 1 if the client was waiting */
void cmd_client_unblock(struct call *call) {
    enum block_end how = BLOCK_TIMED_OUT;
    if (call->argc > 4) {
        call_error_arity(call);
        return;
    }
    if (call->argc == 4 && call_is(call, 3, "error")) {
        how = BLOCK_FAILED;
    } else if (call->argc == 4 && !call_is(call, 3, "timeout")) {
        call_error(call, ERROR_UNBLOCK_REASON);
        return;
    }
    int64_t id;
    if (!call_int(call, 2, &id)) return;
    struct client *client = client_find(call->exec, (uint64_t)id);
    reply_integer(call->reply, client && block_end(client, how));
}

/* ---- the pause ---- */

/* CLIENT PAUSE milliseconds [WRITE|ALL] */
void cmd_client_pause(struct call *call) {
    bool all = call->argc == 3 || call_is(call, 3, "all");
    int64_t timeout_ms;
    if (call->argc > 4) {
        call_errorf(call, ERROR_UNKNOWN_FORM, (int)size_min(call->argv[1].size, 128),
                    call->argv[1].data, "CLIENT");
    } else if (!all && !call_is(call, 3, "write")) {
        call_error(call, ERROR_PAUSE_MODE);
    } else if (call_timeout_ms(call, 2, &timeout_ms)) {
        exec_pause(call->exec, PAUSE_BY_COMMAND, call->exec->mono_ms + timeout_ms, all);
        reply_ok(call->reply);
    }
}

/* CLIENT UNPAUSE */
void cmd_client_unpause(struct call *call) {
    exec_unpause(call->exec, PAUSE_BY_COMMAND);
    reply_ok(call->reply);
}

/* ---- help ---- */

/* CLIENT HELP */
void cmd_client_help(struct call *call) {
    static const char *const lines[] = {
        "CACHING (YES|NO)",
        "    In tracking mode OPTIN or OPTOUT: say whether the keys of the next command count.",
        "CAPA <capability> [<capability> ...]",
        "    Say what this client can do. Known is:",
        "    * REDIRECT: it follows a redirection to another server.",
        "GETNAME",
        "    Return the name of this connection.",
        "GETREDIR",
        "    Return the number of the connection that invalidations go to: 0 is this one, -1 none.",
        "ID",
        "    Return the number of this connection.",
        "IMPORT-SOURCE (ON|OFF)",
        "    In import mode: let this connection see keys that have expired.",
        "INFO",
        "    Return the line of CLIENT LIST for this connection.",
        "KILL <ip:port>",
        "    Close the connection that comes from this address.",
        "KILL <filter> <value> [<filter> <value> ...]",
        "    Close the connections that all filters choose (see LIST). This one is left",
        "    out unless SKIPME NO is among them.",
        "LIST [<filter> <value> ...]",
        "    Return a line for each connection that all filters choose. Filters are:",
        "    * ID <id> [<id> ...], TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB), USER <name>",
        "    * ADDR <ip:port>, LADDR <ip:port>, IP <ip>",
        "    * NAME <name>, LIB-NAME <name>, LIB-VER <version>, DB <number>",
        "    * FLAGS <letters>, CAPA <letters>: all of the letters are shown",
        "    * each of these with NOT- in front of it, for the opposite",
        "    * MAXAGE <seconds>, IDLE <seconds>: as old or idle as that, or more",
        "    * SKIPME (YES|NO): leave this connection out, or not",
        "NO-EVICT (ON|OFF)",
        "    Keep this connection when maxmemory-clients is exceeded.",
        "NO-TOUCH (ON|OFF)",
        "    Let this connection's commands leave access times and counters as they are.",
        "PAUSE <milliseconds> [WRITE|ALL]",
        "    Hold back the commands of all clients, or those that write, for a while.",
        "REPLY (ON|OFF|SKIP)",
        "    Answer commands, or do not, or leave out the answer to the next one.",
        "SETINFO (LIB-NAME|LIB-VER) <text>",
        "    Name the library that this client uses, or its version.",
        "SETNAME <name>",
        "    Give this connection a name.",
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> ...] [OPTIN] [OPTOUT] [NOLOOP]",
        "    Tell this connection when keys change that it has read, or that have a prefix.",
        "TRACKINGINFO",
        "    Return how this connection tracks keys.",
        "UNBLOCK <id> [TIMEOUT|ERROR]",
        "    End the wait of a connection whose command blocks: as if its time were over,",
        "    or with an error.",
        "UNPAUSE",
        "    End the pause.",
        NULL,
    };
    call_help(call, lines);
}
