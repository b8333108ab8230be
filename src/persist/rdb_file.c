/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/rdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SYNC_EVERY = 4 << 20, /* bytes between two syncs of sync_often */
    FILE_MODE = 0644,
};

/* ---- writing ---- */

struct target {
    int fd;
    bool sync_often;
    uint64_t since_sync; /* bytes */
};

static enum err write_all(int fd, struct bytes bytes, struct diag *diag) {
    while (bytes.size > 0) {
        ssize_t size = write(fd, bytes.data, bytes.size);
        if (size == -1 && errno == EINTR) continue;
        if (size == -1) return diag_errno(diag, ERR_IO, "Write error while saving DB to disk");
        bytes = bytes_from(bytes, (size_t)size);
    }
    return ERR_NONE;
}

static enum err write_target(void *ctx, struct bytes bytes, struct diag *diag) {
    struct target *target = ctx;
    enum err err = write_all(target->fd, bytes, diag);
    if (err != ERR_NONE) return err;
    target->since_sync += bytes.size;
    if (!target->sync_often || target->since_sync < SYNC_EVERY) return ERR_NONE;
    target->since_sync = 0;
    if (fdatasync(target->fd) == -1) return diag_errno(diag, ERR_IO, "Can't sync the snapshot");
    return ERR_NONE;
}

static enum err write_snapshot(struct keyspace *ks, int fd, const struct rdb_file_options *options,
                               struct diag *diag) {
    struct target target = {.fd = fd, .sync_often = options->sync_often};
    const struct rdb_sink sink = {.ctx = &target, .write = write_target};
    struct rdb_out out;
    rdb_out_init(&out, &sink, options->compress, options->checksum);
    rdb_save(&out, ks, &options->save);
    enum err err = out.err;
    if (err != ERR_NONE) *diag = out.diag;
    rdb_out_deinit(&out);
    return err;
}

/* The folder that path is in, into a buffer of PATH_MAX. */
static const char *folder_of(const char *path, char *room) {
    snprintf(room, PATH_MAX, "%s", path);
    return dirname(room);
}

/* The rename itself must survive a power cut. */
static enum err sync_folder(const char *path, struct diag *diag) {
    char room[PATH_MAX];
    int fd = open(folder_of(path, room), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) return diag_errno(diag, ERR_IO, "Can't open the folder of '%s'", path);
    /* Some file systems cannot sync a folder, and say so. */
    bool failed = fsync(fd) == -1 && errno != EINVAL && errno != EROFS;
    enum err err =
        failed ? diag_errno(diag, ERR_IO, "Can't sync the folder of '%s'", path) : ERR_NONE;
    (void)close(fd);
    return err;
}

static enum err finish(int fd, const char *temp, const char *path, struct diag *diag) {
    if (fsync(fd) == -1) return diag_errno(diag, ERR_IO, "Can't sync the snapshot");
    if (rename(temp, path) == -1) {
        return diag_errno(diag, ERR_IO, "Error moving temp DB file %s on the final destination %s",
                          temp, path);
    }
    return sync_folder(path, diag);
}

enum err rdb_file_save(struct keyspace *ks, const char *path,
                       const struct rdb_file_options *options, struct diag *diag) {
    char room[PATH_MAX], temp[PATH_MAX];
    int size = snprintf(temp, sizeof(temp), "%s/temp-%d.rdb", folder_of(path, room), (int)getpid());
    if (size < 0 || (size_t)size >= sizeof(temp)) {
        return diag_set(diag, ERR_RANGE, "The path of the snapshot is too long");
    }
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd == -1) {
        return diag_errno(diag, ERR_IO, "Failed opening the temp RDB file %s for saving", temp);
    }
    enum err err = write_snapshot(ks, fd, options, diag);
    if (err == ERR_NONE) err = finish(fd, temp, path, diag);
    (void)close(fd);
    if (err != ERR_NONE) (void)unlink(temp);
    return err;
}

/* ---- reading ---- */

static enum err read_file(void *ctx, char *out, size_t cap, size_t *size, struct diag *diag) {
    const int *fd = ctx;
    for (;;) {
        ssize_t got = read(*fd, out, cap);
        if (got == -1 && errno == EINTR) continue;
        if (got == -1) return diag_errno(diag, ERR_IO, "Can't read the snapshot");
        *size = (size_t)got;
        return ERR_NONE;
    }
}

enum err rdb_file_source(int *fd, struct rdb_source *source, struct diag *diag) {
    struct stat about;
    if (fstat(*fd, &about) == -1) return diag_errno(diag, ERR_IO, "Can't tell the snapshot's size");
    if (S_ISDIR(about.st_mode)) return diag_set(diag, ERR_IO, "The snapshot is a folder");
    uint64_t size = S_ISREG(about.st_mode) ? (uint64_t)about.st_size : RDB_IN_UNKNOWN;
    *source = (struct rdb_source){.ctx = fd, .read = read_file, .size = size};
    return ERR_NONE;
}
