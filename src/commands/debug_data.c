/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG OBJECT, SDSLEN, POPULATE, LISTPACK, QUICKLIST-PACKED-THRESHOLD, HTSTATS, HTSTATS-KEY,
 * STRUCTSIZE. */
#include "base/mem.h"
#include "commands/debug_internal.h"
#include "keyspace/value_type.h"
#include "types/list.h"

#include <inttypes.h>

enum { VALUE_TEXT_MAX = 32 };

/* Also a key that has expired and is still there; changes nothing. NULL: it has replied. */
static struct entry *debug_find(struct call *call, uint32_t arg) {
    struct entry *entry =
        keyspace_find(call->db, call->argv[arg], hash_bytes(call->argv[arg]),
                      LOOKUP_EXPIRED_TOO | LOOKUP_NO_TOUCH | LOOKUP_NO_STATS | LOOKUP_WRITE);
    if (!entry) call_error(call, ERROR_NO_SUCH_KEY);
    return entry;
}

/* Bytes of a length and as many bytes in a snapshot. */
static size_t bytes_size(size_t size) {
    return (size < 1 << 6 ? 1u : size < 1 << 14 ? 2u : size <= UINT32_MAX ? 5u : 9u) + size;
}

/* Bytes of a string in a snapshot: a length of 1, 2, 5 or 9 bytes and the bytes, or a small integer
 * behind one byte. Compression is not reckoned with. */
static size_t string_size(const struct entry *entry) {
    if (entry_encoding(entry) == ENCODING_INT) {
        int64_t value = entry_int(entry);
        if (value >= INT8_MIN && value <= INT8_MAX) return 2;
        if (value >= INT16_MIN && value <= INT16_MAX) return 3;
        if (value >= INT32_MIN && value <= INT32_MAX) return 5;
    }
    return bytes_size(entry_string_size(entry));
}

/* Of a list: how many blocks, then of each its form and its bytes. */
static size_t list_size(const void *list) {
    enum { COUNT_AND_FORMS = 1 };
    size_t count = list_block_count(list), size = COUNT_AND_FORMS + count;
    for (size_t i = 0; i < count; i++)
        size += bytes_size(list_block_bytes(list, i));
    return size;
}

/* Of collections but lists, about as much. */
static size_t serialized_size(const struct entry *entry) {
    enum { SAMPLES = 5 };
    if (entry_is_string(entry)) return string_size(entry);
    if (entry_encoding(entry) == ENCODING_PACKED) return entry_value_size(entry);
    if (entry_type(entry) == TYPE_LIST) return list_size(entry_object(entry));
    return value_ops_of(entry)->memory_bytes(entry_object(entry), SAMPLES);
}

/* What DEBUG OBJECT says of a list in several blocks. */
static void describe_blocks(const struct call *call, const void *list, struct buf *out) {
    size_t blocks = list_block_count(list), bytes = 0;
    for (size_t i = 0; i < blocks; i++)
        bytes += list_block_bytes(list, i);
    buf_addf(out, " ql_nodes:%zu ql_avg_node:%.2f ql_listpack_max:%" PRId32, blocks,
             blocks > 0 ? (double)list_count(list) / (double)blocks : 0.0,
             call->exec->config->list_max_listpack_size);
    bool compresses =
        call->exec->config->list_compress_depth > 0 || list_compressed_count(list) > 0;
    buf_addf(out, " ql_compressed:%d ql_uncompressed_size:%zu", compresses, bytes);
}

/* DEBUG OBJECT key [FAST] */
void debug_object(struct call *call) {
    const struct entry *entry = debug_find(call, 2);
    if (!entry) return;
    struct buf out = {0};
    buf_addf(&out, "Value at:%p refcount:1 encoding:%s serializedlength:%zu lru:%" PRIu32,
             (const void *)entry, entry_encoding_name(entry), serialized_size(entry),
             entry_clock(entry));
    buf_addf(&out, " lru_seconds_idle:%" PRIu64, entry_idle_seconds(call->keyspace, entry));
    if (entry_type(entry) == TYPE_LIST && !list_packed(entry_object(entry))) {
        describe_blocks(call, entry_object(entry), &out);
    }
    reply_simple(call->reply, buf_bytes(&out));
    buf_deinit(&out);
}

/* DEBUG SDSLEN key -- the names are those of the strings of other servers. */
void debug_string_sizes(struct call *call) {
    const struct entry *entry = debug_find(call, 2);
    if (!entry) return;
    if (!entry_is_string(entry) || entry_encoding(entry) == ENCODING_INT) {
        call_error(call, ERROR_DEBUG_NOT_BYTES);
        return;
    }
    bool in_blob = entry_encoding(entry) == ENCODING_BLOB;
    size_t room = in_blob ? blob_memory_bytes(entry_blob(entry)) : mem_usable_size(entry);
    size_t used = in_blob ? sizeof(struct blob) : entry_header_size(entry) + entry_key_size(entry);
    size_t spare =
        room - used > entry_value_size(entry) ? room - used - entry_string_size(entry) : 0;
    struct buf out = {0};
    buf_addf(&out,
             "key_sds_len:%zu key_sds_avail:0 obj_alloc:%zu val_sds_len:%zu val_sds_avail:%zu "
             "val_alloc:%zu",
             entry_key_size(entry), mem_usable_size(entry), entry_string_size(entry), spare, room);
    reply_simple(call->reply, buf_bytes(&out));
    buf_deinit(&out);
}

/* ---- POPULATE ---- */

struct population {
    int64_t count, size; /* size -1: as long as the text */
    struct bytes prefix;
    char *value; /* size bytes, the text and zeros; or NULL */
};

