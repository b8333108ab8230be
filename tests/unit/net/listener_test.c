/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/listener.h"

#include <grp.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/unit/net/net_fixture.h"

enum { PORT_TRIES = 50 };

/* What the file of the Unix socket was at the moment of listen(2). */
static struct {
    char path[128]; /* empty: do not look */
    int calls;
    struct stat status;
} at_listen;

/* Stands before the C library's. */
int listen(int fd, int backlog) {
    if (*at_listen.path) {
        at_listen.calls++;
        if (stat(at_listen.path, &at_listen.status) != 0) abort();
    }
    return (int)syscall(SYS_listen, fd, backlog);
}

static uint16_t random_port(struct test *t) { return (uint16_t)(20000 + rng_below(t->rng, 40000)); }

/* Opens the addresses on a port that is free on all of them. */
static uint16_t open_somewhere(struct test *t, struct listener_set *set,
                               const char *const *addresses, int count) {
    struct diag diag = {""};
    for (int i = 0; i < PORT_TRIES; i++) {
        uint16_t port = random_port(t);
        struct listen_tcp_options options = {
            .addresses = addresses, .address_count = count, .port = port, .backlog = 16};
        if (listener_open_tcp(set, &options, &diag) == ERR_NONE) return port;
    }
    test_fail(__FILE__, __LINE__, "no free port: %s", diag.text);
}

static int connect_to(int family, uint16_t port) {
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) return -1;
    struct sockaddr *name = family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
    if (connect(fd, name, family == AF_INET ? sizeof(in) : sizeof(in6)) == 0) return fd;
    close(fd);
    return -1;
}

static int accept_from(const struct listener *listener) {
    struct pollfd poll_fd = {.fd = listener->fd, .events = POLLIN};
    expect_eq(poll(&poll_fd, 1, 5000), 1);
    int fd = accept(listener->fd, NULL, NULL);
    expect_ne(fd, -1);
    return fd;
}

static bool has_ipv6(void) {
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) return false;
    bool has = bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;
    close(fd);
    if (!has) printf("skipped in part: this machine has no IPv6\n");
    return has;
}

/* ---- TCP ---- */

TEST(a_tcp_listener_is_nonblocking_closes_on_exec_and_names_its_ends) {
    struct listener_set set = {.count = 0};
    const char *addresses[] = {"127.0.0.1"};
    uint16_t port = open_somewhere(t, &set, addresses, 1);
    expect_eq(set.count, 1);
    expect_eq(set.items[0].kind, LISTENER_TCP);
    expect_eq(set.items[0].port, port);
    expect_str_eq(set.items[0].address, "127.0.0.1");
    expect_true(fcntl(set.items[0].fd, F_GETFL) & O_NONBLOCK);
    expect_true(fcntl(set.items[0].fd, F_GETFD) & FD_CLOEXEC);

    int client = connect_to(AF_INET, port);
    int server = accept_from(&set.items[0]);
    char expected[ENDPOINT_TEXT_MAX], text[ENDPOINT_TEXT_MAX];
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", port);
    socket_endpoint(server, false, text);
    expect_str_eq(text, expected);
    socket_endpoint(client, true, text);
    expect_str_eq(text, expected);
    socket_endpoint(client, false, expected);
    socket_endpoint(server, true, text);
    expect_str_eq(text, expected);
    expect_true(socket_peer_is_local(server));
    close(client);
    close(server);
    listener_close(&set, LISTENER_TCP, false);
    expect_eq(set.count, 0);
    expect_eq(connect_to(AF_INET, port), -1);
}

TEST(ipv4_and_ipv6_share_a_port_and_do_not_share_connections) {
    if (!has_ipv6()) return;
    static const char *const pairs[][2] = {{"127.0.0.1", "::1"}, {"*", "::*"}, {"*", "-::*"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct listener_set set = {.count = 0};
        uint16_t port = open_somewhere(t, &set, pairs[i], 2);
        expect_eq(set.count, 2);
        int client = connect_to(AF_INET6, port);
        expect_ne(client, -1);
        int server = accept_from(&set.items[1]);
        expect_eq(accept(set.items[0].fd, NULL, NULL), -1);
        char expected[ENDPOINT_TEXT_MAX], text[ENDPOINT_TEXT_MAX];
        snprintf(expected, sizeof(expected), "[::1]:%d", port);
        socket_endpoint(server, false, text);
        expect_str_eq(text, expected);
        expect_true(socket_peer_is_local(server));
        close(client);
        close(server);

        client = connect_to(AF_INET, port);
        server = accept_from(&set.items[0]);
        expect_eq(accept(set.items[1].fd, NULL, NULL), -1);
        close(client);
        close(server);
        listener_close(&set, LISTENER_TCP, false);
    }
}

TEST(a_host_name_is_resolved) {
    struct listener_set set = {.count = 0};
    const char *addresses[] = {"localhost"};
    uint16_t port = open_somewhere(t, &set, addresses, 1);
    int client = connect_to(AF_INET, port);
    expect_ne(client, -1);
    close(client);
    listener_close(&set, LISTENER_TCP, false);
}

TEST(no_port_or_no_address_opens_nothing) {
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    const char *addresses[] = {"127.0.0.1"};
    struct listen_tcp_options options = {.addresses = addresses, .address_count = 1, .backlog = 16};
    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_NONE);
    options.port = random_port(t);
    options.address_count = 0;
    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_NONE);
    expect_eq(set.count, 0);
}

