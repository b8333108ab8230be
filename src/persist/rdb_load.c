/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/rdb_load.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "persist/rdb_format.h"
#include "persist/rdb_value.h"

#include <unistd.h>

enum {
    CLOCK_EVERY = 32, /* keys between two looks at the clock */
    DELAY_US_MAX = 1000000,
    SHOWN_MAX = 128, /* bytes of a key or text that the log shows */
};

struct rdb_load {
    struct keyspace *ks;
    struct db *db;
    struct rdb_in in;
    struct rdb_load_options options;
    struct rdb_load_stats stats;
    uint32_t version; /* 0: the magic has not been read yet */
    int64_t now_ms;
    struct buf key;
    /* of the next key */
    int64_t at_ms;   /* < 0: it does not expire */
    int64_t idle_s;  /* < 0: not said */
    int32_t counter; /* of LFU; < 0: not said */
    bool done;
};

struct rdb_load *rdb_load_create(struct keyspace *ks, const struct rdb_source *source,
                                 const struct rdb_load_options *options) {
    struct rdb_load *load = mem_zalloc(sizeof(*load));
    load->ks = ks;
    load->db = keyspace_db(ks, 0);
    load->options = *options;
    load->now_ms = clock_wall_ms();
    load->at_ms = load->idle_s = load->counter = -1;
    rdb_in_init(&load->in, source);
    load->in.checksum = options->checksum;
    return load;
}

void rdb_load_destroy(struct rdb_load **load) {
    if (!*load) return;
    keyspace_stats((*load)->ks)->payload_checks += (*load)->in.packed;
    rdb_in_deinit(&(*load)->in);
    buf_deinit(&(*load)->key);
    mem_free(*load);
    *load = NULL;
}

const struct rdb_load_stats *rdb_load_stats(const struct rdb_load *load) { return &load->stats; }

enum err rdb_load_error(const struct rdb_load *load, struct diag *diag) {
    return diag_set(diag, load->in.err, "%s (at byte %llu)", load->in.diag.text,
                    (unsigned long long)rdb_in_position(&load->in));
}

/* ---- header ---- */

static bool all_digits(struct bytes text, uint32_t *out) {
    uint32_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!char_is_digit(text.data[i])) return false;
        value = value * 10 + (uint32_t)(text.data[i] - '0');
    }
    *out = value;
    return true;
}

/* "REDIS" with versions up to 79, "VALKEY" from 80 on. */
static bool magic_version(struct bytes magic, uint32_t *out) {
    if (bytes_starts_with(magic, BYTES("REDIS"))) {
        return all_digits(bytes_from(magic, 5), out) && *out >= 1 && *out <= RDB_FOREIGN_LAST;
    }
    if (!bytes_starts_with(magic, BYTES("VALKEY"))) return false;
    return all_digits(bytes_from(magic, 6), out) && *out > RDB_FOREIGN_LAST;
}

static bool load_magic(struct rdb_load *load) {
    struct bytes magic;
    uint32_t version = 0;
    if (!rdb_get_bytes(&load->in, RDB_MAGIC_SIZE, &magic)) return false;
    if (!magic_version(magic, &version)) {
        return rdb_in_fail(&load->in, ERR_UNSUPPORTED,
                           "Wrong signature trying to load DB from file");
    }
    if (!rdb_version_is_read(version, load->options.is_relaxed)) {
        return rdb_in_fail(&load->in, ERR_UNSUPPORTED, "Can't handle RDB format version %u",
                           version);
    }
    load->version = version;
    return true;
}

/* ---- sections ---- */

static int shown_size(struct bytes text) { return (int)size_min(text.size, SHOWN_MAX); }

static void note_aux(struct rdb_load *load, struct bytes name, struct bytes value) {
    int64_t number = 0;
    bool is_number = num_parse_i64(value, &number);
    if (bytes_equal(name, BYTES("valkey-ver"))) {
        log_notice("Loading RDB produced by Valkey version %.*s", shown_size(value), value.data);
    } else if (bytes_equal(name, BYTES("redis-ver"))) {
        log_notice("Loading RDB produced by Redis version %.*s", shown_size(value), value.data);
    } else if (bytes_equal(name, BYTES("ctime")) && is_number) {
        int64_t age_s = i64_max(load->now_ms / 1000 - number, 0);
        log_notice("RDB age %lld seconds", (long long)age_s);
    } else if (bytes_equal(name, BYTES("used-mem")) && is_number) {
        load->stats.producer_used = (uint64_t)i64_max(number, 0);
        log_notice("RDB memory usage when created %.2f Mb", (double)number / (1 << 20));
    } else if (name.size > 0 && name.data[0] == '%') {
        log_notice("RDB '%.*s': %.*s", shown_size(name), name.data, shown_size(value), value.data);
    }
}

