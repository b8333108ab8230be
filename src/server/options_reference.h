/* SPDX-License-Identifier: BSD-3-Clause */
/* options_reference -- options of features that do not exist here yet. Existing config files name
 * them, and clients ask for them: they are checked, kept, answered by CONFIG GET and written back,
 * and nothing reads them. Whoever builds a feature moves its rows and fields beside its code.
 *
 * An option moves out of here in one piece: its row, its field and its default. */
#pragma once

#include "base/attr.h"
#include "server/option_kinds.h"

struct reference_config {
    /* Snapshots */
    bool rdb_del_sync_files;
    /* Append-only file */
    bool appendonly;
    char *appendfilename;
    char *appenddirname;
    int appendfsync;
    bool no_appendfsync_on_rewrite;
    int32_t auto_aof_rewrite_percentage;
    int64_t auto_aof_rewrite_min_size;
    bool aof_load_truncated;
    bool aof_use_rdb_preamble;
    bool aof_timestamp_enabled;
    bool aof_rewrite_incremental_fsync;
    bool aof_disable_auto_gc;
    /* Replication */
    struct host_port replicaof;
    char *primaryuser;
    char *primaryauth;
    bool replica_serve_stale_data;
    bool replica_read_only;
    bool replica_ignore_maxmemory;
    bool replica_lazy_flush;
    int32_t replica_priority;
    bool replica_announced;
    char *replica_announce_ip;
    int32_t replica_announce_port;
    bool replica_ignore_disk_write_errors;
    bool repl_diskless_sync;
    int32_t repl_diskless_sync_delay;
    int32_t repl_diskless_sync_max_replicas;
    int repl_diskless_load;
    int32_t repl_ping_replica_period;
    int32_t repl_timeout;
    bool repl_disable_tcp_nodelay;
    bool repl_mptcp;
    int64_t repl_backlog_size;
    int64_t repl_backlog_ttl;
    bool dual_channel_replication_enabled;
    int32_t min_replicas_to_write;
    int32_t min_replicas_max_lag;
    int propagation_error_behavior;
    char *bind_source_addr;
    /* Cluster */
    bool cluster_enabled;
    char *cluster_config_file;
    int cluster_config_save_behavior;
    int32_t cluster_databases;
    int32_t cluster_port;
    int64_t cluster_node_timeout;
    int64_t cluster_ping_interval;
    int32_t cluster_message_gossip_perc;
    int32_t cluster_replica_validity_factor;
    bool cluster_replica_no_failover;
    int32_t cluster_migration_barrier;
    bool cluster_allow_replica_migration;
    bool cluster_require_full_coverage;
    bool cluster_allow_reads_when_down;
    bool cluster_allow_pubsubshard_when_down;
    uint64_t cluster_link_sendbuf_limit;
    char *cluster_announce_ip;
    int32_t cluster_announce_port;
    int32_t cluster_announce_tls_port;
    int32_t cluster_announce_bus_port;
    char *cluster_announce_client_ipv4;
    char *cluster_announce_client_ipv6;
    int32_t cluster_announce_client_port;
    int32_t cluster_announce_client_tls_port;
    char *cluster_announce_hostname;
    char *cluster_announce_human_nodename;
    int cluster_preferred_endpoint_type;
    bool cluster_slot_stats_enabled;
    uint64_t cluster_blacklist_ttl;
    int64_t cluster_manual_failover_timeout;
    int64_t cluster_slot_migration_log_max_len;
    int64_t slot_migration_max_failover_repl_bytes;
    /* TLS */
    int32_t tls_port;
    char *tls_cert_file;
    char *tls_key_file;
    char *tls_key_file_pass;
    char *tls_client_cert_file;
    char *tls_client_key_file;
    char *tls_client_key_file_pass;
    char *tls_dh_params_file;
    char *tls_ca_cert_file;
    char *tls_ca_cert_dir;
    int tls_auth_clients;
    int tls_auth_clients_user;
    bool tls_replication;
    bool tls_cluster;
    char *tls_protocols;
    char *tls_ciphers;
    char *tls_ciphersuites;
    bool tls_prefer_server_ciphers;
    bool tls_session_caching;
    int32_t tls_session_cache_size;
    int32_t tls_session_cache_timeout;
    int32_t tls_auto_reload_interval;
    uint32_t max_new_tls_connections_per_cycle;
    /* Streams */
    int64_t stream_node_max_bytes;
    int64_t stream_node_max_entries;
    /* Access control */
    char *aclfile;
    int64_t acllog_max_len;
    int acl_pubsub_default;
    int enable_module_command;
    /* Scripts */
    int64_t busy_reply_threshold;
    bool lua_enable_insecure_api;
    /* Defragmentation */
    bool activedefrag;
    int64_t active_defrag_ignore_bytes;
    int32_t active_defrag_threshold_lower;
    int32_t active_defrag_threshold_upper;
    int32_t active_defrag_cycle_min;
    int32_t active_defrag_cycle_max;
    int32_t active_defrag_cycle_us;
    int64_t active_defrag_max_scan_fields;
    /* RDMA */
    struct text_list rdma_bind;
    int32_t rdma_port;
    int32_t rdma_rx_size;
    int32_t rdma_completion_vector;
    /* Other processes, replies without copies */
    char *aof_rewrite_cpulist;
    int32_t shutdown_timeout_s;
    char *ignore_warnings;
    bool crash_memcheck;
    int32_t copy_avoid_threads, copy_avoid_bytes, copy_avoid_bytes_threaded;
    /* For tests */
    bool enable_debug_assert;
    char *debug_context;
    char *req_res_logfile;
    uint32_t client_default_resp;
    /* Directives that may be repeated; only files have them */
    struct word_lists users;   /* user */
    struct word_lists modules; /* loadmodule */
};

/* The rows over struct reference_config. */
extern const struct config_option reference_options[];
