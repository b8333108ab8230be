/* SPDX-License-Identifier: BSD-3-Clause */
/* bench -- the program as a whole: what its parts share while tests run one after the other. */
#pragma once

#include "base/buf.h"
#include "bench/cluster.h"
#include "bench/options.h"
#include "bench/series.h"
#include "client/link.h"
#include "stats/hdr.h"

struct template;

struct bench {
    struct bench_options options;
    struct client_target target;
    struct client_tls *tls;  /* owned; NULL: no TLS */
    struct client_link link; /* for questions beside the tests */
    struct cluster_map *map; /* owned; NULL without --cluster */
    char (*tags)[3];         /* owned; by slot */
    struct buf greeting;     /* what each connection says first */
    size_t greeting_replies;
    struct buf words_given;                                 /* the last word, from standard input */
    char *payload;                                          /* owned: options.data_size bytes */
    char *server_save, *server_appendonly, *server_version; /* owned; NULL: not known */
    int signal_fd;                                          /* SIGINT and SIGTERM */
    bool live;        /* standard output is a terminal that shows how it goes */
    bool interrupted; /* by a signal: stop */
};

/* The figures of a test. */
struct bench_result {
    char *name, *title; /* owned */
    uint64_t requests, errors, redirects;
    double seconds;
    double user_s, system_s; /* CPU time of our process meanwhile */
    struct hdr *latencies;   /* owned; nanoseconds */
    struct series series;
};
void bench_result_deinit(struct bench_result *result);
static inline double bench_result_rate(const struct bench_result *result) {
    return result->seconds > 0 ? (double)result->requests / result->seconds : 0;
}

/* Reads options, connects, asks the server what is to be known. */
must_use enum err bench_prepare(struct bench *bench, struct diag *diag);
void bench_deinit(struct bench *bench);
/* Connects the link, or again if it was lost. */
must_use enum err bench_link(struct bench *bench, struct diag *diag);
/* True if a signal has arrived, now or before. */
bool bench_is_interrupted(struct bench *bench);

/* run.c: a test. out's name and title are the caller's to set; what was measured until a signal
 * counts. template NULL: only opens the connections, and waits for a signal (out is untouched). */
must_use enum err bench_run_test(struct bench *bench, const struct template *template,
                                 const char *title, struct bench_result *out, struct diag *diag);
/* tests.c: all tests that the options ask for. */
must_use enum err bench_run_all(struct bench *bench, struct diag *diag);
/* fuzz.c */
must_use enum err bench_fuzz(struct bench *bench, struct diag *diag);
