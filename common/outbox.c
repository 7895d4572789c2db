//  outbox - what a handler wants sent; whoever called the handler decides how

#include "outbox.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    usher_link_id_t link;
    uint32_t peer;
    size_t used, size;
    uint8_t *data;
} open_frame_t;

struct outbox {
    outbox_send_fn *send;
    void *arg;
    size_t count;
    open_frame_t *frames;    //  one a (link, peer) ever used; few, so a scan finds it
};

outbox_t *
outbox_new (outbox_send_fn *send, void *arg)
{
    outbox_t *self = memory_new (1, sizeof *self);
    self->send = send;
    self->arg = arg;
    return self;
}

void
outbox_destroy (outbox_t **self_p)
{
    outbox_t *self = *self_p;
    if (!self)
        return;
    for (size_t at = 0; at < self->count; at++)
        free (self->frames [at].data);
    free (self->frames);
    free (self);
    *self_p = NULL;
}

static open_frame_t *
frame_find (outbox_t *self, usher_link_id_t link, uint32_t peer)
{
    for (size_t at = 0; at < self->count; at++)
        if (self->frames [at].peer == peer && self->frames [at].link == link)
            return &self->frames [at];
    return NULL;
}

static open_frame_t *
frame_open (outbox_t *self, usher_link_id_t link, uint32_t peer)
{
    open_frame_t *frame = frame_find (self, link, peer);
    if (!frame) {
        self->frames = memory_resize (self->frames, self->count + 1, sizeof *self->frames);
        frame = &self->frames [self->count++];
        *frame = (open_frame_t){ .link = link, .peer = peer };
    }
    return frame;
}

//  Hands a frame over before its call returns. The callback may not put anything into this outbox.
static void
frame_close (outbox_t *self, open_frame_t *frame)
{
    if (frame->used == 0)
        return;
    self->send (self->arg, frame->link, frame->peer, frame->data, frame->used);
    frame->used = 0;
}

static void
frame_reserve (open_frame_t *frame, size_t bytes)
{
    if (frame->size >= bytes)
        return;
    frame->data = memory_resize (frame->data, bytes, 1);
    frame->size = bytes;
}

//  Writes msg behind what is there. Returns false when the frame would grow beyond limit.
static bool
frame_write (open_frame_t *frame, const usher_msg_t *msg, size_t limit)
{
    if (frame->used >= limit)
        return false;
    frame_reserve (frame, limit);
    if (frame->used == 0)
        frame->used = usher_frame_begin (frame->data, limit);
    size_t size = usher_encode (msg, frame->data + frame->used, limit - frame->used);
    frame->used += size;
    return size > 0;
}

//  Room is found by trying, so only a frame's last message is written twice.
void
outbox_put (outbox_t *self, usher_link_id_t link, uint32_t peer, const usher_msg_t *msg)
{
    open_frame_t *frame = frame_open (self, link, peer);
    if (frame_write (frame, msg, OUTBOX_FRAME_BYTES))
        return;
    if (frame->used > USHER_FRAME_HEAD)
        frame_close (self, frame);
    frame->used = 0;
    if (!frame_write (frame, msg, USHER_FRAME_HEAD + usher_encode_bound (msg)))
        abort ();    //  a field beyond its limit: our own mistake
}

void
outbox_put_frame (outbox_t *self, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    open_frame_t *frame = frame_find (self, link, peer);
    if (frame)
        frame_close (self, frame);
    self->send (self->arg, link, peer, data, size);
}

void
outbox_join (outbox_t *self, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    open_frame_t *frame = frame_open (self, link, peer);
    if (frame->used && frame->used + size - USHER_FRAME_HEAD > OUTBOX_FRAME_BYTES)
        frame_close (self, frame);
    size_t head = frame->used ? USHER_FRAME_HEAD : 0;
    frame_reserve (frame, frame->used + size - head > OUTBOX_FRAME_BYTES ? size : OUTBOX_FRAME_BYTES);
    memcpy (frame->data + frame->used, (const uint8_t *)data + head, size - head);
    frame->used += size - head;
}

void
outbox_flush (outbox_t *self)
{
    for (size_t at = 0; at < self->count; at++)
        frame_close (self, &self->frames [at]);
}

void
outbox_forget (outbox_t *self, usher_link_id_t link, uint32_t peer)
{
    open_frame_t *frame = frame_find (self, link, peer);
    if (frame)
        frame->used = 0;
}
