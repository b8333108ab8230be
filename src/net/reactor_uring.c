/* SPDX-License-Identifier: BSD-3-Clause */
/* The io_uring engine. One thread, the one that created it, makes all calls but reactor_wake.
 *
 *      listener     multishot accept    ──▶ one completion per connection
 *      connection   multishot receive   ──▶ one completion per run of bytes, in a provided buffer
 *      connection   poll for its end    ──▶ one completion, while receiving is paused
 *      connection   send, sendmsg       ──▶ one completion each, from a pool of send records
 *      wake-up      multishot poll of the eventfd
 *
 * The user data of an operation says what it is and whose:
 *      bits 60..63  enum uring_kind
 *      bits 32..59  generation of the table's entry (send: unused)
 *      bits  0..31  descriptor (send: index of the send record)
 *
 * What receiving from a connection (or accepting on a listener) is at:
 *
 *                arm                   pause
 *      IDLE ───────────▶ ARMED ───────────────────▶ CANCELLING
 *       ▲ ▲               │ │ │                       │  │  │
 *       │ └────settle─────┘ │ └──settle──▶ STARVED ◀──┘  │  │   no buffer was left
 *       │                   └────settle──▶ ENDED ◀───────┘  │   the peer's end, or an error
 *       └───────────────────────settle──────────────────────┘
 *      STARVED goes to ARMED when buffers have come back, or to IDLE when paused.
 *
 * 1. An entry's operations end with a completion that carries its generation. Those of a past life
 *    give back their buffer, close the descriptor they accepted, free their record, and are silent.
 * 2. After forget the kernel reads no block of the caller, and acts on the descriptor no more: a
 *    send is cancelled and waited for, and a receive that was only queued is submitted before its
 *    cancellation, while the number still means that socket.
 * 3. Completions that arrive while something is waited for are kept in stash, in order. */
#include "net/reactor_internal.h"

#ifdef USE_IO_URING
#include <liburing.h>
#endif

#if defined(USE_IO_URING) && defined(IORING_SETUP_DEFER_TASKRUN) && defined(IORING_RECV_MULTISHOT)

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/listener.h"

enum {
    URING_SQ_ENTRIES = 1024,
    URING_CQ_ENTRIES = 16384,
    URING_BUFFER_SIZE = 16 * 1024,
    URING_BUFFERS = 512, /* a power of two; pages are touched only as they are used */
    URING_BUFFER_GROUP = 0,
    URING_IOV_MAX = 64, /* blocks in one send */
    URING_QUEUE_MIN = 64,
};
/* Bytes in one send: a result is an int. */
static const size_t uring_send_max = 256 * 1024; /* then others get a turn */

enum uring_kind {
    URING_ACCEPT = 1,
    URING_RECEIVE,
    URING_SEND,
    URING_WRITABLE,
    URING_HANGUP,
    URING_WAKE,
    URING_CANCEL,
};
enum { URING_KIND_SHIFT = 60, URING_GENERATION_MASK = (1 << 28) - 1 };

enum receive_state {
    RECEIVE_IDLE = 0,
    RECEIVE_ARMED,
    RECEIVE_CANCELLING,
    RECEIVE_STARVED,
    RECEIVE_ENDED,
};
enum { RECEIVE_STATE_COUNT = 5 };

static const uint8_t receive_next[RECEIVE_STATE_COUNT] = {
    /* the states each may enter, as bits */
    [RECEIVE_IDLE] = BIT(RECEIVE_ARMED),
    [RECEIVE_ARMED] =
        BIT(RECEIVE_CANCELLING) | BIT(RECEIVE_IDLE) | BIT(RECEIVE_STARVED) | BIT(RECEIVE_ENDED),
    [RECEIVE_CANCELLING] = BIT(RECEIVE_IDLE) | BIT(RECEIVE_STARVED) | BIT(RECEIVE_ENDED),
    [RECEIVE_STARVED] = BIT(RECEIVE_ARMED) | BIT(RECEIVE_IDLE),
    [RECEIVE_ENDED] = 0,
};

struct uring_entry {
    void *handle; /* NULL: not registered */
    uint32_t generation;
    uint32_t send;   /* 1 + index of the send record in flight, or 0 */
    uint8_t receive; /* enum receive_state */
    bool paused;     /* reactor_pause_receive */
    bool is_listener;
    bool wants_write;
    bool polls_write;  /* a poll for room is in flight */
    bool polls_hangup; /* and one for the peer's end, which bytes that nobody takes would hide */
};

