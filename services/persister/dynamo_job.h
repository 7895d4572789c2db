//  dynamo_job - what somebody asked of the DynamoDB store and has no answer to yet
//
//  A job goes through steps; each step has a list of the jobs that wait for a request to take them. Jobs of one
//  viewer are done one after the other, in the order they came.

#ifndef DYNAMO_JOB_H
#define DYNAMO_JOB_H

#include "hash_map.h"
#include "parcel.h"

typedef enum {
    JOB_CLAIM,
    JOB_WRITE,      //  rows, profile, and a look at the row where the condition failed
    JOB_LOAD,       //  one profile; with a parent: it counts only while it is live
    JOB_LIVE,       //  parent of the jobs that find a shard's live viewers
    JOB_SLOT,       //  one of them: the live viewers of a slot
    JOB_HISTORY,    //  a viewer's rows
    JOB_ERASE,      //  a viewer's rows, page by page, then the profile
} job_kind_t;

//  In the order in which requests are made: what is nearest its end, and what is short, comes first.
typedef enum {
    STEP_CLAIM,
    STEP_QUERY,
    STEP_READ,
    STEP_PROFILE,
    STEP_DELETE,
    STEP_ROWS,
    STEPS,
    STEP_NONE = STEPS
} step_t;

typedef enum { ROW_WAITS, ROW_FLIES, ROW_DONE } row_state_t;

typedef struct {
    usher_history_t row;
    row_state_t state;
} job_row_t;

typedef struct job job_t;
struct job {
    job_t *before, *after;     //  in its step's list
    job_t *older, *younger;    //  in the list of all
    job_t *behind;             //  the next one of the same viewer
    job_t *parent;
    job_kind_t kind;
    step_t step;    //  STEP_NONE: in no list
    uint32_t peer;
    bool orphan;    //  nobody waits for the answer any more
    bool begun;     //  a request of it has been made
    bool alone;     //  it spoiled a request with others in it
    bool noted;     //  of a write: its rows are known to whoever comes after us
    uint32_t attempts;
    int64_t not_before_ms;
    uint64_t key;             //  of its viewer; 0: it has none
    usher_str_t viewer_id;    //  strings live in data
    usher_write_t write;      //  of a write
    size_t row_count, rows_waiting, rows_left;
    job_row_t *rows;     //  likewise
    uint64_t request;    //  of history_get
    uint32_t left;       //  rows it may still answer
    uint32_t slot;       //  of a JOB_SLOT; the next slot of a JOB_LIVE
    uint32_t shard;
    uint64_t erased_ms, wished_ms, erased_rows, erased_profiles;    //  of an erasure
    size_t open;                                                    //  children of a JOB_LIVE
    char *cursor;    //  where the query goes on; the last viewer found by a JOB_LIVE
    size_t cursor_size;
    uint8_t *data;
    size_t bytes;    //  of memory, about
};

typedef struct {
    job_t *first, *last;
} job_list_t;

typedef struct {
    job_t *oldest, *youngest;
    job_list_t steps [STEPS];
    hash_map_t viewers;    //  key of a viewer: its job that is at work
    size_t count, bytes;
} job_book_t;    //  starts as all zeros

//  A job with a copy of size bytes at data, which its strings are to point into; it is in no list yet.
job_t *job_new (job_book_t *self, job_kind_t kind, uint32_t peer, const void *data, size_t size);

//  Makes the job wait for its first step, behind an older one of its viewer if there is one.
void job_begin (job_book_t *self, job_t *job);

//  Puts it into a step's list, at the end; takes it out of the one it is in.
void job_list (job_book_t *self, job_t *job, step_t step);
void job_unlist (job_book_t *self, job_t *job);

//  Ends it: the next one of its viewer begins.
void job_end (job_book_t *self, job_t *job);

//  A job of the same kind, peer, viewer, epoch and version that is not an orphan, or NULL.
job_t *job_find_write (const job_book_t *self, uint32_t peer, const usher_write_t *write);

//  The erasure of a viewer up to that instant or a later one, or NULL.
job_t *job_find_erasure (const job_book_t *self, usher_str_t viewer_id, uint64_t erased_ms);

//  An erasure answers that wish as well.
void job_grant (job_t *job, uint64_t wished_ms);

//  Does a claim of the peer's wait already?
bool job_has_claim (const job_book_t *self, uint32_t peer);

//  Gives a job other rows; their keys stand one behind the other in keys.
void job_set_rows (job_t *job, const job_row_t *rows, size_t count, const char *keys);

//  Remembers where a query goes on.
void job_set_cursor (job_t *job, usher_str_t cursor);

//  The peer is gone: what was not begun is dropped, for the rest nobody waits.
void job_forget_peer (job_book_t *self, uint32_t peer);

//  Frees all.
void job_book_close (job_book_t *self);

uint64_t job_key (usher_str_t viewer_id);

#endif
