//  fake_topic - what source_kafka does for the ingester, over rows in memory, with the trouble that a group has
//
//  Rows lie in three partitions in turn. Commits are confirmed late, or refused; assignments are lost while events are under
//  way, and what was not committed is read again.

#ifndef FAKE_TOPIC_H
#define FAKE_TOPIC_H

#include "ingester.h"
#include "world.h"

typedef struct fake_topic fake_topic_t;

fake_topic_t *fake_topic_new (const world_row_t *rows, size_t row_count);
void fake_topic_destroy (fake_topic_t **self_p);

//  A new ingester joins: it has no partitions yet, and nobody will hear of its predecessor's commits.
void fake_topic_join (fake_topic_t *self, ingester_t *ingester);

//  One turn of the ingester's shell; with faults, now and then a lost assignment or a refused commit.
void fake_topic_turn (fake_topic_t *self, world_t *world, int64_t wall_ms, outbox_t *out, bool faults);

//  Is everything read?
bool fake_topic_at_end (const fake_topic_t *self);

#endif
