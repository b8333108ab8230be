/* SPDX-License-Identifier: BSD-3-Clause */
/* The table: commands by id, top-level names sorted, and an index by name.
 *
 *   by_id    every command and subcommand, in the order they were added
 *   names    what top-level commands are found by, sorted; after rename-command not what they are
 *   index    open addressing, at most a quarter full. A slot holds the whole name in lower case,
 *            padded with zeros, so that a look-up is one hash, usually one slot, four compares.
 *
 * Names too long for a slot (only rename-command makes those) are found in names by bisection.
 *
 * 1. Each of names is in index exactly once if it fits, and index holds nothing else.
 * 2. by_id[i]->id == i; subcommands come after their container. */
#include "base/check.h"
#include "base/mem.h"
#include "spec/command.h"

enum {
    NAME_FIT = 32, /* bytes of a name that fit a slot */
    NAME_WORDS = NAME_FIT / 8,
    INDEX_SIZE_MIN = 256, /* slots, a power of two */
    INDEX_SPARSITY = 4,   /* slots for each name, at least */
};

struct padded_name {
    uint64_t word[NAME_WORDS];
};

struct name_slot {
    struct padded_name name;
    const struct command *command; /* NULL: free */
};

struct name {
    char *text; /* lower case, NUL-terminated; owned */
    struct command *command;
};

struct command_table {
    struct command **by_id;
    size_t id_count, id_cap;
    struct name *names;
    size_t name_count, name_cap;
    struct name_slot *index;
    size_t index_size;
    uint32_t (*needs_of)(const struct command *command);
};

/* ---- names ---- */

/* Lower case of eight ASCII bytes at once; bytes of 128 and more stay. */
static uint64_t lower_word(uint64_t word) {
    const uint64_t ones = 0x0101010101010101ull;
    uint64_t low = word & (0x7f * ones);
    uint64_t from_a = low + (128 - 'A') * ones;      /* top bit: >= 'A' */
    uint64_t after_z = low + (128 - 'Z' - 1) * ones; /* top bit: > 'Z' */
    uint64_t is_upper = (from_a ^ after_z) & ~word & (0x80 * ones);
    return word | is_upper >> 2; /* 0x20 */
}

static uint64_t load32(const uint8_t *p) { /* compilers make one load of it */
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

/* One to eight bytes, the rest zero; without a loop or a call. */
static uint64_t load_word(const uint8_t *p, size_t size) {
    if (size >= 4) return load32(p) | load32(p + size - 4) << (8 * (size - 4));
    size_t middle = size / 2, last = size - 1;
    return (uint64_t)p[0] | (uint64_t)p[middle] << (8 * middle) | (uint64_t)p[last] << (8 * last);
}

static struct padded_name pad_name(struct bytes name) {
    struct padded_name padded = {0};
    const uint8_t *p = (const uint8_t *)name.data;
    for (size_t i = 0; i * 8 < name.size; i++)
        padded.word[i] = lower_word(load_word(p + i * 8, size_min(name.size - i * 8, 8)));
    return padded;
}

/* Not keyed: the names in the index are ours, and it is never more than a quarter full. */
static size_t hash_name(const struct padded_name *name) {
    uint64_t hash = name->word[0] * 0x9e3779b97f4a7c15ull + name->word[1] * 0xc2b2ae3d27d4eb4full +
                    name->word[2] * 0x165667b19e3779f9ull + name->word[3] * 0x85ebca77c2b2ae63ull;
    return (size_t)((hash ^ hash >> 32) * 0x9e3779b97f4a7c15ull >> 40);
}

static bool names_equal(const struct padded_name *a, const struct padded_name *b) {
    return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
            (a->word[3] ^ b->word[3])) == 0;
}

static int compare_nocase(struct bytes a, struct bytes b) {
    size_t common = size_min(a.size, b.size);
    for (size_t i = 0; i < common; i++) {
        int difference = (uint8_t)char_lower(a.data[i]) - (uint8_t)char_lower(b.data[i]);
        if (difference) return difference;
    }
    return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}

