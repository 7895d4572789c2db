//  series - seconds and minutes of the aggregates, on their way to the store
//
//  A second is closed when the clock has left it and sent to the store at once; its minute is sent again with each second, so a death
//  costs the second that was running. Seconds in which nobody counted are in no message: nothing is made up for them, a
//  reader sees a gap. What two publishers saw of one minute are two parts of it; the reader adds them up.
//
//  What the store has not answered for waits here and is sent again, at most SERIES_WAITING spans; beyond that the oldest is
//  dropped and becomes a gap.
//
//  Pure: time is given, messages go into an outbox.

#ifndef SERIES_H
#define SERIES_H

#include "aggregates.h"
#include "outbox.h"

//  An hour without a store, and its minutes.
#define SERIES_WAITING 3700
//  Spans without an answer that are sent again after so long.
#define SERIES_RETRY_MS 5000

typedef struct series series_t;

//  part is larger than that of every publisher before: its epoch.
series_t *series_new (uint64_t part);
void series_destroy (series_t **self_p);

//  Closes the second if wall_ms has left it. partial: was a slot still being filled? Returns true if it was closed.
bool series_tick (series_t *self, aggregates_t *aggregates, uint64_t wall_ms, bool partial);

//  Closes what is open, for the last time.
void series_end (series_t *self, aggregates_t *aggregates);

//  Sends what waits. store_up: the store is there (again) and has answered nothing yet.
void series_send (series_t *self, int64_t mono_ms, outbox_t *out);
void series_store_up (series_t *self);

//  The store has it.
void series_kept (series_t *self, uint64_t seq);

size_t series_waiting (const series_t *self);
uint64_t series_dropped (const series_t *self);

#endif
