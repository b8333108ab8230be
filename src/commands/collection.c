/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/collection.h"

#include "base/check.h"

/* The class of a type's events. */
static uint32_t event_class_of(uint8_t type) {
    static const uint32_t classes[VALUE_TYPE_COUNT] = {
        [TYPE_LIST] = EVENT_LIST, [TYPE_SET] = EVENT_SET, [TYPE_ZSET] = EVENT_ZSET};
    dcheck(classes[type] != 0);
    return classes[type];
}

void collection_changed(struct call *call, struct bytes key, struct entry *entry, size_t count,
                        const char *event) {
    uint32_t event_class = event_class_of(entry_type(entry));
    if (likely(count > 0)) {
        keyspace_touched(call->db, key);
        keyspace_event(call->db, key, event_class, event);
        return;
    }
    keyspace_event(call->db, key, event_class, event);
    keyspace_remove(call->db, entry, KEY_DELETED);
    keyspace_event(call->db, key, EVENT_GENERIC, "del");
}

void collection_store(struct call *call, uint32_t key_arg, uint8_t type, void *object,
                      const char *event) {
    struct bytes key = call->argv[key_arg];
    struct entry *old = call_peek_write(call, key_arg);
    if (object) {
        (void)keyspace_store_object(call->db, old, key, call_hash(call, key_arg), type, object);
        keyspace_event(call->db, key, event_class_of(type), event);
    } else if (old) {
        keyspace_remove(call->db, old, KEY_DELETED);
        keyspace_event(call->db, key, EVENT_GENERIC, "del");
    }
}
