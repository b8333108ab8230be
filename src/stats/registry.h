/* SPDX-License-Identifier: BSD-3-Clause */
/* registry -- named figures in sections. INFO, and later metrics endpoints, read them; each owner
 * registers its own. Knows no metric by name. Executor only.
 *
 * A field's value is at an offset in its owner's struct (context), or printed by a function. Where
 * figures have to be gathered first, the owner keeps a struct for them and a refresh function,
 * which is called once each time its section is shown. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"

struct stats_registry;

enum stats_kind {
    STATS_END = 0,
    STATS_U64, /* uint64_t or size_t at offset */
    STATS_I64,
    STATS_U32,
    STATS_I32,
    STATS_BOOL,  /* 0 or 1 */
    STATS_F64,   /* double, shown with two decimals */
    STATS_TEXT,  /* const char *; NULL is shown as nothing */
    STATS_FIXED, /* field.text: a figure of a feature that does not exist has one true value */
    STATS_PRINT, /* print writes the value */
    STATS_LINES, /* print writes whole lines, "name:value\r\n" each (per command, per database) */
};

struct stats_field {
    const char *name;
    enum stats_kind kind;
    size_t offset; /* in the owner's struct */
    void (*print)(struct buf *out, void *ctx);
    bool (*when)(void *ctx); /* NULL: always shown */
    const char *text;        /* of STATS_FIXED */
};

enum stats_section_flag {
    STATS_IN_DEFAULT = BIT(0),
    STATS_IN_ALL = BIT(1),
    STATS_IN_EVERYTHING = BIT(2)
};

struct stats_registry *stats_registry_create(void);
void stats_registry_destroy(struct stats_registry **registry);
/* Declares a section; sections are shown in the order of declaration. name: in lower case, with
 * further names behind '|'. */
void stats_add_section(struct stats_registry *registry, const char *name, const char *title,
                       unsigned flags);
/* Adds fields (list ends with STATS_END) to a section that was declared. Lists live as long as the
 * registry. */
void stats_add_fields(struct stats_registry *registry, const char *section,
                      const struct stats_field *fields, void *ctx);
/* These take the places of STATS_FIXED fields of the same names, which must be there: how a feature
 * brings its figures into the order that INFO has. */
void stats_fill_fields(struct stats_registry *registry, const char *section,
                       const struct stats_field *fields, void *ctx);
/* Before the section is shown, refresh(ctx) is called; a section may have several. */
void stats_add_refresh(struct stats_registry *registry, const char *section,
                       void (*refresh)(void *ctx), void *ctx);
/* Adds INFO's text: the wanted sections ("default", "all", "everything" or names, any case), none
 * twice; no wanted sections means "default". Unknown names add nothing. */
void stats_print(const struct stats_registry *registry, const struct bytes *wanted, size_t count,
                 struct buf *out);
