/* SPDX-License-Identifier: BSD-3-Clause */
/* command -- what a command is: the declarative row, and the compact runtime form made from it.
 *
 * Each feature declares its rows beside its handlers (struct command_spec, constant). At start
 * command_table_add turns them into struct command: a cache line with what the hot path needs.
 * COMMAND, ACL, routing and the tests read the rows; nothing is said twice. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct call; /* exec/call.h */
struct command_table;
typedef void (*command_fn)(struct call *call);

enum command_flag { /* COMMAND INFO's flags, in its order; then those never shown */
                    CMD_WRITE = BIT(0),
                    CMD_READONLY = BIT(1),
                    CMD_DENYOOM = BIT(2),
                    CMD_MODULE = BIT(3),
                    CMD_ADMIN = BIT(4),
                    CMD_PUBSUB = BIT(5),
                    CMD_NOSCRIPT = BIT(6),
                    CMD_BLOCKING = BIT(7),
                    CMD_LOADING = BIT(8),
                    CMD_STALE = BIT(9),
                    CMD_SKIP_MONITOR = BIT(10),
                    CMD_SKIP_COMMANDLOG = BIT(11),
                    CMD_ASKING = BIT(12),
                    CMD_FAST = BIT(13),
                    CMD_NO_AUTH = BIT(14),
                    CMD_NO_MANDATORY_KEYS = BIT(15),
                    CMD_NO_ASYNC_LOADING = BIT(16),
                    CMD_NO_MULTI = BIT(17),
                    CMD_MOVABLEKEYS = BIT(18),
                    CMD_ALLOW_BUSY = BIT(19),
                    CMD_MAY_REPLICATE = BIT(20), /* not shown from here on */
                    CMD_PROTECTED = BIT(21),
                    CMD_TOUCHES_ARBITRARY_KEYS = BIT(22),
                    CMD_ALL_DBS = BIT(23),
                    CMD_SENTINEL = BIT(24),
                    CMD_ONLY_SENTINEL = BIT(25),
                    CMD_PREFETCH = BIT(26),      /* derived: the row has a prefetch function */
                    CMD_PREFETCH_DEEP = BIT(27), /* ... which has two steps more */
};

enum acl_category { /* bits, in the order in which ACL CAT lists them */
                    ACL_KEYSPACE = BIT(0),
                    ACL_READ = BIT(1),
                    ACL_WRITE = BIT(2),
                    ACL_SET = BIT(3),
                    ACL_SORTEDSET = BIT(4),
                    ACL_LIST = BIT(5),
                    ACL_HASH = BIT(6),
                    ACL_STRING = BIT(7),
                    ACL_BITMAP = BIT(8),
                    ACL_HYPERLOGLOG = BIT(9),
                    ACL_GEO = BIT(10),
                    ACL_STREAM = BIT(11),
                    ACL_PUBSUB = BIT(12),
                    ACL_ADMIN = BIT(13),
                    ACL_FAST = BIT(14),
                    ACL_SLOW = BIT(15),
                    ACL_BLOCKING = BIT(16),
                    ACL_DANGEROUS = BIT(17),
                    ACL_CONNECTION = BIT(18),
                    ACL_TRANSACTION = BIT(19),
                    ACL_SCRIPTING = BIT(20),
};

enum command_group {
    GROUP_GENERIC = 0,
    GROUP_STRING,
    GROUP_LIST,
    GROUP_SET,
    GROUP_SORTED_SET,
    GROUP_HASH,
    GROUP_PUBSUB,
    GROUP_TRANSACTIONS,
    GROUP_CONNECTION,
    GROUP_SERVER,
    GROUP_SCRIPTING,
    GROUP_HYPERLOGLOG,
    GROUP_CLUSTER,
    GROUP_SENTINEL,
    GROUP_GEO,
    GROUP_STREAM,
    GROUP_BITMAP,
    GROUP_MODULE,
};

enum key_flag {
    KEY_RO = BIT(0),
    KEY_RW = BIT(1),
    KEY_OW = BIT(2),
    KEY_RM = BIT(3),
    KEY_ACCESS = BIT(4),
    KEY_UPDATE = BIT(5),
    KEY_INSERT = BIT(6),
    KEY_DELETE = BIT(7),
    KEY_NOT_KEY = BIT(8),
    KEY_INCOMPLETE = BIT(9),
    KEY_VARIABLE_FLAGS = BIT(10),
};

enum key_begin { KEY_BEGIN_NONE = 0, KEY_BEGIN_INDEX, KEY_BEGIN_KEYWORD, KEY_BEGIN_UNKNOWN };
enum key_find { KEY_FIND_RANGE = 0, KEY_FIND_KEYNUM, KEY_FIND_UNKNOWN };

