/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/option_kinds.h"

#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "exec/exec.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>

enum { PERCENTILES_MAX = 1024, WORD_LISTS_MAX = 4096 };

/* --- bind: addresses --- */

static void text_list_deinit(void *value) {
    struct text_list *list = value;
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->at[i]);
    mem_free(list->at);
}

static enum err bind_parse(const struct config_parse *in, void *out, struct diag *diag) {
    if (in->count > TEXT_LIST_MAX)
        return diag_set(diag, ERR_RANGE, "Too many bind addresses specified.");

    struct text_list *list = out;
    if (in->count == 1 && in->words[0].size == 0) return ERR_NONE;
    list->at = mem_alloc_array(in->count + 1, sizeof(*list->at));
    for (size_t i = 0; i < in->count; i++) {
        list->at[list->count++] = mem_copy_bytes(in->words[i]);
    }
    return ERR_NONE;
}

static void bind_format(const void *value, struct buf *out) {
    const struct text_list *list = value;
    for (size_t i = 0; i < list->count; i++) {
        buf_addf(out, "%s%s", i ? " " : "", list->at[i]);
    }
}

const struct config_custom option_bind = {
    .parse = bind_parse, .format = bind_format, .deinit = text_list_deinit};

/* --- latency-tracking-info-percentiles --- */

static void percentiles_deinit(void *value) { mem_free(((struct double_list *)value)->at); }

static enum err percentiles_parse(const struct config_parse *in, void *out, struct diag *diag) {
    struct double_list list = {0};
    if (in->count > PERCENTILES_MAX) goto invalid;
    if (in->count == 1 && in->words[0].size == 0) return ERR_NONE;

    list.at = mem_alloc_array(in->count + 1, sizeof(*list.at));
    for (size_t i = 0; i < in->count; i++) {
        double percent;
        if (!num_parse_double(in->words[i], &percent)) goto invalid;
        if (!(percent >= 0.0 && percent <= 100.0)) {
            mem_free(list.at);
            return diag_set(diag, ERR_RANGE,
                            "latency-tracking-info-percentiles parameters should sit between "
                            "[0.0,100.0]");
        }
        list.at[list.count++] = percent;
    }
    *(struct double_list *)out = list;
    return ERR_NONE;
invalid:
    mem_free(list.at);
    return diag_set(diag, ERR_SYNTAX, "Invalid latency-tracking-info-percentiles parameters");
}

static void percentiles_format(const void *value, struct buf *out) {
    const struct double_list *list = value;
    for (size_t i = 0; i < list->count; i++) {
        char text[NUM_DOUBLE_TEXT_MAX];
        size_t size = num_format_double(text, list->at[i]);
        if (i > 0) buf_add_char(out, ' ');
        buf_add(out, bytes_make(text, size));
    }
}

const struct config_custom option_percentiles = {
    .parse = percentiles_parse, .format = percentiles_format, .deinit = percentiles_deinit};

/* --- oom-score-adj-values --- */

static enum err oom_parse(const struct config_parse *in, void *out, struct diag *diag) {
    int64_t numbers[3];
    if (in->count != COUNT_OF(numbers))
        return diag_set(diag, ERR_SYNTAX, "wrong number of arguments");
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (!num_parse_i64(in->words[i], &numbers[i]) || numbers[i] < -2000 || numbers[i] > 2000)
            return diag_set(diag, ERR_RANGE,
                            "Invalid oom-score-adj-values, elements must be between -2000 and "
                            "2000.");
    }
    *(struct oom_values *)out = (struct oom_values){.primary = (int32_t)numbers[0],
                                                    .replica = (int32_t)numbers[1],
                                                    .child = (int32_t)numbers[2]};
    return ERR_NONE;
}

static void oom_format(const void *value, struct buf *out) {
    const struct oom_values *values = value;
    buf_addf(out, "%d %d %d", values->primary, values->replica, values->child);
}

const struct config_custom option_oom_values = {.parse = oom_parse, .format = oom_format};

/* --- replicaof: host and port, or "no one" --- */

static void host_port_deinit(void *value) { mem_free(((struct host_port *)value)->host); }

static enum err replicaof_parse(const struct config_parse *in, void *out, struct diag *diag) {
    struct host_port *primary = out;
    int64_t port;
    if (in->count == 0) return ERR_NONE; /* "": none */
    if (in->count != 2) return diag_set(diag, ERR_SYNTAX, "wrong number of arguments");
    if (bytes_equal_nocase(in->words[0], BYTES("no")) &&
        bytes_equal_nocase(in->words[1], BYTES("one")))
        return ERR_NONE;
    if (!num_parse_i64(in->words[1], &port) || port < 0 || port > 65535)
        return diag_set(diag, ERR_RANGE, "Invalid primary port");

