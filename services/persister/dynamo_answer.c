//  dynamo_answer - the other half of dynamo: what answers do

#include "dynamo_answer.h"
#include "log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
now_s (const reading_t *self)
{
    return (uint64_t)self->now.wall_ms / 1000;
}

void
reading_tell (reading_t *self, const job_t *job, const usher_msg_t *msg)
{
    if (!job->orphan)
        outbox_put (self->out, USHER_LINK_store, job->peer, msg);
}

//  ---- what people are told

//  Of faults in a row the first of each kind is told.
static void
note_fault (reading_t *self, dynamo_fault_t fault, const char *hint, const char *text, size_t size)
{
    char words [400];
    if (fault == self->store->failing)
        return;
    self->store->failing = fault;
    dynamo_fault_words (text, size, words, sizeof words);
    log_error ("store fails", "store=dynamodb operation=%s status=%d reason=\"%s\" hint=\"%s\"",
               self->flight->name, self->answer->status, words, hint);
}

static void
note_success (dynamo_t *self)
{
    if (self->failing)
        log_info ("store works again", "store=dynamodb");
    self->failing = DYNAMO_FINE;
}

//  ---- what becomes of a job

static void
end_job (dynamo_t *self, job_t *job, outbox_t *out)
{
    job_t *parent = job->parent;
    job_end (&self->book, job);
    if (parent && --parent->open == 0)
        dynamo_live_go_on (self, parent, out);
}

void
reading_end (reading_t *self, job_t *job)
{
    self->store->count [self->flight->operation].items++;
    end_job (self->store, job, self->out);
}

//  On to a job's next step, whose attempts count anew.
void
reading_move_on (reading_t *self, job_t *job, step_t step)
{
    self->store->count [self->flight->operation].items++;
    job->attempts = 0;
    job->not_before_ms = 0;
    job_list (&self->store->book, job, step);
}

void
reading_try_again (reading_t *self, const part_t *part, dynamo_fault_t fault)
{
    job_t *job = part->job;
    dynamo_count_t *count = &self->store->count [self->flight->operation];
    count->retries++;
    count->throttles += fault == DYNAMO_THROTTLED;
    self->again = true;
    if (fault == DYNAMO_BAD)
        job->alone = true;
    job->attempts++;
    job->not_before_ms = self->now.mono_ms + pacer_delay_ms (&self->store->pacer, job->attempts);
    if (self->flight->operation == OPERATION_ROWS) {
        job->rows [part->row].state = ROW_WAITS;
        job->rows_waiting++;
    }
    job_list (&self->store->book, job, (step_t)self->flight->operation);
}

//  Its rows are there, or may be.
static void
keep_unsure (dynamo_t *self, const job_t *job)
{
    buffer_t notes = { 0 };
    dynamo_note (job, &notes);
    unsure_recall (&self->unsure, notes.data, notes.size);
    buffer_free (&notes);
}

static void
settle_write (reading_t *self, job_t *job, usher_outcome_t outcome)
{
    usher_msg_t written = { .id = USHER_MSG_written,
                            .written = { .viewer_id = job->viewer_id,
                                         .epoch = job->write.epoch,
                                         .version = job->write.version,
                                         .outcome = outcome } };
    *(outcome == USHER_outcome_done ? &self->store->writes : &self->store->refused) += 1;
    if (outcome == USHER_outcome_done)
        unsure_settle (&self->store->unsure, job->viewer_id, job->write.epoch, job->write.version);
    else
        keep_unsure (self->store, job);
    reading_tell (self, job, &written);
    reading_end (self, job);
}

//  ---- epochs

static void
read_claim (reading_t *self)
{
    usher_msg_t msg = { .id = USHER_MSG_granted };
    msg.granted.epoch = dynamo_number (json_object_get (self->json, "Attributes"), "epoch");
    if (!msg.granted.epoch) {
        reading_try_again (self, &self->flight->parts [0], DYNAMO_BUSY);
        return;
    }
    reading_tell (self, self->flight->parts [0].job, &msg);
    reading_end (self, self->flight->parts [0].job);
}

//  ---- rows and profiles

//  All rows of a job are settled.
static void
end_rows (reading_t *self, job_t *job)
{
    job->attempts = 0;
    job->not_before_ms = 0;
    if (job->kind == JOB_ERASE)
        job->erased_rows += job->row_count;
    job_list (&self->store->book, job, job->kind == JOB_ERASE ? STEP_QUERY : STEP_PROFILE);
}

