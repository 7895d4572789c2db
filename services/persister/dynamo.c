//  dynamo - profiles and history in DynamoDB: decides what to ask of it, and what its answers mean

#include "dynamo.h"
#include "dynamo_answer.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

//  While so many requests of one operation are on the way, one that is not full waits for an answer to them, and for more
//  to go with it.
#define FEW_FLIGHTS 2

//  Of the file of notes, before it is written anew; twice what it must hold where that is more.
#define NOTES_BYTES (1024 * 1024)

//  The peer of what no peer asked for.
#define DYNAMO_NOBODY UINT32_MAX

//  ---- asking

//  The last of several rows of one key is the one that counts; DynamoDB takes no two in one request.
static void
add_row (job_t *job, const usher_history_t *row)
{
    for (size_t at = 0; at < job->row_count; at++)
        if (usher_str_eq (job->rows [at].row.key_tstamp, row->key_tstamp)) {
            job->rows [at].row = *row;
            return;
        }
    job->rows [job->row_count++] = (job_row_t){ .row = *row, .state = ROW_WAITS };
    job->rows_waiting++;
    job->rows_left++;
}

//  Gathers a write and its rows as bytes. Returns how many rows there are.
static size_t
gather (parcel_t *parts, uint32_t peer, const usher_write_t *write, const parcel_t *history)
{
    const usher_msg_t whole = { .id = USHER_MSG_write, .write = *write };
    size_t count = 0;
    usher_msg_t row;
    uint32_t from;
    parcel_put (parts, peer, &whole);
    for (size_t at = 0; parcel_next (history, &at, &from, &row);)
        if (from == peer && usher_str_eq (row.history.viewer_id, write->viewer_id)) {
            parcel_put (parts, peer, &row);
            count++;
        }
    return count;
}

bool
dynamo_write (dynamo_t *self, uint32_t peer, const usher_write_t *write, const parcel_t *history)
{
    //  A shard that asks again, before the answer, means the same write.
    if (job_find_write (&self->book, peer, write))
        return true;
    if (self->book.count >= DYNAMO_JOBS_MAX || self->book.bytes >= DYNAMO_BYTES_MAX)
        return false;
    parcel_t parts = { 0 };
    size_t rows = gather (&parts, peer, write, history);
    job_t *job = job_new (&self->book, JOB_WRITE, peer, parts.data, parts.used);
    parcel_close (&parts);
    const parcel_t copy = { .data = job->data, .used = job->bytes - sizeof *job };
    usher_msg_t msg;
    size_t at = 0;
    parcel_next (&copy, &at, &peer, &msg);
    job->write = msg.write;
    job->viewer_id = msg.write.viewer_id;
    job->key = job_key (job->viewer_id);
    job->rows = memory_new (rows, sizeof *job->rows);
    job->bytes += rows * sizeof *job->rows;
    self->book.bytes += rows * sizeof *job->rows;
    while (parcel_next (&copy, &at, &peer, &msg))
        add_row (job, &msg.history);
    job_begin (&self->book, job);
    return true;
}

static void
ask_viewer (dynamo_t *self, job_kind_t kind, uint32_t peer, usher_str_t viewer_id, uint64_t request,
            uint32_t limit)
{
    job_t *job = job_new (&self->book, kind, peer, viewer_id.data, viewer_id.size);
    job->viewer_id = usher_bytes (job->data, viewer_id.size);
    job->request = request;
    job->left = limit ? limit : 1;
    if (kind == JOB_LOAD)
        job->key = job_key (job->viewer_id);
    job_begin (&self->book, job);
}

//  Nobody has an empty name, which DynamoDB would not take. Of too many questions the last ones get no answer; those who ask
//  them wait so long and no longer.
static void
ask_history (dynamo_t *self, uint32_t peer, const usher_history_get_t *get, outbox_t *out)
{
    usher_msg_t end = { .id = USHER_MSG_history_row, .history_row = { .request = get->request, .last = 1 } };
    if (!get->viewer_id.size)
        outbox_put (out, USHER_LINK_store, peer, &end);
    else if (self->book.count < DYNAMO_JOBS_MAX)
        ask_viewer (self, JOB_HISTORY, peer, get->viewer_id, get->request, get->limit);
}

//  A page begins behind the slot of the last viewer of the page before.
static void
ask_live (dynamo_t *self, uint32_t peer, const usher_load_live_t *load, outbox_t *out)
{
    job_t *job = job_new (&self->book, JOB_LIVE, peer, load->owners.data, load->owners.size);
    job->shard = load->shard;
    job->slot = load->after.size ? usher_slot (load->after) + 1 : 0;
    job_set_cursor (job, load->after);
    dynamo_live_go_on (self, job, out);
}

