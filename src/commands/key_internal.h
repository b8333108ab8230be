/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the generic group share: the handlers that its table names. */
#pragma once

#include "exec/call.h"

/* ---- key.c ---- */
void cmd_del(struct call *call);
void cmd_unlink(struct call *call);
void cmd_exists(struct call *call);
void cmd_touch(struct call *call);
void cmd_type(struct call *call);

/* ---- key_move.c ---- */
void cmd_rename(struct call *call);
void cmd_renamenx(struct call *call);
void cmd_move(struct call *call);
void cmd_copy(struct call *call);

/* ---- expire.c ---- */
void cmd_expire(struct call *call);
void cmd_pexpire(struct call *call);
void cmd_expireat(struct call *call);
void cmd_pexpireat(struct call *call);
void cmd_persist(struct call *call);
void cmd_ttl(struct call *call);
void cmd_pttl(struct call *call);
void cmd_expiretime(struct call *call);
void cmd_pexpiretime(struct call *call);

/* ---- scan.c ---- */
void cmd_keys(struct call *call);
void cmd_randomkey(struct call *call);
void cmd_scan(struct call *call);

/* ---- object.c ---- */
void cmd_object_encoding(struct call *call);
void cmd_object_freq(struct call *call);
void cmd_object_help(struct call *call);
void cmd_object_idletime(struct call *call);
void cmd_object_refcount(struct call *call);
