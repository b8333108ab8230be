/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of all options: their defaults and texts as clients know them, and valkey.conf. Runs in
 * the root of the source tree. */
#include "server/options_reference.h"
#include "server/server_config.h"
#include "tests/unit/test.h"

struct fixture {
    struct server_config server;
    struct reference_config reference;
    struct config *config;
    struct config_fault fault;
    int listens, logs;
    bool listen_fails;
};

static enum err on_listen(void *ctx, struct diag *diag) {
    struct fixture *f = ctx;
    f->listens++;
    if (!f->listen_fails || f->server.net.port == 6379) return ERR_NONE;
    return diag_set(diag, ERR_IO, "Unable to listen on this port. Check server logs.");
}

static enum err on_log(void *ctx, struct diag *diag) {
    (void)diag;
    ((struct fixture *)ctx)->logs++;
    return ERR_NONE;
}

static void set_up(struct fixture *f) {
    *f = (struct fixture){0};
    f->server.hooks =
        (struct server_config_hooks){.ctx = f, .listen_changed = on_listen, .log_changed = on_log};
    f->config = config_create();
    config_add_table(f->config, &(struct config_table){server_options, &f->server, &f->server});
    config_add_table(f->config, &(struct config_table){persist_options, &f->server.persist, NULL});
    config_add_table(f->config,
                     &(struct config_table){pubsub_options, &f->server.pubsub, &f->server.pubsub});
    config_add_table(f->config, &(struct config_table){tracking_options, &f->server.tracking,
                                                       &f->server.tracking});
    config_add_table(f->config,
                     &(struct config_table){reference_options, &f->reference, &f->reference});
}

static void tear_down(struct fixture *f) { config_destroy(&f->config); }

static const char *get(struct fixture *f, const char *name) {
    static char text[1024];
    struct buf out = {0};
    if (!config_format(f->config, bytes_of(name), &out)) return "(unknown)";
    snprintf(text, sizeof(text), "%.*s", (int)out.size, out.data ? out.data : "");
    buf_deinit(&out);
    return text;
}

/* CONFIG SET; the reason it was refused for, or "". */
static const char *set(struct fixture *f, const char *name, const char *value) {
    static struct diag diag;
    struct bytes names[] = {bytes_of(name)}, values[] = {bytes_of(value)};
    struct config_set_request request = {
        .names = names, .values = values, .count = 1, .protected_allowed = true};
    diag = (struct diag){0};
    if (config_set_many(f->config, &request, &diag) == ERR_NONE) return "";
    const char *dash = strstr(diag.text, "') - ");
    return dash ? dash + 5 : diag.text;
}

static bool load(struct fixture *f, const char *text) {
    return config_load_text(f->config, bytes_of(text), "a.conf", &f->fault) == ERR_NONE;
}

