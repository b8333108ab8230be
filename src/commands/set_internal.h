/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the set group share: the handlers that its table names, and small steps. */
#pragma once

#include "exec/call.h"
#include "types/set.h"

/* ---- set_member.c ---- */
void cmd_sadd(struct call *call);
void cmd_srem(struct call *call);
void cmd_sismember(struct call *call);
void cmd_smismember(struct call *call);
void cmd_scard(struct call *call);
void cmd_smembers(struct call *call);
void cmd_smove(struct call *call);
void cmd_sscan(struct call *call);
/* Of SADD, SREM and SISMEMBER: the first member's memory. */
void set_member_prefetch(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                         struct command_prefetch *at);

/* ---- set_chance.c ---- */
void cmd_spop(struct call *call);
void cmd_srandmember(struct call *call);

/* ---- set_algebra.c ---- */
void cmd_sinter(struct call *call);
void cmd_sintercard(struct call *call);
void cmd_sinterstore(struct call *call);
void cmd_sunion(struct call *call);
void cmd_sunionstore(struct call *call);
void cmd_sdiff(struct call *call);
void cmd_sdiffstore(struct call *call);

/* ---- steps ---- */
static inline struct set *set_of(const struct entry *entry) { return entry_object(entry); }

static inline void set_reply_member(struct reply *reply, const struct set_member *member) {
    if (member->data) {
        reply_bulk(reply, bytes_make(member->data, member->size));
    } else {
        reply_bulk_i64(reply, member->integer);
    }
}

/* After members have left the set of the key at arg: keeps what became of the set and sends the
 * event, and removes the key with the last member. Ends the borrow of entry. */
void set_members_left(struct call *call, uint32_t arg, struct entry *entry, struct set *set,
                      const char *event);
