/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the server group share: the handlers that server_table.c names. */
#pragma once

#include "exec/call.h"

/* ---- database.c ---- */
void cmd_dbsize(struct call *call);
void cmd_flushdb(struct call *call);
void cmd_flushall(struct call *call);
void cmd_swapdb(struct call *call);
void cmd_select(struct call *call);

/* ---- server.c ---- */
void cmd_time(struct call *call);
void cmd_shutdown(struct call *call);

/* ---- lolwut.c ---- */
void cmd_lolwut(struct call *call);

/* ---- info.c ---- */
void cmd_info(struct call *call);

/* ---- config.c ---- */
void cmd_config_get(struct call *call);
void cmd_config_set(struct call *call);
void cmd_config_rewrite(struct call *call);
void cmd_config_resetstat(struct call *call);
void cmd_config_help(struct call *call);
/* Writes the file and replies; all: every option gets a line. */
void config_rewrite_and_reply(struct call *call, bool all);

/* ---- memory.c ---- */
void cmd_memory_usage(struct call *call);
void cmd_memory_stats(struct call *call);
void cmd_memory_doctor(struct call *call);
void cmd_memory_purge(struct call *call);
void cmd_memory_malloc_stats(struct call *call);
void cmd_memory_help(struct call *call);

/* ---- latency_command.c, latency_report.c ---- */
void cmd_latency_latest(struct call *call);
void cmd_latency_history(struct call *call);
void cmd_latency_reset(struct call *call);
void cmd_latency_histogram(struct call *call);
void cmd_latency_help(struct call *call);
void cmd_latency_graph(struct call *call);
void cmd_latency_doctor(struct call *call);

/* ---- commandlog_command.c ---- */
void cmd_commandlog_get(struct call *call);
void cmd_commandlog_len(struct call *call);
void cmd_commandlog_reset(struct call *call);
void cmd_commandlog_help(struct call *call);
void cmd_slowlog_get(struct call *call);
void cmd_slowlog_len(struct call *call);
void cmd_slowlog_reset(struct call *call);
void cmd_slowlog_help(struct call *call);

/* ---- debug.c ---- */
void cmd_debug(struct call *call);
