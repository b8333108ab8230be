/* SPDX-License-Identifier: BSD-3-Clause */
/* options -- what the command line of valkey-benchmark asks for. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "client/options.h"

struct buf;

enum {
    BENCH_CLIENTS_MAX = 1000000,
    BENCH_THREADS_MAX = 500,
    BENCH_PIPELINE_MAX = 1000000,
    BENCH_DATA_MAX = 1 << 30,
};

enum bench_output { BENCH_TEXT = 0, BENCH_QUIET, BENCH_CSV, BENCH_JSON };
enum bench_read_from { BENCH_READ_PRIMARIES = 0, BENCH_READ_REPLICAS, BENCH_READ_ALL };
enum bench_fuzz_log { BENCH_FUZZ_NONE = 0, BENCH_FUZZ_ERROR, BENCH_FUZZ_INFO, BENCH_FUZZ_DEBUG };

struct bench_options {
    struct client_options client;
    int64_t clients;   /* -c */
    int64_t requests;  /* -n */
    double duration_s; /* 0: as many requests as -n says */
    double warmup_s;   /* load before what counts */
    int64_t data_size; /* -d */
    int64_t threads;   /* 0: one */
    int64_t keys;      /* -r; 0: placeholders stay as they are */
    int64_t pipeline;  /* -P */
    int64_t rate;      /* --rps; 0: as fast as it goes */
    int64_t precision; /* decimals of latencies; 0: three */
    int64_t functions; /* in the library of function_load and fcall */
    int64_t fcall_keys;
    uint64_t seed;
    bool seed_given;
    bool keep_alive;
    bool sequential;
    bool cluster;
    bool tracking;
    bool loop;
    bool idle;
    bool stdin_last;
    bool go_on_after_errors;
    bool fuzz;
    bool fuzz_malformed;
    bool fuzz_config;
    bool help, version;
    enum bench_read_from read_from;
    enum bench_output output;
    enum bench_fuzz_log fuzz_log;
    char *tests;  /* owned; NULL: all */
    char *report; /* owned; NULL: none */
    char **words; /* borrowed from argv: the command, if one was given */
    int word_count;
};

void bench_options_init(struct bench_options *options);
void bench_options_deinit(struct bench_options *options);
/* Reads the command line and checks that the options go together. */
must_use enum err bench_options_parse(struct bench_options *options, int argc, char **argv,
                                      struct diag *diag);
void bench_options_help(const char *program, struct buf *out);
