/* SPDX-License-Identifier: BSD-3-Clause */
/* commandlog -- the last commands that were slow, or had a large request or reply (SLOWLOG,
 * COMMANDLOG). Entries are a ring of owned copies, cut to COMMANDLOG_ARGS_MAX arguments of
 * COMMANDLOG_ARG_BYTES_MAX bytes. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct call;

enum commandlog_kind { COMMANDLOG_SLOW = 0, COMMANDLOG_LARGE_REQUEST, COMMANDLOG_LARGE_REPLY };
enum { COMMANDLOG_COUNT = 3, COMMANDLOG_ARGS_MAX = 32, COMMANDLOG_ARG_BYTES_MAX = 128 };

struct commandlog_entry {
    uint64_t id;
    int64_t time_s;
    int64_t value; /* microseconds, or bytes */
    uint32_t argc;
    struct bytes *argv;            /* owned, one allocation with its bytes */
    char *address;                 /* peer, owned */
    char *client_name;             /* owned, never NULL */
    struct commandlog_entry *next; /* older */
    struct commandlog_entry *prev; /* newer */
};

struct commandlog {
    int64_t threshold;        /* microseconds or bytes; -1: off. Compared on the hot path */
    uint64_t threshold_ticks; /* of COMMANDLOG_SLOW: the same in clock ticks; UINT64_MAX: off */
    uint64_t max_len;
    struct commandlog_entry *head; /* newest */
    struct commandlog_entry *tail;
    uint64_t len, next_id;
};

void commandlog_set(struct commandlog *log, enum commandlog_kind kind, int64_t threshold,
                    uint64_t max_len);
void commandlog_reset(struct commandlog *log);
/* Adds the call if value reaches the threshold; the caller has checked that on the hot path. */
void commandlog_add(struct commandlog *log, const struct call *call, int64_t value);
/* True if the argument is a password or the like, which no log may show: AUTH, HELLO's AUTH, CONFIG
 * SET of a sensitive option. */
bool commandlog_is_secret(const struct call *call, uint32_t arg);
