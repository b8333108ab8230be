/* SPDX-License-Identifier: BSD-3-Clause */
/* SORT and SORT_RO: the elements of a list, a set or a sorted set, in the order of themselves or of
 * what other keys say (BY), returned or stored, as themselves or as what other keys hold (GET).
 *
 *   options ─▶ elements, borrowed ─▶ weights (BY), borrowed ─▶ sorted ─▶ window (LIMIT) ─▶ GET,
 * reply
 *
 * Nothing is copied: elements and weights point into values, which do not change until the end. The
 * keys that BY and GET name are looked up in windows, so that the waits for memory overlap. */
#include "base/buf.h"
#include "base/check.h"
#include "commands/collection.h"
#include "commands/list_internal.h"
#include "commands/sort_internal.h"
#include "types/hash.h"
#include "types/set.h"
#include "types/zset.h"

#include <locale.h>

/* ---- patterns ---- */

struct pattern { /* "weight_*", "object_*->field" or "#" */
    struct bytes before, after, field;
    bool is_item;   /* "#": the element itself */
    bool has_star;  /* else it names no key */
    bool has_field; /* the value is in a hash */
};

static struct pattern pattern_of(struct bytes text) {
    struct pattern pattern = {.is_item = bytes_equal(text, BYTES("#"))};
    size_t star = bytes_find_byte(text, '*');
    if (star == text.size) return pattern;
    pattern.has_star = true;
    pattern.before = bytes_make(text.data, star);
    pattern.after = bytes_from(text, star + 1);
    for (size_t i = 0; i + 2 < pattern.after.size; i++) {
        if (pattern.after.data[i] != '-' || pattern.after.data[i + 1] != '>') continue;
        pattern.has_field = true;
        pattern.field = bytes_from(pattern.after, i + 2);
        pattern.after.size = i;
        break;
    }
    return pattern;
}

/* ---- options ---- */

enum { GETS_MAX_INLINE = 8 };

struct options {
    struct pattern by;
    bool has_by, unsorted, desc, alpha;
    bool collate;          /* texts are compared as the locale has it */
    int64_t offset, count; /* LIMIT; count < 0: all */
    uint32_t store_arg;    /* 0: none */
    uint32_t get_count;
    struct pattern *gets; /* inline_gets, or allocated */
    struct pattern inline_gets[GETS_MAX_INLINE];
};