void
dynamo_ask (dynamo_t *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    switch (msg->id) {
    case USHER_MSG_claim:
        //  A shard asks each second until it is granted an epoch.
        if (!job_has_claim (&self->book, peer))
            job_begin (&self->book, job_new (&self->book, JOB_CLAIM, peer, "", 0));
        break;
    case USHER_MSG_load:
        ask_viewer (self, JOB_LOAD, peer, msg->load.viewer_id, 0, 0);
        break;
    case USHER_MSG_load_live:
        ask_live (self, peer, &msg->load_live, out);
        break;
    case USHER_MSG_history_get:
        ask_history (self, peer, &msg->history_get, out);
        break;
    default:
        abort ();
    }
}

void
dynamo_erase (dynamo_t *self, const usher_forgotten_t *forgotten)
{
    usher_str_t viewer_id = forgotten->viewer_id;
    //  Whoever held nothing takes any instant that the wish allows, and one that is being carried out is answered first.
    uint64_t from_ms = forgotten->held_nothing ? forgotten->wished_ms : forgotten->erased_ms;
    job_t *job = job_find_erasure (&self->book, viewer_id, from_ms);
    if (job) {
        job_grant (job, forgotten->wished_ms);
        return;
    }
    job = job_new (&self->book, JOB_ERASE, DYNAMO_NOBODY, viewer_id.data, viewer_id.size);
    job->viewer_id = usher_bytes (job->data, viewer_id.size);
    job->key = job_key (job->viewer_id);
    job->erased_ms = forgotten->erased_ms;
    job->wished_ms = forgotten->wished_ms;
    job_begin (&self->book, job);
}

bool
dynamo_is_erasing (const dynamo_t *self, const usher_forgotten_t *forgotten)
{
    return job_find_erasure (&self->book, forgotten->viewer_id, forgotten->erased_ms);
}

void
dynamo_forget_peer (dynamo_t *self, uint32_t peer)
{
    job_forget_peer (&self->book, peer);
}

bool
dynamo_idle (const dynamo_t *self)
{
    return self->book.count == 0;
}

//  ---- requests

static bool
tables_ready (const dynamo_t *self)
{
    return self->table_list [0].state == TABLE_READY && self->table_list [1].state == TABLE_READY;
}

static bool
fill_table (dynamo_t *self, flight_t *flight, int64_t now_ms)
{
    for (size_t at = 0; at < 2; at++) {
        flight->body.size = flight->count = 0;
        flight->name = dynamo_table_next (&self->table_list [at], now_ms, &flight->body);
        if (!flight->name)
            continue;
        flight->table = &self->table_list [at];
        flight->operation = OPERATION_TABLE;
        buffer_add (&flight->body, "", 1);
        flight->body.size--;
        return true;
    }
    return false;
}

static bool
fill (dynamo_t *self, flight_t *flight, usher_time_t now)
{
    if (!tables_ready (self))
        return fill_table (self, flight, now.mono_ms);
    for (step_t step = 0; step < STEPS; step++)
        if (self->book.steps [step].first &&
            flight_fill (flight, &self->book, step, &self->options.tables, self->flying [step] >= FEW_FLIGHTS,
                         now.mono_ms, (uint64_t)now.wall_ms / 1000))
            return true;
    return false;
}

//  A row that is on its way may be there one day without its profile.
static void
note_rows (dynamo_t *self, const flight_t *flight)
{
    for (size_t at = 0; flight->operation == OPERATION_ROWS && at < flight->count; at++) {
        job_t *job = flight->parts [at].job;
        if (job->kind == JOB_WRITE && !job->noted)
            dynamo_note (job, &self->notes);
        job->noted = true;
    }
}

bool
dynamo_next (dynamo_t *self, usher_time_t now, dynamo_request_t *request)
{
    //  What has expired is named in the file no longer, as in the tables.
    if (unsure_expire (&self->unsure, (uint64_t)now.wall_ms / 1000))
        self->notes_stale = true;
    if (self->in_flight >= self->options.connections ||
        !pacer_allows (&self->pacer, now.mono_ms, self->in_flight, self->options.connections))
        return false;
    uint32_t place = 0;
    while (self->flights [place].busy)
        place++;
    flight_t *flight = &self->flights [place];
    if (!fill (self, flight, now))
        return false;
    note_rows (self, flight);
    flight->busy = true;
    flight->started_ms = now.mono_ms;
    self->in_flight++;
    self->flying [flight->operation]++;
    self->count [flight->operation].requests++;
    self->count [flight->operation].bytes += flight->body.size;
    *request = (dynamo_request_t){ .tag = flight->serial * DYNAMO_FLIGHTS_MAX + place,
                                   .operation = flight->name,
                                   .body = flight->body.data,
                                   .size = flight->body.size };
    return true;
}

//  ---- notes

void
dynamo_note (const job_t *job, buffer_t *notes)
{
    for (size_t row = 0; row < job->row_count; row++)
        unsure_note (notes, &job->write, &job->rows [row].row);
}

