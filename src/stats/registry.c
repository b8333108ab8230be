/* SPDX-License-Identifier: BSD-3-Clause */
/* A section has groups in the order they were added; a group is a borrowed list of fields with the
 * struct they are about, or a function that refreshes such a struct. */
#include "stats/registry.h"

#include "base/check.h"
#include "base/mem.h"

enum { SECTIONS_MAX = 64 };

struct stats_group {
    const struct stats_field *fields; /* NULL: this group is a refresh function */
    void (*refresh)(void *ctx);
    void *ctx;
    bool fills; /* its fields are shown at the places of fixed ones */
};

struct stats_section {
    const char *name; /* "modules|module_list" */
    const char *title;
    unsigned flags; /* enum stats_section_flag */
    struct stats_group *groups;
    size_t count, cap;
};

struct stats_registry {
    struct stats_section sections[SECTIONS_MAX];
    size_t count;
};

struct stats_registry *stats_registry_create(void) {
    return mem_zalloc(sizeof(struct stats_registry));
}

void stats_registry_destroy(struct stats_registry **registry) {
    if (!*registry) return;
    for (size_t i = 0; i < (*registry)->count; i++)
        mem_free((*registry)->sections[i].groups);
    mem_free(*registry);
    *registry = NULL;
}

/* True if the text is one of the section's names, in any case. */
static bool section_is(const struct stats_section *section, struct bytes text) {
    struct bytes names = bytes_of(section->name);
    for (;;) {
        size_t end = bytes_find_byte(names, '|');
        if (bytes_equal_nocase(bytes_make(names.data, end), text)) return true;
        if (end == names.size) return false;
        names = bytes_from(names, end + 1);
    }
}

static struct stats_section *section_find(struct stats_registry *registry, const char *name) {
    for (size_t i = 0; i < registry->count; i++) {
        if (section_is(&registry->sections[i], bytes_of(name))) return &registry->sections[i];
    }
    return NULL;
}

void stats_add_section(struct stats_registry *registry, const char *name, const char *title,
                       unsigned flags) {
    check(registry->count < SECTIONS_MAX);
    check(!section_find(registry, name));
    registry->sections[registry->count++] =
        (struct stats_section){.name = name, .title = title, .flags = flags};
}

static void section_add(struct stats_registry *registry, const char *name,
                        const struct stats_group *group) {
    struct stats_section *section = section_find(registry, name);
    check(section);
    if (section->count == section->cap) {
        section->cap = section->cap ? section->cap * 2 : 4;
        section->groups = mem_realloc(section->groups, section->cap * sizeof(section->groups[0]));
    }
    section->groups[section->count++] = *group;
}

void stats_add_fields(struct stats_registry *registry, const char *section,
                      const struct stats_field *fields, void *ctx) {
    check(fields);
    section_add(registry, section, &(struct stats_group){.fields = fields, .ctx = ctx});
}

/* The field of that name in a group that fills places, and its group. */
static const struct stats_field *find_filling(const struct stats_section *section, const char *name,
                                              const struct stats_group **group) {
    for (size_t i = 0; i < section->count; i++) {
        *group = &section->groups[i];
        if (!(*group)->fills) continue;
        for (const struct stats_field *field = (*group)->fields; field->kind != STATS_END;
             field++) {
            if (strcmp(field->name, name) == 0) return field;
        }
    }
    return NULL;
}

static bool has_place(const struct stats_section *section, const char *name) {
    for (size_t i = 0; i < section->count; i++) {
        const struct stats_group *group = &section->groups[i];
        if (!group->fields || group->fills) continue;
        for (const struct stats_field *field = group->fields; field->kind != STATS_END; field++) {
            if (field->kind == STATS_FIXED && strcmp(field->name, name) == 0) return true;
        }
    }
    return false;
}