TEST(a_port_in_use_is_an_error_that_leaves_nothing_open) {
    struct listener_set taken = {.count = 0}, set = {.count = 0};
    struct diag diag = {""};
    const char *one[] = {"127.0.0.1"};
    uint16_t port = open_somewhere(t, &taken, one, 1);
    int fds = fd_count();

    const char *two[] = {"127.0.0.2", "-127.0.0.1"};
    struct listen_tcp_options options = {
        .addresses = two, .address_count = 2, .port = port, .backlog = 16};
    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_IO);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "Could not create server TCP listening socket 127.0.0.1:%d: bind: Address already in "
             "use",
             port);
    expect_str_eq(diag.text, expected);
    expect_eq(set.count, 0);
    expect_eq(fd_count(), fds);
    listener_close(&taken, LISTENER_TCP, false);

    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_NONE);
    expect_eq(set.count, 2);
    listener_close(&set, LISTENER_TCP, false);
}

TEST(an_address_this_machine_lacks_is_skipped_only_if_marked) {
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    const char *addresses[] = {"192.0.2.1"}; /* reserved for documentation */
    struct listen_tcp_options options = {
        .addresses = addresses, .address_count = 1, .port = random_port(t), .backlog = 16};
    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_IO);
    expect_not_null(strstr(diag.text, ": bind: Cannot assign requested address"));

    addresses[0] = "-192.0.2.1";
    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_NONE);
    expect_eq(set.count, 0);
}

static void without_ipv6(void) {
    if (!forbid_syscall(SYS_socket, AF_INET6, EAFNOSUPPORT)) _exit(CHILD_SKIPPED);
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    uint16_t port;
    close(tcp_listen(&port)); /* free a moment ago */
    const char *addresses[] = {"127.0.0.1", "-::1", "::*", "::1"};
    struct listen_tcp_options options = {
        .addresses = addresses, .address_count = 4, .port = port, .backlog = 16};
    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_NONE);
    expect_eq(set.count, 1);
    expect_not_null(strstr(diag.text, "Address family not supported"));
}
TEST(ipv6_addresses_are_skipped_on_a_machine_without_ipv6) {
    in_child(without_ipv6, "system call filters are not allowed here");
}

TEST(a_name_that_does_not_resolve_is_an_error) {
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    const char *addresses[] = {"256.0.0.1.invalid"};
    struct listen_tcp_options options = {
        .addresses = addresses, .address_count = 1, .port = 21111, .backlog = 16};
    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_IO);
    expect_not_null(strstr(
        diag.text, "Could not create server TCP listening socket 256.0.0.1.invalid:21111: "));
    expect_eq(set.count, 0);
}

TEST(a_full_set_takes_no_more) {
    struct listener_set set = {.count = LISTENER_MAX};
    struct diag diag = {""};
    const char *addresses[] = {"127.0.0.1"};
    struct listen_tcp_options options = {
        .addresses = addresses, .address_count = 1, .port = 21111, .backlog = 16};
    expect_eq(listener_open_tcp(&set, &options, &diag), ERR_RANGE);
    expect_eq(listener_open_unix(&set, "/tmp/never", 0, NULL, 16, &diag), ERR_RANGE);
    expect_eq(set.count, LISTENER_MAX);
}

TEST(socket_configure_sets_keepalive_and_nodelay) {
    uint16_t port;
    int listener = tcp_listen(&port);
    int fd = tcp_connect(port);
    struct socket_options options = {.keepalive_s = 300, .no_delay = true};
    socket_configure(fd, &options);
    static const struct {
        int level, name, value;
    } expected[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},    {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 300}, {IPPROTO_TCP, TCP_KEEPINTVL, 100},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
    };
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        int value = -1;
        socklen_t size = sizeof(value);
        expect_eq(getsockopt(fd, expected[i].level, expected[i].name, &value, &size), 0);
        expect_eq(value, expected[i].value);
    }
    close(fd);
    close(listener);
}

/* ---- Unix sockets ---- */

struct place {
    char dir[64];
    char path[96];
};

static void place_make(struct place *place) {
    snprintf(place->dir, sizeof(place->dir), "/tmp/net_test_XXXXXX");
    expect_not_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof(place->path), "%s/s", place->dir);
}
static void place_remove(const struct place *place) {
    unlink(place->path);
    expect_eq(rmdir(place->dir), 0);
}

static int unix_connect(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect_ne(fd, -1);
    if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0) return fd;
    close(fd);
    return -1;
}

