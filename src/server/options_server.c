/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config.h"
#include "server/server_config.h"

/* --- words --- */

static const struct config_enum io_engines[] = {
    {"auto", REACTOR_AUTO}, {"epoll", REACTOR_EPOLL}, {"io_uring", REACTOR_URING}, {0}};
static const struct config_enum io_thread_words[] = {{"auto", 0}, {0}};
static const struct config_enum policies[] = {{"volatile-lru", EVICT_VOLATILE_LRU},
                                              {"volatile-lfu", EVICT_VOLATILE_LFU},
                                              {"volatile-random", EVICT_VOLATILE_RANDOM},
                                              {"volatile-ttl", EVICT_VOLATILE_TTL},
                                              {"allkeys-lru", EVICT_ALLKEYS_LRU},
                                              {"allkeys-lfu", EVICT_ALLKEYS_LFU},
                                              {"allkeys-random", EVICT_ALLKEYS_RANDOM},
                                              {"noeviction", EVICT_NONE},
                                              {0}};
static const struct config_enum who[] = {
    {"no", OPTION_NO}, {"yes", OPTION_YES}, {"local", OPTION_LOCAL}, {0}};
static const struct config_enum log_levels[] = {{"debug", LOG_DEBUG},     {"verbose", LOG_VERBOSE},
                                                {"notice", LOG_NOTICE},   {"warning", LOG_WARNING},
                                                {"nothing", LOG_NOTHING}, {0}};
static const struct config_enum log_formats[] = {
    {"legacy", LOG_FORMAT_LEGACY}, {"logfmt", LOG_FORMAT_LOGFMT}, {"json", LOG_FORMAT_JSON}, {0}};
static const struct config_enum log_times[] = {{"legacy", LOG_TIME_LEGACY},
                                               {"iso8601", LOG_TIME_ISO8601},
                                               {"milliseconds", LOG_TIME_MILLISECONDS},
                                               {0}};
static const struct config_enum supervisors[] = {{"upstart", SUPERVISED_UPSTART},
                                                 {"systemd", SUPERVISED_SYSTEMD},
                                                 {"auto", SUPERVISED_AUTO},
                                                 {"no", SUPERVISED_NO},
                                                 {0}};
static const struct config_enum oom_modes[] = {{"no", OOM_NO},
                                               {"yes", OOM_RELATIVE},
                                               {"relative", OOM_RELATIVE},
                                               {"absolute", OOM_ABSOLUTE},
                                               {0}};
static const struct config_enum shutdown_words[] = {{"default", 0},
                                                    {"save", SHUTDOWN_SAVE},
                                                    {"nosave", SHUTDOWN_NOSAVE},
                                                    {"now", SHUTDOWN_NOW},
                                                    {"force", SHUTDOWN_FORCE},
                                                    {"safe", SHUTDOWN_SAFE},
                                                    {"failover", SHUTDOWN_FAILOVER},
                                                    {0}};

/* --- what a value must fulfil beyond its kind --- */

static enum err hz_round(void *ctx, void *value, struct diag *diag) {
    (void)ctx;
    (void)diag;
    int32_t *hz = value;
    if (*hz < 1) *hz = 1;
    if (*hz > 500) *hz = 500;
    return ERR_NONE;
}

static enum err shutdown_check(void *ctx, void *value, struct diag *diag) {
    (void)ctx;
    unsigned bits = *(const unsigned *)value;
    if ((bits & SHUTDOWN_SAVE) && (bits & SHUTDOWN_NOSAVE))
        return diag_set(diag, ERR_SYNTAX,
                        "shutdown options SAVE and NOSAVE can't be used simultaneously");
    return ERR_NONE;
}

static const char *title_variable(struct bytes name, void *ctx) {
    static const char *const known[] = {"title",    "listen-addr", "server-mode", "port",
                                        "tls-port", "unixsocket",  "config-file"};
    (void)ctx;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (bytes_equal(name, bytes_of(known[i]))) return known[i];
    }
    return NULL;
}