    primary->host = mem_copy_bytes(in->words[0]);
    primary->port = (int32_t)port;
    return ERR_NONE;
}

static void replicaof_format(const void *value, struct buf *out) {
    const struct host_port *primary = value;
    if (primary->host) buf_addf(out, "%s %d", primary->host, primary->port);
}

const struct config_custom option_replicaof = {
    .parse = replicaof_parse, .format = replicaof_format, .deinit = host_port_deinit};

/* --- client-output-buffer-limit: class hard soft seconds, repeated --- */

static const char *const class_names[CLASS_COUNT] = {
    [CLASS_NORMAL] = "normal", [CLASS_REPLICA] = "slave", [CLASS_PUBSUB] = "pubsub"};

static int class_of(struct bytes name) {
    if (bytes_equal_nocase(name, BYTES("replica"))) return CLASS_REPLICA;
    for (int i = 0; i < CLASS_COUNT; i++) {
        if (bytes_equal_nocase(name, bytes_of(class_names[i]))) return i;
    }
    return -1;
}

static enum err limits_parse(const struct config_parse *in, void *out, struct diag *diag) {
    struct output_limit *limits = out;
    memcpy(limits, in->current, CLASS_COUNT * sizeof(*limits)); /* classes not named stay */
    size_t count = in->count == 1 && in->words[0].size == 0 ? 0 : in->count;
    if (count % 4 != 0)
        return diag_set(diag, ERR_SYNTAX,
                        "Wrong number of arguments in buffer limit configuration.");
    for (size_t i = 0; i < count; i += 4) {
        const struct bytes *words = in->words + i;
        struct output_limit limit;
        int which = class_of(words[0]);
        if (which < 0)
            return diag_set(diag, ERR_SYNTAX,
                            "Invalid client class specified in buffer limit configuration.");
        if (!num_parse_memory(words[1], &limit.hard_bytes) ||
            !num_parse_memory(words[2], &limit.soft_bytes) ||
            !num_parse_i64(words[3], &limit.soft_seconds) || limit.soft_seconds < 0)
            return diag_set(diag, ERR_SYNTAX,
                            "Error in hard, soft or soft_seconds setting in buffer limit "
                            "configuration.");
        limits[which] = limit;
    }
    return ERR_NONE;
}

static void limits_format(const void *value, struct buf *out) {
    const struct output_limit *limits = value;
    for (int i = 0; i < CLASS_COUNT; i++) {
        buf_addf(out, "%s%s %llu %llu %lld", i ? " " : "", class_names[i],
                 (unsigned long long)limits[i].hard_bytes, (unsigned long long)limits[i].soft_bytes,
                 (long long)limits[i].soft_seconds);
    }
}

static void limits_write_lines(const char *name, const void *value, struct buf *out) {
    const struct output_limit *limits = value;
    for (int i = 0; i < CLASS_COUNT; i++) {
        buf_addf(out, "%s %s %llu %llu %lld\n", name,
                 i == CLASS_REPLICA ? "replica" : class_names[i],
                 (unsigned long long)limits[i].hard_bytes, (unsigned long long)limits[i].soft_bytes,
                 (long long)limits[i].soft_seconds);
    }
}

const struct config_custom option_output_limits = {
    .parse = limits_parse, .format = limits_format, .write_lines = limits_write_lines};

/* --- dir: kept as an absolute path of a directory that exists --- */

static void dir_deinit(void *value) { mem_free(*(char **)value); }

static enum err dir_parse(const struct config_parse *in, void *out, struct diag *diag) {
    struct buf path = {0};
    struct bytes word = in->initial ? BYTES(".") : in->words[0];
    if (word.size > 0 && word.data[0] != '/' && in->base_dir) buf_addf(&path, "%s/", in->base_dir);
    buf_add(&path, word);

    char real[PATH_MAX];
    struct stat st;
    char *text = buf_take(&path);
    enum err err = ERR_NONE;
    if (!realpath(text, real) || stat(real, &st) == -1) {
        err = diag_set(diag, ERR_IO, "%s", strerror(errno));
    } else if (!S_ISDIR(st.st_mode)) {
        err = diag_set(diag, ERR_IO, "%s", strerror(ENOTDIR));
    } else {
        *(char **)out = mem_strdup(real);
    }
    mem_free(text);
    return err;
}

static void dir_format(const void *value, struct buf *out) {
    buf_add_text(out, *(char *const *)value);
}

const struct config_custom option_dir = {
    .parse = dir_parse, .format = dir_format, .deinit = dir_deinit};

/* --- directives that may be repeated: all their lines are kept --- */

static void word_list_deinit(struct word_list *list) {
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->words[i]);
    mem_free(list->words);
    mem_free(list->file);
}

