//  backlog - frames of events that may not come in yet, as they came

#include "backlog.h"
#include "memory.h"

#include <stdlib.h>

void
backlog_begin (backlog_t *self, uint32_t peer)
{
    backlog_frame_t *frame = memory_new (1, sizeof *frame);
    frame->peer = peer;
    *(self->last ? &self->last->next : &self->first) = frame;
    self->last = frame;
}

void
backlog_add (backlog_t *self, usher_str_t message)
{
    buffer_add (&self->last->messages, message.data, message.size);
    self->bytes += message.size;
}

backlog_frame_t *
backlog_take (backlog_t *self)
{
    backlog_frame_t *frame = self->first;
    if (!frame)
        return NULL;
    self->first = frame->next;
    if (!self->first)
        self->last = NULL;
    self->bytes -= frame->messages.size;
    return frame;
}

void
backlog_frame_destroy (backlog_frame_t **self_p)
{
    backlog_frame_t *self = *self_p;
    if (!self)
        return;
    buffer_free (&self->messages);
    free (self);
    *self_p = NULL;
}

void
backlog_forget (backlog_t *self, uint32_t peer)
{
    backlog_t kept = { 0 };
    for (backlog_frame_t *frame; (frame = backlog_take (self));) {
        if (frame->peer == peer) {
            backlog_frame_destroy (&frame);
            continue;
        }
        frame->next = NULL;
        *(kept.last ? &kept.last->next : &kept.first) = frame;
        kept.last = frame;
        kept.bytes += frame->messages.size;
    }
    *self = kept;
}

void
backlog_free (backlog_t *self)
{
    for (backlog_frame_t *frame; (frame = backlog_take (self));)
        backlog_frame_destroy (&frame);
}
