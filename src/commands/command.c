/* SPDX-License-Identifier: BSD-3-Clause */
/* COMMAND: what the rows of the command table say, in the forms clients and tools read. */
#include "base/glob.h"
#include "commands/command_internal.h"

#include <stdio.h>

typedef const char *(*bit_name_fn)(unsigned bit);

/* The names of the bits that have one, as a set of simple strings. */
static void reply_bits(struct reply *reply, uint32_t bits, bit_name_fn name_of,
                       const char *prefix) {
    size_t count = 0;
    for (unsigned bit = 0; name_of(bit); bit++)
        count += (bits >> bit) & 1;
    reply_set(reply, count);
    for (unsigned bit = 0; name_of(bit); bit++) {
        if (!((bits >> bit) & 1)) continue;
        char text[64];
        int size = snprintf(text, sizeof(text), "%s%s", prefix, name_of(bit));
        reply_simple(reply, bytes_make(text, (size_t)size));
    }
}

static void reply_field_int(struct reply *reply, const char *name, int64_t value) {
    reply_bulk_text(reply, name);
    reply_integer(reply, value);
}

static void reply_field_text(struct reply *reply, const char *name, const char *text) {
    if (!text) return;
    reply_bulk_text(reply, name);
    reply_bulk_text(reply, text);
}

/* ---- COMMAND INFO ---- */

/* The head of {type, spec{...}}. */
static void reply_search(struct reply *reply, const char *field, const char *type, size_t pairs) {
    reply_bulk_text(reply, field);
    reply_map(reply, 2);
    reply_field_text(reply, "type", type);
    reply_bulk_text(reply, "spec");
    reply_map(reply, pairs);
}

static void reply_begin_search(struct reply *reply, const struct key_spec *spec) {
    switch ((enum key_begin)spec->begin) {
    case KEY_BEGIN_INDEX:
        reply_search(reply, "begin_search", "index", 1);
        reply_field_int(reply, "index", spec->index);
        return;
    case KEY_BEGIN_KEYWORD:
        reply_search(reply, "begin_search", "keyword", 2);
        reply_field_text(reply, "keyword", spec->keyword);
        reply_field_int(reply, "startfrom", spec->start_from);
        return;
    case KEY_BEGIN_UNKNOWN:
    case KEY_BEGIN_NONE: reply_search(reply, "begin_search", "unknown", 0); return;
    }
}

static void reply_find_keys(struct reply *reply, const struct key_spec *spec) {
    switch ((enum key_find)spec->find) {
    case KEY_FIND_RANGE:
        reply_search(reply, "find_keys", "range", 3);
        reply_field_int(reply, "lastkey", spec->last_key);
        reply_field_int(reply, "keystep", spec->step);
        reply_field_int(reply, "limit", spec->limit);
        return;
    case KEY_FIND_KEYNUM:
        reply_search(reply, "find_keys", "keynum", 3);
        reply_field_int(reply, "keynumidx", spec->key_num_index);
        reply_field_int(reply, "firstkey", spec->first_key);
        reply_field_int(reply, "keystep", spec->key_step);
        return;
    case KEY_FIND_UNKNOWN: reply_search(reply, "find_keys", "unknown", 0); return;
    }
}

static void reply_key_specs(struct reply *reply, const struct key_spec *specs) {
    size_t count = 0;
    while (specs && specs[count].begin != KEY_BEGIN_NONE)
        count++;
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) {
        reply_map(reply, specs[i].notes ? 4 : 3);
        reply_field_text(reply, "notes", specs[i].notes);
        reply_bulk_text(reply, "flags");
        reply_bits(reply, specs[i].flags, key_flag_name, "");
        reply_begin_search(reply, &specs[i]);
        reply_find_keys(reply, &specs[i]);
    }
}

static void reply_tips(struct reply *reply, const char *const *tips) {
    size_t count = 0;
    while (tips && tips[count])
        count++;
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++)
        reply_bulk_text(reply, tips[i]);
}

