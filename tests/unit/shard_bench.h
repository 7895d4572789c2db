//  shard_bench - a shard with a store that answers when it is told to, for tests

#ifndef SHARD_BENCH_H
#define SHARD_BENCH_H

#include "shard_private.h"

enum { SHARD_BENCH_ASKED = 4096 };

#define SHARD_BENCH_START_MS 1790000000000u

//  What the store was asked and has not answered.
typedef struct {
    usher_msg_id_t id;
    char viewer_id [32];
    uint64_t epoch, version;
} shard_bench_asked_t;

typedef struct {
    config_t config;
    shard_t *shard;
    outbox_t *out;
    usher_time_t now;
    uint64_t applied, durable;    //  newest receipts
    size_t asked_count, rows, profile_size;
    uint8_t profile [16384];    //  of the newest write
    shard_bench_asked_t asked [SHARD_BENCH_ASKED];
    void (*told) (void *arg, const usher_msg_t *msg);    //  of what the publisher is told; or NULL
    void *told_arg;
} shard_bench_t;

//  A shard that is granted and has nobody to load, with an ingester, a publisher and a store.
void shard_bench_begin (shard_bench_t *self, uint64_t unwritten_bytes);
void shard_bench_end (shard_bench_t *self);

void shard_bench_hand (shard_bench_t *self, usher_link_id_t link, const usher_msg_t *msg);

//  Begins a frame of events; an event of a viewer, some time after the beginning, with that offset.
void shard_bench_batch (shard_bench_t *self, uint64_t seq, uint64_t clock_ms);
void shard_bench_event (shard_bench_t *self, const char *viewer_id, usher_event_kind_t kind,
                        uint64_t after_ms, uint64_t offset);

//  A turn, and a tick, of the loop, so much later.
void shard_bench_turn (shard_bench_t *self, int64_t later_ms);

//  Answers all that the store was asked until now: nobody is known, every write is done. Returns how much it was.
size_t shard_bench_answer (shard_bench_t *self);

//  What all actors together have not written, counted one by one.
size_t shard_bench_unwritten (const shard_bench_t *self);

#endif
