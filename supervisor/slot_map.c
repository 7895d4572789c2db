//  slot_map - which shard owns which slot

#include "slot_map.h"

#include <xxhash.h>

//  The same on every machine: the bytes are laid out by hand.
static uint64_t
weight (uint32_t slot, uint32_t shard)
{
    const uint8_t key [4] = { (uint8_t)(slot >> 8), (uint8_t)slot, (uint8_t)(shard >> 8), (uint8_t)shard };
    return XXH64 (key, sizeof key, 0);
}

static uint8_t
owner (uint32_t slot, uint32_t shards)
{
    uint32_t best = 0;
    for (uint32_t shard = 1; shard < shards; shard++)
        if (weight (slot, shard) > weight (slot, best))
            best = shard;
    return (uint8_t)best;
}

void
slot_map_fill (uint8_t owners [USHER_SLOTS], uint32_t shards)
{
    for (uint32_t slot = 0; slot < USHER_SLOTS; slot++)
        owners [slot] = owner (slot, shards);
}
