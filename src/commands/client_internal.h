/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of CLIENT share: the handlers that client_table.c names, the filters of LIST and
 * KILL, and the line that describes a client. */
#pragma once

#include "base/buf.h"
#include "exec/call.h"

/* ---- client.c ---- */
void cmd_client_capa(struct call *call);
void cmd_client_getname(struct call *call);
void cmd_client_help(struct call *call);
void cmd_client_id(struct call *call);
void cmd_client_import_source(struct call *call);
void cmd_client_no_evict(struct call *call);
void cmd_client_no_touch(struct call *call);
void cmd_client_pause(struct call *call);
void cmd_client_reply(struct call *call);
void cmd_client_setinfo(struct call *call);
void cmd_client_setname(struct call *call);
void cmd_client_unblock(struct call *call);
void cmd_client_unpause(struct call *call);

/* ---- client_list.c ---- */
void cmd_client_info(struct call *call);
void cmd_client_kill(struct call *call);
void cmd_client_list(struct call *call);

/* ---- client_line.c ---- */
/* The letters of CLIENT CAPA, NUL-terminated; out has CLIENT_CAPA_MAX bytes. */
enum { CLIENT_CAPA_MAX = 8, CLIENT_FLAGS_MAX = 24 };
void client_capa_letters(const struct client *client, char *out);
/* Adds the line of CLIENT LIST, LF included. */
void client_add_line(const struct client *client, struct buf *out);

/* ---- client_filter.c ---- */
enum client_filter_kind {
    FILTER_ID = 0,
    FILTER_TYPE,
    FILTER_USER,
    FILTER_ADDR,
    FILTER_LADDR,
    FILTER_MAXAGE,
    FILTER_NAME,
    FILTER_IDLE,
    FILTER_FLAGS,
    FILTER_LIB_NAME,
    FILTER_LIB_VER,
    FILTER_DB,
    FILTER_CAPA,
    FILTER_IP,
};
enum { FILTER_COUNT = 14 };

struct client_condition {
    bool given;
    struct bytes text; /* the value as it was sent; borrowed from the call */
    int64_t number;    /* a database, a type, or seconds */
    uint64_t *ids;     /* FILTER_ID: sorted when parsing ends, owned */
    uint32_t id_count;
};

/* All conditions must hold, and none of those with NOT. Of one kind the last one given counts;
 * only ids add up. */
struct client_filter {
    bool skip_me;
    struct client_condition must[FILTER_COUNT];
    struct client_condition must_not[FILTER_COUNT];
};

/* Reads filters from argument first on. False: an error was replied. Either way the filter is to be
 * deinit'ed. */
must_use bool client_filter_parse(struct call *call, uint32_t first, bool skip_me,
                                  struct client_filter *filter);
void client_filter_deinit(struct client_filter *filter);
/* O(1), or O(log n) of the ids given. */
bool client_filter_matches(const struct call *call, const struct client_filter *filter,
                           const struct client *client);