TEST(defaults_that_clients_depend_on) {
    static const char *const expected[][2] = {
        {"maxmemory", "0"},
        {"maxmemory-policy", "noeviction"},
        {"maxmemory-samples", "5"},
        {"maxmemory-clients", "0"},
        {"maxmemory-eviction-tenacity", "10"},
        {"timeout", "0"},
        {"tcp-keepalive", "300"},
        {"databases", "16"},
        {"hz", "10"},
        {"maxclients", "10000"},
        {"proto-max-bulk-len", "536870912"},
        {"client-query-buffer-limit", "1073741824"},
        {"save", "3600 1 300 100 60 10000"},
        {"bind", "* -::*"},
        {"port", "6379"},
        {"client-output-buffer-limit",
         "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"},
        {"oom-score-adj-values", "0 200 800"},
        {"notify-keyspace-events", ""},
        {"latency-tracking", "yes"},
        {"latency-tracking-info-percentiles", "50 99 99.9"},
        {"slowlog-log-slower-than", "10000"},
        {"slowlog-max-len", "128"},
        {"lua-time-limit", "5000"},
        {"list-max-ziplist-size", "-2"},
        {"hash-max-listpack-entries", "512"},
        {"hash-max-ziplist-value", "64"},
        {"set-max-intset-entries", "512"},
        {"stream-node-max-bytes", "4096"},
        {"hll-sparse-max-bytes", "3000"},
        {"repl-backlog-size", "10485760"},
        {"appendonly", "no"},
        {"cluster-enabled", "no"},
        {"lazyfree-lazy-user-del", "yes"},
        {"io-threads", "1"},
        {"unixsocketperm", "0"},
        {"enable-debug-command", "no"},
        {"proc-title-template", "{title} {listen-addr} {server-mode}"},
        {"loglevel", "notice"},
        {"syslog-facility", "local0"},
        {"oom-score-adj", "no"},
        {"supervised", "no"},
        {"shutdown-on-sigterm", "default"},
        {"hash-seed", ""},
        {"replicaof", ""},
        {"io-threads-always-active", "no"},
        {"min-io-threads-avoid-copy-reply", "7"},
        {"rdma-completion-vector", "-1"},
        {"tls-auth-clients", "yes"},
        {"slave-serve-stale-data", "yes"},
        {"cluster-databases", "1"},
    };
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        expect_str_eq(get(&f, expected[i][0]), expected[i][1]);
        expect_true(config_is_default(f.config, expected[i][0]));
    }
    expect_eq(f.server.keyspace.policy, EVICT_NONE);
    expect_eq(f.server.exec.maxclients, 10000);
    expect_eq(f.server.exec.output_limits[CLASS_PUBSUB].hard_bytes, 33554432);
    expect_eq(f.server.log.level, LOG_NOTICE);
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(refusals_read_as_clients_know_them) {
    static const char *const cases[][3] = {
        {"timeout", "2147483648", "argument must be between 0 and 2147483647 inclusive"},
        {"maxclients", "0", "argument must be between 1 and 4294967295 inclusive"},
        {"io-threads", "257", "argument must be between 1 and 256 inclusive"},
        {"proto-max-bulk-len", "100",
         "argument must be between 1048576 and 9223372036854775807 inclusive"},
        {"slowlog-log-slower-than", "-2",
         "argument must be between -1 and 9223372036854775807 inclusive"},
        {"maxmemory-policy", "nosuch",
         "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, "
         "volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction"},
        {"oom-score-adj", "foo",
         "argument(s) must be one of the following: no, yes, relative, absolute"},
        {"databases", "4", "can't set immutable config"},
        {"unixsocket", "x", "can't set immutable config"},
        {"save", "100", "Invalid save parameters"},
        {"save", "0 10", "Invalid save parameters"},
        {"save", "10 -1", "Invalid save parameters"},
        {"client-output-buffer-limit", "nosuch 0 0 0",
         "Invalid client class specified in buffer limit configuration."},
        {"client-output-buffer-limit", "normal 0 0",
         "Wrong number of arguments in buffer limit configuration."},
        {"client-output-buffer-limit", "normal 0 0 -1",
         "Error in hard, soft or soft_seconds setting in buffer limit configuration."},
        {"oom-score-adj-values", "1 2", "wrong number of arguments"},
        {"oom-score-adj-values", "1 2 5000",
         "Invalid oom-score-adj-values, elements must be between -2000 and 2000."},
        {"notify-keyspace-events", "Q", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."},
        {"shutdown-on-sigint", "save nosave",
         "shutdown options SAVE and NOSAVE can't be used simultaneously"},
        {"shutdown-on-sigint", "foo",
         "argument(s) must be one of the following: default, save, nosave, now, force, safe, "
         "failover"},
        {"dbfilename", "a/b.rdb", "dbfilename can't be a path, just a filename"},
        {"dir", "/nosuchdir", "No such file or directory"},
        {"proc-title-template", "{foo}",
         "template format is invalid or contains unknown variables"},
        {"proc-title-template", "{title",
         "template format is invalid or contains unknown variables"},
        {"latency-tracking-info-percentiles", "50 101",
         "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"},
        {"latency-tracking-info-percentiles", "50 x",
         "Invalid latency-tracking-info-percentiles parameters"},
        {"cluster-announce-hostname", "a b",
         "Hostnames may only contain alphanumeric characters, hyphens or dots"},
        {"bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "Too many bind addresses specified."},
        {"rename-command", "GET x",
         "Unknown option or number of arguments for CONFIG SET - 'rename-command'"},
        {"io-threads-do-reads", "yes",
         "Unknown option or number of arguments for CONFIG SET - 'io-threads-do-reads'"},
    };
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        expect_str_eq(set(&f, cases[i][0], cases[i][1]), cases[i][2]);
    }
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(values_are_shown_as_clients_know_them) {
    static const char *const cases[][3] = {
        {"hz", "0", "1"},
        {"hz", "1000", "500"},
        {"notify-keyspace-events", "KEA", "AKE"},
        {"notify-keyspace-events", "Kxg$", "g$xK"},
        {"notify-keyspace-events", "K$lshzxegtdnm", "AKm"},
        {"notify-keyspace-events", "KExnmd", "xdnKEm"},
        {"notify-keyspace-events", "", ""},
        {"save", "100 10 60 1000", "100 10 60 1000"},
        {"save", "", ""},
        {"client-output-buffer-limit", "pubsub 1mb 512kb 30",
         "normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 524288 30"},
        {"client-output-buffer-limit", "replica 100mb 10mb 10 normal 5mb 1mb 5",
         "normal 5242880 1048576 5 slave 104857600 10485760 10 pubsub 1048576 524288 30"},
        {"maxmemory-clients", "5%", "5%"},
        {"maxmemory-policy", "ALLKEYS-LFU", "allkeys-lfu"},
        {"oom-score-adj", "relative", "yes"},
        {"shutdown-on-sigterm", "nosave safe", "nosave safe"},
        {"shutdown-on-sigterm", "default", "default"},
        {"latency-tracking-info-percentiles", "50 0.1 99.99 100", "50 0.1 99.99 100"},
        {"latency-tracking-info-percentiles", "", ""},
        {"list-max-listpack-size", "-6", "-6"},
        {"slot-migration-max-failover-repl-bytes", "-1", "-1"},
        {"io-threads", "auto", "auto"},
        {"maxmemory", "18446744073709551615", "18446744073709551615"},
        {"bind", "", ""},
        {"bind", "127.0.0.1 -::1", "127.0.0.1 -::1"},
        {"dir", "/", "/"},
    };
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        expect_str_eq(set(&f, cases[i][0], cases[i][1]), "");
        expect_str_eq(get(&f, cases[i][0]), cases[i][2]);
    }
    expect_eq(f.server.net.bind.count, 2);
    expect_eq(f.server.exec.maxmemory_clients, -5);
    expect_eq(f.server.keyspace.policy, EVICT_ALLKEYS_LFU);
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hooks_run_after_set_and_can_refuse_it) {
    struct fixture f;
    set_up(&f);
    expect_str_eq(set(&f, "loglevel", "debug"), "");
    expect_eq(f.logs, 1);
    f.listen_fails = true;
    expect_str_eq(set(&f, "port", "7000"), "Unable to listen on this port. Check server logs.");
    expect_eq(f.listens, 2);
    expect_eq(f.server.net.port, 6379);
    tear_down(&f);
}

struct walk {
    struct fixture *f;
    size_t count;
    char names[512][64];
};

static void note_live(const struct config_option *option, void *ctx) {
    struct walk *walk = ctx;
    if (option->kind == CONFIG_IGNORED || !(option->flags & CONFIG_LIVE)) return;
    expect_true(walk->count < COUNT_OF(walk->names));
    snprintf(walk->names[walk->count++], sizeof(walk->names[0]), "%s", option->name);
}

TEST(every_live_option_takes_the_value_it_shows) {
    struct fixture f;
    set_up(&f);
    struct walk walk = {.f = &f};
    config_visit(f.config, note_live, &walk);
    expect_true(walk.count > 150);
    for (size_t i = 0; i < walk.count; i++) {
        char value[1024];
        snprintf(value, sizeof(value), "%s", get(&f, walk.names[i]));
        expect_str_eq(set(&f, walk.names[i], value), "");
        expect_str_eq(get(&f, walk.names[i]), value);
    }
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void add_pair(struct bytes name, struct bytes value, void *ctx) {
    buf_addf(ctx, "%.*s=%.*s\n", (int)name.size, name.data, (int)value.size,
             value.data ? value.data : "");
}

static void get_all(struct fixture *f, struct buf *out) {
    struct bytes all = BYTES("*");
    buf_clear(out);
    config_get(f->config, &all, 1, add_pair, out);
}

TEST(a_forced_rewrite_of_all_options_reads_back_the_same) {
    struct fixture f;
    struct diag diag = {0};
    char path[] = "/tmp/options-test-XXXXXX";
    int fd = mkstemp(path);
    expect_ne(fd, -1);
    close(fd);
    set_up(&f);
    expect_true(load(&f,
                     "rename-command FLUSHALL \"\"\nrename-command keys \"k 1\"\n"
                     "user alice on >secret ~* +@all\nloadmodule /x.so a \"b c\"\n"
                     "save 100 1\nsave 200 2\nport 7777\nrequirepass \"it's \\\"it\\\"\"\n"
                     "replicaof 10.0.0.1 6380\nbind 127.0.0.1\n"));
    expect_eq(f.server.daemon.renamed.count, 2);
    expect_str_eq(f.server.daemon.renamed.at[1].words[1], "k 1");
    expect_eq(f.reference.users.count, 1);
    expect_str_eq(get(&f, "save"), "100 1 200 2");
    expect_str_eq(get(&f, "slaveof"), "10.0.0.1 6380");
    expect_str_eq(set(&f, "notify-keyspace-events", "AnK"), "");
    expect_eq(config_rewrite(f.config, path, true, &diag), ERR_NONE);

    struct buf before = {0}, after = {0};
    get_all(&f, &before);
    tear_down(&f);
    set_up(&f);
    expect_eq(config_load_file(f.config, path, &f.fault), ERR_NONE);
    get_all(&f, &after);
    expect_bytes_eq(buf_bytes(&before), buf_bytes(&after));
    expect_eq(f.server.daemon.renamed.count, 2);
    expect_str_eq(f.reference.modules.at[0].words[2], "b c");
    expect_true(f.server.pubsub.notify & EVENT_NEW);
    buf_deinit(&before);
    buf_deinit(&after);
    tear_down(&f);
    unlink(path);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(files_of_test_runners_are_accepted) {
    struct fixture f;
    set_up(&f);
    bool ok =
        load(&f,
             "always-show-logo yes\nnotify-keyspace-events KEA\ndaemonize no\npidfile /tmp/p\n"
             "port 21111\ntimeout 0\nbind 127.0.0.1\nloglevel verbose\nlogfile ''\ndatabases 16\n"
             "latency-monitor-threshold 1\nrepl-diskless-sync-delay 0\nsave ''\n"
             "rdbcompression yes\ndbfilename dump.rdb\ndir /tmp\nslave-serve-stale-data yes\n"
             "appendonly no\nappendfsync everysec\nno-appendfsync-on-rewrite no\n"
             "activerehashing yes\nenable-protected-configs yes\nenable-debug-command yes\n"
             "enable-module-command yes\npropagation-error-behavior panic\n"
             "shutdown-on-sigterm force\nenable-debug-assert yes\nhide-user-data-from-log no\n"
             "unixsocket \"/tmp/a socket\"\nkey-load-delay 5\nrdb-key-save-delay -5\n"
             "events-per-io-thread 2\nio-threads-do-reads yes\ndynamic-hz yes\n");
    if (!ok) fprintf(stderr, "line %zu: %s\n", f.fault.line, f.fault.reason.text);
    expect_true(ok);
    expect_str_eq(get(&f, "save"), "");
    expect_str_eq(f.server.net.unixsocket, "/tmp/a socket");
    tear_down(&f);
}

/* --- valkey.conf --- */

static struct buf read_conf(void) {
    struct buf text = {0};
    FILE *file = fopen("valkey.conf", "r");
    expect_not_null(file);
    char line[1024];
    while (fgets(line, sizeof(line), file))
        buf_add_text(&text, line);
    fclose(file);
    return text;
}

/* The option that a line sets, or would if its '#' were removed; NULL if it is text. */
static const struct config_option *option_of(struct fixture *f, struct bytes line,
                                             bool *commented) {
    *commented = line.size > 1 && line.data[0] == '#';
    struct bytes rest = bytes_from(line, *commented);
    size_t end = bytes_find_byte(rest, ' ');
    return config_find(f->config, bytes_make(rest.data, end));
}

struct mention {
    struct bytes text;
    int missing;
};

static void look_for(const struct config_option *option, void *ctx) {
    struct mention *mention = ctx;
    if (option->kind == CONFIG_IGNORED) return;
    if (option->flags & (CONFIG_HIDDEN | CONFIG_FILE_ONLY)) return;
    struct buf line = {0};
    buf_addf(&line, "\n#%s ", option->name);
    if (!memmem(mention->text.data, mention->text.size, line.data, line.size)) {
        fprintf(stderr, "valkey.conf does not mention %s\n", option->name);
        mention->missing++;
    }
    buf_deinit(&line);
}

TEST(valkey_conf_mentions_every_option_with_its_default) {
    struct fixture f;
    struct buf text = read_conf();
    struct bytes rest = buf_bytes(&text);
    size_t defaults = 0;
    while (rest.size > 0) {
        size_t end = bytes_find_byte(rest, '\n');
        struct bytes line = bytes_make(rest.data, end);
        rest = bytes_from(rest, end + 1);
        bool commented;
        set_up(&f);
        const struct config_option *option = option_of(&f, line, &commented);
        if (option && commented && !(option->flags & CONFIG_FILE_ONLY)) {
            enum err err = config_load_text(f.config, bytes_from(line, 1), "line", &f.fault);
            if (err != ERR_NONE || !config_is_default(f.config, option->name))
                fprintf(stderr, "not the default: %.*s\n", (int)line.size, line.data);
            expect_eq(err, ERR_NONE);
            expect_true(config_is_default(f.config, option->name));
            defaults++;
        }
        tear_down(&f);
    }
    expect_true(defaults > 200);

    set_up(&f);
    struct mention mention = {.text = buf_bytes(&text)};
    config_visit(f.config, look_for, &mention);
    expect_eq(mention.missing, 0);
    tear_down(&f);
    buf_deinit(&text);
}

/* So that nobody is told that an option has no effect which has one, or the other way round. */
TEST(valkey_conf_lists_apart_what_has_no_effect_yet) {
    static const char heading[] = "\n## Accepted and kept ##";
    struct fixture f;
    struct buf text = read_conf();
    set_up(&f);
    const char *kept = memmem(text.data, text.size, heading, sizeof(heading) - 1);
    expect_not_null(kept);
    struct bytes rest = buf_bytes(&text);
    size_t counts[2] = {0};
    while (rest.size > 0) {
        struct bytes line = bytes_make(rest.data, bytes_find_byte(rest, '\n'));
        rest = bytes_from(rest, line.size + 1);
        bool commented;
        const struct config_option *option = option_of(&f, line, &commented);
        if (!option || option->kind == CONFIG_IGNORED) continue;
        bool is_kept = line.data > kept, later = option->flags & CONFIG_LATER;
        if (is_kept != later) fprintf(stderr, "at the wrong place: %s\n", option->name);
        expect_eq(is_kept, later);
        counts[later]++;
    }
    expect_true(counts[0] > 80 && counts[1] > 80);
    tear_down(&f);
    buf_deinit(&text);
}

TEST(valkey_conf_loads_and_serves_this_machine_only) {
    struct fixture f;
    set_up(&f);
    expect_eq(config_load_file(f.config, "valkey.conf", &f.fault), ERR_NONE);
    expect_str_eq(get(&f, "bind"), "127.0.0.1 -::1");
    expect_eq(f.server.net.port, 6379);
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
