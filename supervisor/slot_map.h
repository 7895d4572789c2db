//  slot_map - which shard owns which slot
//
//  Rendezvous hashing: each slot goes to the shard with the highest hash of (slot, shard). So the map follows
//  from the number of shards alone, and from N to N + 1 about 1 / (N + 1) of the slots move, all to the new one.

#ifndef SLOT_MAP_H
#define SLOT_MAP_H

#include <stdint.h>
#include "codec.h"

//  Fills in the number of each slot's shard; shards is 1 to 255.
void slot_map_fill (uint8_t owners [USHER_SLOTS], uint32_t shards);

#endif