bool proc_title_expand(struct bytes template, const char *(*find)(struct bytes name, void *ctx),
                       void *ctx, struct buf *out) {
    while (template.size > 0) {
        size_t open = bytes_find_byte(template, '{');
        struct bytes plain = bytes_make(template.data, open);
        if (bytes_find_byte(plain, '}') < plain.size) return false;
        buf_add(out, plain);
        template = bytes_from(template, open);
        if (template.size == 0) break;

        size_t close = bytes_find_byte(template, '}');
        if (close == template.size) return false;
        const char *text = find(bytes_make(template.data + 1, close - 1), ctx);
        if (!text) return false;
        buf_add_text(out, text);
        template = bytes_from(template, close + 1);
    }
    return true;
}

static enum err proc_title_check(void *ctx, void *value, struct diag *diag) {
    (void)ctx;
    struct buf text = {0};
    bool ok = proc_title_expand(bytes_of(*(char *const *)value), title_variable, NULL, &text);
    ok = ok && text.size > 0;
    buf_deinit(&text);
    if (ok) return ERR_NONE;
    return diag_set(diag, ERR_SYNTAX, "template format is invalid or contains unknown variables");
}

/* --- applying: each calls the hook of its name --- */

typedef enum err (*hook_fn)(void *ctx, struct diag *diag);

static enum err call_hook(const struct server_config *config, hook_fn hook, struct diag *diag) {
    return hook ? hook(config->hooks.ctx, diag) : ERR_NONE;
}

#define APPLY(name)                                         \
    static enum err name(void *ctx, struct diag *diag) {    \
        struct server_config *config = ctx;                 \
        return call_hook(config, config->hooks.name, diag); \
    }
APPLY(listen_changed)
APPLY(maxclients_changed)
APPLY(exec_changed)
APPLY(memory_changed)
APPLY(io_threads_changed)
APPLY(accepts_changed)
APPLY(log_changed)
APPLY(hz_changed)
APPLY(commandlog_changed)
APPLY(latency_changed)
APPLY(crash_changed)
APPLY(dir_changed)
APPLY(proc_title_changed)
APPLY(oom_score_changed)
APPLY(locale_changed)
APPLY(watchdog_changed)
APPLY(allocator_changed)
#undef APPLY

/* --- rows --- */