/* Where the name is in names, or belongs. True if it is there. */
static bool bisect(const struct command_table *table, struct bytes name, size_t *out) {
    size_t low = 0, high = table->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_nocase(bytes_of(table->names[middle].text), name);
        if (order == 0) {
            *out = middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out = low;
    return false;
}

static void index_put(struct command_table *table, const struct name *name) {
    struct bytes text = bytes_of(name->text);
    if (text.size > NAME_FIT) return;
    struct padded_name padded = pad_name(text);
    size_t mask = table->index_size - 1;
    size_t at = hash_name(&padded) & mask;
    while (table->index[at].command)
        at = (at + 1) & mask;
    table->index[at] = (struct name_slot){.name = padded, .command = name->command};
}

static void rebuild_index(struct command_table *table) {
    size_t size = INDEX_SIZE_MIN;
    while (size < table->name_count * INDEX_SPARSITY)
        size *= 2;
    mem_free(table->index);
    table->index = mem_zalloc_array(size, sizeof(table->index[0]));
    table->index_size = size;
    for (size_t i = 0; i < table->name_count; i++)
        index_put(table, &table->names[i]);
}

/* Adds a lower-case copy of the name; the index is left as it is. */
static void add_name(struct command_table *table, struct bytes name, struct command *command) {
    size_t at;
    check(!bisect(table, name, &at));
    if (table->name_count == table->name_cap) {
        table->name_cap = table->name_cap ? table->name_cap * 2 : 64;
        table->names = mem_realloc(table->names, table->name_cap * sizeof(table->names[0]));
    }
    struct name *place = &table->names[at];
    memmove(place + 1, place, (table->name_count - at) * sizeof(*place));
    place->text = mem_copy_bytes(name);
    place->command = command;
    for (size_t i = 0; i < name.size; i++)
        place->text[i] = char_lower(place->text[i]);
    table->name_count++;
}

/* ---- what follows from a row ---- */

/* Categories that come with the group. A container (client, xgroup) has none of these of its own:
 * its subcommands have. */
static uint32_t acl_of_group(const struct command_spec *spec) {
    static const uint32_t categories[] = {
        [GROUP_STRING] = ACL_STRING,
        [GROUP_LIST] = ACL_LIST,
        [GROUP_SET] = ACL_SET,
        [GROUP_SORTED_SET] = ACL_SORTEDSET,
        [GROUP_HASH] = ACL_HASH,
        [GROUP_TRANSACTIONS] = ACL_TRANSACTION,
        [GROUP_CONNECTION] = ACL_CONNECTION,
        [GROUP_SCRIPTING] = ACL_SCRIPTING,
        [GROUP_HYPERLOGLOG] = ACL_HYPERLOGLOG,
        [GROUP_GEO] = ACL_GEO,
        [GROUP_STREAM] = ACL_STREAM,
        [GROUP_BITMAP] = ACL_BITMAP,
    };
    return !spec->subs && spec->group < COUNT_OF(categories) ? categories[spec->group] : 0;
}

static uint32_t derive_acl(const struct command_spec *spec) {
    uint32_t acl = spec->acl | acl_of_group(spec);
    /* What a script does is judged by the commands it calls. */
    if (!(acl & ACL_SCRIPTING)) {
        if (spec->flags & CMD_WRITE) acl |= ACL_WRITE;
        if (spec->flags & CMD_READONLY) acl |= ACL_READ;
    }
    if (spec->flags & CMD_ADMIN) acl |= ACL_ADMIN | ACL_DANGEROUS;
    if (spec->flags & CMD_PUBSUB) acl |= ACL_PUBSUB;
    if (spec->flags & CMD_BLOCKING) acl |= ACL_BLOCKING;
    return acl | (spec->flags & CMD_FAST ? ACL_FAST : ACL_SLOW);
}

/* One range for all specs at fixed places, as far as they follow one another with the same step.
 * Whatever that range cannot say makes the keys movable. */
static void derive_range(struct command *command) {
    const struct key_spec *spec = command->spec->keys;
    bool found = false, movable = false;
    for (; spec && spec->begin != KEY_BEGIN_NONE; spec++) {
        int16_t last = (int16_t)(spec->last_key + (spec->last_key >= 0 ? spec->index : 0));
        if (spec->begin != KEY_BEGIN_INDEX || spec->find != KEY_FIND_RANGE) {
            movable = true;
        } else if (!found) {
            found = true;
            command->first_key = spec->index;
            command->last_key = last;
            command->key_step = spec->step;
        } else if (command->last_key >= 0 && spec->index == command->last_key + 1 &&
                   spec->step == command->key_step) {
            command->last_key = last;
        } else {
            movable = true;
        }
    }
    if (movable) command->flags |= CMD_MOVABLEKEYS;
}

/* ---- building ---- */

static char *make_full_name(const struct command *parent, const char *name) {
    struct bytes own = bytes_of(name);
    struct bytes container = bytes_of(parent ? parent->full_name : NULL);
    size_t prefix = container.size ? container.size + 1 : 0;
    char *text = mem_alloc(prefix + own.size + 1);
    if (prefix) {
        memcpy(text, container.data, container.size);
        text[container.size] = '|';
    }
    memcpy(text + prefix, own.data, own.size);
    text[prefix + own.size] = '\0';
    return text;
}

static void check_row(const struct command_spec *spec) {
    size_t size = strlen(spec->name);
    check(size > 0 && size <= UINT8_MAX);
    for (size_t i = 0; i < size; i++)
        check(char_lower(spec->name[i]) == spec->name[i] && spec->name[i] != '|');
    check(spec->arity != 0);
    check(spec->handler || spec->subs);
    check(command_group_name(spec->group) != NULL);
}

static struct command *create_command(struct command_table *table, const struct command_spec *spec,
                                      const struct command *parent) {
    check_row(spec);
    check(table->id_count < UINT16_MAX);
    if (table->id_count == table->id_cap) {
        table->id_cap = table->id_cap ? table->id_cap * 2 : 128;
        table->by_id = mem_realloc(table->by_id, table->id_cap * sizeof(table->by_id[0]));
    }
    struct command *command = mem_alloc_aligned(CACHE_LINE, sizeof(*command));
    memset(command, 0, sizeof(*command));
    command->handler = spec->handler;
    command->spec = spec;
    command->flags = spec->flags | (spec->prefetch ? CMD_PREFETCH : 0);
    command->acl = derive_acl(spec);
    command->arity = spec->arity;
    command->id = (uint16_t)table->id_count;
    command->name_size = (uint8_t)strlen(spec->name);
    command->full_name = make_full_name(parent, spec->name);
    command->parent = parent;
    derive_range(command);
    table->by_id[table->id_count++] = command;
    return command;
}

static void add_subs(struct command_table *table, struct command *container,
                     const struct command_spec *rows) {
    size_t count = 0;
    while (rows[count].name)
        count++;
    check(count > 0 && container->sub_count + count <= UINT8_MAX);
    const struct command **subs = (const struct command **)(uintptr_t)container->subs;
    subs = mem_realloc(subs, (container->sub_count + count) * sizeof(*subs));
    container->subs = subs;
    for (size_t i = 0; i < count; i++) {
        check(!rows[i].subs);
        check(!command_find_sub(container, bytes_of(rows[i].name)));
        subs[container->sub_count] = create_command(table, &rows[i], container);
        container->sub_count++;
    }
}

static void update_needs(struct command_table *table) {
    if (!table->needs_of) return;
    for (size_t i = 0; i < table->id_count; i++)
        table->by_id[i]->needs = table->needs_of(table->by_id[i]);
}

struct command_table *command_table_create(void) {
    static_assert(sizeof(struct command) % CACHE_LINE == 0, "commands share no cache line");
    struct command_table *table = mem_zalloc(sizeof(*table));
    rebuild_index(table);
    return table;
}

void command_table_destroy(struct command_table **table_ptr) {
    struct command_table *table = *table_ptr;
    if (!table) return;
    for (size_t i = 0; i < table->id_count; i++) {
        struct command *command = table->by_id[i];
        mem_free((void *)(uintptr_t)command->subs);
        mem_free((void *)(uintptr_t)command->full_name);
        mem_free(command);
    }
    for (size_t i = 0; i < table->name_count; i++)
        mem_free(table->names[i].text);
    mem_free(table->by_id);
    mem_free(table->names);
    mem_free(table->index);
    mem_free(table);
    *table_ptr = NULL;
}

void command_table_add(struct command_table *table, const struct command_spec *rows) {
    for (; rows->name; rows++) {
        struct command *command = create_command(table, rows, NULL);
        if (rows->subs) add_subs(table, command, rows->subs);
        add_name(table, bytes_of(rows->name), command);
    }
    rebuild_index(table);
    update_needs(table);
}

void command_table_add_subs(struct command_table *table, const char *container,
                            const struct command_spec *rows) {
    size_t at;
    check(bisect(table, bytes_of(container), &at));
    check(table->names[at].command->spec->subs);
    add_subs(table, table->names[at].command, rows);
    update_needs(table);
}

void command_table_set_needs(struct command_table *table,
                             uint32_t (*needs_of)(const struct command *command)) {
    table->needs_of = needs_of;
    update_needs(table);
}

bool command_table_rename(struct command_table *table, struct bytes old, struct bytes new) {
    size_t at, new_at;
    if (!bisect(table, old, &at)) return false;
    if (new.size && bisect(table, new, &new_at)) return false;
    struct command *command = table->names[at].command;
    mem_free(table->names[at].text);
    table->name_count--;
    memmove(&table->names[at], &table->names[at + 1],
            (table->name_count - at) * sizeof(table->names[0]));
    if (new.size) add_name(table, new, command);
    rebuild_index(table);
    return true;
}

/* ---- looking up ---- */

size_t command_table_count(const struct command_table *table) { return table->name_count; }

size_t command_table_id_count(const struct command_table *table) { return table->id_count; }

const struct command *command_table_at_id(const struct command_table *table, size_t id) {
    check(id < table->id_count);
    return table->by_id[id];
}

const struct command *command_table_at(const struct command_table *table, size_t index) {
    check(index < table->name_count);
    return table->names[index].command;
}

const struct command *command_find(const struct command_table *table, struct bytes name) {
    if (unlikely(name.size > NAME_FIT)) {
        size_t at;
        return bisect(table, name, &at) ? table->names[at].command : NULL;
    }
    struct padded_name padded = pad_name(name);
    size_t mask = table->index_size - 1;
    size_t at = hash_name(&padded) & mask;
    while (table->index[at].command && !names_equal(&table->index[at].name, &padded))
        at = (at + 1) & mask;
    const struct command *command = table->index[at].command;
    /* NUL bytes at the end of what was asked for must not pass for padding. */
    if (command && name.data[name.size - 1] == '\0') return NULL;
    return command;
}

const struct command *command_find_sub(const struct command *container, struct bytes name) {
    for (unsigned i = 0; i < container->sub_count; i++) {
        const struct command *sub = container->subs[i];
        if (sub->name_size == name.size &&
            bytes_equal_nocase(bytes_make(sub->spec->name, sub->name_size), name)) {
            return sub;
        }
    }
    return NULL;
}

const struct command *command_find_full(const struct command_table *table, struct bytes full_name) {
    size_t bar = bytes_find_byte(full_name, '|');
    const struct command *command = command_find(table, bytes_make(full_name.data, bar));
    if (bar == full_name.size || !command) return command;
    return command_find_sub(command, bytes_from(full_name, bar + 1));
}
