/* SPDX-License-Identifier: BSD-3-Clause */
/* hotkeys -- the mode --hotkeys: the keys that are used most, as the server's LFU policy counts. */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/top.h"
#include "cli/walk.h"

#include <stdlib.h>

/* False: the server does not count, and said so. */
static bool take_key(struct walk *walk, struct top *top, struct bytes key,
                     const struct resp_value *reply) {
    if (resp_is_error(reply)) {
        progress_clear(&walk->progress);
        cli_say("Error: %s", reply->text.data);
        walk->failed = true;
        return false;
    }
    if (reply->kind != RESP_INTEGER) return true; /* gone meanwhile */
    struct top_entry entry = {.key = key, .score = reply->integer};
    if (!top_offer(top, &entry)) return true;
    struct buf quoted = {0};
    buf_add_quoted(&quoted, key);
    progress_clear(&walk->progress);
    printf("[%05.2f%%] Hot key '%s' found so far with counter %lld\n", walk_percent(walk),
           quoted.data, (long long)entry.score);
    buf_deinit(&quoted);
    return true;
}

static bool take_batch(struct walk *walk, struct top *top, const struct resp_value *keys,
                       size_t count) {
    struct walk_question *questions = mem_zalloc_array(count, sizeof(*questions));
    struct resp_value **replies = mem_alloc_array(count, sizeof(*replies));
    for (size_t i = 0; i < count; i++) {
        questions[i] = (struct walk_question){.words = {"OBJECT", "FREQ"}};
    }
    bool asked = walk_ask(walk, keys, count, questions, replies);
    bool good = asked;
    for (size_t i = 0; asked && i < count; i++) {
        good = good && take_key(walk, top, keys[i].text, replies[i]);
        resp_value_destroy(&replies[i]);
    }
    mem_free(questions);
    mem_free(replies);
    return good;
}

static void print_summary(const struct walk *walk, const struct top *top) {
    printf("\n-------- summary -------\n\nSampled %lld keys in the keyspace!\n",
           (long long)walk->keys);
    for (size_t i = 0; i < top->count; i++) {
        struct buf quoted = {0};
        buf_add_quoted(&quoted, top->entries[i].key);
        printf("hot key found with counter: %lld\tkeyname: %s\n", (long long)top->entries[i].score,
               quoted.data);
        buf_deinit(&quoted);
    }
}

int cli__run_hotkeys(struct cli *cli) {
    struct walk walk;
    struct top top;
    top_init(&top, (size_t)cli->options.hotkeys_count);
    if (walk_init(&walk, cli)) {
        printf(
            "\n# Looking at all keys, for the %lld that are used most.\n"
            "# -i 0.01 pauses for 10 ms after every %d SCAN commands, to spare a busy server.\n\n",
            (long long)cli->options.hotkeys_count, WALK_PAUSE_STEPS);
        const struct resp_value *keys;
        size_t count;
        while (walk_next(&walk, &keys, &count) && take_batch(&walk, &top, keys, count)) {}
        progress_clear(&walk.progress);
        if (!walk.failed) print_summary(&walk, &top);
        if (walk.interrupted) cli_say("Interrupted: not all keys were looked at.");
    }
    bool failed = walk.failed;
    walk_deinit(&walk);
    top_deinit(&top);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
