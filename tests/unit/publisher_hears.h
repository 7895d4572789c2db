//  publisher_hears - a message from a shard, as a frame brings it

#ifndef PUBLISHER_HEARS_H
#define PUBLISHER_HEARS_H

#include <assert.h>

#include "publisher.h"

static inline void
publisher_hears_lot (void *publisher, const lot_t *lot)
{
    publisher_changes (publisher, lot, NULL);
}

static inline void
publisher_hears (publisher_t *publisher, const usher_msg_t *msg)
{
    uint8_t bytes [8192];
    lot_t lot = { .count = 0 };
    size_t size = usher_encode (msg, bytes, sizeof bytes);
    assert (size);
    lot_take (&lot, 0, bytes, size, publisher_hears_lot, publisher);
    lot_flush (&lot, publisher_hears_lot, publisher);
}

#endif
