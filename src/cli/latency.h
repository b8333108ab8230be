/* SPDX-License-Identifier: BSD-3-Clause */
/* latency -- how long a PING takes: what the latency modes share. */
#pragma once

#include "base/attr.h"

struct cli;

enum { LATENCY_PAUSE_MS = 10 };

/* Sends PING; *us is how long the reply took. False: interrupted, or the connection is gone (said
 * why on stderr). */
must_use bool latency_ping(struct cli *cli, int64_t *us);
/* After a ping that failed: waits until it makes sense to try again. False: give up. */
must_use bool latency_recover(struct cli *cli);
