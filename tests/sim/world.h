//  world - all service cores in one thread, on a seeded clock and network
//
//  A process is what service_main would run, without its shell. The network keeps what link.h promises and nothing
//  more: between two peer_up frames arrive once and in order; a death loses what is under way. Rows come from a
//  journal where the seed is even, from a topic (fake_topic.h) where it is odd.

#ifndef WORLD_H
#define WORLD_H

#include "fake_dynamo.h"
#include "service.h"

#define WORLD_SHARDS 2

//  Those whose death repeats nothing that was told to the publisher come first.
typedef enum {
    WORLD_PERSISTER,
    WORLD_PUBLISHER,
    WORLD_SHARD_0,
    WORLD_SHARD_1,
    WORLD_INGESTER,
    WORLD_GATEWAY,    //  only what asks for erasures
    WORLD_PROCESSES
} world_process_t;

typedef struct world world_t;

//  What the journal or the topic holds: rows that the ingester reads.
typedef struct {
    char *data;
    size_t size;
    int64_t from_ms;    //  Unix time from when on it is there; 0 always
} world_row_t;

//  Makes a world over rows, which it does not own; directory is where the store's file lives. It begins at start_ms. With
//  dynamo the profiles and history are in a DynamoDB, which has trouble of its own.
world_t *world_new (uint64_t seed, const world_row_t *rows, size_t row_count, const char *directory,
                    int64_t start_ms, bool dynamo);
void world_destroy (world_t **self_p);

//  One step of one process or one delivery, as the seed says; now and then one of the first so many processes dies, or the disk is
//  full. 0: no faults.
void world_step (world_t *self, unsigned mortals);

//  Is everything read, written and committed, with nobody dead? Clocks and beats go on all the same.
bool world_is_still (const world_t *self);

//  Somebody wants a viewer erased, and asks until the answer is there; one at a time.
void world_erase (world_t *self, const char *viewer_id);

//  The instant that was answered, Unix ms; 0 not yet.
uint64_t world_erased_ms (const world_t *self);

//  Kills a process; it is born again after a while.
void world_kill (world_t *self, world_process_t process);

//  Kills the store, or finds it dead: it is born again after so many of its steps.
void world_lose_store (world_t *self, int steps);

//  While held the ingester reads nothing.
void world_hold (world_t *self, bool held);

//  So many bytes may wait for the store in a shard, and be on the way to it.
void world_be_small (world_t *self, uint64_t unwritten_bytes, uint32_t in_flight_bytes);

//  The DynamoDB, or NULL.
const fake_dynamo_t *world_dynamo (const world_t *self);

uint64_t world_random (world_t *self, uint64_t below);
void *world_state (const world_t *self, world_process_t process);
int world_deaths (const world_t *self);

#endif
