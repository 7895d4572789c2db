//  erasures - who is connected, and who waits to hear that a viewer is erased
//
//  In memory only: what has to be done is a wish among the tombstones, and an asker that hears nothing asks again.

#ifndef ERASURES_H
#define ERASURES_H

#include "message.h"

#define ERASURES_ASKERS 64    //  that may wait at once
#define ERASURES_PEERS 256    //  links of one persister

typedef struct {
    uint32_t peer;
    uint64_t request;    //  0: a free place
    uint32_t viewer_id_size;
    char viewer_id [1024];
    usher_erasure_t removed;    //  so far
} erasures_asker_t;

typedef struct {
    bool up [ERASURES_PEERS];
    erasures_asker_t askers [ERASURES_ASKERS];
} erasures_t;

//  A peer is there, or gone: nobody of it waits any more.
void erasures_meet (erasures_t *self, uint32_t peer);
void erasures_leave (erasures_t *self, uint32_t peer);

//  Somebody waits. False: too many do.
bool erasures_wait (erasures_t *self, uint32_t peer, const usher_erase_t *erase);

//  Rows of a viewer were removed.
void erasures_count (erasures_t *self, usher_str_t viewer_id, uint64_t profiles, uint64_t rows, uint64_t bad);

//  Takes out one who waits for that viewer; false when nobody does. Gives whom to tell what.
bool erasures_take (erasures_t *self, usher_str_t viewer_id, uint32_t *peer, usher_erasure_t *done);

#endif