static void reply_info_fields(struct reply *reply, const struct command *command) {
    reply_array(reply, 10);
    reply_bulk_text(reply, command->full_name);
    reply_integer(reply, command->arity);
    reply_bits(reply, command->flags, command_flag_name, "");
    reply_integer(reply, command->first_key);
    reply_integer(reply, command->last_key);
    reply_integer(reply, command->key_step);
    reply_bits(reply, command->acl, acl_category_name, "@");
    reply_tips(reply, command->spec->tips);
    reply_key_specs(reply, command->spec->keys);
}

static void reply_info(struct reply *reply, const struct command *command) {
    if (!command) {
        reply_null(reply);
        return;
    }
    reply_info_fields(reply, command);
    reply_set(reply, command->sub_count);
    for (unsigned i = 0; i < command->sub_count; i++) { /* these have none of their own */
        reply_info_fields(reply, command->subs[i]);
        reply_set(reply, 0);
    }
}

static void reply_all_info(struct call *call) {
    const struct command_table *table = call->exec->commands;
    size_t count = command_table_count(table);
    reply_array(call->reply, count);
    for (size_t i = 0; i < count; i++)
        reply_info(call->reply, command_table_at(table, i));
}

/* COMMAND -- what COMMAND INFO says of all commands. */
void cmd_command(struct call *call) { reply_all_info(call); }

/* COMMAND INFO [name ...] */
void cmd_command_info(struct call *call) {
    if (call->argc == 2) {
        reply_all_info(call);
        return;
    }
    reply_array(call->reply, call->argc - 2);
    for (uint32_t i = 2; i < call->argc; i++)
        reply_info(call->reply, command_find_full(call->exec->commands, call->argv[i]));
}

/* COMMAND COUNT */
void cmd_command_count(struct call *call) {
    reply_integer(call->reply, (int64_t)command_table_count(call->exec->commands));
}

/* ---- COMMAND DOCS ---- */

static const char *doc_flag_name(unsigned bit) {
    static const char *const names[] = {"deprecated", "syscmd"};
    return bit < COUNT_OF(names) ? names[bit] : NULL;
}

static const char *arg_flag_name(unsigned bit) {
    static const char *const names[] = {"optional", "multiple", "multiple_token"};
    return bit < COUNT_OF(names) ? names[bit] : NULL;
}

static bool arg_is_group(const struct arg_spec *arg) {
    return arg->type == ARG_ONEOF || arg->type == ARG_BLOCK;
}

static size_t count_arg_fields(const struct arg_spec *arg) {
    size_t count = 2; /* name, type */
    count += !arg_is_group(arg);
    count += arg->type == ARG_KEY;
    count += arg->token != NULL;
    count += arg->summary != NULL;
    count += arg->since != NULL;
    count += arg->deprecated_since != NULL;
    count += arg->flags != 0;
    count += arg->args != NULL;
    return count;
}

/* Recursion is as deep as the grammar of a row nests. */
static void reply_args(struct reply *reply, const struct arg_spec *args) {
    size_t count = 0;
    while (args[count].type != ARG_END)
        count++;
    reply_array(reply, count);
    for (const struct arg_spec *arg = args; arg->type != ARG_END; arg++) {
        reply_map(reply, count_arg_fields(arg));
        reply_field_text(reply, "name", arg->name);
        reply_field_text(reply, "type", arg_type_name(arg->type));
        if (!arg_is_group(arg)) {
            reply_field_text(reply, "display_text", arg->display ? arg->display : arg->name);
        }
        if (arg->type == ARG_KEY) reply_field_int(reply, "key_spec_index", arg->key_spec_index);
        reply_field_text(reply, "token", arg->token);
        reply_field_text(reply, "summary", arg->summary);
        reply_field_text(reply, "since", arg->since);
        reply_field_text(reply, "deprecated_since", arg->deprecated_since);
        if (arg->flags) {
            reply_bulk_text(reply, "flags");
            reply_bits(reply, arg->flags, arg_flag_name, "");
        }
        if (arg->args) {
            reply_bulk_text(reply, "arguments");
            reply_args(reply, arg->args);
        }
    }
}

static void reply_history(struct reply *reply, const struct command_history *history) {
    size_t count = 0;
    while (history[count].since)
        count++;
    reply_bulk_text(reply, "history");
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) {
        reply_array(reply, 2);
        reply_bulk_text(reply, history[i].since);
        reply_bulk_text(reply, history[i].change);
    }
}

