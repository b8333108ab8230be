/* SPDX-License-Identifier: BSD-3-Clause */
/* config -- the option engine: reads, checks, sets, shows and writes back options that others
 * describe. It knows no option by name.
 *
 *     rows (struct config_option) + a struct with the values   = a table, added by its owner
 *     files, stdin, command line ──parse──▶ values ◀──set (all or nothing, then apply)── CONFIG SET
 *                                             └──format──▶ CONFIG GET, CONFIG REWRITE
 *
 * A value is field.size bytes of memory inside the owner's struct. A new one is always built beside
 * it and then swapped in, so that a failure later on can swap the old one back: that is the whole
 * of rollback, for plain numbers and for values that own memory alike.
 *
 * 1. A name or alias belongs to one row of one table.
 * 2. Every field holds a valid value from config_add_table on: the row's initial text was parsed.
 * 3. parse and validate have no side effects; only apply acts, and only after CONFIG SET. What the
 *    start of the server needs is read from the fields after loading.
 *
 * Threads: one, the executor's (before start: the main thread). */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
    CONFIG_INCLUDE_DEPTH_MAX = 16, /* files inside files */
    CONFIG_FILES_MAX = 1024,       /* files read by one load, against include bombs */
    CONFIG_FILE_BYTES_MAX = 64 * 1024 * 1024,
    CONFIG_WORDS_MAX = 4096, /* words of one line */
};

enum config_kind {
    CONFIG_BOOL,  /* bool: yes, no */
    CONFIG_INT,   /* any integer field: min..max; .values may add words that stand for numbers */
    CONFIG_BYTES, /* any integer field: 1k = 1000, 1kb = 1024, ...; see CONFIG_PERCENT, _NEGATIVE */
    CONFIG_OCTAL, /* any integer field, written in octal: file modes */
    CONFIG_ENUM,  /* an enum, int or uint8_t field; with CONFIG_MULTI_ARG the words are or-ed */
    CONFIG_STRING, /* char * or const char *, owned by the engine; NULL only with EMPTY_IS_NULL */
    CONFIG_CUSTOM, /* any field: .custom says how */
    CONFIG_IGNORED /* no field: accepted in files and arguments, otherwise unknown */
};

enum config_flag {
    CONFIG_LIVE = 1 << 0,          /* CONFIG SET may change it */
    CONFIG_HIDDEN = 1 << 1,        /* not matched by patterns, only by its name */
    CONFIG_SENSITIVE = 1 << 2,     /* values must not reach logs */
    CONFIG_PROTECTED = 1 << 3,     /* CONFIG SET only where config_set_request allows it */
    CONFIG_DENY_LOADING = 1 << 4,  /* no CONFIG SET while the data set loads */
    CONFIG_MULTI_ARG = 1 << 5,     /* several words; one word is split at its blanks */
    CONFIG_EMPTY_IS_NULL = 1 << 6, /* STRING: an empty value is kept as NULL */
    CONFIG_PERCENT = 1 << 7,       /* BYTES: "5%" is kept as -5 */
    CONFIG_NEGATIVE = 1 << 8,      /* BYTES: plain negative numbers are allowed */
    CONFIG_U64 = 1 << 9,           /* INT, BYTES: the upper bound is UINT64_MAX */
    CONFIG_VOLATILE = 1 << 10,     /* apply runs even if the value stays the same */
    CONFIG_FILE_ONLY =
        1 << 11, /* CUSTOM: unknown to CONFIG GET and SET; parse gets the words as they are */
    CONFIG_ACCUMULATES = 1 << 12, /* CUSTOM: several lines of a file add up */
    CONFIG_LATER = 1 << 13,       /* kept and answered; the feature does not exist yet */
};

enum config_field_type {
    CONFIG_TYPE_OTHER = 0,
    CONFIG_TYPE_BOOL,
    CONFIG_TYPE_SIGNED,
    CONFIG_TYPE_UNSIGNED,
    CONFIG_TYPE_TEXT
};

