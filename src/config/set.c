/* SPDX-License-Identifier: BSD-3-Clause */
/* CONFIG SET of one or several options, all or nothing.
 *
 *     refuse by name ──▶ parse all ──▶ swap all in ──▶ apply each ──▶ drop the old values
 *                           │                            │ failed
 *                           ▼                            ▼
 *                        nothing was changed     swap all back, apply again what had run
 *
 * After the swap, a change holds the old value; so undoing is the same swap again. */
#include "base/check.h"
#include "base/mem.h"
#include "config/config_internal.h"

struct change {
    const struct config_slot *slot;
    void *field;
    void *value;     /* the new one, after the swap the old one */
    size_t index;    /* in the request; for messages */
    bool must_apply; /* this change is the first with its apply, and differs */
    bool applied;
};

struct set {
    struct config *config;
    const struct config_set_request *request;
    struct change *changes; /* as many as the request has names */
    struct diag *diag;
};

static enum err refuse(const struct set *set, size_t index, enum err err, const char *reason) {
    struct bytes name = set->request->names[index];
    return diag_set(set->diag, err, "CONFIG SET failed (possibly related to argument '%.*s') - %s",
                    (int)name.size, name.data, reason[0] ? reason : "can't be applied");
}

static enum err find_all(const struct set *set) {
    const struct config_set_request *request = set->request;
    const struct config *config = set->config;
    bool *seen = mem_zalloc(config->name_count + 1);
    enum err err = ERR_NONE;

    for (size_t i = 0; i < request->count && err == ERR_NONE; i++) {
        size_t index = config__find_name(config, request->names[i]);
        const struct config_slot *slot =
            index == SIZE_MAX ? NULL : &config->slots[config->names[index].slot];
        unsigned flags = slot ? slot->option->flags : CONFIG_FILE_ONLY;
        if ((flags & CONFIG_FILE_ONLY) || slot->option->kind == CONFIG_IGNORED) {
            err = diag_set(set->diag, ERR_NOT_FOUND,
                           "Unknown option or number of arguments for CONFIG SET - '%.*s'",
                           (int)size_min(request->names[i].size, 128), request->names[i].data);
        } else if (!(flags & CONFIG_LIVE)) {
            err = refuse(set, i, ERR_DENIED, "can't set immutable config");
        } else if ((flags & CONFIG_PROTECTED) && !request->protected_allowed) {
            err = refuse(set, i, ERR_DENIED, "can't set protected config");
        } else if ((flags & CONFIG_DENY_LOADING) && request->loading) {
            err = refuse(set, i, ERR_DENIED, "can't set config while the data set is loading");
        } else if (seen[index]) {
            err = refuse(set, i, ERR_EXISTS, "duplicate parameter");
        } else {
            seen[index] = true;
            set->changes[i] = (struct change){.slot = slot, .field = slot->field, .index = i};
        }
    }
    mem_free(seen);
    return err;
}

static enum err parse_all(const struct set *set) {
    for (size_t i = 0; i < set->request->count; i++) {
        struct change *change = &set->changes[i];
        const struct config_option *option = change->slot->option;
        void *value = mem_zalloc(option->field.size);
        struct config_input in = {
            .option = option,
            .words = &set->request->values[i],
            .count = 1,
            .current = change->field,
            .touched = true,
            .live = true,
            .ctx = change->slot->ctx,
        };
        struct diag reason = {0};
        enum err err = config__value_parse(&in, value, &reason);
        if (err != ERR_NONE) {
            mem_free(value);
            return refuse(set, i, err, reason.text);
        }
        change->value = value;
    }
    return ERR_NONE;
}

static void swap_values(struct change *change) {
    size_t size = change->slot->option->field.size;
    char *a = change->field;
    char *b = change->value;
    for (size_t i = 0; i < size; i++) {
        char byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

static bool shares_apply(const struct change *a, const struct change *b) {
    return a->slot->option->apply == b->slot->option->apply && a->slot->ctx == b->slot->ctx;
}

static void swap_all_in(const struct set *set) {
    for (size_t i = 0; i < set->request->count; i++) {
        struct change *change = &set->changes[i];
        const struct config_option *option = change->slot->option;
        bool differs = (option->flags & CONFIG_VOLATILE) ||
                       !config__values_equal(option, change->field, change->value);
        swap_values(change);
        change->must_apply = differs && option->apply;
        for (size_t j = 0; j < i && change->must_apply; j++) {
            if (set->changes[j].must_apply && shares_apply(&set->changes[j], change))
                change->must_apply = false;
        }
    }
}

static enum err apply_one(struct change *change, struct diag *diag) {
    change->applied = true;
    return change->slot->option->apply(change->slot->ctx, diag);
}

static void undo(const struct set *set) {
    for (size_t i = set->request->count; i-- > 0;)
        swap_values(&set->changes[i]);
    for (size_t i = 0; i < set->request->count; i++) {
        struct change *change = &set->changes[i];
        if (!change->applied) continue;
        struct diag diag = {0};
        /* The old values were in force a moment ago; if they fail now nothing better is left. */
        (void)change->slot->option->apply(change->slot->ctx, &diag);
    }
}

static enum err apply_all(const struct set *set) {
    for (size_t i = 0; i < set->request->count; i++) {
        struct change *change = &set->changes[i];
        if (!change->must_apply) continue;

        struct diag reason = {0};
        enum err err = apply_one(change, &reason);
        if (err != ERR_NONE) {
            undo(set);
            return refuse(set, change->index, err, reason.text);
        }
    }
    return ERR_NONE;
}

static void mark_touched(const struct set *set) {
    for (size_t i = 0; i < set->request->count; i++) {
        size_t slot = (size_t)(set->changes[i].slot - set->config->slots);
        set->config->live.touched[slot] = true;
    }
}

enum err config_set_many(struct config *config, const struct config_set_request *request,
                         struct diag *diag) {
    struct set set = {.config = config, .request = request, .diag = diag};
    set.changes = mem_zalloc((request->count + 1) * sizeof(*set.changes));

    enum err err = find_all(&set);
    if (err != ERR_NONE) goto out;
    err = parse_all(&set);
    if (err != ERR_NONE) goto out;
    swap_all_in(&set);
    err = apply_all(&set);
    if (err == ERR_NONE) mark_touched(&set);
out:
    for (size_t i = 0; i < request->count; i++) {
        struct change *change = &set.changes[i];
        if (!change->value) continue;
        config__value_deinit(change->slot->option, change->value);
        mem_free(change->value);
    }
    mem_free(set.changes);
    return err;
}
