/* SPDX-License-Identifier: BSD-3-Clause */
/* title -- what the process list shows, written over the arguments the process was started with. */
#pragma once

#include "base/attr.h"

/* The memory where the system put arguments and environment. Zeroed: there is none. */
struct title_room {
    char *start;
    size_t size;
};

/* Remembers where argv and environ lie, and puts copies in their place, which live as long as the
 * process. To be called first thing in main. */
void title_room_init(struct title_room *room, int argc, char **argv);

struct title_values {
    const char *program;     /* {title} */
    const char *listen_addr; /* {listen-addr}: "127.0.0.1:6379" or "*:6379" or a path */
    const char *server_mode; /* {server-mode}: "" or "[cluster]" or "[sentinel]" */
    int port, tls_port;
    const char *unixsocket;  /* NULL: none */
    const char *config_file; /* NULL: none */
};
/* Shows the template with its variables filled in, cut to the room there is. */
void title_show(const struct title_room *room, const char *template,
                const struct title_values *values);
