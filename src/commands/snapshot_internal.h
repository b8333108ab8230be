/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files about snapshots and serialized values share. */
#pragma once

#include "exec/call.h"

/* ---- snapshot.c ---- */
void cmd_save(struct call *call);
void cmd_lastsave(struct call *call);

/* ---- dump.c ---- */
void cmd_dump(struct call *call);
void cmd_restore(struct call *call);
