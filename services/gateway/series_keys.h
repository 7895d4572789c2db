//  series_keys - one dimension of a series: what its keys had at the end of each span
//
//  A span has the largest keys only. Where a key is not among them it had nothing, unless further keys were counted together:
//  then it is not known.

#ifndef SERIES_KEYS_H
#define SERIES_KEYS_H

#include "buffer.h"
#include "message.h"

//  Keys in one answer: the first ones met. The spans of a day may name more.
#define SERIES_KEYS_MAX 100

typedef struct series_keys series_keys_t;

//  For so many points.
series_keys_t *series_keys_new (usher_dimension_t which, size_t points);
void series_keys_destroy (series_keys_t **self_p);

//  Forgets all.
void series_keys_clear (series_keys_t *self);

//  Reads what follows the aggregate in a row, for the point at an index. A later row for the same point replaces the earlier one.
void series_keys_add (series_keys_t *self, size_t at, usher_frame_t *frame);

//  Writes a list of keys with their columns.
void series_keys_write (const series_keys_t *self, buffer_t *out);

#endif
