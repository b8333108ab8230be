/* SPDX-License-Identifier: BSD-3-Clause */
/* PING, ECHO, HELLO, AUTH, RESET, QUIT, MONITOR: what a connection says about itself. */
#include "base/check.h"
#include "base/version.h"
#include "commands/commands.h"
#include "exec/block.h"
#include "exec/call.h"
#include "exec/loop.h"
#include "exec/multi.h"

static void cmd_ping(struct call *call) {
    if (call->argc > 2) {
        call_error_arity(call);
    } else if (unlikely(call->client->gates & GATE_SUBSCRIBED)) {
        reply_array(call->reply, 2); /* like a message, for it may come among them */
        reply_bulk_text(call->reply, "pong");
        reply_bulk(call->reply, call->argc == 2 ? call->argv[1] : BYTES(""));
    } else if (call->argc == 2) {
        reply_bulk(call->reply, call->argv[1]);
    } else {
        reply_raw(call->reply, "+PONG\r\n", 7);
    }
}

static void cmd_echo(struct call *call) { reply_bulk(call->reply, call->argv[1]); }

/* ---- authentication ---- */

/* Takes as long for a wrong password as for the right one. */
static bool password_matches(struct bytes given, struct bytes wanted) {
    unsigned difference = given.size != wanted.size;
    for (size_t i = 0; i < given.size; i++) {
        char other = wanted.size ? wanted.data[i % wanted.size] : 0;
        difference |= (unsigned char)given.data[i] ^ (unsigned char)other;
    }
    return difference == 0;
}

static bool user_may_enter(const struct call *call, struct bytes user, struct bytes password) {
    const char *wanted = call->exec->config->requirepass;
    if (!bytes_equal(user, BYTES("default"))) return false;
    return !wanted || !wanted[0] || password_matches(password, bytes_of(wanted));
}

/* True and authenticated, or false and replied. */
static bool authenticate(struct call *call, struct bytes user, struct bytes password) {
    if (!user_may_enter(call, user, password)) {
        call->exec->stats.auth_denied++;
        call_error(call, ERROR_WRONG_PASS);
        return false;
    }
    client_set_authenticated(call->client, true);
    return true;
}

static void cmd_auth(struct call *call) {
    if (call->argc > 3) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    const char *wanted = call->exec->config->requirepass;
    if (call->argc == 2 && (!wanted || !wanted[0])) {
        call_error(call, ERROR_AUTH_WITHOUT_PASSWORD);
        return;
    }
    struct bytes user = call->argc == 3 ? call->argv[1] : BYTES("default");
    if (authenticate(call, user, call->argv[call->argc - 1])) reply_ok(call->reply);
}

/* ---- HELLO ---- */

struct hello {
    int64_t version; /* 0: not given */
    bool has_auth, has_name;
    struct bytes user, password, name;
};

static bool hello_parse(struct call *call, struct hello *hello) {
    if (call->argc < 2) return true;
    if (!num_parse_i64(call->argv[1], &hello->version)) {
        call_error(call, ERROR_HELLO_VERSION);
        return false;
    }
    if (hello->version < 2 || hello->version > 3) {
        call_error(call, ERROR_NO_PROTO);
        return false;
    }
    for (uint32_t i = 2; i < call->argc; i++) {
        uint32_t more = call->argc - i - 1;
        if (call_is(call, i, "auth") && more >= 2) {
            hello->has_auth = true;
            hello->user = call->argv[i + 1];
            hello->password = call->argv[i + 2];
            i += 2;
        } else if (call_is(call, i, "setname") && more >= 1) {
            hello->has_name = true;
            hello->name = call->argv[++i];
            if (!client_text_is_valid(hello->name)) {
                call_error(call, ERROR_CLIENT_NAME);
                return false;
            }
        } else {
            call_errorf(call, ERROR_HELLO_OPTION, (int)size_min(call->argv[i].size, 128),
                        call->argv[i].data);
            return false;
        }
    }
    return true;
}

static void hello_reply(struct call *call) {
    struct reply *reply = call->reply;
    const char *zone = call->exec->config->availability_zone;
    bool has_zone = zone && zone[0];
    reply_map(reply, has_zone ? 8 : 7);
    reply_bulk_text(reply, "server");
    reply_bulk_text(reply, call->exec->config->extended_redis_compatibility ? "redis" : "valkey");
    reply_bulk_text(reply, "version");
    reply_bulk_text(
        reply, call->exec->config->extended_redis_compatibility ? REDIS_VERSION : VALKEY_VERSION);
    reply_bulk_text(reply, "proto");
    reply_integer(reply, reply->resp);
    reply_bulk_text(reply, "id");
    reply_integer(reply, (int64_t)call->client->id);
    reply_bulk_text(reply, "mode");
    reply_bulk_text(reply, "standalone");
    reply_bulk_text(reply, "role");
    reply_bulk_text(reply, "master");
    reply_bulk_text(reply, "modules");
    reply_array(reply, 0);
    if (has_zone) {
        reply_bulk_text(reply, "availability_zone");
        reply_bulk_text(reply, zone);
    }
}

static void cmd_hello(struct call *call) {
    struct client *client = call->client;
    struct hello hello = {0};
    if (!hello_parse(call, &hello)) return;
    if (hello.has_auth && !authenticate(call, hello.user, hello.password)) return;
    if (!(client->flags & CLIENT_AUTHENTICATED)) {
        call_error(call, ERROR_HELLO_NO_AUTH);
        return;
    }
    if (hello.has_name) client_set_text(&client->name, hello.name);
    if (hello.version) client_set_resp(client, (uint8_t)hello.version);
    hello_reply(call);
}

