//  dynamo_job - what somebody asked of the DynamoDB store and has no answer to yet

#include "dynamo_job.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

//  The step with which each kind begins.
static const step_t first_steps [] = {
    [JOB_CLAIM] = STEP_CLAIM, [JOB_WRITE] = STEP_ROWS,    [JOB_LOAD] = STEP_READ,   [JOB_LIVE] = STEP_NONE,
    [JOB_SLOT] = STEP_QUERY,  [JOB_HISTORY] = STEP_QUERY, [JOB_ERASE] = STEP_QUERY,
};

uint64_t
job_key (usher_str_t viewer_id)
{
    //  The map has no key 0.
    return XXH64 (viewer_id.data, viewer_id.size, 0) | 1;
}

job_t *
job_new (job_book_t *self, job_kind_t kind, uint32_t peer, const void *data, size_t size)
{
    job_t *job = memory_new (1, sizeof *job);
    job->kind = kind;
    job->step = STEP_NONE;
    job->peer = peer;
    job->data = memory_copy (data, size);
    job->bytes = sizeof *job + size;
    job->older = self->youngest;
    if (self->youngest)
        self->youngest->younger = job;
    else
        self->oldest = job;
    self->youngest = job;
    self->count++;
    self->bytes += job->bytes;
    return job;
}

static job_t *
at_work (const job_book_t *self, uint64_t key)
{
    const uint64_t *found = key ? hash_map_get (&self->viewers, key) : NULL;
    return found ? (job_t *)(uintptr_t)*found : NULL;
}

void
job_list (job_book_t *self, job_t *job, step_t step)
{
    job_unlist (self, job);
    job->step = step;
    if (step == STEP_NONE)
        return;
    job_list_t *list = &self->steps [step];
    job->before = list->last;
    job->after = NULL;
    *(list->last ? &list->last->after : &list->first) = job;
    list->last = job;
}

void
job_unlist (job_book_t *self, job_t *job)
{
    if (job->step == STEP_NONE)
        return;
    job_list_t *list = &self->steps [job->step];
    *(job->before ? &job->before->after : &list->first) = job->after;
    *(job->after ? &job->after->before : &list->last) = job->before;
    job->before = job->after = NULL;
    job->step = STEP_NONE;
}

static step_t
first_step (const job_t *job)
{
    return job->kind == JOB_WRITE && job->rows_left == 0 ? STEP_PROFILE : first_steps [job->kind];
}

void
job_begin (job_book_t *self, job_t *job)
{
    job_t *last = at_work (self, job->key);
    if (!last) {
        if (job->key)
            *hash_map_put (&self->viewers, job->key) = (uint64_t)(uintptr_t)job;
        job_list (self, job, first_step (job));
        return;
    }
    while (last->behind)
        last = last->behind;
    last->behind = job;
}

//  Takes it from its viewer's line; the next one begins where it was at work.
static void
leave_line (job_book_t *self, job_t *job)
{
    job_t *head = at_work (self, job->key);
    if (!head)
        return;
    if (head != job) {
        while (head->behind != job)
            head = head->behind;
        head->behind = job->behind;
        return;
    }
    if (!job->behind) {
        hash_map_remove (&self->viewers, job->key);
        return;
    }
    *hash_map_put (&self->viewers, job->key) = (uint64_t)(uintptr_t)job->behind;
    job_list (self, job->behind, first_step (job->behind));
}

static void
job_free (job_t *job)
{
    free (job->rows);
    free (job->cursor);
    free (job->data);
    free (job);
}

void
job_end (job_book_t *self, job_t *job)
{
    job_unlist (self, job);
    leave_line (self, job);
    *(job->older ? &job->older->younger : &self->oldest) = job->younger;
    *(job->younger ? &job->younger->older : &self->youngest) = job->older;
    self->count--;
    self->bytes -= job->bytes;
    job_free (job);
}

job_t *
job_find_write (const job_book_t *self, uint32_t peer, const usher_write_t *write)
{
    for (job_t *job = at_work (self, job_key (write->viewer_id)); job; job = job->behind)
        if (job->kind == JOB_WRITE && job->peer == peer && !job->orphan && job->write.epoch == write->epoch &&
            job->write.version == write->version && usher_str_eq (job->viewer_id, write->viewer_id))
            return job;
    return NULL;
}

job_t *
job_find_erasure (const job_book_t *self, usher_str_t viewer_id, uint64_t erased_ms)
{
    for (job_t *job = at_work (self, job_key (viewer_id)); job; job = job->behind)
        if (job->kind == JOB_ERASE && job->erased_ms >= erased_ms && usher_str_eq (job->viewer_id, viewer_id))
            return job;
    return NULL;
}

void
job_grant (job_t *job, uint64_t wished_ms)
{
    job->wished_ms = wished_ms > job->wished_ms ? wished_ms : job->wished_ms;
}

bool
job_has_claim (const job_book_t *self, uint32_t peer)
{
    for (const job_t *job = self->oldest; job; job = job->younger)
        if (job->kind == JOB_CLAIM && job->peer == peer && !job->orphan)
            return true;
    return false;
}

void
job_set_rows (job_t *job, const job_row_t *rows, size_t count, const char *keys)
{
    size_t size = 0;
    for (size_t at = 0; at < count; at++)
        size += rows [at].row.key_tstamp.size;
    job_set_cursor (job, usher_bytes (keys, size));
    free (job->rows);
    job->rows = memory_copy (rows, count * sizeof *rows);
    job->row_count = job->rows_waiting = job->rows_left = count;
    const char *key = job->cursor;
    for (size_t at = 0; at < count; key += rows [at++].row.key_tstamp.size) {
        job->rows [at].row.viewer_id = job->viewer_id;
        job->rows [at].row.key_tstamp.data = key;
    }
}

void
job_set_cursor (job_t *job, usher_str_t cursor)
{
    free (job->cursor);
    job->cursor = memory_copy (cursor.data, cursor.size);
    job->cursor_size = cursor.size;
}

void
job_forget_peer (job_book_t *self, uint32_t peer)
{
    for (job_t *job = self->oldest, *next; job; job = next) {
        next = job->younger;
        if (job->peer != peer)
            continue;
        job->orphan = true;
        if (!job->begun && !job->parent && job->kind != JOB_LIVE)
            job_end (self, job);
    }
}

void
job_book_close (job_book_t *self)
{
    for (job_t *job = self->oldest, *next; job; job = next) {
        next = job->younger;
        job_free (job);
    }
    hash_map_free (&self->viewers);
    *self = (job_book_t){ 0 };
}
