/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG PROTOCOL: a reply of each type, for the tests of clients. */
#include "commands/debug_internal.h"

static void protocol_string(struct call *call) { reply_bulk_text(call->reply, "Hello World"); }
static void protocol_integer(struct call *call) { reply_integer(call->reply, 12345); }
static void protocol_double(struct call *call) { reply_double(call->reply, 3.141); }
static void protocol_null(struct call *call) { reply_null(call->reply); }
static void protocol_true(struct call *call) { reply_bool(call->reply, true); }
static void protocol_false(struct call *call) { reply_bool(call->reply, false); }

static void three_numbers(struct reply *reply) {
    for (int i = 0; i < 3; i++)
        reply_integer(reply, i);
}
static void protocol_array(struct call *call) {
    reply_array(call->reply, 3);
    three_numbers(call->reply);
}
static void protocol_set(struct call *call) {
    reply_set(call->reply, 3);
    three_numbers(call->reply);
}
static void protocol_map(struct call *call) {
    reply_map(call->reply, 3);
    for (int i = 0; i < 3; i++) {
        reply_integer(call->reply, i);
        reply_bool(call->reply, i == 1);
    }
}

static void protocol_bignum(struct call *call) {
    reply_bignum(call->reply, BYTES("1234567999999999999999999999999999999"));
}
static void protocol_verbatim(struct call *call) {
    reply_verbatim(call->reply, "txt", BYTES("This is a verbatim\nstring"));
}

static void protocol_attrib(struct call *call) {
    if (call->reply->resp >= 3) {
        reply_attribute(call->reply, 1);
        reply_bulk_text(call->reply, "key-popularity");
        reply_array(call->reply, 2);
        reply_bulk_text(call->reply, "key:123");
        reply_integer(call->reply, 90);
    }
    reply_bulk_text(call->reply, "Some real reply following the attribute");
}

/* What is pushed while a command runs comes behind its reply. */
static void protocol_push(struct call *call) {
    if (call->reply->resp < 3) {
        call_error(call, ERROR_RESP2_UNSUPPORTED);
        return;
    }
    reply_bulk_text(call->reply, "Some real reply following the push reply");
    reply_push(call->reply, 2);
    reply_bulk_text(call->reply, "server-cpu-usage");
    reply_integer(call->reply, 42);
}

/* DEBUG PROTOCOL type */
void debug_protocol(struct call *call) {
    static const struct {
        const char *name;
        void (*reply)(struct call *call);
    } types[] = {
        {"string", protocol_string},     {"integer", protocol_integer}, {"double", protocol_double},
        {"null", protocol_null},         {"array", protocol_array},     {"set", protocol_set},
        {"map", protocol_map},           {"attrib", protocol_attrib},   {"push", protocol_push},
        {"bignum", protocol_bignum},     {"true", protocol_true},       {"false", protocol_false},
        {"verbatim", protocol_verbatim},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!call_is(call, 2, types[i].name)) continue;
        types[i].reply(call);
        return;
    }
    call_error(call, ERROR_DEBUG_PROTOCOL_TYPE);
}
