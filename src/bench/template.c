/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/template.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdatomic.h>

/* ---- making one ---- */

struct builder {
    const struct template_spec *spec;
    struct buf text;
    struct buf patches;           /* struct template_patch, one after the other */
    bool drawn[TEMPLATE_TAG + 1]; /* the sequence has a fresh one of these */
    size_t commands;
};

/* Which placeholder of 12 letters begins here; -1: none. */
static int number_at(struct bytes rest) {
    static const char names[][TEMPLATE_DIGITS + 1] = {
        "__rand_int__", "__rand_1st__", "__rand_2nd__", "__rand_3rd__", "__rand_4th__",
        "__rand_5th__", "__rand_6th__", "__rand_7th__", "__rand_8th__", "__rand_9th__",
    };
    static_assert(COUNT_OF(names) == TEMPLATE_NUMBERS, "one name each");
    if (rest.size < TEMPLATE_DIGITS || rest.data[0] != '_') return -1;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (memcmp(rest.data, names[i], TEMPLATE_DIGITS) == 0) return (int)i;
    }
    return -1;
}

static void add_patch(struct builder *builder, size_t offset, unsigned number) {
    struct template_patch patch = {
        .offset = (uint32_t)offset,
        .number = (uint8_t)number,
        .fresh = number == 0 || !builder->drawn[number],
    };
    builder->drawn[number] = true;
    buf_add(&builder->patches, bytes_make(&patch, sizeof(patch)));
}

/* The word with the payload in place of each __data__. */
static void expand_data(const struct template_spec *spec, struct bytes word, struct buf *out) {
    const struct bytes name = BYTES("__data__");
    while (word.size > 0) {
        const char *at = memmem(word.data, word.size, name.data, name.size);
        size_t before = at ? (size_t)(at - word.data) : word.size;
        buf_add(out, bytes_make(word.data, before));
        if (!at) return;
        buf_add(out, spec->data);
        word = bytes_from(word, before + name.size);
    }
}

/* Notes the placeholders in what was added to the text from start on. */
static void find_patches(struct builder *builder, size_t start) {
    struct bytes all = buf_bytes(&builder->text);
    for (size_t at = start; at < all.size; at++) {
        struct bytes rest = bytes_from(all, at);
        int number = builder->spec->numbers ? number_at(rest) : -1;
        if (number >= 0) {
            add_patch(builder, at, (unsigned)number);
            at += TEMPLATE_DIGITS - 1;
        } else if (builder->spec->tags && bytes_starts_with(rest, BYTES("{tag}"))) {
            add_patch(builder, at + 1, TEMPLATE_TAG);
            at += 4;
        }
    }
}

static void add_word(struct builder *builder, struct bytes word) {
    struct buf expanded = {0};
    expand_data(builder->spec, word, &expanded);
    if (!builder->spec->inline_words) buf_addf(&builder->text, "$%zu\r\n", expanded.size);
    size_t start = builder->text.size;
    buf_add(&builder->text, buf_bytes(&expanded));
    find_patches(builder, start);
    if (!builder->spec->inline_words) buf_add_text(&builder->text, "\r\n");
    buf_deinit(&expanded);
}

static void add_command(struct builder *builder, const struct bytes *words, size_t count) {
    if (!builder->spec->inline_words) buf_addf(&builder->text, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && builder->spec->inline_words) buf_add_char(&builder->text, ' ');
        add_word(builder, words[i]);
    }
    if (builder->spec->inline_words) buf_add_text(&builder->text, "\r\n");
    builder->commands++;
}

/* One command between separators, as often as the number before it says. */
static enum err add_repeated(struct builder *builder, const struct bytes *words, size_t count,
                             struct diag *diag) {
    int64_t times = 1;
    if (builder->spec->separators && count > 0 && num_parse_i64(words[0], &times)) {
        words++;
        count--;
    }
    if (count == 0) return diag_set(diag, ERR_SYNTAX, "a command without words");
    if (times < 1 || times > TEMPLATE_COMMANDS_MAX - (int64_t)builder->commands) {
        return diag_set(diag, ERR_RANGE, "a sequence has at most %d commands",
                        TEMPLATE_COMMANDS_MAX);
    }
    for (; times > 0; times--) {
        add_command(builder, words, count);
        if (builder->text.size > TEMPLATE_BYTES_MAX) {
            return diag_set(diag, ERR_RANGE, "a sequence of commands is larger than 1 GiB");
        }
    }
    return ERR_NONE;
}

