//  hash_map - from a 64-bit key that is already a hash to a number

#ifndef HASH_MAP_H
#define HASH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t *keys, *values;    //  key 0: empty place
    size_t count, room;         //  room is a power of two
} hash_map_t;                   //  starts as all zeros

//  Returns where key's value is, making it 0 where it was not there. Valid until the next put or remove. key is not 0.
uint64_t *hash_map_put (hash_map_t *self, uint64_t key);

//  Where key's value is; NULL not there.
uint64_t *hash_map_get (const hash_map_t *self, uint64_t key);

void hash_map_remove (hash_map_t *self, uint64_t key);
void hash_map_free (hash_map_t *self);

#endif
