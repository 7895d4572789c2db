//  spans - what seconds and minutes came to: a table of store.db, whichever store keeps the profiles
//
//  A row is one span of one part, that is of one publisher; its body is not looked into. Seconds are kept for an hour, minutes
//  for a day. Functions return false, or -1, when SQLite says no.

#ifndef SPANS_H
#define SPANS_H

#include "sql.h"

typedef struct spans spans_t;

//  Makes its table if it is not there. NULL: SQLite said no. sql is the store's, and outlives this.
spans_t *spans_new (sql_t *sql);
void spans_destroy (spans_t **self_p);

//  Writes a span, within a transaction; the same one again is replaced.
bool spans_put (spans_t *self, const usher_aggregate_put_t *put);

//  Deletes what is too old at now_s (Unix seconds), at most limit, within a transaction. Returns how many.
int spans_sweep (spans_t *self, uint64_t now_s, uint32_t limit);

//  Gives rows of aggregate_row, oldest first, then the one that ends the answer. False also after a part of the answer was given.
typedef void (spans_answer_fn) (void *arg, const usher_msg_t *msg);
bool spans_get (spans_t *self, const usher_aggregate_get_t *get, spans_answer_fn *answer, void *arg);

#endif