static size_t count_doc_fields(const struct command_spec *spec) {
    size_t count = 1; /* group */
    count += spec->summary != NULL;
    count += spec->since != NULL;
    count += spec->complexity != NULL;
    count += spec->doc_flags != 0;
    count += spec->deprecated_since != NULL;
    count += spec->replaced_by != NULL;
    count += spec->history != NULL;
    count += spec->args != NULL;
    count += spec->subs != NULL;
    return count;
}

/* Its name and its documentation; subcommands nest once. */
static void reply_docs(struct reply *reply, const struct command *command) {
    const struct command_spec *spec = command->spec;
    reply_bulk_text(reply, command->full_name);
    reply_map(reply, count_doc_fields(spec));
    reply_field_text(reply, "summary", spec->summary);
    reply_field_text(reply, "since", spec->since);
    reply_field_text(reply, "group", command_group_name(spec->group));
    reply_field_text(reply, "complexity", spec->complexity);
    if (spec->doc_flags) {
        reply_bulk_text(reply, "doc_flags");
        reply_bits(reply, spec->doc_flags, doc_flag_name, "");
    }
    reply_field_text(reply, "deprecated_since", spec->deprecated_since);
    reply_field_text(reply, "replaced_by", spec->replaced_by);
    if (spec->history) reply_history(reply, spec->history);
    if (spec->args) {
        reply_bulk_text(reply, "arguments");
        reply_args(reply, spec->args);
    }
    if (!spec->subs) return;
    reply_bulk_text(reply, "subcommands");
    reply_map(reply, command->sub_count);
    for (unsigned i = 0; i < command->sub_count; i++)
        reply_docs(reply, command->subs[i]);
}

/* COMMAND DOCS [name ...] -- unknown names are left out. */
void cmd_command_docs(struct call *call) {
    const struct command_table *table = call->exec->commands;
    if (call->argc == 2) {
        size_t all = command_table_count(table);
        reply_map(call->reply, all);
        for (size_t i = 0; i < all; i++)
            reply_docs(call->reply, command_table_at(table, i));
        return;
    }
    size_t found = 0;
    struct reply_mark mark = reply_defer(call->reply);
    for (uint32_t i = 2; i < call->argc; i++) {
        const struct command *command = command_find_full(table, call->argv[i]);
        if (!command) continue;
        reply_docs(call->reply, command);
        found++;
    }
    reply_defer_map(call->reply, mark, found);
}

/* ---- COMMAND LIST ---- */

enum list_by { LIST_ALL = 0, LIST_MODULE, LIST_CATEGORY, LIST_PATTERN };

struct list_filter {
    enum list_by by;
    struct bytes pattern;
    uint32_t category; /* 0: there is none of this name */
};

static uint32_t category_of(struct bytes name) {
    for (unsigned bit = 0; acl_category_name(bit); bit++) {
        if (bytes_equal_nocase(name, bytes_of(acl_category_name(bit)))) return (uint32_t)BIT(bit);
    }
    return 0;
}

static bool filter_fits(const struct list_filter *filter, const struct command *command) {
    switch (filter->by) {
    case LIST_ALL: return true;
    case LIST_MODULE: return false; /* no command comes from a module */
    case LIST_CATEGORY: return (command->acl & filter->category) != 0;
    case LIST_PATTERN: return glob_match_nocase(filter->pattern, bytes_of(command->full_name));
    }
    return false;
}

static bool parse_filter(const struct call *call, struct list_filter *out) {
    *out = (struct list_filter){.by = LIST_ALL};
    if (call->argc == 2) return true;
    if (call->argc != 5 || !call_is(call, 2, "filterby")) return false;
    if (call_is(call, 3, "module")) {
        out->by = LIST_MODULE;
    } else if (call_is(call, 3, "aclcat")) {
        out->by = LIST_CATEGORY;
        out->category = category_of(call->argv[4]);
    } else if (call_is(call, 3, "pattern")) {
        out->by = LIST_PATTERN;
        out->pattern = call->argv[4];
    } else {
        return false;
    }
    return true;
}

