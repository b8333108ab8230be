/* SPDX-License-Identifier: BSD-3-Clause */
/* session -- one command after the other: sent, its reply printed, and what it changed about the
 * connection remembered (database, protocol, transaction, subscriptions, monitoring).
 *
 *   execute ──▶ reply, printed ──▶ the next
 *      │  ▲
 *      │  └── -c: MOVED or ASK: connect there, once more
 *      ├──▶ subscribed with RESP2, or MONITOR: session_listen prints what comes
 *      └──▶ the connection is gone: said, and the next command connects again
 * A connection that has died since the last command is replaced before the next one is sent; one
 * that dies afterwards is an error, as nobody knows whether the command was executed. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct cli;
struct resp_value;

enum session_result {
    SESSION_DONE = 0,
    SESSION_ERROR_REPLY, /* printed like any reply */
    SESSION_INTERRUPTED, /* Ctrl-C while waiting; the connection was closed */
    SESSION_FAILED,      /* no connection, or it broke; said on stderr */
};

/* Connects if need be, sends the command, prints what comes back. */
enum session_result session__execute(struct cli *cli, size_t argc, const struct bytes *argv);
/* The same repeat times (-1: for ever) with the options' pauses; ends at the first failure, and at
 * an error reply with -e. */
enum session_result session__repeat(struct cli *cli, int64_t repeat, size_t argc,
                                    const struct bytes *argv);
bool session__is_subscribed(const struct cli *cli);
/* True if the server talks by itself: subscribed with RESP2, or monitoring. */
bool session__is_listening(const struct cli *cli);
/* Prints what comes until the connection ends, the subscriptions do, or the wake descriptor has
 * something (SESSION_INTERRUPTED; the connection stays open). */
enum session_result session__listen(struct cli *cli);
/* Prints pushed messages that have arrived, without waiting; true if there were any. Not all of
 * them if there are many, so that the caller can look for Ctrl-C in between:
 * client_link_has_input. */
bool session__print_arrived(struct cli *cli);