static void populate_one(struct call *call, const struct population *population, int64_t number,
                         struct buf *key) {
    buf_clear(key);
    buf_add(key, population->prefix);
    buf_add_char(key, ':');
    buf_add_i64(key, number);
    uint64_t hash = hash_bytes(buf_bytes(key));
    unsigned flags = LOOKUP_WRITE | LOOKUP_NO_TOUCH;
    if (keyspace_find(call->db, buf_bytes(key), hash, flags)) return;
    char text[VALUE_TEXT_MAX] = "value:";
    size_t size = strlen(text);
    size += num_format_i64(text + size, number);
    struct bytes value = bytes_make(text, size);
    if (population->size >= 0) {
        value = bytes_make(population->value, (size_t)population->size);
        memcpy(population->value, text, size_min(size, value.size));
    }
    (void)keyspace_set_string(call->db, buf_bytes(key), hash, NULL, value, NULL, -1, 0);
}

/* DEBUG POPULATE count [prefix] [size] */
void debug_populate(struct call *call) {
    struct population population = {.size = -1, .prefix = BYTES("key")};
    const int64_t most = call->exec->config->bulk_max;
    if (!call_int_range(call, 2, 0, INT64_MAX, ERROR_MUST_BE_POSITIVE, &population.count)) return;
    if (call->argc > 3) population.prefix = call->argv[3];
    if (call->argc > 4) {
        if (!call_int_range(call, 4, 0, most, ERROR_MUST_BE_POSITIVE, &population.size)) return;
        population.value = mem_try_zalloc((size_t)population.size);
        if (!population.value) {
            call_error(call, ERROR_NO_MEMORY_FOR_VALUE);
            return;
        }
    }
    struct buf key = {0};
    for (int64_t i = 0; i < population.count; i++)
        populate_one(call, &population, i, &key);
    buf_deinit(&key);
    mem_free(population.value);
    reply_ok(call->reply);
}

/* ---- lists ---- */

/* DEBUG LISTPACK key -- the elements and where they lie. */
void debug_listpack(struct call *call) {
    const struct entry *entry = debug_find(call, 2);
    if (!entry) return;
    const struct listpack *lp = NULL;
    if (entry_type(entry) == TYPE_LIST) lp = list_packed(entry_object(entry));
    if (!lp) {
        call_error(call, ERROR_DEBUG_NOT_LISTPACK);
        return;
    }
    struct buf out = {0};
    char scratch[NUM_I64_TEXT_MAX];
    buf_addf(&out, "%zu bytes of %zu, %zu elements\n", listpack_size(lp), listpack_memory_bytes(lp),
             listpack_count(lp));
    for (size_t at = listpack_first(lp); at != LISTPACK_END; at = listpack_next(lp, at)) {
        struct bytes element = listpack_get_bytes(lp, at, scratch);
        buf_addf(&out, "%zu %s ", at, listpack_get(lp, at).data ? "string" : "integer");
        buf_add(&out, element);
        buf_add_char(&out, '\n');
    }
    reply_verbatim(call->reply, "txt", buf_bytes(&out));
    buf_deinit(&out);
}

/* DEBUG QUICKLIST-PACKED-THRESHOLD size */
void debug_list_threshold(struct call *call) {
    uint64_t bytes;
    if (!num_parse_memory(call->argv[2], &bytes) || bytes >= 1ull << 32 || bytes > SIZE_MAX) {
        call_error(call, ERROR_DEBUG_THRESHOLD);
        return;
    }
    call->exec->list_plain_bytes = (size_t)bytes;
    reply_ok(call->reply);
}

/* ---- tables ---- */

/* DEBUG HTSTATS dbid [FULL] */
void debug_table_stats(struct call *call) {
    int64_t index;
    if (!call_int(call, 2, &index)) return;
    if (index < 0 || index >= keyspace_db_count(call->keyspace)) {
        call_error(call, ERROR_DEBUG_DB_RANGE);
        return;
    }
    struct buf out = {0};
    keyspace_table_stats(keyspace_db(call->keyspace, (int32_t)index), &out);
    reply_verbatim(call->reply, "txt", buf_bytes(&out));
    buf_deinit(&out);
}

/* DEBUG HTSTATS-KEY key [FULL] */
void debug_table_stats_key(struct call *call) {
    const struct entry *entry = debug_find(call, 2);
    if (!entry) return;
    struct buf out = {0};
    bool full = call->argc > 3 && call_is(call, 3, "FULL");
    const struct value_ops *ops =
        entry_encoding(entry) == ENCODING_OBJECT ? value_ops_of(entry) : NULL;
    if (ops && ops->table_stats && ops->table_stats(entry_object(entry), full, &out)) {
        reply_verbatim(call->reply, "txt", buf_bytes(&out));
    } else {
        call_error(call, ERROR_DEBUG_NO_HASH_TABLE);
    }
    buf_deinit(&out);
}

/* DEBUG STRUCTSIZE */
void debug_struct_sizes(struct call *call) {
    struct buf out = {0};
    buf_addf(&out, "bits:%zu robj:%zu entry_short:%d entry_wide:%d blob:%zu client:%zu conn:%zu",
             sizeof(void *) * 8, sizeof(struct entry), ENTRY_SHORT_HEADER, ENTRY_WIDE_HEADER,
             sizeof(struct blob), sizeof(struct client), sizeof(struct conn));
    buf_addf(&out, " request:%zu batch:%zu command:%zu histogram:%zu", sizeof(struct request),
             sizeof(struct batch), sizeof(struct command), sizeof(struct histogram));
    reply_simple(call->reply, buf_bytes(&out));
    buf_deinit(&out);
}