struct uring_send {
    uint64_t owner; /* id of the entry, without a kind */
    uint32_t next_free;
    struct iovec *iov; /* URING_IOV_MAX of them, made when first needed */
    struct msghdr message;
};

struct uring_done { /* a completion, kept */
    uint64_t id;
    int32_t result;
    uint32_t flags;
};

struct uring_queue { /* first in, first out; grows */
    struct uring_done *items;
    size_t cap; /* a power of two, or 0 */
    size_t first;
    size_t count;
};

struct reactor_uring {
    struct reactor base;
    struct io_uring ring;
    unsigned collected; /* completions in the ring that the last poll saw, not handed out */

    struct io_uring_buf_ring *buffer_ring;
    char *buffers;
    unsigned buffers_lent; /* with the caller */

    struct uring_entry *entries; /* by descriptor */
    size_t entry_count;
    int listeners[LISTENER_MAX];
    int listener_count;

    struct uring_send **sends;
    uint32_t send_count;
    uint32_t send_free; /* 1 + index of the first free record, or 0 */

    struct uring_queue stash;    /* completions taken out of the ring early */
    struct uring_queue accepted; /* connections above the limit of their poll */
    struct uring_queue starved; /* ids of entries that wait for buffers; outdated ones among them */
};

static struct reactor_uring *uring_of(struct reactor *reactor) {
    return CONTAINER_OF(reactor, struct reactor_uring, base);
}

/* ---- queues ---- */

static void queue_push(struct uring_queue *queue, struct uring_done item) {
    if (queue->count == queue->cap) {
        size_t cap = queue->cap ? queue->cap * 2 : URING_QUEUE_MIN;
        struct uring_done *items = mem_alloc_array(cap, sizeof(*items));
        for (size_t i = 0; i < queue->count; i++)
            items[i] = queue->items[(queue->first + i) & (queue->cap - 1)];
        mem_free(queue->items);
        queue->items = items;
        queue->cap = cap;
        queue->first = 0;
    }
    queue->items[(queue->first + queue->count++) & (queue->cap - 1)] = item;
}

static struct uring_done queue_pop(struct uring_queue *queue) {
    check(queue->count > 0);
    struct uring_done item = queue->items[queue->first];
    queue->first = (queue->first + 1) & (queue->cap - 1);
    queue->count--;
    return item;
}

static bool done_is_last(const struct uring_done *done, uint64_t id) {
    return done->id == id && !(done->flags & IORING_CQE_F_MORE);
}

/* True if the completion that ends the operation is kept here. */
static bool queue_has_last(const struct uring_queue *queue, uint64_t id) {
    for (size_t i = 0; i < queue->count; i++) {
        if (done_is_last(&queue->items[(queue->first + i) & (queue->cap - 1)], id)) return true;
    }
    return false;
}

/* ---- identities ---- */

static uint64_t uring_owner(const struct reactor_uring *r, int fd) {
    return (uint64_t)r->entries[fd].generation << 32 | (uint32_t)fd;
}
static uint64_t uring_id(enum uring_kind kind, uint64_t rest) {
    return (uint64_t)kind << URING_KIND_SHIFT | rest;
}
static int id_fd(uint64_t id) { return (int)(uint32_t)id; }

/* The entry an operation belongs to, or NULL if its life is over. */
static struct uring_entry *uring_entry_of(struct reactor_uring *r, uint64_t id) {
    struct uring_entry *entry = &r->entries[(uint32_t)id];
    bool same = entry->generation == (id >> 32 & URING_GENERATION_MASK);
    return same && entry->handle ? entry : NULL;
}
static struct uring_entry *uring_entry_at(struct reactor_uring *r, int fd, const void *handle) {
    if (fd < 0 || (size_t)fd >= r->entry_count || r->entries[fd].handle != handle) return NULL;
    return &r->entries[fd];
}

static struct uring_entry *uring_enlist(struct reactor_uring *r, int fd, void *handle) {
    if (unlikely((size_t)fd >= r->entry_count)) {
        size_t count = size_max(r->entry_count * 2, (size_t)fd + 1);
        r->entries = mem_realloc(r->entries, count * sizeof(*r->entries));
        memset(r->entries + r->entry_count, 0, (count - r->entry_count) * sizeof(*r->entries));
        r->entry_count = count;
    }
    struct uring_entry *entry = &r->entries[fd];
    check(!entry->handle);
    *entry = (struct uring_entry){.handle = handle,
                                  .generation = (entry->generation + 1) & URING_GENERATION_MASK};
    return entry;
}

static void uring_delist(struct uring_entry *entry) {
    *entry = (struct uring_entry){.generation = (entry->generation + 1) & URING_GENERATION_MASK};
}

