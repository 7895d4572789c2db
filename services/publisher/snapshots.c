//  snapshots - answers gateways page by page, a bounded piece in each loop turn

#include "snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "records.h"

//  Gateways that may wait for a snapshot at once.
#define REQUESTS 64
//  A turn ends after so many bytes; a frame after so many.
#define TURN_BYTES 262144
#define FRAME_BYTES 60000

typedef struct {
    uint32_t peer;
    uint64_t id;
    uint8_t slots [USHER_SLOTS / 8];
    uint32_t next;    //  slot to look at
} request_t;

struct snapshots {
    uint64_t epoch;
    request_t requests [REQUESTS];
    size_t count;
    buffer_t frame;
    buffer_t session;    //  the one that is being written
};

snapshots_t *
snapshots_new (uint64_t epoch)
{
    snapshots_t *self = memory_new (1, sizeof *self);
    self->epoch = epoch;
    return self;
}

void
snapshots_destroy (snapshots_t **self_p)
{
    if (!*self_p)
        return;
    buffer_free (&(*self_p)->frame);
    buffer_free (&(*self_p)->session);
    free (*self_p);
    *self_p = NULL;
}

static void
drop (snapshots_t *self, size_t at)
{
    self->count--;
    memmove (&self->requests [at], &self->requests [at + 1], (self->count - at) * sizeof *self->requests);
}

void
snapshots_forget (snapshots_t *self, uint32_t peer)
{
    size_t at = 0;
    while (at < self->count)
        if (self->requests [at].peer == peer)
            drop (self, at);
        else
            at++;
}

void
snapshots_ask (snapshots_t *self, uint32_t peer, const usher_snapshot_request_t *asked)
{
    snapshots_forget (self, peer);
    if (self->count == REQUESTS)
        return;
    request_t request = { .peer = peer, .id = asked->request };
    memset (request.slots, asked->slots.size ? 0 : 0xff, sizeof request.slots);
    size_t size = asked->slots.size < sizeof request.slots ? asked->slots.size : sizeof request.slots;
    if (size)
        memcpy (request.slots, asked->slots.data, size);
    self->requests [self->count++] = request;
}

//  ---- writing

static void
frame_send (snapshots_t *self, uint32_t peer, outbox_t *out)
{
    if (self->frame.size > USHER_FRAME_HEAD)
        outbox_put_frame (out, USHER_LINK_snapshots, peer, self->frame.data, self->frame.size);
    self->frame.size = 0;
}

//  Appends an encoded message, closing the frame before it where it would grow too large.
static void
frame_add (snapshots_t *self, uint32_t peer, const void *data, size_t size, outbox_t *out)
{
    if (self->frame.size && self->frame.size + size > FRAME_BYTES)
        frame_send (self, peer, out);
    if (!self->frame.size) {
        usher_frame_begin (buffer_reserve (&self->frame, USHER_FRAME_HEAD), USHER_FRAME_HEAD);
        self->frame.size = USHER_FRAME_HEAD;
    }
    buffer_add (&self->frame, data, size);
}

static void
add_head (snapshots_t *self, const request_t *request, uint32_t slot, uint64_t seq, uint32_t last,
          outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_snapshot_slot,
                        .snapshot_slot = { request->id, self->epoch, slot, seq, last } };
    uint8_t bytes [64];
    size_t size = usher_encode (&msg, bytes, sizeof bytes);
    frame_add (self, request->peer, bytes, size, out);
}

//  Returns the bytes that the session took.
static size_t
add_session (snapshots_t *self, uint32_t peer, const last_value_entry_t *entry, uint32_t slot, outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_session };
    last_value_decode (entry, slot, &msg.session);
    self->session.size = 0;
    records_add (&self->session, &msg);
    frame_add (self, peer, self->session.data, self->session.size, out);
    return self->session.size;
}

//  Returns the bytes that the slot took.
static size_t
add_slot (snapshots_t *self, const request_t *request, const last_value_t *sessions, uint64_t seq,
          outbox_t *out)
{
    uint32_t slot = request->next;
    size_t bytes = 16;
    add_head (self, request, slot, seq, 0, out);
    for (size_t at = 0; at < last_value_places (sessions, slot); at++) {
        const last_value_entry_t *entry = last_value_at (sessions, slot, at);
        if (entry)
            bytes += add_session (self, request->peer, entry, slot, out);
    }
    return bytes;
}

static void
advance (request_t *request)
{
    while (request->next < USHER_SLOTS && !(request->slots [request->next / 8] >> request->next % 8 & 1))
        request->next++;
}

bool
snapshots_turn (snapshots_t *self, const last_value_t *sessions, snapshots_seq_fn *seq_of, const void *arg,
                outbox_t *out)
{
    if (!self->count)
        return false;
    request_t request = self->requests [0];
    drop (self, 0);
    size_t bytes = 0;
    for (advance (&request); request.next < USHER_SLOTS && bytes < TURN_BYTES; advance (&request)) {
        bytes += add_slot (self, &request, sessions, seq_of (arg, request.next), out);
        request.next++;
    }
    if (request.next >= USHER_SLOTS)
        add_head (self, &request, 0, 0, 1, out);
    else
        self->requests [self->count++] = request;
    frame_send (self, request.peer, out);
    buffer_clear (&self->frame, 2 * FRAME_BYTES);
    return self->count > 0;
}

size_t
snapshots_waiting (const snapshots_t *self)
{
    return self->count;
}
