/* SPDX-License-Identifier: BSD-3-Clause */
/* A list under a mutex: jobs are few and large, so a lock costs nothing that matters. */
#include "io/background.h"

#include "base/check.h"
#include "base/mem.h"

#include <pthread.h>

struct background_job {
    struct background_job *next;
    void (*destroy)(void *object);
    void *object;
    size_t effort;
};

struct background {
    pthread_mutex_t mutex; /* guards all below but the threads */
    pthread_cond_t changed, hurry;
    struct background_job *head, *tail;
    struct background_job *finished;
    bool urgent; /* the last job was: the second thread works too */
    bool stopping;
    struct thread *thread, *second;
};

/* The next job, for the second thread while it has to help. NULL: there will be none any more. */
static struct background_job *background_next(struct background *background, bool second) {
    pthread_mutex_lock(&background->mutex);
    while (!(background->head && (background->urgent || !second)) && !background->stopping)
        pthread_cond_wait(second ? &background->hurry : &background->changed, &background->mutex);
    struct background_job *job = background->head;
    if (job) {
        background->head = job->next;
        if (!background->head) background->tail = NULL;
    }
    pthread_mutex_unlock(&background->mutex);
    return job;
}

static void background_work(struct background *background, bool second) {
    struct background_job *job;
    while ((job = background_next(background, second)) != NULL) {
        job->destroy(job->object);
        pthread_mutex_lock(&background->mutex);
        job->next = background->finished;
        background->finished = job;
        pthread_mutex_unlock(&background->mutex);
    }
}

static void background_main(void *ctx) {
    thread_self_step_back();
    background_work(ctx, false);
}

static void background_main_second(void *ctx) { background_work(ctx, true); }

/* The threads end when all is done. */
static void background_stop(struct background *background) {
    pthread_mutex_lock(&background->mutex);
    background->stopping = true;
    pthread_cond_signal(&background->changed);
    pthread_cond_signal(&background->hurry);
    pthread_mutex_unlock(&background->mutex);
    thread_join(&background->thread);
    thread_join(&background->second);
}

enum err background_create(const struct cpulist *cpus, struct background **out, struct diag *diag) {
    struct background *background = mem_zalloc(sizeof(*background));
    check(pthread_mutex_init(&background->mutex, NULL) == 0);
    check(pthread_cond_init(&background->changed, NULL) == 0);
    check(pthread_cond_init(&background->hurry, NULL) == 0);
    struct thread_options options = {
        .name = "bio_lazy_free", .cpus = cpus, .fn = background_main, .ctx = background};
    enum err err = thread_start(&options, &background->thread, diag);
    if (err == ERR_NONE) {
        options.name = "bio_free_now";
        options.fn = background_main_second;
        err = thread_start(&options, &background->second, diag);
    }
    if (err != ERR_NONE) {
        background_destroy(&background);
        return err;
    }
    *out = background;
    return ERR_NONE;
}

void background_destroy(struct background **background_ref) {
    struct background *background = *background_ref;
    if (!background) return;
    background_stop(background);
    while (background->finished) {
        struct background_job *job = background->finished;
        background->finished = job->next;
        mem_free(job);
    }
    pthread_cond_destroy(&background->changed);
    pthread_cond_destroy(&background->hurry);
    pthread_mutex_destroy(&background->mutex);
    mem_free(background);
    *background_ref = NULL;
}

void background_dispose(struct background *background, void (*destroy)(void *object), void *object,
                        size_t effort, bool urgent) {
    struct background_job *job = mem_alloc(sizeof(*job));
    *job = (struct background_job){.destroy = destroy, .object = object, .effort = effort};
    pthread_mutex_lock(&background->mutex);
    if (background->tail) {
        background->tail->next = job;
    } else {
        background->head = job;
    }
    background->tail = job;
    background->urgent = urgent;
    pthread_cond_signal(&background->changed);
    if (urgent) pthread_cond_signal(&background->hurry);
    pthread_mutex_unlock(&background->mutex);
}

void background_collect(struct background *background,
                        void (*done)(void *ctx, void (*destroy)(void *object), size_t effort),
                        void *ctx) {
    pthread_mutex_lock(&background->mutex);
    struct background_job *job = background->finished;
    background->finished = NULL;
    pthread_mutex_unlock(&background->mutex);
    while (job) {
        struct background_job *next = job->next;
        done(ctx, job->destroy, job->effort);
        mem_free(job);
        job = next;
    }
}