const struct config_option server_options[] = {
    /* --- Network --- */
    {
        .name = "bind",
        .kind = CONFIG_CUSTOM,
        .initial = "* -::*",
        .flags = CONFIG_LIVE | CONFIG_MULTI_ARG,
        .field = CONFIG_FIELD(struct server_config, net.bind),
        .custom = &option_bind,
        .apply = listen_changed,
        .help = "Addresses to listen on for TCP, up to 16. * and ::* mean all of IPv4 "
                "and IPv6; with a '-' in front an address may be missing. Empty: no TCP"
                " at all.",
    },
    {
        .name = "port",
        .kind = CONFIG_INT,
        .initial = "6379",
        .min = 0,
        .max = 65535,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, net.port),
        .apply = listen_changed,
        .help = "TCP port for clients. 0 listens on none.",
    },
    {
        .name = "protected-mode",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.protected_mode),
        .apply = exec_changed,
        .help = "While the default user has no password, only clients on this machine are "
                "served.",
    },
    {
        .name = "unixsocket",
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_EMPTY_IS_NULL,
        .field = CONFIG_FIELD(struct server_config, net.unixsocket),
        .help = "Path of a Unix socket to listen on as well. Empty: none.",
    },
    {
        .name = "unixsocketperm",
        .kind = CONFIG_OCTAL,
        .initial = "0",
        .min = 0,
        .max = 511,
        .field = CONFIG_FIELD(struct server_config, net.unixsocketperm),
        .help = "File mode of that socket, in octal, set before anyone can connect. 0 "
                "leaves it to the umask.",
    },
    {
        .name = "unixsocketgroup",
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_EMPTY_IS_NULL,
        .field = CONFIG_FIELD(struct server_config, net.unixsocketgroup),
        .help = "Group that owns the socket file. Empty: that of the process.",
    },
    {
        .name = "tcp-backlog",
        .kind = CONFIG_INT,
        .initial = "511",
        .field = CONFIG_FIELD(struct server_config, net.tcp_backlog),
        .help = "Connections the kernel may hold ready until they are accepted. The "
                "kernel's somaxconn limits it too.",
    },
    {
        .name = "tcp-keepalive",
        .kind = CONFIG_INT,
        .initial = "300",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.tcp_keepalive_s),
        .apply = exec_changed,
        .help = "Seconds of silence after which the kernel checks that a peer is still "
                "there. 0 turns this off.",
    },
    {
        .name = "tcp-nodelay",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.tcp_nodelay),
        .help = "Sends replies at once instead of gathering small packets. Holds for "
                "connections accepted from then on.",
    },
    {
        .name = "timeout",
        .kind = CONFIG_INT,
        .initial = "0",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.timeout_s),
        .apply = exec_changed,
        .help = "Closes a client that has been idle for this many seconds. 0 never "
                "does.",
    },
    {
        .name = "maxclients",
        .kind = CONFIG_INT,
        .initial = "10000",
        .min = 1,
        .max = UINT32_MAX,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.maxclients),
        .apply = maxclients_changed,
        .help = "Clients that may be connected at once; those beyond get an error. The "
                "limit of open files is raised to fit.",
    },
    {
        .name = "max-new-connections-per-cycle",
        .kind = CONFIG_INT,
        .initial = "10",
        .min = 1,
        .max = 1000,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, net.accepts_per_cycle),
        .apply = accepts_changed,
        .help = "New connections taken in one turn of the event loop, so that a flood "
                "of them does not starve the rest.",
    },
    {
        .name = "socket-mark-id",
        .kind = CONFIG_INT,
        .initial = "0",
        .field = CONFIG_FIELD(struct server_config, net.socket_mark_id),
        .help = "Mark set on listening and outgoing sockets, for packet filters and "
                "routing. 0: none.",
    },
    {
        .name = "mptcp",
        .kind = CONFIG_BOOL,
        .initial = "no",
        .field = CONFIG_FIELD(struct server_config, net.mptcp),
        .help = "Accepts Multipath TCP on the listening sockets where the kernel has "
                "it.",
    },
    {
        .name = "io-engine",
        .kind = CONFIG_ENUM,
        .initial = "auto",
        .field = CONFIG_FIELD(struct server_config, net.engine),
        .values = io_engines,
        .help = "How sockets are watched: epoll, io_uring, or auto, which is epoll so far.",
    },
    /* --- Threads --- */
    {
        .name = "io-threads",
        .kind = CONFIG_INT,
        .initial = "1",
        .min = 1,
        .max = 256,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, threads.io_threads),
        .values = io_thread_words,
        .apply = io_threads_changed,
        .help = "Threads that read, parse and write for clients, the main thread "
                "included. 1 does all in the main thread; auto picks a number for this "
                "machine.",
    },
    {
        .name = "io-threads-always-active",
        .kind = CONFIG_BOOL,
        .initial = "no",
        .flags = CONFIG_LIVE | CONFIG_HIDDEN,
        .field = CONFIG_FIELD(struct server_config, threads.always_active),
        .apply = io_threads_changed,
        .help = "Keeps all I/O threads awake whatever the load. For tests.",
    },
    {
        .name = "prefetch-batch-max-size",
        .kind = CONFIG_INT,
        .initial = "16",
        .min = 0,
        .max = 128,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.prefetch_max),
        .apply = exec_changed,
        .help = "Requests whose keys are fetched into the CPU's cache together before "
                "they run. 0 or 1 turns this off.",
    },
    {
        .name = "server-cpulist",
        .aliases = {"server_cpulist"},
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_EMPTY_IS_NULL,
        .field = CONFIG_FIELD(struct server_config, threads.server_cpulist),
        .help = "CPUs for the main and I/O threads, as in 0-3,8 or 0-7:2. Empty: any.",
    },
    {
        .name = "bio-cpulist",
        .aliases = {"bio_cpulist"},
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_EMPTY_IS_NULL,
        .field = CONFIG_FIELD(struct server_config, threads.bio_cpulist),
        .help = "CPUs for background work.",
    },
    /* --- Memory --- */
    {
        .name = "maxmemory",
        .kind = CONFIG_BYTES,
        .initial = "0",
        .flags = CONFIG_LIVE | CONFIG_U64,
        .field = CONFIG_FIELD(struct server_config, keyspace.maxmemory_bytes),
        .apply = memory_changed,
        .help = "Memory the data set may use before keys are evicted or writes refused."
                " 0 sets no limit.",
    },
    {
        .name = "maxmemory-policy",
        .kind = CONFIG_ENUM,
        .initial = "noeviction",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.policy),
        .values = policies,
        .apply = memory_changed,
        .help = "Which keys go when memory is full: the least recently or least "
                "frequently used, random ones, those that expire soonest, or none.",
    },
    {
        .name = "maxmemory-samples",
        .kind = CONFIG_INT,
        .initial = "5",
        .min = 1,
        .max = 64,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.samples),
        .apply = memory_changed,
        .help = "Keys looked at to find one to evict. More is closer to the true order "
                "and slower.",
    },
    {
        .name = "maxmemory-eviction-tenacity",
        .kind = CONFIG_INT,
        .initial = "10",
        .min = 0,
        .max = 100,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.tenacity),
        .apply = memory_changed,
        .help = "How much time eviction may take from serving clients: 0 the least, 100"
                " as much as it needs.",
    },
    {
        .name = "maxmemory-clients",
        .kind = CONFIG_BYTES,
        .initial = "0",
        .min = -100,
        .max = INT64_MAX,
        .flags = CONFIG_LIVE | CONFIG_PERCENT,
        .field = CONFIG_FIELD(struct server_config, exec.maxmemory_clients),
        .apply = exec_changed,
        .help = "Memory all client buffers may use together, in bytes or percent of "
                "maxmemory. Past it the largest clients are disconnected. 0: no limit.",
    },
    {
        .name = "lfu-log-factor",
        .kind = CONFIG_INT,
        .initial = "10",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.lfu_log_factor),
        .apply = memory_changed,
        .help = "How slowly the counter of the LFU policies saturates: with 10, at "
                "about a million hits.",
    },
    {
        .name = "lfu-decay-time",
        .kind = CONFIG_INT,
        .initial = "1",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.lfu_decay_minutes),
        .apply = memory_changed,
        .help = "Minutes after which that counter loses one. 0 never.",
    },
    {
        .name = "lazyfree-lazy-eviction",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.lazy_evict),
        .help = "Frees evicted values in the background.",
    },
    {
        .name = "lazyfree-lazy-expire",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.lazy_expire),
        .help = "Frees expired values in the background.",
    },
    {
        .name = "lazyfree-lazy-server-del",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.lazy_server_del),
        .help = "Frees values that a command overwrites in the background.",
    },
    {
        .name = "lazyfree-lazy-user-del",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.lazy_user_del),
        .help = "Makes DEL free in the background, like UNLINK.",
    },
    {
        .name = "lazyfree-lazy-user-flush",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keyspace.lazy_user_flush),
        .help = "Makes FLUSHALL and FLUSHDB free in the background unless they say "
                "SYNC.",
    },
    {
        .name = "jemalloc-bg-thread",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, daemon.jemalloc_bg_thread),
        .apply = allocator_changed,
        .help = "Lets the allocator give unused memory back from a thread of its own.",
    },
    {
        .name = "disable-thp",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .field = CONFIG_FIELD(struct server_config, daemon.disable_thp),
        .help = "Turns transparent huge pages off for this process: they cost latency "
                "and memory when a snapshot is written.",
    },
    /* --- Keys --- */
    {
        .name = "databases",
        .kind = CONFIG_INT,
        .initial = "16",
        .min = 1,
        .max = INT32_MAX,
        .field = CONFIG_FIELD(struct server_config, keyspace.databases),
        .help = "Number of databases; clients choose with SELECT 0 up to this number "
                "less one.",
    },
    {
        .name = "active-expire-effort",
        .kind = CONFIG_INT,
        .initial = "1",
        .min = 1,
        .max = 10,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keys.expire_effort),
        .help = "How eagerly expired keys are removed in the background: 1 the least "
                "work, 10 the most.",
    },
    {
        .name = "activerehashing",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, keys.rehashing),
        .help = "Lets the server finish the growth of its hash tables in idle moments.",
    },
    {
        .name = "hll-sparse-max-bytes",
        .kind = CONFIG_BYTES,
        .initial = "3000",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.hll_sparse_bytes),
        .help = "Size up to which a HyperLogLog stays in its sparse form.",
    },
    {
        .name = "set-max-intset-entries",
        .kind = CONFIG_INT,
        .initial = "512",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.set_limits.intset_entries),
        .help = "Members up to which a set of integers stays packed.",
    },
    {
        .name = "set-max-listpack-entries",
        .kind = CONFIG_INT,
        .initial = "128",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.set_limits.listpack_entries),
        .help = "Members up to which another set stays packed.",
    },
    {
        .name = "set-max-listpack-value",
        .kind = CONFIG_INT,
        .initial = "64",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.set_limits.listpack_value),
        .help = "Longest member in a packed set.",
    },
    {
        .name = "list-max-listpack-size",
        .aliases = {"list-max-ziplist-size"},
        .kind = CONFIG_INT,
        .initial = "-2",
        .min = INT32_MIN,
        .max = INT32_MAX,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.list_max_listpack_size),
        .help = "Size of a list's blocks: a number of elements, or -1 to -5 for 4, 8, "
                "16, 32 and 64 KiB.",
    },
    {
        .name = "list-compress-depth",
        .kind = CONFIG_INT,
        .initial = "0",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.list_compress_depth),
        .help = "Blocks at each end of a list that are not compressed; those between are, where "
                "that makes them smaller. 0: none is compressed.",
    },
    {
        .name = "zset-max-listpack-entries",
        .aliases = {"zset-max-ziplist-entries"},
        .kind = CONFIG_INT,
        .initial = "128",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.zset_limits.entries),
        .help = "Members up to which a sorted set stays packed.",
    },
    {
        .name = "zset-max-listpack-value",
        .aliases = {"zset-max-ziplist-value"},
        .kind = CONFIG_BYTES,
        .initial = "64",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.zset_limits.value_bytes),
        .help = "Longest member in a packed sorted set.",
    },
    {
        .name = "hash-max-listpack-entries",
        .aliases = {"hash-max-ziplist-entries"},
        .kind = CONFIG_INT,
        .initial = "512",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.hash_limits.entries),
        .help = "Fields up to which a hash stays packed.",
    },
    {
        .name = "hash-max-listpack-value",
        .aliases = {"hash-max-ziplist-value"},
        .kind = CONFIG_BYTES,
        .initial = "64",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.hash_limits.value),
        .help = "Longest field or value in a packed hash.",
    },
    {
        .name = "hash-seed",
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_EMPTY_IS_NULL,
        .field = CONFIG_FIELD(struct server_config, keys.hash_seed),
        .help = "Makes the order of SCAN the same on every start, from any text. Empty:"
                " random, which resists flooding.",
    },
    {
        .name = "import-mode",
        .kind = CONFIG_BOOL,
        .initial = "no",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.import_mode),
        .apply = exec_changed,
        .help = "While data is imported from another server: keys do not expire or get "
                "evicted here.",
    },
    /* --- Limits of clients --- */
    {
        .name = "requirepass",
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_LIVE | CONFIG_SENSITIVE | CONFIG_EMPTY_IS_NULL,
        .field = CONFIG_FIELD(struct server_config, exec.requirepass),
        .apply = exec_changed,
        .help = "Password of the default user. Empty: none.",
    },
    {
        .name = "proto-max-bulk-len",
        .kind = CONFIG_BYTES,
        .initial = "536870912",
        .min = 1048576,
        .max = INT64_MAX,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.bulk_max),
        .apply = exec_changed,
        .help = "Largest single argument of a request, and largest string value.",
    },
    {
        .name = "client-query-buffer-limit",
        .kind = CONFIG_BYTES,
        .initial = "1073741824",
        .min = 1048576,
        .max = INT64_MAX,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.input_limit),
        .apply = exec_changed,
        .help = "Unprocessed input a client may pile up before it is disconnected.",
    },
    {
        .name = "client-output-buffer-limit",
        .kind = CONFIG_CUSTOM,
        .initial = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        .flags = CONFIG_LIVE | CONFIG_MULTI_ARG | CONFIG_ACCUMULATES,
        .field = CONFIG_FIELD(struct server_config, exec.output_limits),
        .custom = &option_output_limits,
        .apply = exec_changed,
        .help = "Unsent output a client may pile up, for each class: normal, replica, "
                "pubsub. The hard limit disconnects at once, the soft one after so many"
                " seconds above it. 0 is no limit.",
    },
    {
        .name = "extended-redis-compatibility",
        .kind = CONFIG_BOOL,
        .initial = "no",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.extended_redis_compatibility),
        .apply = exec_changed,
        .help = "Shows the name and version of Redis OSS 7.2 in places where old "
                "clients look for them.",
    },
    {
        .name = "availability-zone",
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.availability_zone),
        .apply = exec_changed,
        .help = "Name of the zone this server runs in, shown to clients that choose a "
                "near one.",
    },
    {
        .name = "enable-protected-configs",
        .kind = CONFIG_ENUM,
        .initial = "no",
        .field = CONFIG_FIELD(struct server_config, exec.enable_protected_configs),
        .values = who,
        .help = "Who may change protected options at run time: no one, all, or clients "
                "on this machine.",
    },
    {
        .name = "enable-debug-command",
        .kind = CONFIG_ENUM,
        .initial = "no",
        .field = CONFIG_FIELD(struct server_config, exec.enable_debug),
        .values = who,
        .help = "Who may use DEBUG: no one, all, or clients on this machine.",
    },
    /* --- Log --- */
    {
        .name = "loglevel",
        .kind = CONFIG_ENUM,
        .initial = "notice",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, log.level),
        .values = log_levels,
        .apply = log_changed,
        .help = "How much is logged: debug the most, warning the least, nothing none.",
    },
    {
        .name = "logfile",
        .kind = CONFIG_STRING,
        .initial = "",
        .field = CONFIG_FIELD(struct server_config, log.file),
        .help = "File for the log. Empty: standard output.",
    },
    {
        .name = "log-format",
        .kind = CONFIG_ENUM,
        .initial = "legacy",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, log.format),
        .values = log_formats,
        .apply = log_changed,
        .help = "Form of a log line.",
    },
    {
        .name = "log-timestamp-format",
        .kind = CONFIG_ENUM,
        .initial = "legacy",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, log.time),
        .values = log_times,
        .apply = log_changed,
        .help = "Form of the time in a log line.",
    },
    {
        .name = "syslog-enabled",
        .kind = CONFIG_BOOL,
        .initial = "no",
        .field = CONFIG_FIELD(struct server_config, log.syslog_enabled),
        .help = "Sends the log to the system's logger too.",
    },
    {
        .name = "syslog-ident",
        .kind = CONFIG_STRING,
        .initial = "valkey",
        .field = CONFIG_FIELD(struct server_config, log.syslog_ident),
        .help = "Name under which the system's logger shows it.",
    },
    {
        .name = "syslog-facility",
        .kind = CONFIG_ENUM,
        .initial = "local0",
        .field = CONFIG_FIELD(struct server_config, log.syslog_facility),
        .values = option_syslog_facilities,
        .help = "Facility of those messages.",
    },
    {
        .name = "hide-user-data-from-log",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.hide_user_data),
        .apply = exec_changed,
        .help = "Keeps keys, values and arguments out of the log and of crash reports.",
    },
    {
        .name = "crash-log-enabled",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, monitoring.crash_log),
        .apply = crash_changed,
        .help = "Writes a report with registers and stack trace to the log when the "
                "process crashes.",
    },
    {
        .name = "use-exit-on-panic",
        .kind = CONFIG_BOOL,
        .initial = "no",
        .flags = CONFIG_LIVE | CONFIG_HIDDEN,
        .field = CONFIG_FIELD(struct server_config, monitoring.exit_on_panic),
        .apply = crash_changed,
        .help = "Ends with exit instead of abort after a failed check. For tests.",
    },
    {
        .name = "watchdog-period",
        .kind = CONFIG_INT,
        .initial = "0",
        .flags = CONFIG_LIVE | CONFIG_HIDDEN,
        .field = CONFIG_FIELD(struct server_config, monitoring.watchdog_ms),
        .apply = watchdog_changed,
        .help = "Milliseconds after which a stack trace is logged if the server has not"
                " come back from a command. 0: off.",
    },
    /* --- Monitoring --- */
    {
        .name = "commandlog-execution-slower-than",
        .aliases = {"slowlog-log-slower-than"},
        .kind = CONFIG_INT,
        .initial = "10000",
        .min = -1,
        .max = INT64_MAX,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, monitoring.slow_us),
        .apply = commandlog_changed,
        .help = "Logs commands that take at least this many microseconds. 0 logs all, "
                "-1 none.",
    },
    {
        .name = "commandlog-slow-execution-max-len",
        .aliases = {"slowlog-max-len"},
        .kind = CONFIG_INT,
        .initial = "128",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, monitoring.slow_max_len),
        .apply = commandlog_changed,
        .help = "Slow commands that are remembered.",
    },
    {
        .name = "commandlog-request-larger-than",
        .kind = CONFIG_INT,
        .initial = "1048576",
        .min = -1,
        .max = INT64_MAX,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, monitoring.request_bytes),
        .apply = commandlog_changed,
        .help = "Logs requests of at least this many bytes. 0 logs all, -1 none.",
    },
    {
        .name = "commandlog-large-request-max-len",
        .kind = CONFIG_INT,
        .initial = "128",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, monitoring.request_max_len),
        .apply = commandlog_changed,
        .help = "Large requests that are remembered.",
    },
    {
        .name = "commandlog-reply-larger-than",
        .kind = CONFIG_INT,
        .initial = "1048576",
        .min = -1,
        .max = INT64_MAX,
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, monitoring.reply_bytes),
        .apply = commandlog_changed,
        .help = "Logs commands whose reply has at least this many bytes. 0 logs all, -1"
                " none.",
    },
    {
        .name = "commandlog-large-reply-max-len",
        .kind = CONFIG_INT,
        .initial = "128",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, monitoring.reply_max_len),
        .apply = commandlog_changed,
        .help = "Large replies that are remembered.",
    },
    {
        .name = "latency-monitor-threshold",
        .kind = CONFIG_INT,
        .initial = "0",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.latency_threshold_ms),
        .apply = latency_changed,
        .help = "Events that take at least this many milliseconds are kept for LATENCY."
                " 0: off.",
    },
    {
        .name = "latency-tracking",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.latency_tracking),
        .apply = latency_changed,
        .help = "Counts the time of each command in a histogram.",
    },
    {
        .name = "latency-tracking-info-percentiles",
        .kind = CONFIG_CUSTOM,
        .initial = "50 99 99.9",
        .flags = CONFIG_LIVE | CONFIG_MULTI_ARG,
        .field = CONFIG_FIELD(struct server_config, monitoring.percentiles),
        .custom = &option_percentiles,
        .help = "Percentiles of command times that INFO latencystats shows.",
    },
    {
        .name = "hz",
        .kind = CONFIG_INT,
        .initial = "10",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, exec.hz),
        .validate = hz_round,
        .apply = hz_changed,
        .help = "How often a second background work runs, 1 to 500. More clients raise "
                "it by themselves.",
    },
    /* --- Process --- */
    {
        .name = "daemonize",
        .kind = CONFIG_BOOL,
        .initial = "no",
        .field = CONFIG_FIELD(struct server_config, daemon.daemonize),
        .help = "Goes to the background after the start.",
    },
    {
        .name = "supervised",
        .kind = CONFIG_ENUM,
        .initial = "no",
        .field = CONFIG_FIELD(struct server_config, daemon.supervised),
        .values = supervisors,
        .help = "Tells a supervisor when the server is ready: systemd, upstart, or auto"
                " to see which one started it.",
    },
    {
        .name = "pidfile",
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_EMPTY_IS_NULL,
        .field = CONFIG_FIELD(struct server_config, daemon.pidfile),
        .help = "File for the process id. Empty: none, except for a daemon, which uses "
                "/var/run/valkey.pid.",
    },
    {
        .name = "dir",
        .kind = CONFIG_CUSTOM,
        .flags = CONFIG_LIVE | CONFIG_PROTECTED | CONFIG_DENY_LOADING,
        .field = CONFIG_FIELD(struct server_config, daemon.dir),
        .custom = &option_dir,
        .apply = dir_changed,
        .help = "Working directory: data files are written there.",
    },
    {
        .name = "always-show-logo",
        .kind = CONFIG_BOOL,
        .initial = "no",
        .field = CONFIG_FIELD(struct server_config, daemon.always_show_logo),
        .help = "Shows the banner at the start even if the log is no terminal.",
    },
    {
        .name = "set-proc-title",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .field = CONFIG_FIELD(struct server_config, daemon.set_proc_title),
        .help = "Shows address and mode in the process list.",
    },
    {
        .name = "proc-title-template",
        .kind = CONFIG_STRING,
        .initial = "{title} {listen-addr} {server-mode}",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, daemon.proc_title_template),
        .validate = proc_title_check,
        .apply = proc_title_changed,
        .help = "What is shown there. Variables: {title} {listen-addr} {server-mode} "
                "{port} {tls-port} {unixsocket} {config-file}.",
    },
    {
        .name = "oom-score-adj",
        .kind = CONFIG_ENUM,
        .initial = "no",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, daemon.oom_mode),
        .values = oom_modes,
        .apply = oom_score_changed,
        .help = "Sets how readily the kernel kills this process when memory runs out: "
                "relative to what it was, or absolute.",
    },
    {
        .name = "oom-score-adj-values",
        .kind = CONFIG_CUSTOM,
        .initial = "0 200 800",
        .flags = CONFIG_LIVE | CONFIG_MULTI_ARG,
        .field = CONFIG_FIELD(struct server_config, daemon.oom_values),
        .custom = &option_oom_values,
        .apply = oom_score_changed,
        .help = "The values for a primary, a replica and a child process, each -2000 to"
                " 2000.",
    },
    {
        .name = "shutdown-on-sigint",
        .kind = CONFIG_ENUM,
        .initial = "default",
        .flags = CONFIG_LIVE | CONFIG_MULTI_ARG,
        .field = CONFIG_FIELD(struct server_config, daemon.on_sigint),
        .values = shutdown_words,
        .validate = shutdown_check,
        .help = "What SIGINT does: default, or words of SHUTDOWN: save or nosave, now, "
                "force, safe, failover.",
    },
    {
        .name = "shutdown-on-sigterm",
        .kind = CONFIG_ENUM,
        .initial = "default",
        .flags = CONFIG_LIVE | CONFIG_MULTI_ARG,
        .field = CONFIG_FIELD(struct server_config, daemon.on_sigterm),
        .values = shutdown_words,
        .validate = shutdown_check,
        .help = "The same for SIGTERM.",
    },
    {
        .name = "locale-collate",
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct server_config, daemon.locale_collate),
        .apply = locale_changed,
        .help = "Locale that decides the order of strings. Empty: from the environment.",
    },
    {
        .name = "rename-command",
        .kind = CONFIG_CUSTOM,
        .flags = CONFIG_FILE_ONLY | CONFIG_ACCUMULATES,
        .field = CONFIG_FIELD(struct server_config, daemon.renamed),
        .custom = &option_rename,
        .help = "Gives a command another name; an empty one removes it.",
    },
    {0},
};