static bool load_aux(struct rdb_load *load) {
    struct bytes text;
    if (!rdb_get_string(&load->in, &text)) return false;
    buf_clear(&load->key);
    buf_add(&load->key, text);
    if (!rdb_get_string(&load->in, &text)) return false;
    note_aux(load, buf_bytes(&load->key), text);
    return true;
}

static bool load_function(struct rdb_load *load) {
    const struct rdb_load_hooks *hooks = load->options.hooks;
    struct bytes code;
    struct diag diag = {0};
    if (!rdb_get_string(&load->in, &code)) return false;
    if (!hooks || !hooks->function) {
        return rdb_in_fail(&load->in, ERR_UNSUPPORTED,
                           "A library of functions, which this server cannot load");
    }
    enum err err = hooks->function(hooks->ctx, code, load->options.merges, &diag);
    return err == ERR_NONE ? true : rdb_in_fail(&load->in, err, "%s", diag.text);
}

static bool load_select(struct rdb_load *load) {
    uint64_t index;
    if (!rdb_get_length(&load->in, &index)) return false;
    int32_t count = keyspace_db_count(load->ks);
    if (index >= (uint64_t)count) {
        return rdb_in_fail(&load->in, ERR_RANGE,
                           "FATAL: Data file was created with a Valkey server configured to handle "
                           "more than %d databases. Exiting",
                           (int)count);
    }
    load->db = keyspace_db(load->ks, (int32_t)index);
    return true;
}

/* Figures that would help to make room, and are not needed. */
static bool skip_lengths(struct rdb_load *load, unsigned count) {
    uint64_t length;
    for (unsigned i = 0; i < count; i++) {
        if (!rdb_get_length(&load->in, &length)) return false;
    }
    return true;
}

static bool load_expiry(struct rdb_load *load, bool in_ms) {
    uint64_t ms;
    uint32_t seconds;
    if (in_ms) {
        if (!rdb_get_u64(&load->in, &ms)) return false;
        load->at_ms = (int64_t)ms;
    } else {
        if (!rdb_get_u32(&load->in, &seconds)) return false;
        load->at_ms = (int64_t)(int32_t)seconds * 1000;
    }
    if (load->at_ms < 0) load->at_ms = 0; /* long ago */
    return true;
}

static bool load_idle(struct rdb_load *load) {
    uint64_t seconds;
    if (!rdb_get_length(&load->in, &seconds)) return false;
    load->idle_s = (int64_t)(seconds < INT64_MAX ? seconds : INT64_MAX);
    return true;
}

static bool load_counter(struct rdb_load *load) {
    uint8_t counter;
    if (!rdb_get_byte(&load->in, &counter)) return false;
    load->counter = counter;
    return true;
}

static bool load_end(struct rdb_load *load) {
    struct rdb_in *in = &load->in;
    load->done = true;
    if (load->version < RDB_VERSION_CRC) return true;
    uint64_t counted = rdb_in_crc(in), said;
    if (!rdb_get_u64(in, &said)) return false;
    if (!load->options.checksum) return true;
    if (said == 0) {
        log_notice("RDB file was saved with checksum disabled: no check performed.");
        return true;
    }
    if (said == counted) return true;
    return rdb_in_bad(in, "Wrong RDB checksum: expected %llx, got %llx. CRC error",
                      (unsigned long long)said, (unsigned long long)counted);
}

/* ---- keys ---- */

static void apply_clock(struct rdb_load *load, struct entry *entry) {
    if (load->idle_s >= 0) keyspace_set_idle_seconds(load->ks, entry, (uint64_t)load->idle_s);
    if (load->counter >= 0) keyspace_set_lfu_counter(load->ks, entry, (uint8_t)load->counter);
}

static bool add_key(struct rdb_load *load, struct rdb_value *value) {
    struct bytes key = buf_bytes(&load->key);
    uint64_t hash = hash_bytes(key);
    if (keyspace_peek(load->db, key, hash)) {
        if (!load->options.merges) {
            return rdb_in_bad(&load->in, "RDB has duplicated key '%.*s' in DB %d", shown_size(key),
                              key.data, (int)db_index(load->db));
        }
        unsigned flags = LOOKUP_WRITE | LOOKUP_NO_TOUCH | LOOKUP_EXPIRED_TOO;
        keyspace_remove(load->db, keyspace_find(load->db, key, hash, flags), KEY_DELETED);
    }
    apply_clock(load, rdb_value_add(load->db, key, hash, value, load->at_ms));
    load->stats.keys++;
    return true;
}

