/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/options.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "bench/template.h"
#include "client/auth.h"

enum { DEFAULT_CLIENTS = 50, DEFAULT_REQUESTS = 100000, DEFAULT_DATA = 3, RATE_MAX = 1000000000 };

void bench_options_init(struct bench_options *options) {
    *options = (struct bench_options){
        .clients = DEFAULT_CLIENTS,
        .requests = DEFAULT_REQUESTS,
        .data_size = DEFAULT_DATA,
        .pipeline = 1,
        .functions = 10,
        .fcall_keys = 1,
        .keep_alive = true,
        .fuzz_log = BENCH_FUZZ_INFO,
    };
    client_options_init(&options->client);
}

void bench_options_deinit(struct bench_options *options) {
    client_options_deinit(&options->client);
    mem_free(options->tests);
    mem_free(options->report);
}

/* ---- rows ---- */

/* An option whose argument is a number within bounds, or that takes none and sets a flag. */
struct plain_option {
    const char *name;
    size_t number; /* offset of an int64_t; 0: none */
    size_t flag;   /* offset of a bool; 0: none */
    int64_t min, max;
};

#define NUMBER(field) .number = offsetof(struct bench_options, field)
#define FLAG(field) .flag = offsetof(struct bench_options, field)

static const struct plain_option plain_options[] = {
    {"-c", NUMBER(clients), .min = 1, .max = BENCH_CLIENTS_MAX},
    {"-n", NUMBER(requests), .min = 1, .max = INT64_MAX},
    {"-d", NUMBER(data_size), .min = 1, .max = BENCH_DATA_MAX},
    {"--dbnum", NUMBER(client.db), .min = 0, .max = INT32_MAX},
    {"--threads", NUMBER(threads), .min = 0, .max = BENCH_THREADS_MAX},
    {"-r", NUMBER(keys), .min = 0, .max = (int64_t)TEMPLATE_KEYS_MAX},
    {"-P", NUMBER(pipeline), .min = 1, .max = BENCH_PIPELINE_MAX},
    {"--precision", NUMBER(precision), .min = 0, .max = 9},
    {"--rps", NUMBER(rate), .min = 0, .max = RATE_MAX},
    {"--num-functions", NUMBER(functions), .min = 1, .max = 100000},
    {"--num-keys-in-fcall", NUMBER(fcall_keys), .min = 0, .max = 10000},
    {"--sequential", FLAG(sequential)},
    {"--cluster", FLAG(cluster)},
    {"--enable-tracking", FLAG(tracking)},
    {"-l", FLAG(loop)},
    {"-I", FLAG(idle)},
    {"-x", FLAG(stdin_last)},
    {"-e", FLAG(go_on_after_errors)},
    {"--fuzz", FLAG(fuzz)},
    {"--help", FLAG(help)},
    {"--version", FLAG(version)},
    {"-v", FLAG(version)},
};

/* True if the option is one of these. */
static bool take_plain(struct bench_options *options, const char *name, const char *argument,
                       enum err *err, struct diag *diag) {
    for (size_t i = 0; i < COUNT_OF(plain_options); i++) {
        const struct plain_option *plain = &plain_options[i];
        if (strcmp(plain->name, name) != 0) continue;
        *err = ERR_NONE;
        if (plain->flag) {
            *(bool *)((char *)options + plain->flag) = true;
        } else {
            int64_t *out = (int64_t *)((char *)options + plain->number);
            *err = client_parse_i64(argument, plain->min, plain->max, out, diag);
        }
        return true;
    }
    return false;
}

/* The index of a word in a list, -1 if it is not there. */
static int word_index(const char *word, const char *const *words) {
    for (int i = 0; words[i]; i++) {
        if (bytes_equal_nocase(bytes_of(word), bytes_of(words[i]))) return i;
    }
    return -1;
}

static enum err take_word(const char *word, const char *const *words, unsigned *out,
                          struct diag *diag) {
    int index = word_index(word, words);
    if (index == -1) return diag_set(diag, ERR_SYNTAX, "there is no '%s'", word);
    *out = (unsigned)index;
    return ERR_NONE;
}

static enum err take_fuzz_modes(struct bench_options *options, const char *argument,
                                struct diag *diag) {
    struct bytes rest = bytes_of(argument);
    while (rest.size > 0) {
        size_t size = bytes_find_byte(rest, ',');
        struct bytes mode = bytes_trim(bytes_make(rest.data, size));
        if (bytes_equal_nocase(mode, BYTES("malformed-commands"))) {
            options->fuzz_malformed = true;
        } else if (bytes_equal_nocase(mode, BYTES("config-commands"))) {
            options->fuzz_config = true;
        } else {
            return diag_set(diag, ERR_SYNTAX,
                            "modes are malformed-commands and config-commands, not '%.*s'",
                            (int)mode.size, mode.data);
        }
        rest = bytes_from(rest, size + 1);
    }
    options->fuzz = true;
    return ERR_NONE;
}