struct key_spec {   /* the fields COMMAND INFO shows; list ends with begin == KEY_BEGIN_NONE */
    uint32_t flags; /* enum key_flag */
    uint8_t begin;
    uint8_t find;
    int16_t index;       /* BEGIN_INDEX: position of the first key */
    const char *keyword; /* BEGIN_KEYWORD */
    int16_t start_from;
    int16_t last_key; /* FIND_RANGE: relative to the first; negative: from the end */
    int16_t step;
    int16_t limit;
    int16_t key_num_index; /* FIND_KEYNUM: relative to begin */
    int16_t first_key;
    int16_t key_step;
    const char *notes;
};

/* One key (or count keys with a step) at fixed places. */
#define KEY_AT(pos, key_flags) KEY_RANGE(pos, 0, 1, key_flags)
#define KEY_RANGE(pos, last, every, key_flags) \
    (const struct key_spec[]) {                \
        {.flags = (key_flags),                 \
         .begin = KEY_BEGIN_INDEX,             \
         .index = (pos),                       \
         .find = KEY_FIND_RANGE,               \
         .last_key = (last),                   \
         .step = (every)},                     \
            {0},                               \
    }
#define KEYS(...) \
    (const struct key_spec[]) { __VA_ARGS__, {0}, }

enum arg_type {
    ARG_END = 0,
    ARG_STRING,
    ARG_INTEGER,
    ARG_DOUBLE,
    ARG_KEY,
    ARG_PATTERN,
    ARG_UNIX_TIME,
    ARG_PURE_TOKEN,
    ARG_ONEOF,
    ARG_BLOCK,
};
enum arg_flag { ARG_OPTIONAL = BIT(0), ARG_MULTIPLE = BIT(1), ARG_MULTIPLE_TOKEN = BIT(2) };

struct arg_spec { /* the grammar of the arguments; a list ends with type == ARG_END */
    const char *name;
    uint8_t type;
    uint8_t flags;
    int8_t key_spec_index; /* for ARG_KEY */
    const char *token;
    const char *since;
    const char *deprecated_since;
    const char *summary;
    const char *display;         /* NULL: the name */
    const struct arg_spec *args; /* of ARG_ONEOF and ARG_BLOCK */
};
#define ARGS(...) \
    (const struct arg_spec[]) { __VA_ARGS__, {0}, }

struct command_history {
    const char *since, *change; /* list ends with NULL */
};
#define HISTORY(...) \
    (const struct command_history[]) { __VA_ARGS__, {0}, }
#define TIPS(...) \
    (const char *const[]) { __VA_ARGS__, NULL, }

struct command_keys; /* below */
struct entry;        /* keyspace/entry.h */

/* Before a window of commands is executed: brings the memory that this one will need. entry: the
 * first key's, of any type but string, and perhaps expired. Step 0: what can be computed (the
 * element's bucket); step 1: what that points to; steps 2 and 3, with CMD_PREFETCH_DEEP only: what
 * is found from there. It only prefetches: arguments may be anything that fits the arity. */
struct command_prefetch {
    unsigned step;
    const void *found[3]; /* the function's own: what it keeps for its next step; NULL at first */
    uint64_t numbers[2];  /* the same; 0 at first */
};
typedef void (*command_prefetch_fn)(const struct entry *entry, const struct bytes *argv,
                                    uint32_t argc, struct command_prefetch *at);
enum { COMMAND_PREFETCH_STEPS = 2, COMMAND_PREFETCH_STEPS_DEEP = 4 };

struct command_spec {
    const char *name;   /* lower case; of a subcommand: only its own part */
    command_fn handler; /* NULL for a container that needs a subcommand */
    int16_t arity;      /* counts the name (and container); negative: at least */
    uint8_t group;      /* enum command_group */
    uint32_t flags;     /* enum command_flag */
    uint32_t acl;       /* enum acl_category: those that do not follow from flags and group */
    const struct key_spec *keys; /* NULL: none */
    /* Where positions depend on the arguments beyond what keys can say. NULL: keys says it all. */
    bool (*find_keys)(const struct bytes *argv, uint32_t argc, struct command_keys *out);
    command_prefetch_fn prefetch; /* NULL: the key's entry is all it needs */
    const char *since, *complexity, *summary;
    const char *deprecated_since, *replaced_by;
    uint8_t doc_flags; /* enum command_doc_flag */
    const struct command_history *history;
    const char *const *tips;
    const struct arg_spec *args;
    const struct command_spec *subs; /* subcommands; the list ends with name == NULL */
};
enum command_doc_flag { DOC_DEPRECATED = BIT(0), DOC_SYSCMD = BIT(1) };