//  Is a row among those that were not taken?
static bool
is_unprocessed (const json_t *list, const usher_history_t *row)
{
    size_t at;
    json_t *one;
    json_array_foreach (list, at, one)
    {
        const json_t *key = json_object_get (json_object_get (one, "PutRequest"), "Item");
        if (!key)
            key = json_object_get (json_object_get (one, "DeleteRequest"), "Key");
        if (usher_str_eq (dynamo_text (key, "viewer_id"), row->viewer_id) &&
            usher_str_eq (dynamo_text (key, "collector_tstamp"), row->key_tstamp))
            return true;
    }
    return false;
}

static void
read_written_rows (reading_t *self)
{
    const json_t *left = json_object_get (json_object_get (self->json, "UnprocessedItems"),
                                          self->store->options.tables.events);
    for (size_t at = 0; at < self->flight->count; at++) {
        part_t *part = &self->flight->parts [at];
        job_row_t *row = &part->job->rows [part->row];
        if (is_unprocessed (left, &row->row)) {
            reading_try_again (self, part, DYNAMO_THROTTLED);
            continue;
        }
        row->state = ROW_DONE;
        self->store->count [OPERATION_ROWS].items++;
        if (--part->job->rows_left == 0)
            end_rows (self, part->job);
    }
}

//  What went wrong with one item inside a 200.
static dynamo_fault_t
read_error (reading_t *self, const json_t *error)
{
    const char *code = json_string_value (json_object_get (error, "Code")), *hint = "it is asked again";
    const char *message = json_string_value (json_object_get (error, "Message"));
    dynamo_fault_t fault = dynamo_fault_of_code (code ? code : "", &hint);
    if (fault != DYNAMO_CONDITION)
        note_fault (self, fault, hint, message ? message : code,
                    strlen (message ? message
                            : code  ? code
                                    : ""));
    return fault;
}

static void
read_written_profiles (reading_t *self)
{
    const json_t *answers = json_object_get (self->json, "Responses");
    for (size_t at = 0; at < self->flight->count; at++) {
        part_t *part = &self->flight->parts [at];
        const json_t *answer = json_array_get (answers, at), *error = json_object_get (answer, "Error");
        dynamo_fault_t fault = answer ? DYNAMO_FINE : DYNAMO_BUSY;
        if (error)
            fault = read_error (self, error);
        if (fault == DYNAMO_FINE)
            settle_write (self, part->job, USHER_outcome_done);
        else if (fault == DYNAMO_CONDITION)
            reading_move_on (self, part->job, STEP_READ);
        else
            reading_try_again (self, part, fault);
    }
}

//  ---- reads

static const json_t *
find_item (const json_t *items, usher_str_t viewer_id)
{
    size_t at;
    json_t *item;
    json_array_foreach (items, at,
                        item) if (usher_str_eq (dynamo_text (item, "viewer_id"), viewer_id)) return item;
    return NULL;
}

//  The condition failed: is the row what we wanted, or somebody else's? An expired row is no row, so it may be replaced.
static void
judge_write (reading_t *self, job_t *job, const json_t *item)
{
    uint64_t epoch = dynamo_number (item, "epoch"), version = dynamo_number (item, "version");
    bool first = job->write.old_epoch == 0 && job->write.old_version == 0;
    if (item && epoch == job->write.epoch && version == job->write.version)
        settle_write (self, job, USHER_outcome_done);
    else if (first && !item)
        reading_move_on (self, job, STEP_PROFILE);
    else if (first && dynamo_number (item, "expires_at") <= now_s (self)) {
        job->write.old_epoch = epoch;
        job->write.old_version = version;
        reading_move_on (self, job, STEP_PROFILE);
    } else
        settle_write (self, job, USHER_outcome_refused);
}

//  Whoever asks is the owner of the viewer: only he knows which of these rows should be there.
static void
tell_unsure (dynamo_t *self, usher_loaded_t *loaded)
{
    if (!unsure_rows (&self->unsure, loaded->viewer_id, loaded->epoch, loaded->version, &self->unsure_rows))
        return;
    loaded->unsure = usher_bytes (self->unsure_rows.data, self->unsure_rows.size);
    self->unsure_loads++;
}

static void
answer_load (reading_t *self, const part_t *part, const json_t *item)
{
    job_t *job = part->job;
    usher_msg_t msg = { .id = USHER_MSG_loaded };
    uint64_t expires_s;
    bool live;
    bool there = item && dynamo_read_profile (item, &msg.loaded, &expires_s, &live, &self->store->bytes) &&
                 expires_s > now_s (self);
    if (!there)
        msg.loaded = (usher_loaded_t){ .viewer_id = job->viewer_id };
    if (!self->store->owner.loading (self->store->owner.arg, &msg.loaded)) {
        reading_try_again (self, part, DYNAMO_BUSY);
        return;
    }
    if (!job->parent || (there && live)) {
        tell_unsure (self->store, &msg.loaded);
        reading_tell (self, job, &msg);
    }
    reading_end (self, job);
}

