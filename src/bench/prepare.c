/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done once, before the first test. */
#include "base/check.h"
#include "base/mem.h"
#include "bench/bench.h"
#include "bench/suite.h"
#include "client/auth.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

void bench_result_deinit(struct bench_result *result) {
    mem_free(result->name);
    mem_free(result->title);
    hdr_destroy(&result->latencies);
    series_deinit(&result->series);
    *result = (struct bench_result){0};
}

enum { STDIN_BYTES_MAX = 512 << 20 };

static enum err read_stdin(struct buf *out, struct diag *diag) {
    for (;;) {
        char *room = buf_reserve(out, 1 << 16);
        size_t got = fread(room, 1, 1 << 16, stdin);
        out->size += got;
        if (ferror(stdin)) return diag_errno(diag, ERR_IO, "cannot read standard input");
        if (got == 0) return ERR_NONE;
        if (out->size > STDIN_BYTES_MAX) {
            return diag_set(diag, ERR_RANGE, "standard input has more than 512 MiB");
        }
    }
}

/* SIGINT and SIGTERM arrive through a descriptor; the threads that follow do not see them. */
static enum err take_signals(struct bench *bench, struct diag *diag) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) check(!"the set is a valid one");
    bench->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (bench->signal_fd == -1) return diag_errno(diag, ERR_IO, "no descriptor for signals");
    return ERR_NONE;
}

bool bench_is_interrupted(struct bench *bench) {
    struct signalfd_siginfo info;
    if (read(bench->signal_fd, &info, sizeof(info)) > 0) bench->interrupted = true;
    return bench->interrupted;
}

/* As many descriptors as the clients take. */
static enum err raise_limits(const struct bench_options *options, struct diag *diag) {
    rlim_t wanted = (rlim_t)options->clients + (rlim_t)options->threads * 2 + 32;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return diag_errno(diag, ERR_IO, "limits");
    if (limit.rlim_cur >= wanted) return ERR_NONE;
    limit.rlim_cur = wanted;
    if (limit.rlim_max < wanted) limit.rlim_max = wanted; /* the superuser may */
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1) {
        return diag_set(diag, ERR_RANGE,
                        "%lld connections need %llu open files, and the system allows fewer "
                        "(ulimit -n)",
                        (long long)options->clients, (unsigned long long)wanted);
    }
    return ERR_NONE;
}

enum err bench_link(struct bench *bench, struct diag *diag) {
    if (client_link_is_open(&bench->link)) return ERR_NONE;
    bench->link.wake_fd = bench->signal_fd;
    struct diag reason = {0};
    struct buf name = {0};
    enum err err = client_link_open(&bench->link, &bench->options.client, &reason);
    if (err != ERR_NONE) {
        client_describe(&bench->options.client, &name);
        (void)diag_set(diag, err, "Could not connect to the server at %s: %s", name.data,
                       reason.text);
        buf_deinit(&name);
    }
    if (err == ERR_NONE) err = client_link_greet(&bench->link, &bench->options.client, diag);
    return err;
}

/* The value of an option of the server; NULL if it does not tell. Owned by the caller. */
static char *ask_option(struct bench *bench, const char *name) {
    const char *const words[] = {"CONFIG", "GET", name, NULL};
    struct resp_value *reply = NULL;
    struct diag diag;
    char *value = NULL;
    if (!client_link_is_open(&bench->link)) return NULL;
    if (client_link_call(&bench->link, words, &reply, &diag) != ERR_NONE) return NULL;
    const struct resp_value *found = resp_find(reply, name);
    if (found && found->kind == RESP_STRING) value = mem_strdup(found->text.data);
    resp_value_destroy(&reply);
    return value;
}

/* The line of INFO with this name; NULL without. Owned by the caller. */
static char *find_info(struct bytes info, const char *name) {
    const char *at = memmem(info.data, info.size, name, strlen(name));
    if (!at) return NULL;
    struct bytes rest = bytes_from(info, (size_t)(at - info.data) + strlen(name));
    return mem_copy_bytes(bytes_make(rest.data, bytes_find_byte(rest, '\r')));
}

