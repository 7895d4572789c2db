//  ingester - the pure core: rows in, frames to the shards and the quarantine out, a position to commit
//
//  It is told time and rows; it touches no source by itself.

#ifndef INGESTER_H
#define INGESTER_H

#include "service.h"
#include "source.h"

typedef struct ingester ingester_t;

ingester_t *ingester_new (const config_t *config, uint32_t source_id, const char *source_name);
void ingester_destroy (ingester_t **self_p);

//  What time it is: the rows that are taken next were read after it.
void ingester_see_time (ingester_t *self, usher_time_t now);

//  Takes a row that was read. Its data is copied.
void ingester_take (ingester_t *self, const source_row_t *row, outbox_t *out);

//  May rows be read? Not before the position is known, not while too much is under way.
bool ingester_wants (const ingester_t *self);

//  Has the committed position come, and which one is it? Once true, stays so.
bool ingester_knows_position (const ingester_t *self, uint64_t *generation, uint64_t *next);

//  A partition is read from next on; a second begin of one replaces the first. Files and journals have partition 0.
void ingester_begin (ingester_t *self, uint32_t partition, uint64_t generation, uint64_t next);

//  A partition is read no more. What was taken from it goes its way.
void ingester_end (ingester_t *self, uint32_t partition);

//  Everything that had been put into the partition by wall_ms was read, said by somebody who would know: silence up to
//  then is silence of the viewers.
void ingester_at_end (ingester_t *self, uint32_t partition, uint64_t wall_ms);

//  Commits go to fn instead of the store; the answer is ingester_committed. For a source that keeps its own positions.
typedef void (ingester_commit_fn) (void *arg, uint32_t partition, uint64_t next);
void ingester_commit_with (ingester_t *self, ingester_commit_fn *fn, void *arg);
void ingester_committed (ingester_t *self, uint32_t partition, uint64_t next);

//  Commits at once what is durable; the tick does it each 200 ms.
void ingester_commit (ingester_t *self, outbox_t *out);

//  The service's functions.
void ingester_peer_up (void *self, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out);
void ingester_flush (ingester_t *self, usher_time_t now, outbox_t *out);
//  Does a shard that began anew want what is no longer kept? Then only the next ingester can go on, from the committed
//  position.
bool ingester_must_rewind (const ingester_t *self);
void ingester_tick (void *self, usher_time_t now, outbox_t *out);
bool ingester_idle (const ingester_t *self);
void ingester_metrics (const void *self, FILE *out);

extern const service_route_t ingester_routes [];
extern const size_t ingester_route_count;

typedef struct {
    uint64_t read, routed, passed_by, quarantined;
} ingester_counters_t;
const ingester_counters_t *ingester_counters (const ingester_t *self);

//  Events routed or quarantined without a receipt yet.
size_t ingester_in_flight (const ingester_t *self);

//  Is the collector there?
bool ingester_collector_up (const ingester_t *self);

#endif