/* ---- entering the kernel ---- */

/* What a call may report that a later one will make good. */
static bool uring_is_passing(int result) {
    return result >= 0 || result == -EINTR || result == -ETIME || result == -EAGAIN ||
           result == -EBUSY;
}

static void uring_must(int result) {
    if (unlikely(!uring_is_passing(result))) panic("io_uring_enter: %s", strerror(-result));
}

/* Moves all completions out of the ring. True if the one that ends the operation is among them. */
static bool uring_stash(struct reactor_uring *r, uint64_t id) {
    bool seen = false;
    struct io_uring_cqe *cqe;
    while (io_uring_peek_cqe(&r->ring, &cqe) == 0) {
        struct uring_done done = {.id = cqe->user_data, .result = cqe->res, .flags = cqe->flags};
        io_uring_cq_advance(&r->ring, 1);
        seen |= done_is_last(&done, id);
        queue_push(&r->stash, done);
    }
    r->collected = 0;
    return seen;
}

static void uring_submit(struct reactor_uring *r) {
    while (io_uring_sq_ready(&r->ring) > 0) {
        int result = io_uring_submit(&r->ring);
        uring_must(result);
        if (result >= 0) continue;
        (void)uring_stash(r, 0); /* the kernel has no room for further completions */
        uring_must(io_uring_get_events(&r->ring));
    }
}

static struct io_uring_sqe *uring_sqe(struct reactor_uring *r, uint64_t id) {
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->ring);
    if (unlikely(!sqe)) {
        uring_submit(r);
        sqe = io_uring_get_sqe(&r->ring);
        check(sqe != NULL);
    }
    /* The data is set last, as prep clears it in some versions; see uring_tag. */
    sqe->user_data = id;
    return sqe;
}

/* After io_uring_prep_*. */
static void uring_tag(struct io_uring_sqe *sqe, uint64_t id) { io_uring_sqe_set_data64(sqe, id); }