void stats_fill_fields(struct stats_registry *registry, const char *section,
                       const struct stats_field *fields, void *ctx) {
    const struct stats_section *found = section_find(registry, section);
    const struct stats_group *group;
    check(found && fields);
    for (const struct stats_field *field = fields; field->kind != STATS_END; field++) {
        check(has_place(found, field->name));
        check(!find_filling(found, field->name, &group));
    }
    section_add(registry, section,
                &(struct stats_group){.fields = fields, .ctx = ctx, .fills = true});
}

void stats_add_refresh(struct stats_registry *registry, const char *section,
                       void (*refresh)(void *ctx), void *ctx) {
    check(refresh);
    section_add(registry, section, &(struct stats_group){.refresh = refresh, .ctx = ctx});
}

/* ---- showing ---- */

static void print_value(const struct stats_field *field, void *ctx, struct buf *out) {
    const void *at = (const char *)ctx + field->offset;
    switch (field->kind) {
    case STATS_U64: buf_addf(out, "%llu", (unsigned long long)*(const uint64_t *)at); break;
    case STATS_I64: buf_add_i64(out, *(const int64_t *)at); break;
    case STATS_U32: buf_add_i64(out, *(const uint32_t *)at); break;
    case STATS_I32: buf_add_i64(out, *(const int32_t *)at); break;
    case STATS_BOOL: buf_add_char(out, *(const bool *)at ? '1' : '0'); break;
    case STATS_F64: buf_addf(out, "%.2f", *(const double *)at); break;
    case STATS_TEXT: buf_add(out, bytes_of(*(const char *const *)at)); break;
    case STATS_FIXED: buf_add_text(out, field->text); break;
    case STATS_PRINT: field->print(out, ctx); break;
    case STATS_LINES:
    case STATS_END: check(!"a field with a value of its own"); break;
    }
}

static void print_field(const struct stats_field *field, void *ctx, struct buf *out) {
    if (field->when && !field->when(ctx)) return;
    if (field->kind == STATS_LINES) {
        field->print(out, ctx);
        return;
    }
    buf_add_text(out, field->name);
    buf_add_char(out, ':');
    print_value(field, ctx, out);
    buf_add_text(out, "\r\n");
}

static void print_section(const struct stats_section *section, struct buf *out) {
    for (size_t i = 0; i < section->count; i++) {
        if (section->groups[i].refresh) section->groups[i].refresh(section->groups[i].ctx);
    }
    buf_addf(out, "# %s\r\n", section->title);
    for (size_t i = 0; i < section->count; i++) {
        const struct stats_group *group = &section->groups[i];
        if (!group->fields || group->fills) continue;
        for (const struct stats_field *field = group->fields; field->kind != STATS_END; field++) {
            const struct stats_group *owner;
            const struct stats_field *filling =
                field->kind == STATS_FIXED ? find_filling(section, field->name, &owner) : NULL;
            if (filling) {
                print_field(filling, owner->ctx, out);
            } else {
                print_field(field, group->ctx, out);
            }
        }
    }
}

static bool section_is_wanted(const struct stats_section *section, const struct bytes *wanted,
                              size_t count) {
    if (!count) return section->flags & STATS_IN_DEFAULT;
    for (size_t i = 0; i < count; i++) {
        if (section_is(section, wanted[i])) return true;
        unsigned set = bytes_equal_nocase(wanted[i], BYTES("default"))      ? STATS_IN_DEFAULT
                       : bytes_equal_nocase(wanted[i], BYTES("all"))        ? STATS_IN_ALL
                       : bytes_equal_nocase(wanted[i], BYTES("everything")) ? STATS_IN_EVERYTHING
                                                                            : 0;
        if (section->flags & set) return true;
    }
    return false;
}

void stats_print(const struct stats_registry *registry, const struct bytes *wanted, size_t count,
                 struct buf *out) {
    bool first = true;
    for (size_t i = 0; i < registry->count; i++) {
        const struct stats_section *section = &registry->sections[i];
        if (!section_is_wanted(section, wanted, count)) continue;
        if (!first) buf_add_text(out, "\r\n");
        first = false;
        print_section(section, out);
    }
}