struct command { /* the runtime form: one cache line; constant after start, but for rename-command
                  */
    alignas(CACHE_LINE) command_fn handler;
    const struct command_spec *spec;
    uint32_t flags; /* enum command_flag, with CMD_MOVABLEKEYS derived */
    uint32_t needs; /* enum gate of exec/gate.h: what may stand in its way */
    uint32_t acl;   /* enum acl_category, complete */
    int16_t arity;
    uint16_t id;       /* index into per-command arrays (statistics, permissions) */
    int16_t first_key; /* legacy triple of COMMAND INFO; 0: no key at a fixed place */
    int16_t last_key;
    int16_t key_step;
    uint8_t name_size;
    uint8_t sub_count;
    const char *full_name; /* "config|get"; owned by the table */
    const struct command *parent;
    const struct command *const *subs; /* sub_count of them */
};

static inline bool command_arity_fits(const struct command *command, uint32_t argc) {
    return command->arity >= 0 ? argc == (uint32_t)command->arity
                               : argc >= (uint32_t)-command->arity;
}

/* The table of all commands. */
struct command_table *command_table_create(void);
void command_table_destroy(struct command_table **table);
/* rows ends with name == NULL, lives as long as the table. A name twice is our mistake (check). */
void command_table_add(struct command_table *table, const struct command_spec *rows);
/* Subcommands of a feature for a container that was added before: CLIENT TRACKING and the like. */
void command_table_add_subs(struct command_table *table, const char *container,
                            const struct command_spec *rows);
/* Option rename-command: an empty new name removes it. False: no such command, or new name taken.
 */
must_use bool command_table_rename(struct command_table *table, struct bytes old, struct bytes new);
/* Fills command->needs of every command, those added later too. */
void command_table_set_needs(struct command_table *table,
                             uint32_t (*needs_of)(const struct command *command));
size_t command_table_count(const struct command_table *table);    /* top level only */
size_t command_table_id_count(const struct command_table *table); /* ids are 0 .. this - 1 */
const struct command *command_table_at_id(const struct command_table *table, size_t id);
/* Top-level commands 0 .. count - 1, in the order of the names they are found by. */
const struct command *command_table_at(const struct command_table *table, size_t index);

/* Any case. Top level only; one probe. NULL if unknown. Safe in workers: constant after start. */
const struct command *command_find(const struct command_table *table, struct bytes name);
/* "config|get" or "get". */
const struct command *command_find_full(const struct command_table *table, struct bytes full_name);
const struct command *command_find_sub(const struct command *container, struct bytes name);

/* True if it can have keys at all: a key spec that is not KEY_NOT_KEY, or find_keys. */
bool command_has_keys(const struct command *command);

enum { COMMAND_KEYS_INLINE = 16 };
struct command_key {
    uint32_t position; /* in argv */
    uint32_t flags;    /* enum key_flag */
};
struct command_keys {
    uint32_t count, cap;
    struct command_key *keys; /* inline_keys, or allocated */
    struct command_key inline_keys[COMMAND_KEYS_INLINE];
};
void command_keys_init(struct command_keys *keys);
void command_keys_deinit(struct command_keys *keys);
void command_keys_add(struct command_keys *keys, uint32_t position, uint32_t flags);
/* Where the keys are in these arguments, with the same reading as execution. False: the arguments
 * do not make sense for the command, and what is in out means nothing. Safe for arguments of a
 * wrong count. O(argc). out must be fresh from command_keys_init. */
must_use bool command_find_keys(const struct command *command, const struct bytes *argv,
                                uint32_t argc, struct command_keys *out);
/* A key's size has four bytes where keys are kept, and so has that of a hash's field. */
#define COMMAND_KEY_BYTES_MAX UINT32_MAX
/* True if none of the keys is longer than that, nor any argument of a command on hashes. Reads no
 * argument. O(argc). */
bool command_keys_fit(const struct command *command, const struct bytes *argv, uint32_t argc);
/* Position of the first key if it is at a fixed place and there, else 0. */
static inline uint32_t command_first_key(const struct command *command, uint32_t argc) {
    uint32_t first = (uint32_t)command->first_key;
    return first < argc ? first : 0;
}

const char *command_flag_name(unsigned bit); /* of enum command_flag; NULL past the shown ones */
const char *acl_category_name(unsigned bit); /* without '@'; NULL past the last */
const char *command_group_name(uint8_t group);
const char *key_flag_name(unsigned bit);
const char *arg_type_name(uint8_t type);