TEST(a_unix_socket_has_its_permissions_and_group_before_it_listens) {
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    struct place place;
    place_make(&place);
    char group[16];
    snprintf(group, sizeof(group), "%u", (unsigned)getegid());
    snprintf(at_listen.path, sizeof(at_listen.path), "%s", place.path);
    at_listen.calls = 0;
    expect_eq(listener_open_unix(&set, place.path, 0640, group, 16, &diag), ERR_NONE);
    at_listen.path[0] = '\0';
    expect_eq(at_listen.calls, 1);
    expect_true(S_ISSOCK(at_listen.status.st_mode));
    expect_eq(at_listen.status.st_mode & 07777, 0640);
    expect_eq(at_listen.status.st_gid, getegid());

    int client = unix_connect(place.path);
    expect_ne(client, -1);
    int server = accept_from(&set.items[0]);
    char expected[ENDPOINT_TEXT_MAX], text[ENDPOINT_TEXT_MAX];
    snprintf(expected, sizeof(expected), "%s:0", place.path);
    socket_endpoint(server, true, text);
    expect_str_eq(text, expected);
    socket_endpoint(server, false, text);
    expect_str_eq(text, expected);
    expect_true(socket_peer_is_local(server));
    close(client);
    close(server);

    listener_close(&set, LISTENER_TCP, true); /* another kind: stays */
    expect_eq(set.count, 1);
    listener_close(&set, LISTENER_UNIX, true);
    expect_eq(set.count, 0);
    expect_eq(access(place.path, F_OK), -1);
    place_remove(&place);
}

TEST(without_a_permission_option_the_umask_rules) {
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    struct place place;
    struct stat status;
    place_make(&place);
    mode_t before = umask(027);
    expect_eq(listener_open_unix(&set, place.path, 0, NULL, 16, &diag), ERR_NONE);
    umask(before);
    expect_eq(stat(place.path, &status), 0);
    expect_eq(status.st_mode & 0777, 0750);
    listener_close(&set, LISTENER_UNIX, true);
    place_remove(&place);
}

TEST(a_stale_socket_file_is_replaced_and_a_live_one_is_not) {
    struct listener_set set = {.count = 0}, second = {.count = 0};
    struct diag diag = {""};
    struct place place;
    place_make(&place);
    expect_eq(listener_open_unix(&set, place.path, 0700, NULL, 16, &diag), ERR_NONE);
    int fds = fd_count();
    expect_eq(listener_open_unix(&second, place.path, 0700, NULL, 16, &diag), ERR_EXISTS);
    expect_not_null(strstr(diag.text, "Address already in use"));
    expect_not_null(strstr(diag.text, place.path));
    expect_eq(fd_count(), fds);
    int client = unix_connect(place.path);
    expect_ne(client, -1); /* the attempt did no harm */
    close(client);

    listener_close(&set, LISTENER_UNIX, false); /* as after a crash: the file stays */
    expect_eq(access(place.path, F_OK), 0);
    expect_eq(listener_open_unix(&second, place.path, 0700, NULL, 16, &diag), ERR_NONE);
    client = unix_connect(place.path);
    expect_ne(client, -1);
    close(client);
    listener_close(&second, LISTENER_UNIX, true);
    place_remove(&place);
}

TEST(another_file_in_the_way_is_an_error_and_stays) {
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    struct place place;
    struct stat status;
    place_make(&place);
    int fd = open(place.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    expect_eq(write(fd, "data", 4), 4);
    close(fd);
    expect_eq(listener_open_unix(&set, place.path, 0700, NULL, 16, &diag), ERR_EXISTS);
    expect_eq(stat(place.path, &status), 0);
    expect_eq(status.st_size, 4);
    expect_eq(set.count, 0);
    place_remove(&place);
}

TEST(bad_paths_and_groups_leave_nothing_behind) {
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    struct place place;
    place_make(&place);
    (void)getgrnam("no such group"); /* what the C library loads for this stays loaded */
    size_t mem_before = mem_in_use();
    int fds = fd_count();
    char long_path[200];
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    expect_eq(listener_open_unix(&set, long_path, 0, NULL, 16, &diag), ERR_RANGE);
    expect_eq(listener_open_unix(&set, "/nowhere/at/all", 0, NULL, 16, &diag), ERR_IO);
    expect_eq(listener_open_unix(&set, place.path, 0, "no such group", 16, &diag), ERR_NOT_FOUND);
    expect_not_null(strstr(diag.text, "unknown group 'no such group'"));
    expect_eq(access(place.path, F_OK), -1);
    expect_eq(fd_count(), fds);
    expect_eq(set.count, 0);
    expect_eq(mem_in_use(), mem_before);
    place_remove(&place);
}

TEST(a_group_is_found_by_name) {
    struct listener_set set = {.count = 0};
    struct diag diag = {""};
    struct place place;
    struct stat status;
    const struct group *own = getgrgid(getegid());
    if (!own) {
        printf("skipped: the own group has no name\n");
        return;
    }
    place_make(&place);
    expect_eq(listener_open_unix(&set, place.path, 0770, own->gr_name, 16, &diag), ERR_NONE);
    expect_eq(stat(place.path, &status), 0);
    expect_eq(status.st_gid, getegid());
    listener_close(&set, LISTENER_UNIX, true);
    place_remove(&place);
}

TEST_MAIN()
