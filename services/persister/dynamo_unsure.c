//  dynamo_unsure - history rows that may be in the table without the profile that they belong to

#include "dynamo_unsure.h"
#include "dynamo_job.h"
#include "memory.h"
#include "records.h"

#include <stdlib.h>

//  The limit of loaded.unsure.
#define ROWS_BYTES_MAX 262144

struct unsure_write {
    unsure_write_t *older, *younger;
    usher_str_t viewer_id;    //  owned
    uint64_t epoch, version, expires_s;
    buffer_t rows;    //  history messages that take them back
};

//  ---- records

void
unsure_note (buffer_t *notes, const usher_write_t *write, const usher_history_t *row)
{
    const usher_msg_t msg = { .id = USHER_MSG_unsure_record,
                              .unsure_record = { write->viewer_id, write->epoch, write->version,
                                                 row->key_tstamp, write->expires_s } };
    records_add (notes, &msg);
}

//  ---- the writes

static unsure_write_t *
find (const unsure_t *self, usher_str_t viewer_id)
{
    const uint64_t *found = hash_map_get (&self->viewers, job_key (viewer_id));
    return found ? (unsure_write_t *)(uintptr_t)*found : NULL;
}

static void
drop (unsure_t *self, unsure_write_t *write)
{
    hash_map_remove (&self->viewers, job_key (write->viewer_id));
    *(write->older ? &write->older->younger : &self->oldest) = write->younger;
    *(write->younger ? &write->younger->older : &self->youngest) = write->older;
    buffer_free (&write->rows);
    free ((void *)(uintptr_t)write->viewer_id.data);
    free (write);
}

static unsure_write_t *
add (unsure_t *self, const usher_unsure_record_t *record)
{
    if (self->viewers.count >= UNSURE_VIEWERS_MAX)
        drop (self, self->oldest);
    unsure_write_t *write = memory_new (1, sizeof *write);
    usher_str_t id = record->viewer_id;
    *write = (unsure_write_t){ .older = self->youngest,
                               .viewer_id = usher_bytes (memory_copy (id.data, id.size), id.size),
                               .epoch = record->epoch,
                               .version = record->version,
                               .expires_s = record->expires_s };
    *(self->youngest ? &self->youngest->younger : &self->oldest) = write;
    self->youngest = write;
    *hash_map_put (&self->viewers, job_key (id)) = (uint64_t)(uintptr_t)write;
    return write;
}

//  -1, 0, 1: which of two writes of a viewer came first.
static int
write_order (const unsure_write_t *write, uint64_t epoch, uint64_t version)
{
    if (write->epoch != epoch)
        return write->epoch < epoch ? -1 : 1;
    return (write->version > version) - (write->version < version);
}

static void
take (unsure_t *self, const usher_unsure_record_t *record)
{
    unsure_write_t *write = find (self, record->viewer_id);
    int order = write ? write_order (write, record->epoch, record->version) : -1;
    if (order > 0)
        return;
    if (write && order < 0)
        drop (self, write);
    if (order < 0)
        write = add (self, record);
    const usher_msg_t row = {
        .id = USHER_MSG_history,
        .history = { .viewer_id = record->viewer_id, .key_tstamp = record->key_tstamp, .remove = 1 }
    };
    if (write->rows.size + usher_encode_bound (&row) <= ROWS_BYTES_MAX)
        records_add (&write->rows, &row);
}

void
unsure_recall (unsure_t *self, const void *notes, size_t size)
{
    usher_frame_t frame;
    usher_msg_t msg;
    usher_records_open (&frame, notes, size);
    while (usher_decode (&frame, &msg) == USHER_OK && msg.id == USHER_MSG_unsure_record)
        take (self, &msg.unsure_record);
}

void
unsure_store (const unsure_t *self, buffer_t *notes)
{
    for (const unsure_write_t *write = self->oldest; write; write = write->younger) {
        const usher_write_t of = { .viewer_id = write->viewer_id,
                                   .epoch = write->epoch,
                                   .version = write->version,
                                   .expires_s = write->expires_s };
        usher_frame_t frame;
        usher_msg_t row;
        usher_records_open (&frame, write->rows.data, write->rows.size);
        while (usher_decode (&frame, &row) == USHER_OK)
            unsure_note (notes, &of, &row.history);
    }
}

void
unsure_settle (unsure_t *self, usher_str_t viewer_id, uint64_t epoch, uint64_t version)
{
    unsure_write_t *write = self->viewers.count ? find (self, viewer_id) : NULL;
    if (write && write_order (write, epoch, version) <= 0)
        drop (self, write);
}

bool
unsure_expire (unsure_t *self, uint64_t now_s)
{
    bool some = self->oldest && self->oldest->expires_s <= now_s;
    while (self->oldest && self->oldest->expires_s <= now_s)
        drop (self, self->oldest);
    return some;
}

bool
unsure_rows (unsure_t *self, usher_str_t viewer_id, uint64_t epoch, uint64_t version, buffer_t *rows)
{
    unsure_settle (self, viewer_id, epoch, version);
    const unsure_write_t *write = self->viewers.count ? find (self, viewer_id) : NULL;
    rows->size = 0;
    if (write)
        buffer_add (rows, write->rows.data, write->rows.size);
    return write != NULL;
}

void
unsure_close (unsure_t *self)
{
    while (self->oldest)
        drop (self, self->oldest);
    hash_map_free (&self->viewers);
}
