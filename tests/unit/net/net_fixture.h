/* SPDX-License-Identifier: BSD-3-Clause */
/* net_fixture -- sockets, forbidden system calls and counted descriptors for the tests of net. */
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* Open descriptors of this process. */
static inline int fd_count(void) {
    DIR *dir = opendir("/proc/self/fd");
    expect_not_null(dir);
    int count = 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 3; /* "." and ".." and the directory's own */
}

/* Closing is at times done by the kernel a moment later. */
static inline void expect_fd_count(int expected) {
    for (int i = 0; i < 200 && fd_count() != expected; i++)
        usleep(5000);
    expect_eq(fd_count(), expected);
}

/* Room for that many descriptors. */
static inline void fd_limit_raise(rlim_t count) {
    struct rlimit limit;
    expect_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur >= count) return;
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    expect_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* A non-blocking listener on a free loopback port. */
static inline int tcp_listen(uint16_t *port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    expect_ne(fd, -1);
    expect_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    expect_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    expect_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    expect_eq(listen(fd, 1024), 0);
    *port = ntohs(name.sin_port);
    return fd;
}

/* A blocking connect; the socket does not block afterwards. -1 if refused. */
static inline int tcp_connect(uint16_t port) {
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect_ne(fd, -1);
    if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == -1) {
        close(fd);
        return -1;
    }
    expect_ne(fcntl(fd, F_SETFL, O_NONBLOCK), -1);
    return fd;
}

/* In a child process: the system call fails with error from now on, if its first argument is this
 * one (-1: whatever it is). False where filters cannot be set. */
static inline bool forbid_syscall(uint32_t number, int64_t first, uint32_t error) {
    uint8_t skip = first < 0 ? 0 : 2; /* instructions that look at the argument */
    struct sock_filter code[8];
    uint16_t size = 0;
    code[size++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    code[size++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, (uint8_t)(skip + 1));
    if (first >= 0) {
        code[size++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                    offsetof(struct seccomp_data, args));
        code[size++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)first, 0, 1);
    }
    code[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
    code[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = size, .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { CHILD_SKIPPED = 77 };

/* Runs the body in a child process and expects that it ends well. */
static inline void in_child(void (*body)(void), const char *skip_reason) {
    pid_t pid = fork();
    expect_ne(pid, -1);
    if (pid == 0) {
        body();
        _exit(0);
    }
    int status;
    expect_eq(waitpid(pid, &status, 0), pid);
    expect_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CHILD_SKIPPED) {
        printf("skipped: %s\n", skip_reason);
    } else {
        expect_eq(WEXITSTATUS(status), 0);
    }
}