static void
read_profiles (reading_t *self)
{
    const char *table = self->store->options.tables.profiles;
    const json_t *items = json_object_get (json_object_get (self->json, "Responses"), table);
    const json_t *left =
        json_object_get (json_object_get (json_object_get (self->json, "UnprocessedKeys"), table), "Keys");
    for (size_t at = 0; at < self->flight->count; at++) {
        part_t *part = &self->flight->parts [at];
        const json_t *item = find_item (items, part->job->viewer_id);
        if (!item && (!items || find_item (left, part->job->viewer_id)))
            reading_try_again (self, part, left ? DYNAMO_THROTTLED : DYNAMO_BUSY);
        else if (part->job->kind == JOB_WRITE)
            judge_write (self, part->job, item);
        else
            answer_load (self, part, item);
    }
}

//  ---- an answer

//  All of a request failed: each part of it is asked for again.
static void
fail_all (reading_t *self, dynamo_fault_t fault)
{
    for (size_t at = 0; at < self->flight->count; at++)
        reading_try_again (self, &self->flight->parts [at], fault);
    //  A table that is gone is looked for, or made, before anything else is asked.
    if (fault == DYNAMO_NO_TABLE)
        for (size_t table = 0; table < 2; table++)
            self->store->table_list [table].state = TABLE_ASK;
}

static void
read_table (reading_t *self, dynamo_fault_t fault, const char *hint)
{
    dynamo_t *store = self->store;
    int64_t delay_ms = pacer_delay_ms (&store->pacer, store->pacer.streak + 1);
    if (dynamo_table_answered (self->flight->table, fault, self->json, store->options.create_tables,
                               self->now.mono_ms, delay_ms))
        note_success (store);
    else {
        note_fault (self, fault, hint, self->answer->text, self->answer->size);
        pacer_fail (&store->pacer, self->now.mono_ms);
    }
}

static void
read_answer (reading_t *self, dynamo_fault_t fault, const char *hint)
{
    static void (*const readers []) (reading_t * self) = {
        [OPERATION_CLAIM] = read_claim,       [OPERATION_QUERY] = dynamo_read_query,
        [OPERATION_READ] = read_profiles,     [OPERATION_PROFILE] = read_written_profiles,
        [OPERATION_ROWS] = read_written_rows, [OPERATION_DELETE] = dynamo_read_deleted,
    };
    if (fault) {
        fail_all (self, fault);
        note_fault (self, fault, hint, self->answer->text, self->answer->size);
    } else
        readers [self->flight->operation](self);
    //  A request that only shows that it should be split, or a missing table, says nothing of the store's strength.
    if (self->again && fault != DYNAMO_BAD)
        pacer_fail (&self->store->pacer, self->now.mono_ms);
    else if (!fault) {
        pacer_succeed (&self->store->pacer);
        note_success (self->store);
    }
}

void
dynamo_answered (dynamo_t *self, usher_time_t now, const dynamo_answer_t *answer, outbox_t *out)
{
    flight_t *flight = &self->flights [answer->tag % DYNAMO_FLIGHTS_MAX];
    if (!flight->busy ||
        flight->serial * DYNAMO_FLIGHTS_MAX + answer->tag % DYNAMO_FLIGHTS_MAX != answer->tag)
        return;    //  it was answered before
    const char *hint;
    dynamo_fault_t fault = dynamo_fault_of (answer->status, answer->text, answer->size, &hint);
    json_t *json = fault ? NULL : json_loadb (answer->text, answer->size, JSON_ALLOW_NUL, NULL);
    //  A 200 that is no JSON is no answer of DynamoDB's.
    if (!fault && !json)
        fault = DYNAMO_BUSY;
    reading_t reading = {
        .store = self, .flight = flight, .json = json, .answer = answer, .now = now, .out = out
    };
    self->count [flight->operation].milliseconds += (uint64_t)(now.mono_ms - flight->started_ms);
    if (flight->operation == OPERATION_TABLE)
        read_table (&reading, fault, hint);
    else
        read_answer (&reading, fault, hint);
    json_decref (json);
    self->flying [flight->operation]--;
    flight_clear (flight);
    self->in_flight--;
}
