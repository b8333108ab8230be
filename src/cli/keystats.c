/* SPDX-License-Identifier: BSD-3-Clause */
/* keystats -- the mode --keystats: elements and memory of all keys: by type, the largest keys, and
 * how sizes are distributed. */
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/key_types.h"
#include "cli/top.h"
#include "cli/walk.h"

#include <stdlib.h>

enum {
    TOP_KEYS = 10,
    SIZE_CLASSES = 64, /* class c: sizes of at most 2^c bytes that are in no lower class */
};

struct keystats {
    struct walk walk;
    struct key_types types;
    struct top largest; /* by memory; detail: elements */
    int64_t sampled;
    int64_t key_bytes;
    int64_t longest_key;
    int64_t elements;
    int64_t memory;
    int64_t sizes[SIZE_CLASSES];
};

static unsigned size_class(int64_t bytes) {
    return bytes <= 1 ? 0 : 64 - (unsigned)__builtin_clzll((uint64_t)bytes - 1);
}

static void take_key(struct keystats *stats, size_t type_index, struct bytes key, int64_t elements,
                     int64_t memory) {
    struct key_type *type = &stats->types.types[type_index];
    struct top_entry entry = {.key = key, .score = memory, .detail = elements, .type = type_index};
    stats->sampled++;
    stats->key_bytes += (int64_t)key.size;
    stats->longest_key = i64_max(stats->longest_key, (int64_t)key.size);
    type->keys++;
    if (elements > 0) {
        type->elements_sum += elements;
        stats->elements += elements;
    }
    if (memory < 0) return; /* gone meanwhile */
    type->memory_sum += memory;
    stats->memory += memory;
    stats->sizes[size_class(memory)]++;
    (void)top_offer(&stats->largest, &entry);
}

static bool take_batch(struct keystats *stats, const struct resp_value *keys, size_t count) {
    struct key_types *types = &stats->types;
    struct walk *walk = &stats->walk;
    size_t *key_type = mem_alloc_array(count, sizeof(*key_type));
    int64_t *elements = mem_alloc_array(count, sizeof(*elements));
    int64_t *memory = mem_alloc_array(count, sizeof(*memory));
    bool good = key_types_ask(types, walk, keys, count, key_type) &&
                key_types_ask_elements(types, walk, keys, count, key_type, elements) &&
                key_types_ask_memory(types, walk, keys, count, key_type, memory);
    for (size_t i = 0; good && i < count; i++) {
        if (key_type[i] == KEY_TYPES_MAX) continue;
        take_key(stats, key_type[i], keys[i].text, elements[i], memory[i]);
    }
    mem_free(key_type);
    mem_free(elements);
    mem_free(memory);
    return good;
}

/* ---- the report ---- */

static double share(int64_t part, int64_t whole) {
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static const char *human(char text[32], int64_t bytes) {
    num_format_human(text, (uint64_t)bytes);
    return text;
}

static void print_largest(const struct keystats *stats) {
    char text[32];
    if (stats->largest.count == 0) return;
    printf("\nLargest keys\n  %-5s %-8s %10s %12s  %s\n", "rank", "type", "memory", "elements",
           "key");
    for (size_t i = 0; i < stats->largest.count; i++) {
        const struct top_entry *entry = &stats->largest.entries[i];
        const struct key_type *type = &stats->types.types[entry->type];
        struct buf quoted = {0}, count = {0};
        buf_add_quoted(&quoted, entry->key);
        if (entry->detail >= 0) buf_add_i64(&count, entry->detail);
        printf("  %-5zu %-8s %10s %12s  %s\n", i + 1, type->name, human(text, entry->score),
               count.size ? count.data : "-", quoted.data);
        buf_deinit(&quoted);
        buf_deinit(&count);
    }
}

static void print_types(const struct keystats *stats) {
    char sum[32], average[32];
    printf("\nTypes\n  %-8s %10s %7s %12s %12s %10s %7s %10s\n", "type", "keys", "share",
           "elements", "avg elements", "memory", "share", "avg memory");
    for (size_t i = 0; i < stats->types.count; i++) {
        const struct key_type *type = &stats->types.types[i];
        if (type->keys == 0) continue;
        printf("  %-8s %10lld %6.2f%% %12lld %12.2f %10s %6.2f%% %10s\n", type->name,
               (long long)type->keys, share(type->keys, stats->sampled),
               (long long)type->elements_sum, (double)type->elements_sum / (double)type->keys,
               human(sum, type->memory_sum), share(type->memory_sum, stats->memory),
               human(average, type->memory_sum / type->keys));
    }
}

static void print_sizes(const struct keystats *stats) {
    char text[32];
    int64_t known = 0, sum = 0;
    for (size_t i = 0; i < SIZE_CLASSES; i++) {
        known += stats->sizes[i];
    }
    if (known == 0) return;
    printf("\nMemory of a key\n  %10s %10s %9s\n", "at most", "keys", "together");
    for (size_t i = 0; i < SIZE_CLASSES - 1; i++) {
        if (stats->sizes[i] == 0) continue;
        sum += stats->sizes[i];
        printf("  %10s %10lld %8.2f%%\n", human(text, (int64_t)1 << i), (long long)stats->sizes[i],
               share(sum, known));
    }
}

static void print_report(const struct keystats *stats) {
    char memory[32], names[32];
    printf("\n-------- summary -------\n\nSampled %lld keys in the keyspace!\n",
           (long long)stats->sampled);
    printf("They take %s of memory and have %lld elements.\n", human(memory, stats->memory),
           (long long)stats->elements);
    printf("Their names take %s: %.2f bytes on average, %lld at most.\n",
           human(names, stats->key_bytes),
           stats->sampled ? (double)stats->key_bytes / (double)stats->sampled : 0.0,
           (long long)stats->longest_key);
    print_largest(stats);
    print_types(stats);
    print_sizes(stats);
}

int cli__run_keystats(struct cli *cli) {
    struct keystats *stats = mem_zalloc(sizeof(*stats));
    key_types_init(&stats->types);
    top_init(&stats->largest, TOP_KEYS);
    if (walk_init(&stats->walk, cli)) {
        printf(
            "\n# Looking at all keys: their elements and their memory.\n"
            "# -i 0.01 pauses for 10 ms after every %d SCAN commands, to spare a busy server.\n",
            WALK_PAUSE_STEPS);
        (void)fflush(stdout);
        const struct resp_value *keys;
        size_t count;
        while (walk_next(&stats->walk, &keys, &count) && take_batch(stats, keys, count)) {}
        progress_clear(&stats->walk.progress);
        print_report(stats);
        if (stats->walk.interrupted) cli_say("Interrupted: not all keys were looked at.");
    }
    bool failed = stats->walk.failed;
    walk_deinit(&stats->walk);
    top_deinit(&stats->largest);
    key_types_deinit(&stats->types);
    mem_free(stats);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
