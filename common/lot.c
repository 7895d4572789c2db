//  lot - the next messages of a link, read together

#include "lot.h"

#include <string.h>

//  Reads messages until the lot is full. Returns USHER_OK then, else why there are no more.
static usher_error_t
fill (lot_t *self, uint32_t tag, usher_frame_t *frame)
{
    while (self->count < LOT_MESSAGES) {
        const uint8_t *begin = frame->next;
        usher_error_t error = usher_decode (frame, &self->messages [self->count]);
        if (error)
            return error;
        self->tags [self->count] = tag;
        self->bytes [self->count++] = usher_bytes (begin, (size_t)(frame->next - begin));
    }
    return USHER_OK;
}

usher_error_t
lot_take (lot_t *self, uint32_t tag, const void *data, size_t size, lot_work_fn *work, void *arg)
{
    if (self->used + size > LOT_BYTES)
        lot_flush (self, work, arg);
    bool kept = size && size <= LOT_BYTES;
    if (kept) {
        data = memcpy (self->frames + self->used, data, size);
        self->used += size;
    }
    usher_frame_t frame;
    usher_error_t error;
    usher_records_open (&frame, data, size);
    while (!(error = fill (self, tag, &frame))) {
        work (arg, self);
        self->count = 0;    //  and not used: the rest of the frame is there
    }
    if (!kept)
        lot_flush (self, work, arg);
    return error;
}

void
lot_flush (lot_t *self, lot_work_fn *work, void *arg)
{
    if (self->count)
        work (arg, self);
    self->count = self->used = 0;
}
