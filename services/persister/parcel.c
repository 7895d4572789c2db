//  parcel - messages kept as bytes until their hour has come

#include "parcel.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

//  Memory beyond this goes back once a burst is over.
#define KEEP_BYTES (1024 * 1024)

typedef struct {
    uint32_t peer;
    uint32_t size;    //  of the encoded message that follows
} label_t;

void
parcel_put (parcel_t *self, uint32_t peer, const usher_msg_t *msg)
{
    size_t bound = sizeof (label_t) + usher_encode_bound (msg);
    if (self->size - self->used < bound) {
        self->size = (self->used + bound) * 2;
        self->data = memory_resize (self->data, self->size, 1);
    }
    uint8_t *at = self->data + self->used;
    label_t label = { peer, (uint32_t)usher_encode (msg, at + sizeof label, bound - sizeof label) };
    //  It was decoded within its limits, so it can be encoded again.
    if (label.size == 0)
        abort ();
    memcpy (at, &label, sizeof label);
    self->used += sizeof label + label.size;
}

bool
parcel_next (const parcel_t *self, size_t *at, uint32_t *peer, usher_msg_t *msg)
{
    if (*at == self->used)
        return false;
    label_t label;
    usher_frame_t frame;
    memcpy (&label, self->data + *at, sizeof label);
    usher_records_open (&frame, self->data + *at + sizeof label, label.size);
    if (usher_decode (&frame, msg) != USHER_OK)
        abort ();
    *peer = label.peer;
    *at += sizeof label + label.size;
    return true;
}

void
parcel_drop (parcel_t *self, parcel_match_fn *match, const void *arg)
{
    size_t kept = 0, begin = 0;
    uint32_t peer;
    usher_msg_t msg;
    for (size_t at = 0; parcel_next (self, &at, &peer, &msg); begin = at) {
        if (match (arg, peer, &msg))
            continue;
        memmove (self->data + kept, self->data + begin, at - begin);
        kept += at - begin;
    }
    self->used = kept;
    if (!kept)
        parcel_empty (self);
}

void
parcel_empty (parcel_t *self)
{
    self->used = 0;
    if (self->size > KEEP_BYTES)
        parcel_close (self);
}

void
parcel_close (parcel_t *self)
{
    free (self->data);
    *self = (parcel_t){ 0 };
}