static enum err take_seed(struct bench_options *options, const char *argument, struct diag *diag) {
    if (!num_parse_u64(bytes_of(argument), &options->seed)) {
        return diag_set(diag, ERR_SYNTAX, "'%s' is not a number from 0 on", argument);
    }
    options->seed_given = true;
    return ERR_NONE;
}

static enum err take_option(void *ctx, const char *name, const char *argument, struct diag *diag) {
    static const char *const read_froms[] = {"no", "yes", "all", NULL};
    static const char *const fuzz_logs[] = {"none", "error", "info", "debug", NULL};
    static const char *const truths[] = {"0", "1", NULL};
    struct bench_options *options = ctx;
    enum err err = ERR_NONE;
    unsigned index = 0;
    if (take_plain(options, name, argument, &err, diag)) return err;
    if (strcmp(name, "-q") == 0) {
        if (options->output == BENCH_TEXT) options->output = BENCH_QUIET;
    } else if (strcmp(name, "--csv") == 0) {
        options->output = BENCH_CSV;
    } else if (strcmp(name, "--json") == 0) {
        options->output = BENCH_JSON;
    } else if (strcmp(name, "--duration") == 0) {
        err = client_parse_seconds(argument, &options->duration_s, diag);
    } else if (strcmp(name, "--warmup") == 0) {
        err = client_parse_seconds(argument, &options->warmup_s, diag);
    } else if (strcmp(name, "-k") == 0) {
        err = take_word(argument, truths, &index, diag);
        options->keep_alive = index == 1;
    } else if (strcmp(name, "--rfr") == 0) {
        err = take_word(argument, read_froms, &index, diag);
        options->read_from = (enum bench_read_from)index;
    } else if (strcmp(name, "--fuzz-loglevel") == 0) {
        err = take_word(argument, fuzz_logs, &index, diag);
        options->fuzz_log = (enum bench_fuzz_log)index;
    } else if (strcmp(name, "--fuzz-mode") == 0) {
        err = take_fuzz_modes(options, argument, diag);
    } else {
        err = take_seed(options, argument, diag); /* --seed, the last of the rows */
    }
    return err;
}

static const struct client_option bench_rows[] = {
    {.name = "-c", .argument = "clients", .help = "Connections that send requests (50)."},
    {.name = "-n",
     .argument = "requests",
     .help = "How many requests a test makes, over all connections (100000)."},
    {.name = "--duration",
     .argument = "seconds",
     .help = "Let each test run this long, however many requests that is."},
    {.name = "--warmup",
     .argument = "seconds",
     .help = "Run each test this long before anything is counted (0)."},
    {.name = "-d", .argument = "bytes", .help = "Size of the values, and of __data__ (3)."},
    {.name = "--dbnum", .argument = "db", .help = "Database to select (0)."},
    {.name = "--threads", .argument = "count", .help = "Threads that share the connections (one)."},
    {.name = "--cluster",
     .help = "Spread the connections over the nodes of a cluster. The keys of a command of your "
             "own need "
             "{tag} in them, which becomes a tag of the node's slots."},
    {.name = "--rfr",
     .argument = "no|yes|all",
     .help = "Which nodes of a cluster are asked: primaries (no), replicas (yes) or both (all)."},
    {.name = "--enable-tracking", .help = "Send CLIENT TRACKING on first, on each connection."},
    {.name = "-k",
     .argument = "0|1",
     .help = "0: a new connection for each pipeline of requests (1)."},
    {.name = "-r",
     .argument = "keys",
     .help = "Put a random number below this, in 12 digits, in place of __rand_int__, which the "
             "keys of "
             "the tests contain. __rand_1st__ to __rand_9th__ are the same number all over one "
             "sequence "
             "of commands. Without -r they stay as they are, and every request has the same key."},
    {.name = "--sequential", .help = "Count up instead of choosing at random."},
    {.name = "-P",
     .argument = "count",
     .help = "Requests (or sequences of commands) sent at once (1)."},
    {.name = "--rps",
     .argument = "requests",
     .help = "Send this many requests a second, at even distances. Latencies then count from the "
             "moment "
             "a request was due, not from when it could be sent at last. 0: as fast as it goes."},
    {.name = "-t",
     .argument = "tests",
     .text = CLIENT_OPTION_TEXT(struct bench_options, tests),
     .help = "Names of tests, with commas between them; without it all."},
    {.name = "-q", .help = "One line for each test."},
    {.name = "--csv", .help = "One line of CSV for each test."},
    {.name = "--json", .help = "Everything about all tests as one JSON document."},
    {.name = "--report",
     .argument = "file",
     .text = CLIENT_OPTION_TEXT(struct bench_options, report),
     .help = "Write a page with charts of throughput and latency, HTML in one file."},
    {.name = "--precision",
     .argument = "digits",
     .help = "Decimals of the latencies in milliseconds (0: three)."},
    {.name = "-l", .help = "Run the tests again and again, until Ctrl-C."},
    {.name = "-I", .help = "Only open the connections, and wait."},
    {.name = "-x", .help = "Read the last word of the command from standard input."},
    {.name = "-e",
     .help = "Show error replies, at most one a second, and go on; without it the first one ends "
             "the run."},
    {.name = "--num-functions",
     .argument = "count",
     .help = "Functions in the library of function_load and fcall (10)."},
    {.name = "--num-keys-in-fcall", .argument = "count", .help = "Keys of an FCALL (1)."},
    {.name = "--fuzz",
     .help = "Send random commands, with random arguments, instead of measuring. They change and "
             "delete "
             "data: never against a server that matters."},
    {.name = "--fuzz-mode",
     .argument = "modes",
     .help = "More of it: malformed-commands (also what is no request at all), config-commands "
             "(CONFIG SET "
             "of everything); with a comma between them."},
    {.name = "--fuzz-loglevel",
     .argument = "none|error|info|debug",
     .help = "What --fuzz says about its work (info)."},
    {.name = "--help", .help = "Show this."},
    {.name = "--version", .alias = "-v", .help = "Show the version."},
    {.name = "--seed",
     .argument = "number",
     .help = "Makes the random numbers repeatable; without it the time."},
    {0},
};

