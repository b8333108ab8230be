/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb -- the modes --rdb and --functions-rdb: fetches a snapshot into a file.
 *
 * It is written beside the file and takes its place when it is complete: a transfer that fails
 * leaves what was there. Standard output, pipes and devices are written as it comes. */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct target {
    const char *path;
    char *temporary; /* owned; NULL: written as it comes */
    int fd;
};

static bool complain(const struct target *target, const char *what) {
    struct diag diag = {0};
    (void)diag_errno(&diag, ERR_IO, "%s '%s'", what, target->path);
    cli_say("Error: %s", diag.text);
    return false;
}

static bool target_open(struct target *target, const char *path) {
    struct stat about;
    *target = (struct target){.path = path, .fd = -1};
    if (strcmp(path, "-") == 0) {
        target->fd = STDOUT_FILENO;
        return true;
    }
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
        target->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        struct buf name = {0};
        buf_addf(&name, "%s.%ld.part", path, (long)getpid());
        target->temporary = buf_take(&name);
        target->fd = open(target->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    return target->fd != -1 || complain(target, "cannot open");
}

static bool target_write(const struct target *target, struct bytes data) {
    while (data.size > 0) {
        ssize_t written = write(target->fd, data.data, data.size);
        if (written == -1 && errno == EINTR) continue;
        if (written == -1) return complain(target, "cannot write to");
        data = bytes_from(data, (size_t)written);
    }
    return true;
}

/* Puts the file into its place. */
static bool target_commit(struct target *target) {
    if (!target->temporary) return true;
    if (fsync(target->fd) == -1) return complain(target, "cannot write to");
    if (rename(target->temporary, target->path) == -1) return complain(target, "cannot write");
    mem_free(target->temporary);
    target->temporary = NULL;
    return true;
}

static void target_close(struct target *target) {
    if (target->fd != -1 && target->fd != STDOUT_FILENO) close(target->fd);
    if (target->temporary && target->fd != -1) (void)unlink(target->temporary);
    mem_free(target->temporary);
}

static bool transfer(struct sync_source *source, struct target *target) {
    struct bytes data;
    do {
        if (!sync_next(source, &data)) return false;
        if (data.size > 0 && !target_write(target, data)) return false;
    } while (!source->ended || data.size > 0);
    return target_commit(target);
}

static int run(struct cli *cli, enum sync_want want) {
    struct sync_source source = {0};
    struct target target;
    bool good = target_open(&target, cli->options.mode_argument);
    if (good) good = sync_init(&source, cli, want);
    if (good) {
        struct buf size = {0};
        if (source.size >= 0) buf_addf(&size, "%lld bytes", (long long)source.size);
        cli_say("SYNC sent to primary, writing %s to '%s'", size.size ? size.data : "its snapshot",
                target.path);
        buf_deinit(&size);
        good = transfer(&source, &target);
    }
    sync_deinit(&source);
    if (good) cli_say("Transfer finished with success after %lld bytes", (long long)source.done);
    target_close(&target);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cli__run_rdb(struct cli *cli) { return run(cli, SYNC_RDB); }

int cli__run_functions_rdb(struct cli *cli) { return run(cli, SYNC_FUNCTIONS); }