static void ask_version(struct bench *bench) {
    const char *const words[] = {"INFO", "server", NULL};
    struct resp_value *reply = NULL;
    struct diag diag;
    if (!client_link_is_open(&bench->link)) return;
    if (client_link_call(&bench->link, words, &reply, &diag) != ERR_NONE) return;
    if (reply->kind == RESP_STRING || reply->kind == RESP_VERBATIM) {
        bench->server_version = find_info(reply->text, "valkey_version:");
        if (!bench->server_version)
            bench->server_version = find_info(reply->text, "redis_version:");
    }
    resp_value_destroy(&reply);
}

/* The address that answered, of all that the name has. */
static enum err find_target(struct bench *bench, struct diag *diag) {
    struct client_target targets[CLIENT_TARGETS_MAX];
    size_t count = 0;
    enum err err = client_resolve(&bench->options.client, targets, &count, diag);
    if (err != ERR_NONE) return err;
    bench->target = targets[0];
    if (bench->options.client.socket_path) return ERR_NONE;
    bench->target.size = sizeof(bench->target.address);
    if (getpeername(bench->link.stream.fd, (struct sockaddr *)&bench->target.address,
                    &bench->target.size) == -1) {
        return diag_errno(diag, ERR_IO, "the connection is gone");
    }
    return ERR_NONE;
}

static void make_greeting(struct bench *bench) {
    static const char *const tracking[] = {"CLIENT", "TRACKING", "ON", NULL};
    static const char *const readonly[] = {"READONLY", NULL};
    bench->greeting_replies = client_encode_greeting(&bench->options.client, &bench->greeting);
    if (bench->options.tracking) {
        client_encode_words(&bench->greeting, tracking);
        bench->greeting_replies++;
    }
    if (bench->options.read_from != BENCH_READ_PRIMARIES) {
        client_encode_words(&bench->greeting, readonly);
        bench->greeting_replies++;
    }
}

enum err bench_prepare(struct bench *bench, struct diag *diag) {
    struct bench_options *options = &bench->options;
    enum err err = ERR_NONE;
    /* While standard input is waited for, Ctrl-C ends the program as any other. */
    if (options->stdin_last) err = read_stdin(&bench->words_given, diag);
    if (err == ERR_NONE) err = take_signals(bench, diag);
    if (err == ERR_NONE) err = raise_limits(options, diag);
    if (err == ERR_NONE && options->client.tls.enabled) {
        err = client_tls_create(&options->client.tls, &bench->tls, diag);
    }
    if (err == ERR_NONE) err = bench_link(bench, diag);
    if (err == ERR_NONE) err = find_target(bench, diag);
    if (err == ERR_NONE && options->cluster) {
        err = cluster_map_fetch(options, bench->signal_fd, NULL, &bench->map, diag);
        bench->tags = cluster_tags_create();
    }
    if (err != ERR_NONE) return err;
    make_greeting(bench);
    bench->server_save = ask_option(bench, "save");
    bench->server_appendonly = ask_option(bench, "appendonly");
    ask_version(bench);
    bench->payload = suite_payload((size_t)options->data_size, options->seed);
    if (!bench->payload) {
        return diag_set(diag, ERR_NO_MEMORY, "no memory for a payload of %lld bytes",
                        (long long)options->data_size);
    }
    return ERR_NONE;
}

void bench_deinit(struct bench *bench) {
    client_link_deinit(&bench->link);
    client_tls_destroy(&bench->tls);
    cluster_map_destroy(&bench->map);
    mem_free(bench->tags);
    mem_free(bench->payload);
    mem_free(bench->server_save);
    mem_free(bench->server_appendonly);
    mem_free(bench->server_version);
    buf_deinit(&bench->greeting);
    buf_deinit(&bench->words_given);
    if (bench->signal_fd != -1) close(bench->signal_fd);
    bench_options_deinit(&bench->options);
}