static bool read_options(struct call *call, bool may_store, struct options *out) {
    *out = (struct options){.count = -1};
    for (uint32_t arg = 2; arg < call->argc; arg++) {
        uint32_t left = call->argc - 1 - arg;
        if (call_is(call, arg, "ASC")) {
            out->desc = false;
        } else if (call_is(call, arg, "DESC")) {
            out->desc = true;
        } else if (call_is(call, arg, "ALPHA")) {
            out->alpha = true;
        } else if (call_is(call, arg, "LIMIT") && left >= 2) {
            if (!call_int(call, arg + 1, &out->offset)) return false;
            if (!call_int(call, arg + 2, &out->count)) return false;
            arg += 2;
        } else if (call_is(call, arg, "STORE") && left >= 1 && may_store) {
            out->store_arg = ++arg;
        } else if (call_is(call, arg, "BY") && left >= 1) {
            out->by = pattern_of(call->argv[++arg]);
            out->has_by = true;
            if (!out->by.has_star) out->unsorted = true; /* for good, whatever else BY says */
        } else if (call_is(call, arg, "GET") && left >= 1) {
            arg++;
            out->get_count++;
        } else {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* The GET patterns, when everything else is known to be right. */
static void read_gets(const struct call *call, struct options *options) {
    uint32_t next = 0;
    options->gets = options->inline_gets;
    if (options->get_count > GETS_MAX_INLINE) {
        options->gets = mem_alloc_array(options->get_count, sizeof(struct pattern));
    }
    for (uint32_t arg = 2; arg < call->argc; arg++) {
        if (call_is(call, arg, "LIMIT")) {
            arg += 2;
        } else if (call_is(call, arg, "STORE") || call_is(call, arg, "BY")) {
            arg++;
        } else if (call_is(call, arg, "GET")) {
            options->gets[next++] = pattern_of(call->argv[++arg]);
        }
    }
    check(next == options->get_count);
}

static void options_deinit(struct options *options) {
    if (options->gets != options->inline_gets) mem_free(options->gets);
}

/* ---- texts and elements ---- */

struct text {         /* borrowed */
    const char *data; /* NULL: it is the integer; absent_text: there is none */
    union {
        size_t size;
        int64_t integer;
    };
};

static const char absent_text[] = "";
static const struct text absent = {.data = absent_text};
static inline bool is_absent(const struct text *text) { return text->data == absent_text; }

static inline struct text text_make(const char *data, size_t size, int64_t integer) {
    struct text text = {.data = data};
    if (data) {
        text.size = size;
    } else {
        text.integer = integer;
    }
    return text;
}

static inline struct bytes text_bytes(const struct text *text, char scratch[NUM_I64_TEXT_MAX]) {
    if (text->data) return bytes_make(text->data, text->size);
    return bytes_make(scratch, num_format_i64(scratch, text->integer));
}

struct element {
    struct text item;
    union {
        double number;
        struct text weight; /* with BY and ALPHA */
    };
};

struct elements {
    struct element *items;
    size_t count, cap;
    void *list; /* what they lie in, if the key's list has compressed blocks; owned */
};

static void add_element(struct elements *elements, struct text text) {
    check(elements->count < elements->cap);
    elements->items[elements->count++] = (struct element){.item = text};
}

static void load_list(const void *list, struct elements *out) {
    struct list_iter iter;
    struct list_item item;
    out->list = list_copy_open(list);
    list_iter_init(&iter, out->list ? out->list : list, 0, LIST_HEAD);
    while (list_iter_next(&iter, &item))
        add_element(out, text_make(item.value.data, item.value.size, item.value.integer));
    list_iter_deinit(&iter);
}

static bool load_member(void *ctx, const struct set_member *member) {
    add_element(ctx, text_make(member->data, member->size, member->integer));
    return true;
}

static void load_zset(const struct zset *zset, struct elements *out) {
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, zset, 0, false);
    while (zset_iter_next(&iter, &item)) {
        int64_t integer = 0;
        bool lent = item.member.data == iter.scratch; /* an integer, written there for us */
        check(!lent || num_parse_i64(item.member, &integer));
        add_element(out, text_make(lent ? NULL : item.member.data, item.member.size, integer));
    }
}

static void load_elements(const struct entry *entry, struct elements *out) {
    void *object = entry_object(entry);
    uint8_t type = entry_type(entry);
    out->cap = type == TYPE_LIST  ? list_count(object)
               : type == TYPE_SET ? set_count(object)
                                  : zset_count(object);
    out->items = mem_alloc_array(out->cap, sizeof(struct element));
    if (type == TYPE_LIST) {
        load_list(object, out);
    } else if (type == TYPE_SET) {
        set_each(object, load_member, out);
    } else {
        load_zset(object, out);
    }
}

/* ---- other keys ---- */

enum {
    LOOKUPS = 16,
    LOOKUP_BYTES = 64 * 1024, /* of keys, after which no more are added */
};

struct lookup { /* an element and what a pattern makes of it */
    const struct pattern *pattern;
    const struct text *item;
    size_t key_at, key_size; /* in the window's keys */
    uint64_t hash;
};
struct lookups { /* a window of them */
    struct lookup rows[LOOKUPS];
    size_t count;
    struct buf keys;
};

struct found {
    struct text text;
    struct blob *blob; /* what it lies in, or NULL */
};

static void lookups_add(struct lookups *window, const struct pattern *pattern,
                        const struct text *item) {
    struct lookup *row = &window->rows[window->count++];
    *row = (struct lookup){.pattern = pattern, .item = item, .key_at = window->keys.size};
    if (!pattern->has_star) return;
    char scratch[NUM_I64_TEXT_MAX];
    buf_add(&window->keys, pattern->before);
    buf_add(&window->keys, text_bytes(item, scratch));
    buf_add(&window->keys, pattern->after);
    row->key_size = window->keys.size - row->key_at;
}

static struct bytes lookup_key(const struct lookups *window, const struct lookup *row) {
    return bytes_make(window->keys.data + row->key_at, row->key_size);
}

static void lookups_prefetch(const struct call *call, struct lookups *window) {
    for (size_t i = 0; i < window->count; i++) {
        struct lookup *row = &window->rows[i];
        if (!row->pattern->has_star) continue;
        row->hash = hash_bytes(lookup_key(window, row));
        keyspace_prefetch_bucket(call->db, row->hash);
    }
    for (size_t i = 0; i < window->count; i++) {
        if (window->rows[i].pattern->has_star) {
            keyspace_prefetch_entry(call->db, window->rows[i].hash);
        }
    }
}

static bool lookups_have_room(const struct lookups *window) {
    return window->count < LOOKUPS && window->keys.size < LOOKUP_BYTES;
}

static void lookups_clear(struct lookups *window) {
    window->count = 0;
    buf_clear(&window->keys);
}

static struct found found_string(const struct entry *entry) {
    char scratch[NUM_I64_TEXT_MAX];
    if (entry_encoding(entry) == ENCODING_INT) {
        return (struct found){.text = text_make(NULL, 0, entry_int(entry))};
    }
    struct bytes bytes = entry_string(entry, scratch);
    return (struct found){
        .text = text_make(bytes.data, bytes.size, 0),
        .blob = entry_encoding(entry) == ENCODING_BLOB ? entry_blob(entry) : NULL};
}

/* What the look-up leads to; an absent text if to nothing. */
static struct found lookups_find(const struct call *call, const struct lookups *window, size_t i) {
    const struct lookup *row = &window->rows[i];
    const struct pattern *pattern = row->pattern;
    struct found none = {.text = absent};
    if (pattern->is_item) return (struct found){.text = *row->item};
    if (!pattern->has_star) return none;
    const struct entry *entry =
        keyspace_find(call->db, lookup_key(window, row), row->hash, call_lookup_flags(call));
    if (!entry) return none;
    if (!pattern->has_field) return entry_is_string(entry) ? found_string(entry) : none;
    if (entry_type(entry) != TYPE_HASH) return none;

    struct hash_item item;
    struct entry_room room;
    const struct hash *hash = entry_view(entry, &room);
    uint64_t code = hash_code(hash, pattern->field);
    if (!hash_find(hash, pattern->field, code, call->now_ms, &item)) return none;
    const char *data = item.value.data;
    if (data) data = entry_view_origin(entry, &room, data);
    return (struct found){.text = text_make(data, item.value.size, item.value.integer),
                          .blob = item.value.blob};
}

/* ---- weights ---- */

/* An absent or empty one is 0. */
static bool number_of(const struct text *text, double *out) {
    *out = 0;
    if (!text->data) {
        *out = (double)text->integer;
        return true;
    }
    return text->size == 0 || num_parse_double(bytes_make(text->data, text->size), out);
}

static bool set_weight(struct element *element, const struct options *options, struct text text) {
    if (!options->alpha) return number_of(&text, &element->number);
    element->weight = text;
    return true;
}

/* False: one is no number. */
static bool load_weights(const struct call *call, const struct options *options,
                         struct elements *elements) {
    bool good = true;
    if (!options->has_by) {
        for (size_t i = 0; i < elements->count && !options->alpha; i++)
            good = number_of(&elements->items[i].item, &elements->items[i].number) && good;
        return good;
    }
    struct lookups window = {0};
    for (size_t at = 0; at < elements->count; at += window.count) {
        lookups_clear(&window);
        for (size_t i = at; i < elements->count && lookups_have_room(&window); i++)
            lookups_add(&window, &options->by, &elements->items[i].item);
        lookups_prefetch(call, &window);
        for (size_t i = 0; i < window.count; i++) {
            struct found found = lookups_find(call, &window, i);
            good = set_weight(&elements->items[at + i], options, found.text) && good;
        }
    }
    buf_deinit(&window.keys);
    return good;
}

/* ---- order ---- */

static int compare_collated(struct bytes a, struct bytes b) {
    char *left = mem_copy_bytes(a), *right = mem_copy_bytes(b);
    int order = strcoll(left, right);
    mem_free(left);
    mem_free(right);
    return order;
}

static int compare_texts(const struct text *a, const struct text *b, bool collate) {
    char left[NUM_I64_TEXT_MAX], right[NUM_I64_TEXT_MAX];
    struct bytes x = text_bytes(a, left), y = text_bytes(b, right);
    return unlikely(collate) ? compare_collated(x, y) : bytes_compare(x, y);
}

static int compare(const struct options *options, const struct element *a,
                   const struct element *b) {
    int order = 0;
    if (!options->alpha) {
        order = a->number < b->number ? -1 : a->number > b->number;
        if (order == 0) order = compare_texts(&a->item, &b->item, false);
    } else if (options->has_by) {
        bool left = is_absent(&a->weight), right = is_absent(&b->weight);
        order =
            left || right ? right - left : compare_texts(&a->weight, &b->weight, options->collate);
    } else {
        order = compare_texts(&a->item, &b->item, options->collate);
    }
    return options->desc ? -order : order;
}

/* Merges the sorted runs [0, middle) and [middle, count) of from into to. */
static void merge(const struct options *options, const struct element *from, struct element *to,
                  size_t middle, size_t count) {
    size_t a = 0, b = middle;
    for (size_t i = 0; i < count; i++) {
        bool left = b == count || (a < middle && compare(options, &from[a], &from[b]) <= 0);
        to[i] = left ? from[a++] : from[b++];
    }
}

/* Merge sort, from the bottom up: stable, and O(n log n) whatever the elements are. */
static void sort_elements(const struct options *options, struct elements *elements) {
    struct element *from = elements->items;
    struct element *to = mem_alloc_array(elements->cap, sizeof(struct element));
    for (size_t run = 1; run < elements->count; run *= 2) {
        for (size_t at = 0; at < elements->count; at += 2 * run) {
            size_t count = size_min(2 * run, elements->count - at);
            merge(options, from + at, to + at, size_min(run, count), count);
        }
        struct element *swap = from;
        from = to;
        to = swap;
    }
    elements->items = from;
    mem_free(to);
}

/* DESC without an order to sort by: backwards, as they come. */
static void reverse_elements(struct elements *elements) {
    for (size_t i = 0; i < elements->count / 2; i++) {
        struct element *a = &elements->items[i], *b = &elements->items[elements->count - 1 - i];
        struct element swap = *a;
        *a = *b;
        *b = swap;
    }
}

/* ---- results ---- */

struct window {
    size_t first, count;
};

static struct window limit(const struct options *options, size_t count) {
    size_t first = (size_t)i64_min(i64_max(options->offset, 0), (int64_t)count);
    size_t rest = count - first;
    if (options->count >= 0) rest = (size_t)i64_min(options->count, (int64_t)rest);
    return (struct window){.first = first, .count = rest};
}

typedef void (*result_fn)(void *ctx, const struct found *found);

static void reply_found(void *ctx, const struct found *found) {
    struct call *call = ctx;
    if (is_absent(&found->text)) {
        reply_null(call->reply);
    } else if (found->blob) {
        reply_blob(call->reply, found->blob);
    } else if (found->text.data) {
        reply_bulk(call->reply, bytes_make(found->text.data, found->text.size));
    } else {
        reply_bulk_i64(call->reply, found->text.integer);
    }
}

struct storing {
    void *list;
    struct list_limits limits;
};

static void store_found(void *ctx, const struct found *found) {
    struct storing *storing = ctx;
    char scratch[NUM_I64_TEXT_MAX];
    if (found->blob) {
        list_push_blob(&storing->list, LIST_TAIL, blob_retain(found->blob), &storing->limits);
    } else {
        list_push(&storing->list, LIST_TAIL, text_bytes(&found->text, scratch), &storing->limits);
    }
}

/* Gives fn each element of the window, or each GET of each. */
static void each_result(const struct call *call, const struct options *options,
                        const struct element *items, size_t count, result_fn fn, void *ctx) {
    if (options->get_count == 0) {
        for (size_t i = 0; i < count; i++)
            fn(ctx, &(struct found){.text = items[i].item});
        return;
    }
    struct lookups window = {0};
    size_t gets = options->get_count, total = count * gets;
    for (size_t at = 0; at < total; at += window.count) {
        lookups_clear(&window);
        for (size_t i = at; i < total && lookups_have_room(&window); i++)
            lookups_add(&window, &options->gets[i % gets], &items[i / gets].item);
        lookups_prefetch(call, &window);
        for (size_t i = 0; i < window.count; i++) {
            struct found found = lookups_find(call, &window, i);
            fn(ctx, &found);
        }
    }
    buf_deinit(&window.keys);
}

/* Takes the list; an empty one removes the key. */
static void store_list(struct call *call, uint32_t arg, void *list) {
    size_t count = list_count(list);
    if (count == 0) list_destroy(list);
    collection_store(call, arg, TYPE_LIST, count ? list : NULL, "sortstore");
    reply_integer(call->reply, (int64_t)count);
}

static void give_results(struct call *call, const struct options *options,
                         const struct elements *elements) {
    const struct window window = limit(options, elements->count);
    const struct element *items = elements->items + window.first;
    if (options->store_arg == 0) {
        reply_array(call->reply, window.count * size_max(options->get_count, 1));
        each_result(call, options, items, window.count, reply_found, call);
        return;
    }
    struct storing storing = {.list = list_create(0), .limits = lists__limits(call)};
    each_result(call, options, items, window.count, store_found, &storing);
    store_list(call, options->store_arg, storing.list);
}

/* ---- the commands ---- */

static bool find_source(struct call *call, struct entry **out) {
    struct entry *entry = call_peek(call, 1);
    uint8_t type = entry ? entry_type(entry) : TYPE_LIST;
    if (type != TYPE_LIST && type != TYPE_SET && type != TYPE_ZSET) {
        call_error(call, ERROR_WRONG_TYPE);
        return false;
    }
    *out = entry;
    return true;
}

static bool locale_is_plain(void) {
    const char *name = setlocale(LC_COLLATE, NULL);
    return !name || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
}

static void sort(struct call *call, bool may_store) {
    struct options options;
    struct entry *entry;
    struct elements elements = {0};
    if (!read_options(call, may_store, &options)) return;
    if (!find_source(call, &entry)) return;
    read_gets(call, &options);
    if (entry) load_elements(entry, &elements);
    if (options.unsorted && options.store_arg && entry && entry_type(entry) == TYPE_SET) {
        /* What is stored must not depend on how this process hashes. */
        options.unsorted = options.has_by = false;
        options.alpha = true;
    }
    options.collate = options.alpha && options.store_arg == 0 && !locale_is_plain();

    bool good = options.unsorted || load_weights(call, &options, &elements);
    if (!good) {
        call_error(call, ERROR_SORT_NOT_NUMBERS);
    } else {
        if (!options.unsorted) {
            sort_elements(&options, &elements);
        } else if (options.desc && entry && entry_type(entry) != TYPE_SET) {
            reverse_elements(&elements);
        }
        give_results(call, &options, &elements);
    }
    mem_free(elements.items);
    if (elements.list) list_destroy(elements.list);
    options_deinit(&options);
}

/* SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE key] */
void cmd_sort(struct call *call) { sort(call, true); }

/* SORT_RO: the same without STORE. */
void cmd_sort_ro(struct call *call) { sort(call, false); }

bool sort_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out) {
    if (argc < 2) return false;
    uint32_t store = 0; /* the last one counts */
    command_keys_add(out, 1, KEY_RO | KEY_ACCESS);
    for (uint32_t arg = 2; arg < argc; arg++) {
        if (bytes_equal_nocase(argv[arg], BYTES("LIMIT"))) {
            arg += 2;
        } else if (bytes_equal_nocase(argv[arg], BYTES("BY")) ||
                   bytes_equal_nocase(argv[arg], BYTES("GET"))) {
            arg++;
        } else if (bytes_equal_nocase(argv[arg], BYTES("STORE")) && arg + 1 < argc) {
            store = ++arg;
        }
    }
    if (store) command_keys_add(out, store, KEY_OW | KEY_UPDATE);
    return true;
}

bool sort_ro_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out) {
    (void)argv;
    if (argc < 2) return false;
    command_keys_add(out, 1, KEY_RO | KEY_ACCESS);
    return true;
}