struct config_field {
    size_t offset;
    size_t size;
    enum config_field_type type; /* checked against kind when the table is added */
};

/* Where a row's value lives, with its size and type as the compiler sees them. */
#define CONFIG_FIELD(owner, member)                                              \
    {                                                                            \
        .offset = offsetof(owner, member), .size = sizeof(((owner *)0)->member), \
        .type = CONFIG_TYPE_OF(((owner *)0)->member)                             \
    }
#define CONFIG_TYPE_OF(x) \
    _Generic((x),                                                                                  \
        bool: CONFIG_TYPE_BOOL,                                                                    \
        int: CONFIG_TYPE_SIGNED,                                                                   \
        long: CONFIG_TYPE_SIGNED,                                                                  \
        long long: CONFIG_TYPE_SIGNED,                                                             \
        unsigned char: CONFIG_TYPE_UNSIGNED,                                                       \
        unsigned: CONFIG_TYPE_UNSIGNED,                                                            \
        unsigned long: CONFIG_TYPE_UNSIGNED,                                                       \
        unsigned long long: CONFIG_TYPE_UNSIGNED,                                                  \
        const char *: CONFIG_TYPE_TEXT,                                                            \
        char *: CONFIG_TYPE_TEXT,                                                                  \
        default: CONFIG_TYPE_OTHER)

struct config_enum { /* a table ends with a NULL name */
    const char *name;
    int value; /* MULTI_ARG: a bit or 0; the row with 0 shows when no bit is set */
};

/* Where an option was set. */
struct config_place {
    const char *file; /* "" for the command line, "-" for standard input; NULL: nowhere */
    size_t line;      /* from 1; 0: not by a line */
};

/* What a CUSTOM parse is given. */
struct config_parse {
    const struct bytes *words; /* the value, 0 or more words */
    size_t count;
    const void *current;  /* the value in force */
    bool fresh;           /* nothing but the initial text set it so far: a line replaces it */
    bool initial;         /* the row's own initial text, or no words if it has none */
    bool live;            /* CONFIG SET: the words are the whole new value */
    const char *base_dir; /* where relative paths start: the directory of the start, or live NULL */
    struct config_place place; /* of the words; live: none */
    void *ctx;                 /* of the table */
};

struct config_custom {
    /* Builds a value at out (field.size zeroed bytes). On failure nothing is owned by out. */
    enum err (*parse)(const struct config_parse *in, void *out, struct diag *diag);
    /* Adds what CONFIG GET answers. With MULTI_ARG: words separated by single blanks. */
    void (*format)(const void *value, struct buf *out);
    /* True if both mean the same; NULL: if their texts are equal. */
    bool (*equal)(const void *a, const void *b);
    /* Releases what a value owns; may be NULL. */
    void (*deinit)(void *value);
    /* Adds the complete lines for a file, each with its newline; NULL: "name text". */
    void (*write_lines)(const char *name, const void *value, struct buf *out);
};

struct config_option {
    const char *name;       /* lower case */
    const char *aliases[2]; /* other names, NULL if none */
    enum config_kind kind;
    const char *initial; /* the default's text; CUSTOM may have NULL: parse gets no words, and
                          * CONFIG REWRITE always writes a line */
    int64_t min, max;    /* numbers; both 0: from 0 to the field's greatest (signed 63 bits) */
    unsigned flags;      /* enum config_flag */
    struct config_field field;
    const struct config_enum *values;
    const struct config_custom *custom;
    /* Refuses or rounds a new value (field.size bytes) before it takes effect; may be NULL. */
    enum err (*validate)(void *ctx, void *value, struct diag *diag);
    /* Makes the new field values effective. Rows that share an apply and a ctx have it called once
     * for a CONFIG SET. On failure all fields get their old values back and each apply that ran is
     * called again, the failed one included. May be NULL. */
    enum err (*apply)(void *ctx, struct diag *diag);
    const char *help; /* a sentence or two for people */
};

struct config_table {
    const struct config_option *options; /* ends with a NULL name; must outlive the config */
    void *base;                          /* the struct the fields are in; must outlive the config */
    void *ctx;                           /* for validate, apply and parse */
};

