/* SPDX-License-Identifier: BSD-3-Clause */
/* bigkeys -- the modes --bigkeys and --memkeys: the biggest key of each type, by the number of its
 * elements or by the memory it takes, and averages. */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/key_types.h"
#include "cli/walk.h"

#include <stdlib.h>

struct bigkeys {
    struct walk walk;
    struct key_types types;
    bool by_memory;
    int64_t sampled;
    int64_t key_bytes;
};

static const char *unit_of(const struct bigkeys *big, const struct key_type *type) {
    return big->by_memory ? "bytes" : type->elements;
}

static void take_key(struct bigkeys *big, struct key_type *type, struct bytes key, int64_t number) {
    big->sampled++;
    big->key_bytes += (int64_t)key.size;
    type->keys++;
    if (number < 0) return;
    type->elements_sum += number;
    if (number <= type->biggest) return;

    struct buf quoted = {0};
    buf_add_quoted(&quoted, key);
    mem_free(type->biggest_key);
    type->biggest_key = buf_take(&quoted);
    type->biggest = number;
    progress_clear(&big->walk.progress);
    printf("[%05.2f%%] Biggest %-6s found so far '%s' with %lld %s\n", walk_percent(&big->walk),
           type->name, type->biggest_key, (long long)number, unit_of(big, type));
}

static bool take_batch(struct bigkeys *big, const struct resp_value *keys, size_t count) {
    size_t *key_type = mem_alloc_array(count, sizeof(*key_type));
    int64_t *numbers = mem_alloc_array(count, sizeof(*numbers));
    bool good = key_types_ask(&big->types, &big->walk, keys, count, key_type);
    if (good) {
        good = (big->by_memory ? key_types_ask_memory : key_types_ask_elements)(
            &big->types, &big->walk, keys, count, key_type, numbers);
    }
    for (size_t i = 0; good && i < count; i++) {
        if (key_type[i] == KEY_TYPES_MAX) continue; /* gone meanwhile */
        take_key(big, &big->types.types[key_type[i]], keys[i].text, numbers[i]);
    }
    mem_free(key_type);
    mem_free(numbers);
    return good;
}

static void print_summary(const struct bigkeys *big) {
    int64_t sampled = big->sampled;
    printf("\n-------- summary -------\n\nSampled %lld keys in the keyspace!\n",
           (long long)sampled);
    printf("Total key length in bytes is %lld (avg len %.2f)\n\n", (long long)big->key_bytes,
           sampled ? (double)big->key_bytes / (double)sampled : 0.0);
    for (size_t i = 0; i < big->types.count; i++) {
        const struct key_type *type = &big->types.types[i];
        if (!type->biggest_key) continue;
        printf("Biggest %6s found '%s' has %lld %s\n", type->name, type->biggest_key,
               (long long)type->biggest, unit_of(big, type));
    }
    putchar('\n');
    for (size_t i = 0; i < big->types.count; i++) {
        const struct key_type *type = &big->types.types[i];
        if (type->keys == 0 && i >= 6) continue;
        printf("%lld %ss with %lld %s (%05.2f%% of keys, avg size %.2f)\n", (long long)type->keys,
               type->name, (long long)type->elements_sum, unit_of(big, type),
               sampled ? 100.0 * (double)type->keys / (double)sampled : 0.0,
               type->keys ? (double)type->elements_sum / (double)type->keys : 0.0);
    }
}

static int run(struct cli *cli, bool by_memory) {
    struct bigkeys big = {.by_memory = by_memory};
    key_types_init(&big.types);
    if (walk_init(&big.walk, cli)) {
        printf(
            "\n# Looking at all keys, for the %s of each type and for averages.\n"
            "# -i 0.01 pauses for 10 ms after every %d SCAN commands, to spare a busy server.\n\n",
            by_memory ? "one that takes most memory" : "biggest one", WALK_PAUSE_STEPS);
        const struct resp_value *keys;
        size_t count;
        while (walk_next(&big.walk, &keys, &count) && take_batch(&big, keys, count)) {}
        progress_clear(&big.walk.progress);
        print_summary(&big);
        if (big.walk.interrupted) cli_say("Interrupted: not all keys were looked at.");
    }
    bool failed = big.walk.failed;
    walk_deinit(&big.walk);
    key_types_deinit(&big.types);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cli__run_bigkeys(struct cli *cli) { return run(cli, false); }

int cli__run_memkeys(struct cli *cli) { return run(cli, true); }
