//  dynamo_query - what is found by asking an index or a key: who is live, a viewer's history, what is to be erased

#include "dynamo_answer.h"

//  Slots that one page of load_live looks through at once.
#define LIVE_SLOTS 32

//  ---- who is live

//  Starts a job that looks at one slot for its parent.
static void
look_at_slot (dynamo_t *self, job_t *live)
{
    job_t *job = job_new (&self->book, JOB_SLOT, live->peer, "", 0);
    job->parent = live;
    job->orphan = live->orphan;
    job->slot = live->slot;
    live->open++;
    job_begin (&self->book, job);
}

static void
end_page (dynamo_t *self, job_t *live, bool last, outbox_t *out)
{
    usher_msg_t page = { .id = USHER_MSG_live_page,
                         .live_page = { .after = usher_bytes (live->cursor, live->cursor_size),
                                        .last = last } };
    if (!live->orphan)
        outbox_put (out, USHER_LINK_store, live->peer, &page);
    job_end (&self->book, live);
}

void
dynamo_live_go_on (dynamo_t *self, job_t *live, outbox_t *out)
{
    size_t slots = live->bytes - sizeof *live;
    if (live->begun) {
        end_page (self, live, live->slot >= slots, out);
        return;
    }
    for (; live->slot < slots && live->open < LIVE_SLOTS; live->slot++)
        if (live->data [live->slot] == live->shard)
            look_at_slot (self, live);
    if (!live->open)
        end_page (self, live, true, out);
}

//  The index says that a viewer is live, or was a moment ago: the row itself is read.
static void
look_at_viewer (reading_t *self, job_t *slot, usher_str_t viewer_id)
{
    job_book_t *book = &self->store->book;
    job_t *live = slot->parent, *job = job_new (book, JOB_LOAD, live->peer, viewer_id.data, viewer_id.size);
    job->viewer_id = usher_bytes (job->data, viewer_id.size);
    job->key = job_key (job->viewer_id);
    job->parent = live;
    job->orphan = live->orphan;
    live->open++;
    live->begun = true;
    //  The next page begins behind the slot of its last viewer, whichever of the slot it is.
    if (!live->cursor_size || slot->slot >= usher_slot (usher_bytes (live->cursor, live->cursor_size)))
        job_set_cursor (live, viewer_id);
    job_begin (book, job);
}

static void
take_slot (reading_t *self, job_t *job)
{
    size_t at;
    json_t *item;
    json_array_foreach (json_object_get (self->json, "Items"), at, item)
    {
        usher_str_t viewer_id = dynamo_text (item, "viewer_id");
        if (viewer_id.size && viewer_id.size <= 1024)
            look_at_viewer (self, job, viewer_id);
    }
    usher_str_t last = dynamo_text (json_object_get (self->json, "LastEvaluatedKey"), "viewer_id");
    if (last.size) {
        job_set_cursor (job, last);
        reading_move_on (self, job, STEP_QUERY);
    } else
        reading_end (self, job);
}

//  ---- history

static void
take_rows (reading_t *self, job_t *job)
{
    size_t at;
    json_t *item;
    json_array_foreach (json_object_get (self->json, "Items"), at, item)
    {
        usher_msg_t msg = { .id = USHER_MSG_history_row, .history_row = { .request = job->request } };
        dynamo_read_row (item, &msg.history_row);
        reading_tell (self, job, &msg);
        job->left -= job->left > 0;
    }
    usher_str_t last = dynamo_text (json_object_get (self->json, "LastEvaluatedKey"), "collector_tstamp");
    if (last.size && job->left) {
        job_set_cursor (job, last);
        reading_move_on (self, job, STEP_QUERY);
        return;
    }
    usher_msg_t end = { .id = USHER_MSG_history_row, .history_row = { .request = job->request, .last = 1 } };
    reading_tell (self, job, &end);
    reading_end (self, job);
}

//  ---- erasure

//  A page of keys: their rows are removed, then the next page is asked for from the start; none: it is the profile's turn.
static void
take_keys (reading_t *self, job_t *job)
{
    const json_t *items = json_object_get (self->json, "Items");
    job_row_t rows [DYNAMO_ERASE_ROWS];
    size_t count = 0, at;
    json_t *item;
    buffer_t keys = { 0 };
    json_array_foreach (items, at, item)
    {
        usher_str_t key = dynamo_text (item, "collector_tstamp");
        if (count == DYNAMO_ERASE_ROWS || !key.size)
            continue;
        rows [count++] = (job_row_t){ .row = { .key_tstamp = { NULL, key.size }, .remove = 1 } };
        buffer_add (&keys, key.data, key.size);
    }
    job_set_rows (job, rows, count, keys.data);
    buffer_free (&keys);
    reading_move_on (self, job, count ? STEP_ROWS : STEP_DELETE);
}

//  Where the owner has let go once more meanwhile, only the later erasure is told of, with what both removed.
void
dynamo_read_deleted (reading_t *self)
{
    job_t *job = self->flight->parts [0].job;
    job_t *later = job_find_erasure (&self->store->book, job->viewer_id, job->erased_ms + 1);
    const dynamo_owner_t *owner = &self->store->owner;
    unsure_settle (&self->store->unsure, job->viewer_id, UINT64_MAX, UINT64_MAX);
    //  The file names the viewer.
    self->store->notes_stale = true;
    job->erased_profiles += json_object_size (json_object_get (self->json, "Attributes")) > 0;
    if (later) {
        later->erased_profiles += job->erased_profiles;
        later->erased_rows += job->erased_rows;
        job_grant (later, job->wished_ms);
    } else {
        const usher_forgotten_t forgotten = { .viewer_id = job->viewer_id,
                                              .erased_ms = job->erased_ms,
                                              .wished_ms = job->wished_ms };
        owner->erased (owner->arg, &forgotten, job->erased_profiles, job->erased_rows, self->out);
    }
    reading_end (self, job);
}

void
dynamo_read_query (reading_t *self)
{
    job_t *job = self->flight->parts [0].job;
    if (job->kind == JOB_SLOT)
        take_slot (self, job);
    else if (job->kind == JOB_ERASE)
        take_keys (self, job);
    else
        take_rows (self, job);
}
