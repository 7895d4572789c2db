//  trio - an ingester core, a shard core and a publisher core in one process, without sockets, disks and time of their own
//
//  The store grants, knows nobody, and has written all at once.

#ifndef TRIO_H
#define TRIO_H

#include "ingester.h"
#include "publisher.h"
#include "shard.h"

enum { TRIO_LINKS = 8, TRIO_IDS = 128 };

//  Frames that one core has sent on one link, end to end: a size, then the bytes.
typedef struct {
    size_t used, room;
    uint8_t *data;
} pile_t;

typedef struct {
    const char *name;
    void *state;
    const service_route_t *routes;
    size_t route_count;
    service_lot_fn *lot;    //  takes all that is delivered, instead of routes; or NULL
    outbox_t *out;
    pile_t sent [TRIO_LINKS];
    uint64_t cpu_ns, allocations, bytes;
} core_t;

typedef struct {
    config_t *config;
    core_t ingester, shard, publisher;
    uint64_t asked [TRIO_IDS];    //  of the store, by message id
    uint64_t rows;                //  that the store has
} trio_t;

//  Makes the cores and leads them to where events can come. The source has one partition, 0, which begins at 0.
//  What they hold is held to the program's end.
void trio_open (trio_t *self, usher_time_t now);

//  Hands over to one core what another has sent to it on a link.
void core_deliver (core_t *to, core_t *from, usher_link_id_t link);

//  The store answers all that the shard has asked.
void trio_store_answers (trio_t *self);

#endif