static void forget_facts(struct rdb_load *load) { load->at_ms = load->idle_s = load->counter = -1; }

static bool take_value(struct rdb_load *load, struct rdb_value *value) {
    struct bytes key = buf_bytes(&load->key);
    bool is_expired = load->at_ms >= 0 && load->at_ms < load->now_ms;
    if (value->is_empty) {
        if (load->stats.empty++ < SHOWN_MAX) {
            log_notice("rdbLoadObject skipping empty key: %.*s", shown_size(key), key.data);
        }
        return true;
    }
    if (is_expired && !load->options.keeps_expired) {
        load->stats.expired++;
        return true;
    }
    return add_key(load, value);
}

static bool load_key(struct rdb_load *load, uint8_t type) {
    struct bytes key;
    struct rdb_value value;
    if (!rdb_get_name(&load->in, &key)) return false;
    buf_clear(&load->key);
    buf_add(&load->key, key);
    if (!rdb_load_value(&load->in, type, load->options.limits, &value)) return false;
    bool good = take_value(load, &value);
    rdb_value_deinit(&value);
    forget_facts(load);
    return good;
}

/* For tests: what a large data set would take. */
static void delay(const struct rdb_load *load) {
    int32_t us = load->options.key_delay_us;
    if (us > 0) (void)usleep((useconds_t)i64_min(us, DELAY_US_MAX));
    if (us < 0 && load->stats.keys % (uint64_t)(-(int64_t)us) == 0) (void)usleep(1);
}

/* Whatever comes next. */
static bool load_section(struct rdb_load *load) {
    uint8_t opcode;
    if (!rdb_get_byte(&load->in, &opcode)) return false;
    bool is_foreign = load->version <= RDB_FOREIGN_LAST && opcode >= RDB_HASH_2;
    if (is_foreign && opcode < RDB_SLOT_INFO) {
        return rdb_in_fail(&load->in, ERR_UNSUPPORTED, "Type %d of another family of servers",
                           opcode);
    }
    if (opcode < RDB_SLOT_IMPORT) return load_key(load, opcode);
    switch ((enum rdb_opcode)opcode) {
    case RDB_SLOT_IMPORT:
        return rdb_in_fail(&load->in, ERR_UNSUPPORTED, "A slot import, which is not supported yet");
    case RDB_SLOT_INFO: return skip_lengths(load, 3);
    case RDB_FUNCTION2: return load_function(load);
    case RDB_FUNCTION_PRE_GA:
        return rdb_in_fail(&load->in, ERR_UNSUPPORTED,
                           "Pre-release function format not supported.");
    case RDB_MODULE_AUX:
        return rdb_in_fail(&load->in, ERR_UNSUPPORTED,
                           "Data of a module, which this server cannot load");
    case RDB_IDLE: return load_idle(load);
    case RDB_FREQ: return load_counter(load);
    case RDB_AUX: return load_aux(load);
    case RDB_RESIZEDB: return skip_lengths(load, 2);
    case RDB_EXPIRETIME_MS: return load_expiry(load, true);
    case RDB_EXPIRETIME: return load_expiry(load, false);
    case RDB_SELECTDB: return load_select(load);
    case RDB_EOF: return load_end(load);
    }
    panic("rdb: opcode %d has no reader", opcode);
}

enum rdb_load_result rdb_load_step(struct rdb_load *load, uint64_t max_bytes, uint64_t max_us) {
    uint64_t from = rdb_in_position(&load->in);
    int64_t until_ns = clock_mono_ns() + (int64_t)max_us * 1000;
    check(!load->done);
    bool good = load->version || load_magic(load);
    for (uint64_t i = 1; good && !load->done; i++) {
        good = load_section(load);
        if (load->options.key_delay_us) delay(load);
        if (rdb_in_position(&load->in) - from >= max_bytes) break;
        bool looks = i % CLOCK_EVERY == 0 || load->options.key_delay_us;
        if (looks && clock_mono_ns() >= until_ns) break;
    }
    load->stats.bytes = rdb_in_position(&load->in);
    if (!good) return RDB_LOAD_FAILED;
    if (!load->done) return RDB_LOAD_MORE;
    if (load->stats.empty) {
        log_notice(
            "Done loading RDB, keys loaded: %llu, keys expired: %llu, empty keys skipped: %llu.",
            (unsigned long long)load->stats.keys, (unsigned long long)load->stats.expired,
            (unsigned long long)load->stats.empty);
    } else {
        log_notice("Done loading RDB, keys loaded: %llu, keys expired: %llu.",
                   (unsigned long long)load->stats.keys, (unsigned long long)load->stats.expired);
    }
    return RDB_LOAD_DONE;
}