static void uring_cancel(struct reactor_uring *r, uint64_t target) {
    uint64_t id = uring_id(URING_CANCEL, 0);
    struct io_uring_sqe *sqe = uring_sqe(r, id);
    io_uring_prep_cancel64(sqe, target, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
    uring_tag(sqe, id);
}

/* Returns when the operation has ended; its completion is in stash. */
static void uring_cancel_and_wait(struct reactor_uring *r, uint64_t target) {
    if (queue_has_last(&r->stash, target)) return;
    bool ended = uring_stash(r, target);
    if (!ended) uring_cancel(r, target);
    while (!ended) {
        uring_must(io_uring_submit_and_wait(&r->ring, 1));
        ended = uring_stash(r, target);
    }
}

/* ---- receiving and accepting ---- */

/* The only place that changes the state. */
static void receive_enter(struct uring_entry *entry, enum receive_state state) {
    check(receive_next[entry->receive] & BIT(state));
    entry->receive = (uint8_t)state;
}

static uint64_t uring_receive_id(const struct reactor_uring *r, int fd) {
    enum uring_kind kind = r->entries[fd].is_listener ? URING_ACCEPT : URING_RECEIVE;
    return uring_id(kind, uring_owner(r, fd));
}

static void uring_arm(struct reactor_uring *r, int fd) {
    struct uring_entry *entry = &r->entries[fd];
    uint64_t id = uring_receive_id(r, fd);
    receive_enter(entry, RECEIVE_ARMED);
    struct io_uring_sqe *sqe = uring_sqe(r, id);
    if (entry->is_listener) {
        io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } else {
        io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
        sqe->buf_group = URING_BUFFER_GROUP;
    }
    uring_tag(sqe, id);
}

static bool receive_is_passing(int result) {
    return result > 0 || result == -ECANCELED || result == -ENOBUFS || result == -EINTR ||
           result == -EAGAIN;
}

/* A receive has ended with this result: decides what comes next. */
static void uring_settle(struct reactor_uring *r, int fd, int result) {
    struct uring_entry *entry = &r->entries[fd];
    if (!receive_is_passing(result)) {
        receive_enter(entry, RECEIVE_ENDED);
    } else if (result == -ENOBUFS && !entry->paused) {
        receive_enter(entry, RECEIVE_STARVED);
        queue_push(&r->starved, (struct uring_done){.id = uring_owner(r, fd)});
    } else {
        receive_enter(entry, RECEIVE_IDLE);
        if (!entry->paused) uring_arm(r, fd);
    }
}

/* Receives again where buffers had run out, for as many as there are buffers now. */
static void uring_feed_starved(struct reactor_uring *r) {
    unsigned available = URING_BUFFERS - r->buffers_lent;
    while (r->starved.count > 0 && available > 0) {
        uint64_t owner = queue_pop(&r->starved).id;
        struct uring_entry *entry = uring_entry_of(r, owner);
        if (!entry || entry->receive != RECEIVE_STARVED) continue;
        uring_arm(r, id_fd(owner));
        available--;
    }
}

static void uring_give_buffer(struct reactor_uring *r, uint32_t buffer) {
    char *data = r->buffers + (size_t)buffer * URING_BUFFER_SIZE;
    io_uring_buf_ring_add(r->buffer_ring, data, URING_BUFFER_SIZE, (unsigned short)buffer,
                          io_uring_buf_ring_mask(URING_BUFFERS), 0);
    io_uring_buf_ring_advance(r->buffer_ring, 1);
}

static void uring_buffer_done(struct reactor *reactor, uint32_t buffer) {
    struct reactor_uring *r = uring_of(reactor);
    if (buffer == REACTOR_NO_BUFFER) return;
    check(buffer < URING_BUFFERS);
    check(r->buffers_lent > 0);
    r->buffers_lent--;
    uring_give_buffer(r, buffer);
}

static enum err uring_add(struct reactor *reactor, int fd, void *handle, struct diag *diag) {
    struct reactor_uring *r = uring_of(reactor);
    (void)diag;
    (void)uring_enlist(r, fd, handle);
    uring_arm(r, fd);
    return ERR_NONE;
}

static void uring_forget(struct reactor *reactor, int fd, void *handle) {
    struct reactor_uring *r = uring_of(reactor);
    struct uring_entry *entry = uring_entry_at(r, fd, handle);
    if (!entry) return;
    check(!entry->is_listener);
    bool armed = entry->receive == RECEIVE_ARMED;
    bool in_flight = armed || entry->receive == RECEIVE_CANCELLING;
    if (armed) uring_cancel(r, uring_receive_id(r, fd));
    if (entry->polls_write) uring_cancel(r, uring_id(URING_WRITABLE, uring_owner(r, fd)));
    if (entry->polls_hangup) uring_cancel(r, uring_id(URING_HANGUP, uring_owner(r, fd)));
    if (entry->send) uring_cancel_and_wait(r, uring_id(URING_SEND, entry->send - 1));
    if (in_flight || entry->polls_write || entry->polls_hangup) uring_submit(r);
    uring_delist(entry);
}

/* One completion, when one of the events comes. */
static void uring_await(struct reactor_uring *r, int fd, enum uring_kind kind, unsigned events) {
    uint64_t id = uring_id(kind, uring_owner(r, fd));
    struct io_uring_sqe *sqe = uring_sqe(r, id);
    io_uring_prep_poll_add(sqe, fd, events);
    uring_tag(sqe, id);
}

static void uring_pause_receive(struct reactor *reactor, int fd, void *handle, bool paused) {
    struct reactor_uring *r = uring_of(reactor);
    struct uring_entry *entry = uring_entry_at(r, fd, handle);
    check(entry != NULL);
    entry->paused = paused;
    if (paused && entry->receive == RECEIVE_ARMED) {
        receive_enter(entry, RECEIVE_CANCELLING);
        uring_cancel(r, uring_receive_id(r, fd));
    } else if (paused && entry->receive == RECEIVE_STARVED) {
        receive_enter(entry, RECEIVE_IDLE);
    } else if (!paused && entry->receive == RECEIVE_IDLE) {
        uring_arm(r, fd);
    }
    if (!paused || entry->polls_hangup) return;
    uring_await(r, fd, URING_HANGUP, POLLRDHUP);
    entry->polls_hangup = true;
}

static enum err uring_add_listener(struct reactor *reactor, int fd, void *handle,
                                   struct diag *diag) {
    struct reactor_uring *r = uring_of(reactor);
    if (r->listener_count == LISTENER_MAX)
        return diag_set(diag, ERR_RANGE, "more than %d listeners", LISTENER_MAX);
    uring_enlist(r, fd, handle)->is_listener = true;
    r->listeners[r->listener_count++] = fd;
    uring_arm(r, fd);
    return ERR_NONE;
}

/* Waits until the kernel has let go of the socket, so that its address can be bound again. */
static void uring_remove_listener(struct reactor *reactor, int fd, void *handle) {
    struct reactor_uring *r = uring_of(reactor);
    struct uring_entry *entry = uring_entry_at(r, fd, handle);
    if (!entry) return;
    check(entry->is_listener);
    if (entry->receive == RECEIVE_ARMED) uring_cancel_and_wait(r, uring_receive_id(r, fd));
    for (int i = 0; i < r->listener_count; i++) {
        if (r->listeners[i] == fd) r->listeners[i--] = r->listeners[--r->listener_count];
    }
    uring_delist(entry);
}

/* ---- sending ---- */

static uint32_t uring_send_take(struct reactor_uring *r) {
    if (r->send_free) {
        uint32_t index = r->send_free - 1;
        r->send_free = r->sends[index]->next_free;
        return index;
    }
    if ((r->send_count & (r->send_count - 1)) == 0) {
        size_t cap = r->send_count ? (size_t)r->send_count * 2 : 1;
        r->sends = mem_realloc(r->sends, cap * sizeof(struct uring_send *));
    }
    r->sends[r->send_count] = mem_zalloc(sizeof(struct uring_send));
    return r->send_count++;
}

static void uring_send_put(struct reactor_uring *r, uint32_t index) {
    r->sends[index]->next_free = r->send_free;
    r->send_free = index + 1;
}

/* Fills the record's message with blocks up to the limits of one send. */
static void send_gather(struct uring_send *send, const struct reply_block *block, size_t offset) {
    if (!send->iov) send->iov = mem_alloc_array(URING_IOV_MAX, sizeof(*send->iov));
    size_t room = uring_send_max;
    size_t count = 0;
    for (; block && count < URING_IOV_MAX && room > 0; block = block->next) {
        size_t size = size_min((size_t)reply_block_size(block) - offset, room);
        const char *data = block->data + offset;
        offset = 0;
        if (size == 0) continue;
        send->iov[count++] = (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = size};
        room -= size;
    }
    send->message = (struct msghdr){.msg_iov = send->iov, .msg_iovlen = count};
}

static enum err uring_send_blocks(struct reactor *reactor, int fd, void *handle,
                                  const struct reply_block *blocks, size_t offset) {
    struct reactor_uring *r = uring_of(reactor);
    struct uring_entry *entry = uring_entry_at(r, fd, handle);
    check(entry != NULL);
    check(!entry->send);
    check(offset <= reply_block_size(blocks));

    uint32_t index = uring_send_take(r);
    struct uring_send *send = r->sends[index];
    uint64_t id = uring_id(URING_SEND, index);
    send->owner = uring_owner(r, fd);
    entry->send = index + 1;
    struct io_uring_sqe *sqe = uring_sqe(r, id);
    if (!blocks->next) {
        size_t size = size_min((size_t)reply_block_size(blocks) - offset, uring_send_max);
        io_uring_prep_send(sqe, fd, blocks->data + offset, size, MSG_NOSIGNAL);
    } else {
        send_gather(send, blocks, offset);
        io_uring_prep_sendmsg(sqe, fd, &send->message, MSG_NOSIGNAL);
    }
    uring_tag(sqe, id);
    return ERR_NONE;
}

static void uring_want_write(struct reactor *reactor, int fd, void *handle, bool wanted) {
    struct reactor_uring *r = uring_of(reactor);
    struct uring_entry *entry = uring_entry_at(r, fd, handle);
    check(entry != NULL);
    entry->wants_write = wanted;
    if (!wanted || entry->polls_write) return;
    uring_await(r, fd, URING_WRITABLE, POLLOUT);
    entry->polls_write = true;
}

static void uring_flush(struct reactor *reactor) {
    struct reactor_uring *r = uring_of(reactor);
    if (io_uring_sq_ready(&r->ring) > 0) uring_submit(r);
}

/* ---- polling ---- */

static void uring_arm_wake(struct reactor_uring *r) {
    uint64_t id = uring_id(URING_WAKE, 0);
    struct io_uring_sqe *sqe = uring_sqe(r, id);
    io_uring_prep_poll_multishot(sqe, r->base.wake.fd, POLLIN);
    uring_tag(sqe, id);
}

static void uring_resume_accepting(struct reactor_uring *r) {
    for (int i = 0; i < r->listener_count; i++) {
        if (r->entries[r->listeners[i]].receive == RECEIVE_IDLE) uring_arm(r, r->listeners[i]);
    }
}

/* No system call if there is nothing to submit and the kernel has no work that waits for us. */
static int uring_enter_now(struct reactor_uring *r) {
    if (io_uring_sq_ready(&r->ring) > 0) return io_uring_submit_and_get_events(&r->ring);
    unsigned flags = IO_URING_READ_ONCE(*r->ring.sq.kflags);
    if (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) return io_uring_get_events(&r->ring);
    return 0;
}

static int uring_enter(struct reactor_uring *r, int64_t timeout_us) {
    if (timeout_us == 0) return uring_enter_now(r);
    if (timeout_us < 0) return io_uring_submit_and_wait(&r->ring, 1);
    struct __kernel_timespec timeout = {.tv_sec = timeout_us / 1000000,
                                        .tv_nsec = timeout_us % 1000000 * 1000};
    struct io_uring_cqe *cqe;
    return io_uring_submit_and_wait_timeout(&r->ring, &cqe, 1, &timeout, NULL);
}

static int uring_poll(struct reactor *reactor, int64_t timeout_us) {
    struct reactor_uring *r = uring_of(reactor);
    if (r->collected == 0) {
        reactor__begin_poll(reactor);
        if (reactor__accept_may_resume(reactor)) uring_resume_accepting(r);
        uring_feed_starved(r);
        bool kept = r->stash.count > 0 || r->accepted.count > 0;
        uring_must(uring_enter(r, kept ? 0 : reactor__shorten(reactor, timeout_us)));
        r->collected = io_uring_cq_ready(&r->ring);
    }
    return (int)(r->collected + r->stash.count + r->accepted.count);
}

/* ---- handing out ---- */

static bool uring_tell_accepted(struct reactor_uring *r, const struct uring_done *done,
                                struct reactor_event *out) {
    struct uring_entry *entry = uring_entry_of(r, done->id);
    if (!entry) {
        close(done->result); /* the listener is gone, and so is who would have served this */
        return false;
    }
    if (r->base.accepts_left == 0) {
        queue_push(&r->accepted, *done);
        return false;
    }
    r->base.accepts_left--;
    *out = (struct reactor_event){
        .kind = REACTOR_ACCEPTED, .result = done->result, .handle = entry->handle};
    return true;
}

static bool uring_tell_accept(struct reactor_uring *r, const struct uring_done *done,
                              struct reactor_event *out) {
    struct uring_entry *entry = uring_entry_of(r, done->id);
    int fd = id_fd(done->id);
    if (done->result >= 0) {
        if (entry && done_is_last(done, done->id)) {
            receive_enter(entry, RECEIVE_IDLE);
            uring_arm(r, fd);
        }
        return uring_tell_accepted(r, done, out);
    }
    if (!entry) return false;
    enum accept_failure failure = reactor__accept_failed(&r->base, fd, -done->result);
    if (failure == ACCEPT_EMPTY) { /* asking again would fail at once, even with nobody there */
        r->base.accept_resume_ns = clock_mono_ns() + REACTOR_ACCEPT_PAUSE_MS * 1000000ll;
    }
    receive_enter(entry, RECEIVE_IDLE);
    if (failure == ACCEPT_RETRY || failure == ACCEPT_REFUSED) uring_arm(r, fd);
    bool matters = failure == ACCEPT_REFUSED || failure == ACCEPT_REST;
    if (!matters || r->base.accept_failed_told) return false;
    r->base.accept_failed_told = true;
    *out = (struct reactor_event){
        .kind = REACTOR_ACCEPT_FAILED, .result = done->result, .handle = entry->handle};
    return true;
}

static bool uring_tell_receive(struct reactor_uring *r, const struct uring_done *done,
                               struct reactor_event *out) {
    uint32_t buffer = REACTOR_NO_BUFFER;
    if (done->flags & IORING_CQE_F_BUFFER) buffer = done->flags >> IORING_CQE_BUFFER_SHIFT;
    struct uring_entry *entry = uring_entry_of(r, done->id);
    if (buffer != REACTOR_NO_BUFFER && (!entry || done->result <= 0)) {
        uring_give_buffer(r, buffer);
        buffer = REACTOR_NO_BUFFER;
    }
    if (!entry) return false;
    if (done_is_last(done, done->id)) uring_settle(r, id_fd(done->id), done->result);
    if (done->result < 0 && receive_is_passing(done->result)) return false;

    *out = (struct reactor_event){.kind = REACTOR_RECEIVED,
                                  .result = done->result,
                                  .handle = entry->handle,
                                  .buffer = buffer};
    if (buffer == REACTOR_NO_BUFFER) return true;
    out->data = r->buffers + (size_t)buffer * URING_BUFFER_SIZE;
    r->buffers_lent++;
    return true;
}

static bool uring_tell_sent(struct reactor_uring *r, const struct uring_done *done,
                            struct reactor_event *out) {
    uint32_t index = (uint32_t)done->id;
    struct uring_entry *entry = uring_entry_of(r, r->sends[index]->owner);
    uring_send_put(r, index);
    if (!entry) return false;
    check(entry->send == index + 1);
    entry->send = 0;
    bool nothing = done->result == -EINTR || done->result == -EAGAIN;
    *out = (struct reactor_event){
        .kind = REACTOR_SENT, .result = nothing ? 0 : done->result, .handle = entry->handle};
    return true;
}

static bool uring_tell_writable(struct reactor_uring *r, const struct uring_done *done,
                                struct reactor_event *out) {
    struct uring_entry *entry = uring_entry_of(r, done->id);
    if (!entry) return false;
    entry->polls_write = false;
    if (!entry->wants_write) return false;
    entry->wants_write = false;
    *out = (struct reactor_event){.kind = REACTOR_WRITABLE, .handle = entry->handle};
    return true;
}

/* Where bytes are received again, the end comes after them. */
static bool uring_tell_hangup(struct reactor_uring *r, const struct uring_done *done,
                              struct reactor_event *out) {
    struct uring_entry *entry = uring_entry_of(r, done->id);
    if (!entry) return false;
    entry->polls_hangup = false;
    if (!entry->paused) return false;
    *out = (struct reactor_event){.kind = REACTOR_READABLE, .result = 1, .handle = entry->handle};
    return true;
}

/* False: the completion says nothing to the caller. */
static bool uring_tell(struct reactor_uring *r, const struct uring_done *done,
                       struct reactor_event *out) {
    switch ((enum uring_kind)(done->id >> URING_KIND_SHIFT)) {
    case URING_ACCEPT: return uring_tell_accept(r, done, out);
    case URING_RECEIVE: return uring_tell_receive(r, done, out);
    case URING_SEND: return uring_tell_sent(r, done, out);
    case URING_WRITABLE: return uring_tell_writable(r, done, out);
    case URING_HANGUP: return uring_tell_hangup(r, done, out);
    case URING_WAKE:
        wake_fd_drain(&r->base.wake);
        if (done_is_last(done, done->id)) uring_arm_wake(r);
        return false;
    case URING_CANCEL: return false; /* what was to be cancelled had ended */
    }
    panic("io_uring: completion of an unknown operation");
}

static bool uring_next(struct reactor *reactor, struct reactor_event *out) {
    struct reactor_uring *r = uring_of(reactor);
    while (r->accepted.count > 0 && reactor->accepts_left > 0) {
        struct uring_done done = queue_pop(&r->accepted);
        if (uring_tell_accepted(r, &done, out)) return true;
    }
    while (r->stash.count > 0) {
        struct uring_done done = queue_pop(&r->stash);
        if (uring_tell(r, &done, out)) return true;
    }
    while (r->collected > 0) {
        struct io_uring_cqe *cqe;
        check(io_uring_peek_cqe(&r->ring, &cqe) == 0);
        struct uring_done done = {.id = cqe->user_data, .result = cqe->res, .flags = cqe->flags};
        io_uring_cq_advance(&r->ring, 1);
        r->collected--;
        if (uring_tell(r, &done, out)) return true;
    }
    return false;
}

/* ---- life ---- */

/* Ends all operations, and closes connections that nobody has been told about. */
static void uring_end_all(struct reactor_uring *r) {
    struct io_uring_sync_cancel_reg all = {
        .fd = -1,
        .flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
        .timeout = {.tv_sec = -1, .tv_nsec = -1},
    };
    uring_submit(r);
    int result = io_uring_register_sync_cancel(&r->ring, &all);
    check(result >= 0 || result == -ENOENT || result == -EINTR);
    uring_must(io_uring_get_events(&r->ring));
    (void)uring_stash(r, 0);
    while (r->stash.count > 0) {
        struct uring_done done = queue_pop(&r->stash);
        if (done.id >> URING_KIND_SHIFT == URING_ACCEPT && done.result >= 0) close(done.result);
    }
    while (r->accepted.count > 0)
        close(queue_pop(&r->accepted).result);
}

static size_t uring_buffer_ring_size(void) { return URING_BUFFERS * sizeof(struct io_uring_buf); }

static void uring_free(struct reactor_uring *r) {
    if (r->buffer_ring) munmap(r->buffer_ring, uring_buffer_ring_size());
    if (r->buffers) munmap(r->buffers, (size_t)URING_BUFFERS * URING_BUFFER_SIZE);
    for (uint32_t i = 0; i < r->send_count; i++) {
        mem_free(r->sends[i]->iov);
        mem_free(r->sends[i]);
    }
    mem_free(r->sends);
    mem_free(r->entries);
    mem_free(r->stash.items);
    mem_free(r->accepted.items);
    mem_free(r->starved.items);
    mem_free(r);
}

static void uring_destroy(struct reactor *reactor) {
    struct reactor_uring *r = uring_of(reactor);
    uring_end_all(r);
    io_uring_queue_exit(&r->ring);
    reactor__deinit(reactor);
    uring_free(r);
}

/* The best ring the kernel has. SINGLE_ISSUER came with the same kernel, 6.0, as multishot
 * receive. */
static enum err uring_open_ring(struct reactor_uring *r, struct diag *diag) {
    static const unsigned common = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL |
                                   IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN |
                                   IORING_SETUP_TASKRUN_FLAG;
    static const unsigned flags[] = {common | IORING_SETUP_DEFER_TASKRUN, common};
    int result = -EINVAL;
    for (size_t i = 0; i < COUNT_OF(flags) && result == -EINVAL; i++) {
        struct io_uring_params params = {.flags = flags[i], .cq_entries = URING_CQ_ENTRIES};
        result = io_uring_queue_init_params(URING_SQ_ENTRIES, &r->ring, &params);
    }
    if (result == 0) return ERR_NONE;
    if (result == -EINVAL) return diag_set(diag, ERR_UNSUPPORTED, "it needs Linux 6.0");
    return diag_set(diag, ERR_UNSUPPORTED, "io_uring_setup: %s", strerror(-result));
}

static void *uring_map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    (void)madvise(memory, size, MADV_DONTFORK); /* a forked child must not make them be copied */
    return memory;
}

