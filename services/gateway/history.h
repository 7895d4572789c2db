//  history - questions to the store that browsers wait for
//
//  Pure: the shell says who waits; the answer goes to a function.

#ifndef HISTORY_H
#define HISTORY_H

#include "api.h"
#include "outbox.h"

//  Questions that may wait at once; a question older than this is answered with an error.
#define HISTORY_WAITING 256
#define HISTORY_MS 10000
//  Of them for a series, which takes more memory.
#define HISTORY_SERIES 16

typedef struct history history_t;

//  Takes an answer; its body goes over to the receiver.
typedef void (history_done_fn) (void *asker, api_answer_t *answer);

history_t *history_new (history_done_fn *done);
void history_destroy (history_t **self_p);

//  Asks. Returns the request's number, or 0 when too many wait.
uint64_t history_ask (history_t *self, void *asker, usher_str_t viewer_id, uint32_t limit, int64_t mono_ms,
                      outbox_t *out);

//  The same for a series.
uint64_t history_ask_series (history_t *self, void *asker, const series_query_t *query, int64_t mono_ms,
                             outbox_t *out);

//  The asker went away.
void history_cancel (history_t *self, uint64_t request);

//  Answers of the store.
void history_row (history_t *self, const usher_history_row_t *row);
void history_aggregate_row (history_t *self, const usher_aggregate_row_t *row);

//  The store is there (again): what waits is asked again. Time passes: who waited too long is told.
void history_store_up (history_t *self, outbox_t *out);
void history_tick (history_t *self, int64_t mono_ms);

#endif
