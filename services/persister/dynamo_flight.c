//  dynamo_flight - one request on its way: what it says, and whose it is

#include "dynamo_flight.h"

//  A body ends before it is this long: libcurl asks for permission to send more than a megabyte, and the header
//  with which it asks is not in the signature. One profile more is 350 KB at most.
#define BODY_BYTES (600 * 1024)

#define BODY_KEEP_BYTES (64 * 1024)

//  The request has room for this job: one that spoiled another goes alone.
static bool
may_join (const flight_t *self, const job_t *job, int64_t now_ms, size_t most)
{
    if (job->not_before_ms > now_ms || (job->alone && self->count))
        return false;
    return self->count < most && self->body.size < BODY_BYTES;
}

static bool
is_closed (const flight_t *self, size_t most)
{
    return self->count == most || self->body.size >= BODY_BYTES ||
           (self->count && self->parts [0].job->alone);
}

static void
join (flight_t *self, job_t *job, size_t row)
{
    job->begun = true;
    self->parts [self->count++] = (part_t){ job, row };
}

static void
add_rows (flight_t *self, job_book_t *book, job_t *job)
{
    for (size_t row = 0; row < job->row_count && !is_closed (self, DYNAMO_BATCH_WRITES); row++)
        if (job->rows [row].state == ROW_WAITS) {
            dynamo_rows_add (&self->body, &job->rows [row].row);
            job->rows [row].state = ROW_FLIES;
            job->rows_waiting--;
            join (self, job, row);
        }
    if (job->rows_waiting == 0)
        job_unlist (book, job);
}

static void
add_job (flight_t *self, job_book_t *book, job_t *job, const dynamo_tables_t *tables, uint64_t now_s)
{
    step_t step = job->step;
    if (step == STEP_ROWS) {
        add_rows (self, book, job);
        return;
    }
    usher_str_t cursor = usher_bytes (job->cursor ? job->cursor : "", job->cursor_size);
    if (step == STEP_PROFILE)
        dynamo_writes_add (&self->body, tables, &job->write);
    else if (step == STEP_READ)
        dynamo_reads_add (&self->body, job->viewer_id);
    else if (step == STEP_DELETE)
        dynamo_delete (&self->body, tables, job->viewer_id);
    else if (step == STEP_CLAIM)
        dynamo_claim (&self->body, tables);
    else if (job->kind == JOB_ERASE)
        dynamo_query_keys (&self->body, tables, job->viewer_id);
    else if (job->kind == JOB_SLOT)
        dynamo_query_live (&self->body, tables, job->slot, cursor);
    else
        dynamo_query_rows (&self->body, tables, job->viewer_id, cursor, now_s, job->left);
    join (self, job, 0);
    job_unlist (book, job);
}

static void
begin_body (flight_t *self, step_t step, const dynamo_tables_t *tables)
{
    if (step == STEP_ROWS)
        dynamo_rows_begin (&self->body, tables);
    else if (step == STEP_PROFILE)
        dynamo_writes_begin (&self->body);
    else if (step == STEP_READ)
        dynamo_reads_begin (&self->body, tables);
}

static void
end_body (flight_t *self, step_t step)
{
    if (step == STEP_ROWS)
        dynamo_rows_end (&self->body);
    else if (step == STEP_PROFILE)
        dynamo_writes_end (&self->body);
    else if (step == STEP_READ)
        dynamo_reads_end (&self->body);
    buffer_add (&self->body, "", 1);
    self->body.size--;
}

//  Do enough wait for a full request?
static bool
is_full (const job_book_t *book, step_t step, size_t most, int64_t now_ms)
{
    size_t ready = 0;
    for (const job_t *job = book->steps [step].first; job && ready < most; job = job->after)
        if (job->not_before_ms <= now_ms)
            ready += job->alone ? most : step == STEP_ROWS ? job->rows_waiting : 1;
    return ready >= most;
}

bool
flight_fill (flight_t *self, job_book_t *book, step_t step, const dynamo_tables_t *tables, bool only_full,
             int64_t now_ms, uint64_t now_s)
{
    static const struct {
        const char *name;
        size_t most;
    } steps [] = {
        [STEP_CLAIM] = { "UpdateItem", 1 },
        [STEP_QUERY] = { "Query", 1 },
        [STEP_READ] = { "BatchGetItem", DYNAMO_BATCH_READS },
        [STEP_PROFILE] = { "BatchExecuteStatement", DYNAMO_BATCH_WRITES },
        [STEP_DELETE] = { "DeleteItem", 1 },
        [STEP_ROWS] = { "BatchWriteItem", DYNAMO_BATCH_WRITES },
    };
    if (only_full && !is_full (book, step, steps [step].most, now_ms))
        return false;
    self->count = 0;
    self->body.size = 0;
    begin_body (self, step, tables);
    for (job_t *job = book->steps [step].first, *next; job && !is_closed (self, steps [step].most);
         job = next) {
        next = job->after;
        if (may_join (self, job, now_ms, steps [step].most))
            add_job (self, book, job, tables, now_s);
    }
    if (!self->count)
        return false;
    end_body (self, step);
    self->operation = (operation_t)step;
    self->name = steps [step].name;
    return true;
}

void
flight_clear (flight_t *self)
{
    buffer_clear (&self->body, BODY_KEEP_BYTES);
    self->busy = false;
    self->serial++;
}