static size_t list_one(struct reply *reply, const struct list_filter *filter,
                       const struct command *command) {
    if (!filter_fits(filter, command)) return 0;
    reply_bulk_text(reply, command->full_name);
    return 1;
}

/* COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
void cmd_command_list(struct call *call) {
    struct list_filter filter;
    if (!parse_filter(call, &filter)) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    const struct command_table *table = call->exec->commands;
    size_t listed = 0;
    struct reply_mark mark = reply_defer(call->reply);
    for (size_t i = 0; i < command_table_count(table); i++) {
        const struct command *command = command_table_at(table, i);
        listed += list_one(call->reply, &filter, command);
        for (unsigned s = 0; s < command->sub_count; s++)
            listed += list_one(call->reply, &filter, command->subs[s]);
    }
    reply_defer_array(call->reply, mark, listed);
}

/* ---- COMMAND GETKEYS ---- */

/* The command that argv names, with its subcommand if it is a container; NULL if unknown. */
static const struct command *find_line(struct call *call, const struct bytes *argv, uint32_t argc) {
    const struct command *command = command_find(call->exec->commands, argv[0]);
    if (!command || !command->sub_count || argc == 1) return command;
    return command_find_sub(command, argv[1]);
}

static void reply_keys(struct reply *reply, const struct bytes *argv,
                       const struct command_keys *keys, bool with_flags) {
    reply_array(reply, keys->count);
    for (uint32_t i = 0; i < keys->count; i++) {
        if (with_flags) reply_array(reply, 2);
        reply_bulk(reply, argv[keys->keys[i].position]);
        if (!with_flags) continue;
        uint32_t hidden = KEY_VARIABLE_FLAGS | KEY_INCOMPLETE | KEY_NOT_KEY;
        reply_bits(reply, keys->keys[i].flags & ~hidden, key_flag_name, "");
    }
}

static void get_keys(struct call *call, bool with_flags) {
    const struct bytes *argv = call->argv + 2;
    uint32_t argc = call->argc - 2;
    const struct command *command = find_line(call, argv, argc);
    if (!command) {
        call_error(call, ERROR_GETKEYS_COMMAND);
        return;
    }
    if (!command_has_keys(command)) {
        call_error(call, ERROR_GETKEYS_NONE);
        return;
    }
    if (!command_arity_fits(command, argc)) {
        call_error(call, ERROR_GETKEYS_ARITY);
        return;
    }
    struct command_keys keys;
    command_keys_init(&keys);
    bool found = command_find_keys(command, argv, argc, &keys) && keys.count > 0;
    if (found) {
        reply_keys(call->reply, argv, &keys, with_flags);
    } else if (command->flags & CMD_NO_MANDATORY_KEYS) {
        reply_array(call->reply, 0);
    } else {
        call_error(call, ERROR_GETKEYS_ARGUMENTS);
    }
    command_keys_deinit(&keys);
}

/* COMMAND GETKEYS command [arg ...] */
void cmd_command_getkeys(struct call *call) { get_keys(call, false); }

/* COMMAND GETKEYSANDFLAGS command [arg ...] */
void cmd_command_getkeysandflags(struct call *call) { get_keys(call, true); }

/* COMMAND HELP */
void cmd_command_help(struct call *call) {
    static const char *const lines[] = {
        "(no subcommand)",
        "    Say what COMMAND INFO says of every command.",
        "COUNT",
        "    How many commands this server has.",
        "DOCS [<command-name> ...]",
        "    What commands do and take; of all if none is named.",
        "GETKEYS <command> [<arg> ...]",
        "    Which arguments of a full command line are keys.",
        "GETKEYSANDFLAGS <command> [<arg> ...]",
        "    The same, and what the command does with each key.",
        "INFO [<command-name> ...]",
        "    Arity, flags, key positions and categories; of all if none is named.",
        "LIST [FILTERBY MODULE <name>|ACLCAT <category>|PATTERN <pattern>]",
        "    The names of all commands and subcommands, or of some.",
        NULL,
    };
    call_help(call, lines);
}