static enum err add_sequence(struct builder *builder, struct diag *diag) {
    const struct template_spec *spec = builder->spec;
    size_t start = 0;
    for (size_t i = 0; i <= spec->count; i++) {
        bool is_end = i == spec->count;
        if (!is_end && !(spec->separators && bytes_equal(spec->words[i], BYTES(";")))) continue;
        if (is_end && start == i && start > 0) break; /* a separator behind the last command */
        enum err err = add_repeated(builder, spec->words + start, i - start, diag);
        if (err != ERR_NONE) return err;
        start = i + 1;
    }
    return ERR_NONE;
}

/* Repeats the first sequence: bytes and patches. */
static enum err repeat(struct template *template, const struct builder *builder,
                       struct diag *diag) {
    size_t size = builder->text.size, count = builder->patches.size;
    if (template->sequences > TEMPLATE_BYTES_MAX / size) {
        return diag_set(diag, ERR_RANGE, "a pipeline is larger than 1 GiB");
    }
    template->data = mem_try_alloc(size * template->sequences);
    template->patches = mem_try_alloc(count * template->sequences);
    if (!template->data || !template->patches) {
        template_deinit(template);
        return diag_set(diag, ERR_NO_MEMORY, "no memory for a pipeline of %zu bytes",
                        size * template->sequences);
    }
    for (size_t i = 0; i < template->sequences; i++) {
        struct template_patch *patches = template->patches + i * template->patches_per_sequence;
        memcpy(template->data + i * size, builder->text.data, size);
        if (count > 0) memcpy(patches, builder->patches.data, count);
        for (size_t j = 0; j < template->patches_per_sequence; j++) {
            patches[j].offset += (uint32_t)(i * size);
        }
    }
    for (size_t j = 0; j < template->patches_per_sequence; j++) {
        const struct template_patch *patch = &template->patches[j];
        if (patch->number < TEMPLATE_NUMBERS) template->draws[patch->number] += patch->fresh;
    }
    return ERR_NONE;
}

enum err template_init(struct template *template, const struct template_spec *spec,
                       struct diag *diag) {
    struct builder builder = {.spec = spec};
    *template = (struct template){.sequences = spec->sequences};
    check(spec->sequences > 0);
    enum err err = add_sequence(&builder, diag);
    if (err == ERR_NONE) {
        template->sequence_size = builder.text.size;
        template->commands = builder.commands;
        template->patches_per_sequence = builder.patches.size / sizeof(struct template_patch);
        err = repeat(template, &builder, diag);
    }
    buf_deinit(&builder.text);
    buf_deinit(&builder.patches);
    return err;
}

void template_copy(struct template *out, const struct template *from) {
    size_t size = from->sequence_size * from->sequences;
    size_t count = from->patches_per_sequence * from->sequences;
    *out = *from;
    out->data = mem_copy_bytes(bytes_make(from->data, size));
    out->patches = mem_alloc_array(count, sizeof(*out->patches));
    if (count > 0) memcpy(out->patches, from->patches, count * sizeof(*out->patches));
}

void template_deinit(struct template *template) {
    mem_free(template->data);
    mem_free(template->patches);
    *template = (struct template){0};
}

void template_verify(const struct template *template) {
    size_t size = template->sequence_size * template->sequences;
    uint32_t behind = 0;
    check(size <= TEMPLATE_BYTES_MAX);
    check(template->commands > 0 && template->commands <= TEMPLATE_COMMANDS_MAX);
    for (size_t i = 0; i < template->sequences * template->patches_per_sequence; i++) {
        const struct template_patch *patch = &template->patches[i];
        bool is_tag = patch->number == TEMPLATE_TAG;
        check(patch->number <= TEMPLATE_TAG);
        check(patch->offset >= behind);
        behind = patch->offset + (is_tag ? 3 : TEMPLATE_DIGITS);
        check(behind <= size);
        check(patch->offset / template->sequence_size == i / template->patches_per_sequence);
    }
}