/* ---- all of it ---- */

static enum err check_options(struct bench_options *options, struct diag *diag) {
    if (options->sequential && options->keys == 0) {
        return diag_set(diag, ERR_SYNTAX, "--sequential needs -r, which says how many keys");
    }
    if (options->read_from != BENCH_READ_PRIMARIES && !options->cluster) {
        return diag_set(diag, ERR_SYNTAX, "--rfr is for --cluster");
    }
    if (options->cluster && options->client.socket_path) {
        return diag_set(diag, ERR_SYNTAX, "a cluster is not reached by a socket's path");
    }
    if (options->cluster && options->client.db != 0) {
        return diag_set(diag, ERR_SYNTAX, "with --cluster there is database 0 only");
    }
    if (options->stdin_last && options->word_count == 0) {
        return diag_set(diag, ERR_SYNTAX, "-x needs a command");
    }
    if (options->threads > options->clients) options->threads = options->clients;
    if (options->threads == 0) options->threads = 1;
    if (!options->seed_given) options->seed = (uint64_t)clock_wall_us();
    return ERR_NONE;
}

enum err bench_options_parse(struct bench_options *options, int argc, char **argv,
                             struct diag *diag) {
    const struct client_option_table tables[] = {
        {.rows = client_option_rows, .ctx = &options->client},
        {.rows = bench_rows, .ctx = options, .take = take_option},
        {0},
    };
    int rest = argc;
    enum err err = client_options_parse(tables, CLIENT_BENCH, argc, argv, &rest, diag);
    if (err != ERR_NONE) return err;
    options->words = argv + rest;
    options->word_count = argc - rest;
    client_auth_environment(&options->client);
    return check_options(options, diag);
}

void bench_options_help(const char *program, struct buf *out) {
    buf_addf(out,
             "Usage: %s [options] [--] [command [word ...] [';' [times] command ...]]\n\n"
             "Measures how many requests a second a server answers, and how fast.\n\n"
             "Where the server is:\n",
             program);
    client_options_help(client_option_rows, CLIENT_BENCH, out);
    buf_add_text(out, "\nWhat to do:\n");
    client_options_help(bench_rows, CLIENT_BENCH, out);
    buf_addf(out,
             "\nTests: ping_inline ping_mbulk (both: ping) set get incr lpush rpush lpop rpop sadd "
             "hset spop\n  zadd zpopmin lrange_100 lrange_300 lrange_500 lrange_600 (all: lrange) "
             "mset mget xadd\n  function_load fcall\n\n"
             "Examples:\n"
             "  %s -t set,get -n 1000000 -r 1000000 -P 16\n"
             "  %s --rps 20000 --duration 30 --report latency.html -t get\n"
             "  %s -r 100000 -- set key:__rand_1st__ __data__ ';' 3 get key:__rand_1st__\n",
             program, program, program);
}
