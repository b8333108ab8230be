/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/link.h"

#include "base/mem.h"
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket that takes connections and never says anything; *port is where. */
static int silent_server(uint16_t *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect_true(fd != -1);
    expect_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    expect_eq(listen(fd, 4), 0);
    expect_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* A link to such a server, which is told to wake up whenever it waits. */
struct woken_link {
    struct client_options options;
    struct client_link link;
    int server, wake[2];
};

static void open_woken(struct woken_link *woken) {
    struct diag diag = {0};
    client_options_init(&woken->options);
    client_link_init(&woken->link);
    woken->server = silent_server(&woken->options.port);
    expect_eq(client_link_open(&woken->link, &woken->options, &diag), ERR_NONE);
    expect_eq(pipe(woken->wake), 0);
    expect_eq(write(woken->wake[1], "x", 1), 1);
    woken->link.wake_fd = woken->wake[0];
}

static void close_woken(struct woken_link *woken) {
    close(woken->wake[0]);
    close(woken->wake[1]);
    close(woken->server);
    client_link_deinit(&woken->link);
    client_options_deinit(&woken->options);
}

TEST(a_call_that_is_interrupted_closes_the_link) {
    struct woken_link woken;
    struct client_link *link = &woken.link;
    struct diag diag = {0};
    struct resp_value *reply = NULL;
    open_woken(&woken);

    expect_eq(client_link_receive(link, CLIENT_WAIT_FOREVER, &reply, &diag), ERR_AGAIN);
    expect_true(client_link_is_open(link)); /* nothing was asked for: it may go on waiting */
    expect_eq(client_link_call(link, (const char *[]){"PING", NULL}, &reply, &diag), ERR_AGAIN);
    expect_false(client_link_is_open(link)); /* or the next call would take the reply to this one */

    close_woken(&woken);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(sending_to_a_server_that_does_not_read_can_be_interrupted) {
    struct woken_link woken;
    struct client_link *link = &woken.link;
    struct diag diag = {0};
    const size_t size = 64 << 20; /* more than sockets take */
    char *data = mem_zalloc(size);
    open_woken(&woken);

    expect_eq(client_link_send(link, bytes_make(data, size), &diag), ERR_AGAIN);
    expect_false(client_link_is_open(link)); /* half a request is no beginning of the next */

    mem_free(data);
    close_woken(&woken);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