//  Only what still counts: of most writes that were noted the profile is there long since.
static void
note_anew (dynamo_t *self)
{
    self->notes.size = self->noted = 0;
    self->notes_stale = false;
    unsure_store (&self->unsure, &self->notes);
    for (const job_t *job = self->book.oldest; job; job = job->younger)
        if (job->kind == JOB_WRITE && job->noted)
            dynamo_note (job, &self->notes);
    self->noted_most = self->notes.size < NOTES_BYTES / 2 ? NOTES_BYTES : self->notes.size * 2;
}

bool
dynamo_notes (dynamo_t *self, usher_str_t *notes, bool *anew)
{
    bool needless = self->noted && self->book.count == 0 && self->unsure.viewers.count == 0;
    *anew = self->notes_stale || needless || self->noted + self->notes.size > self->noted_most;
    if (*anew)
        note_anew (self);
    else if (self->notes.size == 0)
        return false;
    *notes = usher_bytes (self->notes.data, self->notes.size);
    self->noted += self->notes.size;
    self->notes.size = 0;
    return true;
}

void
dynamo_notes_recall (dynamo_t *self, usher_str_t notes)
{
    unsure_recall (&self->unsure, notes.data, notes.size);
    self->notes_stale = notes.size > 0;
}

void
dynamo_notes_lost (dynamo_t *self)
{
    self->notes_stale = true;
}

//  ---- metrics

dynamo_outcomes_t
dynamo_outcomes (const dynamo_t *self)
{
    return (dynamo_outcomes_t){ self->writes, self->refused, self->count [OPERATION_ROWS].items };
}

#define OPERATION_ROWS_OF(name, help, member)                                                                \
    { name, METRIC_COUNTER, help, "operation=\"claim\"", count [OPERATION_CLAIM].member },                   \
        { name, METRIC_COUNTER, help, "operation=\"query\"", count [OPERATION_QUERY].member },               \
        { name, METRIC_COUNTER, help, "operation=\"read\"", count [OPERATION_READ].member },                 \
        { name, METRIC_COUNTER, help, "operation=\"profile\"", count [OPERATION_PROFILE].member },           \
        { name, METRIC_COUNTER, help, "operation=\"delete\"", count [OPERATION_DELETE].member },             \
        { name, METRIC_COUNTER, help, "operation=\"rows\"", count [OPERATION_ROWS].member },                 \
    {                                                                                                        \
        name, METRIC_COUNTER, help, "operation=\"table\"", count [OPERATION_TABLE].member                    \
    }

void
dynamo_write_metrics (const dynamo_t *self, FILE *out)
{
    const dynamo_count_t *count = self->count;
    const metric_t rows [] = {
        OPERATION_ROWS_OF ("dynamodb_requests_total", "Requests sent to DynamoDB.", requests),
        OPERATION_ROWS_OF ("dynamodb_request_bytes_total", "Bytes of the bodies of requests to DynamoDB.",
                           bytes),
        OPERATION_ROWS_OF ("dynamodb_items_total", "Items that requests to DynamoDB settled.", items),
        OPERATION_ROWS_OF ("dynamodb_retries_total", "Items that are to be asked for again.", retries),
        OPERATION_ROWS_OF ("dynamodb_throttles_total", "Items that DynamoDB throttled.", throttles),
        OPERATION_ROWS_OF ("dynamodb_request_milliseconds_total",
                           "Time from sending requests to their answers, added up.", milliseconds),
        { "dynamodb_unsure_loads_total", METRIC_COUNTER,
          "Viewers loaded of whom a write that never ended may have left rows.", NULL, self->unsure_loads },
        { "dynamodb_in_flight", METRIC_GAUGE, "Requests without an answer.", NULL, self->in_flight },
        { "dynamodb_waiting", METRIC_GAUGE, "Writes and questions that are not done.", NULL,
          self->book.count },
        { "dynamodb_waiting_bytes", METRIC_GAUGE, "Memory that they take, about.", NULL, self->book.bytes },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
}

//  ---- beginning and end

dynamo_t *
dynamo_new (const dynamo_options_t *options, const dynamo_owner_t *owner)
{
    dynamo_t *self = memory_new (1, sizeof *self);
    self->options = *options;
    self->owner = *owner;
    pacer_init (&self->pacer, options->seed);
    self->noted_most = NOTES_BYTES;
    self->table_list [0] = (dynamo_table_t){ .name = options->tables.events, .create = dynamo_create_events };
    self->table_list [1] = (dynamo_table_t){ .name = options->tables.profiles,
                                             .create = dynamo_create_profiles,
                                             .index = DYNAMO_LIVE_INDEX };
    return self;
}

void
dynamo_destroy (dynamo_t **self_p)
{
    dynamo_t *self = *self_p;
    if (!self)
        return;
    job_book_close (&self->book);
    for (size_t place = 0; place < DYNAMO_FLIGHTS_MAX; place++)
        buffer_free (&self->flights [place].body);
    buffer_free (&self->bytes);
    buffer_free (&self->unsure_rows);
    buffer_free (&self->notes);
    unsure_close (&self->unsure);
    free (self);
    *self_p = NULL;
}
