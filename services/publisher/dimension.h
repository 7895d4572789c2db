//  dimension - sessions and viewers by one property: medium, country, state
//
//  A key has a place as long as a session counts there. While all places are taken, sessions with further keys count as
//  `other`; so memory is bounded, and what has a place is exact unless sessions of the key came while there was none. Who counts
//  a session remembers whether it went to other, and takes it out there.

#ifndef DIMENSION_H
#define DIMENSION_H

#include "tally.h"

//  Keys of one dimension. Longer keys are cut, and two that are alike so far are one.
#define DIMENSION_KEYS 10000
#define DIMENSION_KEY_BYTES 512

typedef struct dimension dimension_t;

dimension_t *dimension_new (usher_dimension_t which);
void dimension_destroy (dimension_t **self_p);

//  Must a session with this key go to other now?
bool dimension_is_full_for (const dimension_t *self, usher_str_t key);

//  Adds sessions and viewers, which may be negative, to key or to other.
void dimension_add (dimension_t *self, usher_str_t key, bool other, int sessions, int viewers);

//  What a key has; what other has; keys that have a place.
typedef struct {
    uint64_t sessions, viewers;
} dimension_count_t;
dimension_count_t dimension_count (const dimension_t *self, usher_str_t key);
dimension_count_t dimension_other (const dimension_t *self);
size_t dimension_keys (const dimension_t *self);

//  Appends an aggregate_key for each of the limit largest keys, largest first; all others together are the last.
void dimension_write (const dimension_t *self, size_t limit, buffer_t *out);

#endif