/* ---- ends and beginnings ---- */

/* Back to what a new connection is; the connection itself stays. */
static void cmd_reset(struct call *call) {
    struct client *client = call->client;
    struct exec *exec = call->exec;
    multi_discard(client);
    if (client->flags & CLIENT_MONITOR) monitor_remove(exec, client);
    for (int i = 0; i < exec->feature_count; i++) {
        const struct exec_feature *feature = &exec->features[i];
        if (feature->reset) feature->reset(feature->ctx, client);
    }
    client->flags &= ~(uint32_t)(CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT |
                                 CLIENT_NO_EVICT | CLIENT_NO_TOUCH | CLIENT_IMPORT_SOURCE |
                                 CLIENT_CAPA_REDIRECT);
    client->db = keyspace_db(exec->keyspace, 0);
    client_set_resp(client, 2);
    client_set_text(&client->name, BYTES(""));
    const char *wanted = exec->config->requirepass;
    client_set_authenticated(client, !wanted || !wanted[0]);
    reply_set_muted(call->reply, false);
    reply_simple(call->reply, BYTES("RESET"));
}

static void cmd_quit(struct call *call) {
    reply_ok(call->reply);
    client_close_after_reply(call->client);
}

/* Lines of a monitor in the middle of the replies of EXEC could not be told from those. */
static void cmd_monitor(struct call *call) {
    if (!call_may_block(call)) {
        call_error(call, ERROR_MONITOR_DENIED);
        return;
    }
    monitor_add(call->exec, call->client);
    reply_ok(call->reply);
}

#define CONNECTION_FLAGS (CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST | CMD_ALLOW_BUSY)

const struct command_spec connection_commands[] = {
    {
        .name = "ping",
        .handler = cmd_ping,
        .arity = -1,
        .group = GROUP_CONNECTION,
        .flags = CMD_FAST | CMD_SENTINEL,
        .acl = ACL_CONNECTION,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Answer PONG, or the message.",
        .tips = TIPS("request_policy:all_shards", "response_policy:all_succeeded"),
        .args = ARGS({.name = "message", .type = ARG_STRING, .flags = ARG_OPTIONAL}),
    },
    {
        .name = "echo",
        .handler = cmd_echo,
        .arity = 2,
        .group = GROUP_CONNECTION,
        .flags = CMD_LOADING | CMD_STALE | CMD_FAST,
        .acl = ACL_CONNECTION,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Answer the message.",
        .args = ARGS({.name = "message", .type = ARG_STRING}),
    },
    {
        .name = "auth",
        .handler = cmd_auth,
        .arity = -2,
        .group = GROUP_CONNECTION,
        .flags = CONNECTION_FLAGS | CMD_NO_AUTH | CMD_SENTINEL,
        .acl = ACL_CONNECTION,
        .since = "1.0.0",
        .complexity = "O(N), N being the number of passwords of the user.",
        .summary = "Authenticate the connection.",
        .history = HISTORY({"6.0.0", "Added the user name."}),
        .args =
            ARGS({.name = "username", .type = ARG_STRING, .flags = ARG_OPTIONAL, .since = "6.0.0"},
                 {.name = "password", .type = ARG_STRING}),
    },
    {
        .name = "hello",
        .handler = cmd_hello,
        .arity = -1,
        .group = GROUP_CONNECTION,
        .flags = CONNECTION_FLAGS | CMD_NO_AUTH | CMD_SENTINEL,
        .acl = ACL_CONNECTION,
        .since = "6.0.0",
        .complexity = "O(1)",
        .summary = "Choose the protocol, authenticate, set a name, and learn about the server.",
        .history = HISTORY({"6.2.0", "The protocol version became optional."},
                           {"8.1.0", "Added the availability zone to the reply."}),
        .args = ARGS({.name = "arguments",
                      .type = ARG_BLOCK,
                      .flags = ARG_OPTIONAL,
                      .args = ARGS({.name = "protover", .type = ARG_INTEGER},
                                   {.name = "auth",
                                    .type = ARG_BLOCK,
                                    .token = "AUTH",
                                    .flags = ARG_OPTIONAL,
                                    .args = ARGS({.name = "username", .type = ARG_STRING},
                                                 {.name = "password", .type = ARG_STRING})},
                                   {.name = "clientname",
                                    .type = ARG_STRING,
                                    .token = "SETNAME",
                                    .flags = ARG_OPTIONAL})}),
    },
    {
        .name = "reset",
        .handler = cmd_reset,
        .arity = 1,
        .group = GROUP_CONNECTION,
        .flags = CONNECTION_FLAGS | CMD_NO_AUTH,
        .acl = ACL_CONNECTION,
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Make the connection as it was when it began.",
    },
    {
        .name = "quit",
        .handler = cmd_quit,
        .arity = -1,
        .group = GROUP_CONNECTION,
        .flags = CONNECTION_FLAGS | CMD_NO_AUTH,
        .acl = ACL_CONNECTION,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Close the connection.",
        .doc_flags = DOC_DEPRECATED,
        .deprecated_since = "7.2.0",
        .replaced_by = "just closing the connection",
    },
    {
        .name = "monitor",
        .handler = cmd_monitor,
        .arity = 1,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE,
        .since = "1.0.0",
        .summary = "Show every command the server runs, as it runs.",
    },
    {0},
};
