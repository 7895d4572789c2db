//  aggregates - what all live sessions come to, kept up to date change by change
//
//  One change of one session costs the same whatever is held: its old contribution is worked out from the message that is replaced, so
//  nothing is kept of a session but one byte, its mark. Viewers are counted once where several of their sessions count alike.
//
//  What counts as a change: who is told of a session for the first time and learns that it is not new (`restored`: the publisher has
//  started, the shard has read it from the store) counts it as present, but nothing of it as having happened now. All else is the difference
//  to what was known before. Totals that shrink (an event came late and corrected them) are negative differences; sums over time are
//  right, and who shows a single second shows 0.
//
//  Pure: sessions and time are given.

#ifndef AGGREGATES_H
#define AGGREGATES_H

#include <stdio.h>

#include "dimension.h"

//  A session that stalls for longer does not count as concurrent (02-profile: up to 5 min).
#define AGGREGATES_STALL_MS 300000

//  Keys of each dimension in the picture of now that goes to gateways, and in what is kept of a span.
#define AGGREGATES_KEYS_NOW 1000
#define AGGREGATES_KEYS_KEPT 20

typedef struct aggregates aggregates_t;

//  A session as it was counted. mark is 0 before it was, and the caller's to keep.
typedef struct {
    usher_session_t session;
    uint8_t mark;
} aggregates_counted_t;

aggregates_t *aggregates_new (void);
void aggregates_destroy (aggregates_t **self_p);

//  One session changes. old: as it was counted, NULL it was not known; session: as it is now, NULL it is gone; others: all other
//  sessions of its viewer. now_ms is Unix time. Returns the session's new mark.
uint8_t aggregates_change (aggregates_t *self, const aggregates_counted_t *old,
                           const usher_session_t *session, const aggregates_counted_t *others, size_t count,
                           uint64_t now_ms);

//  The next session that may have stalled for too long by now_ms; false none. It is to be given to aggregates_change again, as
//  both old and new, with the mark aggregates_unwatched gives. Strings are valid until the next call.
bool aggregates_due (aggregates_t *self, uint64_t now_ms, uint32_t *slot, usher_str_t *viewer_id,
                     usher_str_t *session_id);
uint8_t aggregates_unwatched (uint8_t mark);

//  Sessions and viewers of a key.
dimension_count_t aggregates_count (const aggregates_t *self, usher_dimension_t which, usher_str_t key);
dimension_count_t aggregates_other (const aggregates_t *self, usher_dimension_t which);

//  How it is now: sums and histograms over the sessions held.
const tally_t *aggregates_now (const aggregates_t *self);

//  What happened since the last call, with the counts of this instant: one second of a series.
void aggregates_take_second (aggregates_t *self, tally_t *second);

//  The main counts as Prometheus text.
void aggregates_metrics (const aggregates_t *self, FILE *out);

//  Appends aggregate_key messages, at most limit and an `other` for each dimension.
void aggregates_write_keys (const aggregates_t *self, size_t limit, buffer_t *out);

#endif
