//  shares - bytes that many have in common, kept once
//
//  Titles and platforms repeat from viewer to viewer: each holds a pointer, and the last one who lets go frees the bytes.

#ifndef SHARES_H
#define SHARES_H

#include "hash_map.h"

typedef struct share {
    struct share *next;    //  another one of the same hash
    uint32_t holders, size;
    uint8_t bytes [];
} share_t;

//  Starts as all zeros.
typedef struct {
    hash_map_t index;    //  hash of the bytes to the first share
    size_t count, bytes;
} shares_t;

//  The share of these bytes, held once more. Each is let go as often as it was taken.
share_t *shares_take (shares_t *self, const void *data, uint32_t size);

void shares_drop (shares_t *self, share_t *share);

//  Frees the index; the shares must be gone.
void shares_free (shares_t *self);

#endif