/* Mapped, not allocated: most of it is never touched, and it is no part of the data's memory. */
static enum err uring_open_buffers(struct reactor_uring *r, struct diag *diag) {
    r->buffer_ring = uring_map(uring_buffer_ring_size());
    r->buffers = uring_map((size_t)URING_BUFFERS * URING_BUFFER_SIZE);
    if (!r->buffer_ring || !r->buffers) return diag_errno(diag, ERR_UNSUPPORTED, "mmap");
    struct io_uring_buf_reg reg = {.ring_addr = (uint64_t)(uintptr_t)r->buffer_ring,
                                   .ring_entries = URING_BUFFERS,
                                   .bgid = URING_BUFFER_GROUP};
    int result = io_uring_register_buf_ring(&r->ring, &reg, 0);
    if (result != 0) return diag_set(diag, ERR_UNSUPPORTED, "buffer ring: %s", strerror(-result));
    io_uring_buf_ring_init(r->buffer_ring);
    for (uint32_t i = 0; i < URING_BUFFERS; i++)
        uring_give_buffer(r, i);
    return ERR_NONE;
}

static const struct reactor_ops uring_ops = {
    .name = "io_uring",
    .engine = REACTOR_URING,
    .polled_elsewhere = false,
    .destroy = uring_destroy,
    .add_listener = uring_add_listener,
    .remove_listener = uring_remove_listener,
    .add = uring_add,
    .forget = uring_forget,
    .pause_receive = uring_pause_receive,
    .want_write = uring_want_write,
    .send = uring_send_blocks,
    .flush = uring_flush,
    .poll = uring_poll,
    .next = uring_next,
    .buffer_done = uring_buffer_done,
};

