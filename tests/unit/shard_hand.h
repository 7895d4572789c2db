//  shard_hand - one message to a shard, as the shell would hand it over

#ifndef SHARD_HAND_H
#define SHARD_HAND_H

#include "buffer.h"
#include "lot.h"
#include "records.h"
#include "shard.h"

typedef struct {
    shard_t *shard;
    outbox_t *out;
} shard_hand_t;

static inline void
shard_hand_lot (void *arg, const lot_t *lot)
{
    const shard_hand_t *to = arg;
    shard_events (to->shard, lot, to->out);
}

static inline void
shard_hand (shard_t *shard, usher_link_id_t link, const usher_msg_t *msg, outbox_t *out)
{
    if (link == USHER_LINK_events) {
        shard_hand_t to = { shard, out };
        lot_t lot = { .count = 0 };
        buffer_t bytes = { 0 };
        records_add (&bytes, msg);
        lot_take (&lot, 0, bytes.data, bytes.size, shard_hand_lot, &to);
        lot_flush (&lot, shard_hand_lot, &to);
        buffer_free (&bytes);
        return;
    }
    for (size_t row = 0; row < shard_route_count; row++)
        if (shard_routes [row].link == link && shard_routes [row].id == msg->id)
            shard_routes [row].handler (shard, 0, msg, out);
}

#endif