/* What went wrong in a file or on the command line, and where. */
struct config_fault {
    char file[256]; /* "" for the command line, "-" for standard input */
    size_t line;    /* from 1; 0 if the file as a whole is meant */
    char text[256]; /* the line, cut to fit */
    struct diag reason;
};

struct config;

struct config *config_create(void);
/* Releases all values too: fields are zeroed and must not be used afterwards. */
void config_destroy(struct config **config);
/* Adds the rows and sets their fields to the initial values. A name that is already there, a kind
 * that does not fit its field or an initial text that does not parse is a mistake of ours: check.
 */
void config_add_table(struct config *config, const struct config_table *table);

/* --- loading, before the server starts; nothing is applied --- */

/* Reads a file. On failure the options of the lines before the fault are set. */
must_use enum err config_load_file(struct config *config, const char *path,
                                   struct config_fault *fault);
/* Reads text as if it were a file of this name ("-" for standard input). */
must_use enum err config_load_text(struct config *config, struct bytes text, const char *name,
                                   struct config_fault *fault);
/* Sets one option from words; words[0] is its name. For the command line. */
must_use enum err config_load_words(struct config *config, const struct bytes *words, size_t count,
                                    struct config_fault *fault);
/* Replaces the fault; place.file is not NULL, text is the line, cut to fit. */
void config_fault_set(struct config_fault *fault, struct config_place place, struct bytes text,
                      const struct diag *reason);
/* Adds "*** FATAL CONFIG FILE ERROR (title) ***" and the lines that say where and why. */
void config_fault_describe(const struct config_fault *fault, const char *title, struct buf *out);
/* Adds "file:line: reason". */
void config_fault_brief(const struct config_fault *fault, struct buf *out);

/* Splits a line as files have it: blanks separate, "..." knows \n \r \t \b \a \\ \" \xHH, '...'
 * knows
 * \'. The words live in *store, which the caller deinits. ERR_SYNTAX if quotes do not match. */
must_use enum err config_split_line(struct bytes line, struct buf *store, struct bytes *words,
                                    size_t cap, size_t *count);

/* --- reading --- */

typedef void (*config_emit_fn)(struct bytes name, struct bytes value, void *ctx);
/* CONFIG GET: emits each match of the patterns once. A name without special characters also finds
 * hidden options and is emitted as the caller wrote it. */
void config_get(const struct config *config, const struct bytes *patterns, size_t count,
                config_emit_fn emit, void *ctx);
/* The row of a name or alias (any case); NULL if unknown. Borrowed. O(log n). */
const struct config_option *config_find(const struct config *config, struct bytes name);
/* Adds the text of the option's value; false if the name is unknown. */
bool config_format(const struct config *config, struct bytes name, struct buf *out);
/* True if the value equals the default, as text. The name must exist. */
bool config_is_default(const struct config *config, const char *name);
/* Calls visit for each row, in the order of the tables. */
void config_visit(const struct config *config,
                  void (*visit)(const struct config_option *option, void *ctx), void *ctx);

/* --- changing a running server --- */

struct config_set_request {
    const struct bytes *names;
    const struct bytes *values;
    size_t count;
    bool loading;           /* refuse DENY_LOADING options */
    bool protected_allowed; /* the caller may change PROTECTED options */
};
/* CONFIG SET: all or nothing. On failure diag holds the text of the error reply after "ERR ". */
must_use enum err config_set_many(struct config *config, const struct config_set_request *request,
                                  struct diag *diag);

/* CONFIG REWRITE: brings the file in line with the values. Comments, order and every line whose
 * meaning is still right stay; changed options replace their line, repeated lines go, new ones come
 * at the end behind a marker. Writes beside the file, syncs and renames; keeps the mode. The result
 * is read back before it replaces the file. force_all: every option gets a line. */
must_use enum err config_rewrite(const struct config *config, const char *path, bool force_all,
                                 struct diag *diag);