static void word_lists_deinit(void *value) {
    struct word_lists *lists = value;
    for (size_t i = 0; i < lists->count; i++)
        word_list_deinit(&lists->at[i]);
    mem_free(lists->at);
}

static struct word_list word_list_of(const struct config_parse *in) {
    struct word_list list = {.words = mem_alloc_array(in->count, sizeof(char *)),
                             .file = in->place.file ? mem_strdup(in->place.file) : NULL,
                             .line = in->place.line};
    for (size_t i = 0; i < in->count; i++)
        list.words[list.count++] = mem_copy_bytes(in->words[i]);
    return list;
}

static struct word_list word_list_copy(const struct word_list *from) {
    struct word_list list = {.words = mem_alloc_array(from->count, sizeof(char *)),
                             .file = from->file ? mem_strdup(from->file) : NULL,
                             .line = from->line};
    for (size_t i = 0; i < from->count; i++)
        list.words[list.count++] = mem_strdup(from->words[i]);
    return list;
}

static enum err lines_parse(const struct config_parse *in, void *out, struct diag *diag) {
    if (in->initial) return ERR_NONE;
    const struct word_lists *old = in->current;
    if (in->count == 0)
        return diag_set(diag, ERR_SYNTAX, "Bad directive or wrong number of arguments");
    if (old->count >= WORD_LISTS_MAX) return diag_set(diag, ERR_RANGE, "too many such lines");

    struct word_lists *lists = out;
    lists->at = mem_alloc_array(old->count + 1, sizeof(*lists->at));
    for (size_t i = 0; i < old->count; i++) {
        lists->at[lists->count++] = word_list_copy(&old->at[i]);
    }
    lists->at[lists->count++] = word_list_of(in);
    return ERR_NONE;
}

static enum err rename_parse(const struct config_parse *in, void *out, struct diag *diag) {
    if (in->count != 2 && !in->initial)
        return diag_set(diag, ERR_SYNTAX, "Bad directive or wrong number of arguments");
    return lines_parse(in, out, diag);
}

void word_list_add_text(const struct word_list *list, struct buf *out) {
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) buf_add_char(out, ' ');
        buf_add_quoted(out, bytes_of(list->words[i]));
    }
}

static void lines_format(const void *value, struct buf *out) {
    const struct word_lists *lists = value;
    for (size_t i = 0; i < lists->count; i++) {
        if (i > 0) buf_add_char(out, '\n');
        word_list_add_text(&lists->at[i], out);
    }
}

static void lines_write(const char *name, const void *value, struct buf *out) {
    const struct word_lists *lists = value;
    for (size_t i = 0; i < lists->count; i++) {
        buf_addf(out, "%s ", name);
        word_list_add_text(&lists->at[i], out);
        buf_add_char(out, '\n');
    }
}

const struct config_custom option_rename = {.parse = rename_parse,
                                            .format = lines_format,
                                            .deinit = word_lists_deinit,
                                            .write_lines = lines_write};
const struct config_custom option_lines = {.parse = lines_parse,
                                           .format = lines_format,
                                           .deinit = word_lists_deinit,
                                           .write_lines = lines_write};

/* --- syslog-facility --- */

const struct config_enum option_syslog_facilities[] = {
    {"user", LOG_USER},     {"local0", LOG_LOCAL0},
    {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
    {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
    {"local7", LOG_LOCAL7}, {0}};

/* --- checks of texts --- */

static enum err check_filename(const char *option, void *value, struct diag *diag) {
    if (!strchr(*(char *const *)value, '/')) return ERR_NONE;
    return diag_set(diag, ERR_SYNTAX, "%s can't be a path, just a filename", option);
}

enum err option_check_appendfilename(void *ctx, void *value, struct diag *diag) {
    (void)ctx;
    return check_filename("appendfilename", value, diag);
}

enum err option_check_appenddirname(void *ctx, void *value, struct diag *diag) {
    (void)ctx;
    return check_filename("appenddirname", value, diag);
}

enum err option_check_hostname(void *ctx, void *value, struct diag *diag) {
    (void)ctx;
    enum { HOSTNAME_MAX = 255 };
    const char *name = *(char *const *)value; /* NULL: none */
    if (name && strlen(name) > HOSTNAME_MAX)
        return diag_set(diag, ERR_RANGE, "Hostnames must be less than %d characters",
                        HOSTNAME_MAX + 1);
    for (; name && *name; name++) {
        char c = char_lower(*name);
        if ((c >= 'a' && c <= 'z') || char_is_digit(c) || c == '-' || c == '.') continue;
        return diag_set(diag, ERR_SYNTAX,
                        "Hostnames may only contain alphanumeric characters, hyphens or dots");
    }
    return ERR_NONE;
}
