/* SPDX-License-Identifier: BSD-3-Clause */
/* option_kinds -- the values of options that are more than one number or text, and how each is read
 * and shown. Values belong to the option engine, which releases them. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "config/config.h"

enum { TEXT_LIST_MAX = 16 }; /* addresses in bind and rdma-bind */
struct text_list {
    char **at;
    size_t count;
};

struct double_list {
    double *at;
    size_t count;
};

struct oom_values { /* added to or used as oom_score_adj */
    int32_t primary, replica, child;
};

struct host_port {
    char *host; /* NULL: none */
    int32_t port;
};

/* Lines of a directive that may be repeated, each as its words after the name. */
struct word_list {
    char **words;
    size_t count;
    char *file; /* where it stands, as in struct config_place */
    size_t line;
};
struct word_lists {
    struct word_list *at;
    size_t count;
};

/* Adds the words, each in quotes, with blanks between them. */
void word_list_add_text(const struct word_list *list, struct buf *out);

extern const struct config_custom option_bind;          /* struct text_list */
extern const struct config_custom option_percentiles;   /* struct double_list */
extern const struct config_custom option_oom_values;    /* struct oom_values */
extern const struct config_custom option_replicaof;     /* struct host_port */
extern const struct config_custom option_output_limits; /* struct output_limit[CLASS_COUNT] */
extern const struct config_custom option_dir;           /* char *, absolute */
extern const struct config_custom option_rename;        /* struct word_lists, two words each */
extern const struct config_custom option_lines; /* struct word_lists, one word or more each */

/* Here because syslog.h's names clash with those of base/log.h. */
extern const struct config_enum option_syslog_facilities[];

/* For config_option.validate; value is a char **. */
enum err option_check_appendfilename(void *ctx, void *value, struct diag *diag);
enum err option_check_appenddirname(void *ctx, void *value, struct diag *diag);
enum err option_check_hostname(void *ctx, void *value, struct diag *diag);
