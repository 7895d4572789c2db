//  shard - the pure core: viewers of some slots, what is written when, and what the ingesters may commit
//
//  Handlers take time and messages and put what they want sent into an outbox: no socket, clock or file.

#ifndef SHARD_H
#define SHARD_H

#include "service.h"

typedef struct shard shard_t;

//  now is the time of the start: what is handled before the first turn expires by it.
shard_t *shard_new (const config_t *config, uint32_t number, usher_time_t now);
void shard_destroy (shard_t **self_p);

//  The same functions that shard_spec names; tests/sim calls them.
void shard_peer_up (void *self, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out);
void shard_peer_down (void *self, usher_link_id_t link, uint32_t peer);
bool shard_turn (void *self, usher_time_t now, outbox_t *out);
void shard_tick (void *self, usher_time_t now, outbox_t *out);
bool shard_ready (const void *self);
bool shard_drained (void *self, usher_time_t now, outbox_t *out);
void shard_metrics (const void *self, FILE *out);
void shard_note (const void *self, char *text, size_t size);

//  Takes the messages of a lot from link events, whose tags are peers.
void shard_events (void *self, const lot_t *lot, outbox_t *out);

//  These from link store come next: asks for the memory that they will touch.
void shard_expect (const void *self, const lot_t *lot);

extern const service_route_t shard_routes [];
extern const size_t shard_route_count;
extern const service_link_t shard_links [];
extern const size_t shard_link_count;

//  Counters, for conservation checks.
typedef struct {
    uint64_t applied, asleep, duplicate, late, erased, held, frames, frames_refused, writes, rewrites,
        refused, loads, lost, failed;
} shard_counters_t;
const shard_counters_t *shard_counters (const shard_t *self);

//  Has the store shown that somebody newer owns what this shard holds? Then it has to end.
bool shard_is_stale (const shard_t *self);

#endif