enum err reactor__uring_create(const struct reactor_options *options, struct reactor **out,
                               struct diag *diag) {
    struct reactor_uring *r = mem_alloc_aligned(alignof(struct reactor_uring), sizeof(*r));
    memset(r, 0, sizeof(*r));
    enum err err = uring_open_ring(r, diag);
    if (err != ERR_NONE) goto free_memory;
    err = uring_open_buffers(r, diag);
    if (err != ERR_NONE) goto close_ring;
    err = reactor__init(&r->base, &uring_ops, options, diag);
    if (err != ERR_NONE) goto close_ring;

    (void)io_uring_register_ring_fd(&r->ring); /* saves a look-up per call, where it exists */
    (void)io_uring_ring_dontfork(&r->ring);
    r->entry_count = size_max(options->max_fds, REACTOR_TABLE_MIN);
    r->entries = mem_zalloc_array(r->entry_count, sizeof(*r->entries));
    uring_arm_wake(r);
    uring_submit(r);
    *out = &r->base;
    return ERR_NONE;

close_ring:
    io_uring_queue_exit(&r->ring);
free_memory:
    uring_free(r);
    return err;
}

#else

enum err reactor__uring_create(const struct reactor_options *options, struct reactor **out,
                               struct diag *diag) {
    (void)options;
    (void)out;
#ifdef USE_IO_URING
    return diag_set(diag, ERR_UNSUPPORTED, "built with a liburing older than 2.3");
#else
    return diag_set(diag, ERR_UNSUPPORTED, "not part of this build");
#endif
}

#endif
