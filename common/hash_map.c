//  hash_map - from a 64-bit key that is already a hash to a number

#include "hash_map.h"

#include <stdlib.h>

#include "memory.h"

//  The place of key, or the empty place where it would be.
static size_t
place_of (const hash_map_t *self, uint64_t key)
{
    size_t at = key & (self->room - 1);
    while (self->keys [at] && self->keys [at] != key)
        at = (at + 1) & (self->room - 1);
    return at;
}

static void
grow (hash_map_t *self)
{
    hash_map_t old = *self;
    self->room = old.room ? old.room * 2 : 64;
    self->keys = memory_new (self->room, sizeof *self->keys);
    self->values = memory_new (self->room, sizeof *self->values);
    for (size_t at = 0; at < old.room; at++)
        if (old.keys [at]) {
            size_t place = place_of (self, old.keys [at]);
            self->keys [place] = old.keys [at];
            self->values [place] = old.values [at];
        }
    free (old.keys);
    free (old.values);
}

uint64_t *
hash_map_put (hash_map_t *self, uint64_t key)
{
    if (self->count * 4 >= self->room * 3)
        grow (self);
    size_t at = place_of (self, key);
    if (!self->keys [at]) {
        self->keys [at] = key;
        self->values [at] = 0;
        self->count++;
    }
    return &self->values [at];
}

uint64_t *
hash_map_get (const hash_map_t *self, uint64_t key)
{
    if (!self->room)
        return NULL;
    size_t at = place_of (self, key);
    return self->keys [at] ? &self->values [at] : NULL;
}

void
hash_map_remove (hash_map_t *self, uint64_t key)
{
    if (!hash_map_get (self, key))
        return;
    size_t hole = place_of (self, key), at = hole, mask = self->room - 1;
    self->count--;
    //  Close the gap: whatever would no longer be found moves into it.
    for (;;) {
        at = (at + 1) & mask;
        if (!self->keys [at])
            break;
        size_t home = self->keys [at] & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            self->keys [hole] = self->keys [at];
            self->values [hole] = self->values [at];
            hole = at;
        }
    }
    self->keys [hole] = 0;
}

void
hash_map_free (hash_map_t *self)
{
    free (self->keys);
    free (self->values);
    *self = (hash_map_t){ 0 };
}
