//  dynamo_unsure - history rows that may be in the table without the profile that they belong to
//
//  A write puts its rows before its profile. Where it ends between the two, and whoever made it dies, the next owner of
//  the viewer may see the events in another order and never want such a row. So the keys of a write's rows are noted
//  before they leave, in a file that outlives the process (dynamo_notes.h). Of a viewer the newest write counts: a viewer
//  has one at a time, and what an earlier one left is taken back, or put again, by the next. Whoever loads a
//  profile that is older than the viewer's newest noted write is told the keys (decision 026).
//
//  Pure. Bounded: the oldest viewers beyond UNSURE_VIEWERS_MAX, and of a viewer what is beyond a message's limit, are let go.

#ifndef DYNAMO_UNSURE_H
#define DYNAMO_UNSURE_H

#include "buffer.h"
#include "hash_map.h"
#include "message.h"

//  Four times the writes that may wait at once.
#define UNSURE_VIEWERS_MAX 65536

typedef struct unsure_write unsure_write_t;

typedef struct {
    hash_map_t viewers;    //  key of a viewer: its write
    unsure_write_t *oldest, *youngest;
} unsure_t;    //  starts as all zeros

//  One noted row, as a record at the end of notes.
void unsure_note (buffer_t *notes, const usher_write_t *write, const usher_history_t *row);

//  Takes records back as unsure_note wrote them, up to the first that is damaged.
void unsure_recall (unsure_t *self, const void *notes, size_t size);

//  Appends the records of all that is unsure.
void unsure_store (const unsure_t *self, buffer_t *notes);

//  The profile is of this write, or a later one: the viewer's rows up to it are as they should be.
void unsure_settle (unsure_t *self, usher_str_t viewer_id, uint64_t epoch, uint64_t version);

//  Lets go of writes all of whose rows have expired, as far as they are the oldest. Returns whether there were any.
bool unsure_expire (unsure_t *self, uint64_t now_s);

//  Fills rows with history messages that take back what writes later than the stored one may have left.
//  Returns false where there are none.
bool unsure_rows (unsure_t *self, usher_str_t viewer_id, uint64_t epoch, uint64_t version, buffer_t *rows);

void unsure_close (unsure_t *self);

#endif
