/* SPDX-License-Identifier: BSD-3-Clause */
/* CLUSTER and its like on a server that is not part of a cluster: they say so. What needs no
 * cluster works. */
#include "cluster/cluster_internal.h"
#include "spec/slot.h"

/* CLUSTER ..., CLUSTERSCAN, ASKING */
void cmd_cluster_disabled(struct call *call) { call_error(call, ERROR_CLUSTER_DISABLED); }

/* CLUSTER KEYSLOT key */
void cmd_cluster_keyslot(struct call *call) { reply_integer(call->reply, slot_of(call->argv[2])); }

/* READONLY: there is no other node that a read could be sent to. */
void cmd_readonly(struct call *call) { reply_ok(call->reply); }

/* READWRITE */
void cmd_readwrite(struct call *call) { reply_ok(call->reply); }
