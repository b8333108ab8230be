/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/system.h"

#include "base/log.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    RESERVED_FILES = 32, /* for listeners, logs, pollers, threads */
    FILES_ASSUMED = 1024,
    FILES_STEP = 16, /* limits tried are so far apart */
    OOM_SCORE_MIN = -1000,
    OOM_SCORE_MAX = 1000,
};

/* ---- open files ---- */

/* The greatest limit up to wanted that the system grants; limit is what is in force. */
static rlim_t raise_files(const struct rlimit *limit, rlim_t wanted) {
    for (rlim_t files = wanted; files > limit->rlim_cur; files -= size_min(files, FILES_STEP)) {
        struct rlimit higher = {.rlim_cur = files, .rlim_max = limit->rlim_max};
        if (higher.rlim_max < files) higher.rlim_max = files;
        if (setrlimit(RLIMIT_NOFILE, &higher) == 0) return files;
    }
    return limit->rlim_cur;
}

uint32_t system_raise_open_files(uint32_t maxclients) {
    rlim_t wanted = (rlim_t)maxclients + RESERVED_FILES;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        log_warning("Unable to obtain the current NOFILE limit (%s), assuming %d.", strerror(errno),
                    (int)FILES_ASSUMED);
        limit.rlim_cur = limit.rlim_max = FILES_ASSUMED;
    }
    if (limit.rlim_cur >= wanted) return maxclients;
    rlim_t best = raise_files(&limit, wanted);
    if (best > limit.rlim_cur) {
        log_notice(
            "Increased maximum number of open files to %llu (it was originally set to %llu).",
            (unsigned long long)best, (unsigned long long)limit.rlim_cur);
    }
    if (best >= wanted) return maxclients;
    return best > RESERVED_FILES ? (uint32_t)(best - RESERVED_FILES) : 1;
}

void system_fit_maxclients(uint32_t *maxclients) {
    uint32_t fits = system_raise_open_files(*maxclients);
    if (fits == *maxclients) return;
    log_warning(
        "You requested maxclients of %u requiring at least %u max file descriptors. "
        "Server can't set maximum open files to %u because of OS limits. Current maximum open "
        "files is %u. maxclients has been reduced to %u to compensate for low ulimit. If you need "
        "higher maxclients increase 'ulimit -n'.",
        *maxclients, *maxclients + RESERVED_FILES, *maxclients + RESERVED_FILES,
        fits + RESERVED_FILES, fits);
    *maxclients = fits;
}

/* ---- memory score ---- */

static bool read_score(int *score) {
    FILE *file = fopen("/proc/self/oom_score_adj", "re");
    if (!file) return false;
    bool good = fscanf(file, "%d", score) == 1;
    fclose(file);
    return good;
}

static bool write_score(int score) {
    char text[16];
    int size = snprintf(text, sizeof(text), "%d", score);
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd == -1) return false;
    bool good = write(fd, text, (size_t)size) == size;
    int error = errno;
    close(fd);
    errno = error;
    return good;
}

enum err oom_score_apply(struct oom_score *oom, enum oom_mode mode, const struct oom_values *values,
                         struct diag *diag) {
    if (mode == OOM_NO && !oom->changed) return ERR_NONE;
    if (!oom->base_is_known) {
        if (!read_score(&oom->base))
            return diag_errno(diag, ERR_IO, "Unable to read oom_score_adj");
        oom->base_is_known = true;
    }
    int score = oom->base;
    if (mode == OOM_RELATIVE) score += values->primary;
    if (mode == OOM_ABSOLUTE) score = values->primary;
    if (score < OOM_SCORE_MIN) score = OOM_SCORE_MIN;
    if (score > OOM_SCORE_MAX) score = OOM_SCORE_MAX;
    if (!write_score(score)) {
        return diag_errno(diag, ERR_IO, "Failed to apply new oom_score_adj configuration");
    }
    oom->changed = mode != OOM_NO;
    return ERR_NONE;
}

/* ---- warnings ---- */

static bool read_line(const char *path, char *out, size_t cap) {
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool good = fgets(out, (int)cap, file) != NULL;
    fclose(file);
    return good;
}

static void warn_overcommit(void) {
    char line[16];
    if (!read_line("/proc/sys/vm/overcommit_memory", line, sizeof(line)) || line[0] == '1') return;
    log_warning(
        "WARNING Memory overcommit must be enabled! Without it, a background save or replication "
        "may fail under low memory condition. To fix this issue add 'vm.overcommit_memory = 1' to "
        "/etc/sysctl.conf and then reboot or run the command 'sysctl vm.overcommit_memory=1' for "
        "this to take effect.");
}

/* False if the kernel cannot be told. */
static bool disable_huge_pages(void) {
#ifdef PR_SET_THP_DISABLE
    return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;
#else
    return false;
#endif
}

static void warn_huge_pages(bool disable) {
    char line[64];
    if (disable && disable_huge_pages()) return;
    bool known = read_line("/sys/kernel/mm/transparent_hugepage/enabled", line, sizeof(line));
    if (!known || !strstr(line, "[always]")) return;
    log_warning(
        "WARNING You have Transparent Huge Pages (THP) support enabled in your kernel. This will "
        "create latency and memory usage issues. To fix this issue run 'echo madvise > "
        "/sys/kernel/mm/transparent_hugepage/enabled' as root, and add it to your /etc/rc.local "
        "in order to retain the setting after a reboot. The server must be restarted after THP is "
        "disabled (set to 'madvise' or 'never').");
}

static void warn_backlog(int32_t backlog) {
    char line[32];
    int64_t limit;
    if (!read_line("/proc/sys/net/core/somaxconn", line, sizeof(line))) return;
    if (!num_parse_i64(bytes_trim(bytes_of(line)), &limit) || limit >= backlog) return;
    log_warning(
        "WARNING: The TCP backlog setting of %d cannot be enforced because "
        "/proc/sys/net/core/somaxconn is set to the lower value of %lld.",
        (int)backlog, (long long)limit);
}

/* Asking this clock for the time enters the kernel or even the hypervisor each time. */
static void warn_clock(void) {
    char line[64];
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    if (!read_line(path, line, sizeof(line))) return;
    if (strcmp(line, "xen\n") != 0 && strcmp(line, "hpet\n") != 0 && strcmp(line, "acpi_pm\n") != 0)
        return;
    log_warning(
        "WARNING The system's clock source is %.*s, which is slow to read and degrades "
        "performance. Choose a faster one, such as tsc, in "
        "/sys/devices/system/clocksource/clocksource0/current_clocksource.",
        (int)strcspn(line, "\n"), line);
}

void system_warn(const struct server_config *config) {
    warn_overcommit();
    warn_huge_pages(config->daemon.disable_thp);
    if (config->net.port) warn_backlog(config->net.tcp_backlog);
    warn_clock();
}
