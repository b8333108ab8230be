/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of config/ share: the registry, sets of values, and one value's operations. */
#pragma once

#include "config/config.h"

struct config_slot {
    const struct config_option *option;
    void *field;        /* where the value in force lives */
    void *ctx;          /* of the table */
    char *initial_text; /* the default as CONFIG GET would show it; owned */
};

struct config_name {
    const char *name; /* of a row or an alias; borrowed from the row */
    size_t slot;
};

/* One value per slot. The live set points into the owners' structs; a scratch set owns memory of
 * its own, so that a file can be read to see what it would give. */
struct config_values {
    void **at;
    bool *touched; /* something but the initial text set it */
    bool *bad;     /* lenient loading met a line for it that does not parse */
    size_t count;
    bool scratch;
};

struct config {
    struct config_slot *slots; /* in the order they were added */
    size_t slot_count, slot_cap;
    struct config_name *names; /* sorted by name */
    size_t name_count, name_cap;
    struct config_values live;
    char *base_dir; /* working directory when the config was created */
};

/* The index in names, or SIZE_MAX. */
size_t config__find_name(const struct config *config, struct bytes name);

/* --- value.c: a value is option->field.size bytes --- */

/* Checks that kind, field, bounds and callbacks of a row fit together. */
void config__check_row(const struct config_option *option);
struct config_input {
    const struct config_option *option;
    const struct bytes *words; /* the value, without the name */
    size_t count;
    const void *current;
    bool touched, live;
    bool initial; /* the row's initial text is being parsed */
    const char *base_dir;
    struct config_place place;
    void *ctx;
};
/* Parses and validates; out is zeroed memory. On failure out owns nothing. */
must_use enum err config__value_parse(const struct config_input *in, void *out, struct diag *diag);
void config__value_format(const struct config_option *option, const void *value, struct buf *out);
void config__value_deinit(const struct config_option *option, void *value);
bool config__values_equal(const struct config_option *option, const void *a, const void *b);

/* --- load.c --- */

/* A scratch set with the initial values. */
void config__scratch_init(const struct config *config, struct config_values *values);
void config__scratch_deinit(const struct config *config, struct config_values *values);
/* Reads text into a scratch set. Lines that do not parse only mark their option as bad. */
void config__load_lenient(const struct config *config, struct config_values *values,
                          struct bytes text, const char *name);
/* Reads a whole file; relative paths start at base_dir. Adds to out. */
must_use enum err config__read_file(const struct config *config, const char *path, struct buf *out,
                                    struct diag *diag);
/* The path, made absolute with base_dir. Caller frees. */
must_use char *config__path(const struct config *config, const char *path);