/* ---- filling it in ---- */

/* Eight digits at once: pairs, then each digit, spread over the bytes of a word. */
static void write_8_digits(char *out, uint32_t value) {
    uint64_t high = value / 10000, low = value % 10000;
    uint64_t fours = high | low << 32;
    uint64_t tens = ((fours * 10486) >> 20) & 0x0000007f0000007full; /* each half / 100 */
    uint64_t pairs = tens | (fours - tens * 100) << 16;
    uint64_t firsts = ((pairs * 103) >> 10) & 0x000f000f000f000full; /* each pair / 10 */
    uint64_t digits = (firsts | (pairs - firsts * 10) << 8) + 0x3030303030303030ull;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    digits = __builtin_bswap64(digits);
#endif
    memcpy(out, &digits, sizeof(digits));
}

void template_write_digits(char *out, uint64_t value) {
    uint32_t high = (uint32_t)(value / 100000000), low = (uint32_t)(value % 100000000);
    dcheck(value < TEMPLATE_KEYS_MAX);
    if (likely(high == 0)) {
        memcpy(out, "0000", 4);
    } else {
        out[0] = (char)('0' + high / 1000);
        out[1] = (char)('0' + high / 100 % 10);
        out[2] = (char)('0' + high / 10 % 10);
        out[3] = (char)('0' + high % 10);
    }
    write_8_digits(out + 4, low);
}

/* SplitMix64 (Steele, Lea, Flood), reduced to the range with a multiplication. */
static inline uint64_t draw(struct template_source *source, uint64_t below) {
    uint64_t z = source->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (uint64_t)(((unsigned __int128)(z ^ (z >> 31)) * below) >> 64);
}

static void fill_random(struct template *template, struct template_source *source, size_t count) {
    uint64_t kept[TEMPLATE_NUMBERS] = {0};
    const char *tag = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct template_patch *patch = &template->patches[i];
        char *at = template->data + patch->offset;
        if (likely(patch->number < TEMPLATE_NUMBERS)) {
            if (patch->fresh) kept[patch->number] = draw(source, source->keys);
            template_write_digits(at, kept[patch->number]);
        } else {
            if (patch->fresh) tag = source->tags[source->slots[draw(source, source->slot_count)]];
            memcpy(at, tag, 3);
        }
    }
}

/* Numbers in order: what a pipeline takes is reserved at once, so that threads share the order. */
static void fill_in_order(struct template *template, struct template_source *source,
                          size_t sequences, size_t count) {
    uint64_t next[TEMPLATE_NUMBERS], kept[TEMPLATE_NUMBERS] = {0};
    const char *tag = NULL;
    for (size_t i = 0; i < TEMPLATE_NUMBERS; i++) {
        size_t draws = template->draws[i] * sequences;
        /* Relaxed: only the numbers matter. */
        next[i] = draws
                      ? atomic_fetch_add_explicit(&source->counters[i], draws, memory_order_relaxed)
                      : 0;
    }
    for (size_t i = 0; i < count; i++) {
        const struct template_patch *patch = &template->patches[i];
        char *at = template->data + patch->offset;
        if (patch->number == TEMPLATE_TAG) {
            if (patch->fresh) tag = source->tags[source->slots[draw(source, source->slot_count)]];
            memcpy(at, tag, 3);
            continue;
        }
        if (patch->fresh) kept[patch->number] = next[patch->number]++ % source->keys;
        template_write_digits(at, kept[patch->number]);
    }
}

void template_fill(struct template *template, struct template_source *source, size_t sequences) {
    size_t count = template->patches_per_sequence * sequences;
    dcheck(sequences <= template->sequences);
    if (count == 0) return;
    if (source->counters) {
        fill_in_order(template, source, sequences, count);
    } else {
        fill_random(template, source, count);
    }
}
