/* SPDX-License-Identifier: BSD-3-Clause */
/* info -- the sections of INFO that this folder knows how to fill: all of the reference's, in its
 * order. Figures of features that do not exist yet have the value they have while unused. */
#pragma once

#include "base/attr.h"

struct exec;
struct info;
struct listener_set;

/* What only the process knows. Borrowed texts, never NULL; the server keeps it true for as long as
 * the sections are there. */
struct info_server {
    const char *executable; /* absolute path */
    const char *git_sha1;
    const char *build_id;
    bool git_dirty;
    const char *supervised; /* "no", "systemd", "upstart" */
    const struct listener_set *listeners;
};

/* Declares all sections in exec's registry and adds their fields. Both arguments are borrowed. To
 * be called once, when the rest of the server is there: memory in use now counts as that of the
 * start. The caller owns the result, which must outlive the registry's last use. */
must_use struct info *info_create(struct exec *exec, const struct info_server *server);
void info_destroy(struct info **info);
