//  sink_kafka - rows that Kafka has before a tracker is told that they were taken
//
//  A row becomes a message: an enriched event on kafka.topic under the key of its viewer, so that one viewer's events stay in
//  order; a bad row on kafka.bad_topic, without a key. Every row belongs to a ticket, which grows with each request;
//  a ticket is settled when Kafka has answered for all its rows and for those of all tickets before it.

#ifndef SINK_KAFKA_H_INCLUDED
#define SINK_KAFKA_H_INCLUDED

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct sink_kafka sink_kafka_t;

//  All tickets up to this one are settled: durable, or at least one row of them is not.
typedef void (sink_settled_fn) (void *arg, uint64_t ticket, bool durable);

//  Returns NULL after writing what is wrong, and what to do, into reason.
sink_kafka_t *sink_kafka_new (const config_t *config, sink_settled_fn *settled, void *arg, char *reason,
                              size_t reason_size);

//  Rows without an answer are given up.
void sink_kafka_destroy (sink_kafka_t **self_p);

//  Readable when there are answers; then call sink_kafka_turn.
int sink_kafka_descriptor (const sink_kafka_t *self);

//  Hands a row over; ticket never goes back. Returns 0; or -1 when there is no room: brokers have not answered for a
//  while, see sink_kafka_fault.
int sink_kafka_append (sink_kafka_t *self, uint64_t ticket, bool bad, const char *reason, const void *body,
                       size_t size);

//  The rows of a ticket that was not taken whole don't count for it.
void sink_kafka_give_up (sink_kafka_t *self, uint64_t ticket);

//  Calls settled for what was answered since the last call, or has waited for 4.5 s. now_ms is monotonic. Returns false when the producer has given up for good.
bool sink_kafka_turn (sink_kafka_t *self, int64_t now_ms);

//  Rows without an answer.
size_t sink_kafka_waiting (const sink_kafka_t *self);

//  Why the last row was refused or lost.
const char *sink_kafka_fault (const sink_kafka_t *self);

void sink_kafka_metrics (const sink_kafka_t *self, FILE *out);

#endif
