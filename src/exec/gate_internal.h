/* SPDX-License-Identifier: BSD-3-Clause */
/* gate_internal -- the slow path of the gates: what to do with a call that met a closed one. */
#pragma once

#include "base/attr.h"

struct call;

enum gate_result {
    GATE_RUN = 0, /* go on and execute */
    GATE_REFUSED, /* an error was replied */
    GATE_QUEUED,  /* it waits for EXEC, and that was replied */
    GATE_HELD,    /* it waits for the end of a pause: nothing was replied, try again later */
};

/* closed: the gates that are closed and matter to this command. */
enum gate_result gate_check(struct call *call, uint32_t closed);
