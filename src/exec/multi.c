/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/multi.h"

#include "base/check.h"
#include "base/mem.h"
#include "exec/call.h"

struct bytes *args_copy(const struct bytes *argv, uint32_t argc, size_t *bytes) {
    size_t size = argc * sizeof(struct bytes);
    for (uint32_t i = 0; i < argc; i++)
        size += argv[i].size;
    struct bytes *copy = mem_alloc(size);
    char *at = (char *)(copy + argc);
    for (uint32_t i = 0; i < argc; i++) {
        if (argv[i].size) memcpy(at, argv[i].data, argv[i].size);
        copy[i] = bytes_make(at, argv[i].size);
        at += argv[i].size;
    }
    if (bytes) *bytes = size;
    return copy;
}

void multi_begin(struct client *client) {
    check(!client->multi);
    client->multi = mem_zalloc(sizeof(*client->multi));
    client->gates |= GATE_MULTI;
}

void multi_queue(struct client *client, const struct call *call) {
    struct multi *multi = client->multi;
    if (multi->count == multi->cap) {
        multi->cap = multi->cap ? multi->cap * 2 : 8;
        multi->items = mem_realloc(multi->items, multi->cap * sizeof(multi->items[0]));
    }
    size_t bytes;
    multi->items[multi->count++] = (struct multi_item){
        .command = call->command,
        .argv = args_copy(call->argv, call->argc, &bytes),
        .argc = call->argc,
        .hash = call->hash,
    };
    multi->flags |= call->command->flags;
    multi->bytes += bytes + sizeof(struct multi_item);
}

static void multi_end(struct client *client) {
    struct multi *multi = client->multi;
    for (uint32_t i = 0; i < multi->count; i++)
        mem_free(multi->items[i].argv);
    mem_free(multi->items);
    mem_free(multi);
    client->multi = NULL;
    client->gates &= ~(uint32_t)GATE_MULTI;
}

void multi_discard(struct client *client) {
    if (client->multi) multi_end(client);
    client->flags &= ~(uint32_t)(CLIENT_DIRTY_CAS | CLIENT_DIRTY_EXEC);
    watch_clear(client);
}

bool multi_is_exec(const struct command *command) {
    return !command->parent && strcmp(command->spec->name, "exec") == 0;
}

void multi_abort(struct call *call, const char *reason) {
    call_errorf(call, ERROR_EXEC_ABORT_REASON, reason);
    multi_discard(call->client);
}

void multi_spoil(struct client *client) {
    if (client->multi) client->flags |= CLIENT_DIRTY_EXEC;
}
