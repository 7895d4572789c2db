//  lane - the frames on their way to one shard, or to quarantine, until they are durable

#include "lane.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEAD_ROOM = 64,    //  for the frame's head and its batch message, written last
    FULL_BYTES = 64 * 1024
};

typedef struct {
    uint32_t partition;
    uint64_t first;
} first_t;

typedef struct {
    uint64_t seq;
    size_t begin, size;    //  of what to send, within data
    uint8_t *data;
    bool durable;    //  while one before it is not
    size_t events, first_count;
    first_t *firsts;    //  a partition each
} frame_t;

struct lane {
    usher_link_id_t link;
    uint32_t peer;
    bool up;
    uint64_t seq, applied;
    size_t count, room,
        head;          //  ring of frames without a receipt, oldest at head; their numbers have no gaps
    size_t dropped;    //  of the oldest: their bytes are not kept any more
    frame_t *frames;
    frame_t building;
    size_t building_room;
    size_t kept, unapplied, events;
};

lane_t *
lane_new (usher_link_id_t link, uint32_t peer)
{
    lane_t *self = memory_new (1, sizeof *self);
    self->link = link;
    self->peer = peer;
    return self;
}

static frame_t *
frame_at (const lane_t *self, size_t at)
{
    return &self->frames [(self->head + at) % self->room];
}

static void
frame_free (frame_t *frame)
{
    free (frame->data);
    free (frame->firsts);
    *frame = (frame_t){ 0 };
}

void
lane_destroy (lane_t **self_p)
{
    lane_t *self = *self_p;
    if (!self)
        return;
    for (size_t at = 0; at < self->count; at++)
        frame_free (frame_at (self, at));
    frame_free (&self->building);
    free (self->frames);
    free (self);
    *self_p = NULL;
}

static void
frame_note (frame_t *frame, uint32_t partition, uint64_t offset)
{
    frame->events++;
    for (size_t at = frame->first_count; at-- > 0;)
        if (frame->firsts [at].partition == partition)
            return;
    frame->firsts = memory_resize (frame->firsts, frame->first_count + 1, sizeof *frame->firsts);
    frame->firsts [frame->first_count++] = (first_t){ partition, offset };
}

static void
frame_send (const lane_t *self, const frame_t *frame, outbox_t *out)
{
    if (self->up)
        outbox_put_frame (out, self->link, self->peer, frame->data + frame->begin, frame->size);
}

//  Takes the built frame over into the ring.
static void
frame_close (lane_t *self, outbox_t *out)
{
    if (self->count == self->room) {
        size_t room = self->room ? self->room * 2 : 16;
        frame_t *frames = memory_new (room, sizeof *frames);
        for (size_t at = 0; at < self->count; at++)
            frames [at] = *frame_at (self, at);
        free (self->frames);
        self->frames = frames;
        self->room = room;
        self->head = 0;
    }
    frame_t *frame = frame_at (self, self->count++);
    *frame = self->building;
    self->building = (frame_t){ 0 };
    self->building_room = 0;
    self->kept += frame->size;
    self->unapplied += frame->size;
    frame_send (self, frame, out);
}

static void
building_reserve (lane_t *self, size_t bytes)
{
    frame_t *frame = &self->building;
    if (frame->data && self->building_room >= HEAD_ROOM + bytes)
        return;
    self->building_room = HEAD_ROOM + bytes;
    frame->data = memory_resize (frame->data, self->building_room, 1);
    frame->begin = HEAD_ROOM;
}

//  Writes an event behind those that are there. Returns false when there is no room.
static bool
building_write (lane_t *self, const usher_msg_t *event)
{
    frame_t *frame = &self->building;
    size_t at = frame->begin + frame->size;
    size_t size = usher_encode (event, frame->data + at, self->building_room - at);
    frame->size += size;
    return size > 0;
}

//  The head goes in last, right before the events: only now is the clock known.
static void
batch_close (lane_t *self, uint64_t clock_ms, outbox_t *out)
{
    frame_t *frame = &self->building;
    usher_msg_t msg = { .id = USHER_MSG_batch, .batch = { ++self->seq, clock_ms } };
    uint8_t head [HEAD_ROOM];
    size_t used = usher_frame_begin (head, sizeof head);
    used += usher_encode (&msg, head + used, sizeof head - used);
    memcpy (frame->data + HEAD_ROOM - used, head, used);
    frame->begin = HEAD_ROOM - used;
    frame->size += used;
    frame->seq = self->seq;
    frame_close (self, out);
}

void
lane_add (lane_t *self, const usher_msg_t *event, uint32_t partition, uint64_t offset, uint64_t clock_ms,
          outbox_t *out)
{
    building_reserve (self, FULL_BYTES);
    if (!building_write (self, event)) {
        if (self->building.size)
            batch_close (self, clock_ms, out);
        size_t bound = usher_encode_bound (event);
        building_reserve (self, bound > FULL_BYTES ? bound : FULL_BYTES);
        if (!building_write (self, event))
            abort ();    //  the decoders keep every field within its limit
    }
    frame_note (&self->building, partition, offset);
    self->events++;
}

void
lane_add_single (lane_t *self, usher_msg_t *msg, uint32_t partition, uint64_t offset, outbox_t *out)
{
    msg->quarantine.seq = ++self->seq;
    size_t bound = usher_encode_bound (msg) + USHER_FRAME_HEAD;
    frame_t *frame = &self->building;
    frame->data = memory_new (bound, 1);
    frame->size = usher_frame_begin (frame->data, bound);
    frame->size += usher_encode (msg, frame->data + frame->size, bound - frame->size);
    frame->seq = self->seq;
    frame_note (frame, partition, offset);
    self->events++;
    frame_close (self, out);
}

void
lane_flush (lane_t *self, uint64_t clock_ms, bool beat, outbox_t *out)
{
    //  An empty frame for somebody who is not there would only be kept.
    if (self->building.size == 0 && !(beat && self->up && self->applied == self->seq))
        return;
    building_reserve (self, FULL_BYTES);
    batch_close (self, clock_ms, out);
}

bool
lane_restart (lane_t *self, outbox_t *out)
{
    if (self->dropped)
        return false;
    self->up = true;
    self->unapplied = self->kept;
    for (size_t at = 0; at < self->count; at++)
        frame_send (self, frame_at (self, at), out);
    if (self->count)
        self->applied = frame_at (self, 0)->seq - 1;
    return true;
}

void
lane_trim (lane_t *self, size_t max)
{
    while (self->kept > max && self->dropped < self->count) {
        frame_t *frame = frame_at (self, self->dropped);
        if (frame->seq > self->applied)
            return;
        self->kept -= frame->size;
        frame->size = 0;
        free (frame->data);
        frame->data = NULL;
        self->dropped++;
    }
}

void
lane_stop (lane_t *self)
{
    self->up = false;
}

void
lane_applied (lane_t *self, uint64_t seq)
{
    if (self->count == 0 || seq <= self->applied)
        return;
    uint64_t first = frame_at (self, 0)->seq, next = self->applied < first ? first : self->applied + 1;
    for (; next <= seq && next - first < self->count; next++)
        self->unapplied -= frame_at (self, next - first)->size;
    self->applied = seq;
}

void
lane_durable (lane_t *self, uint64_t seq)
{
    lane_applied (self, seq);
    while (self->count && frame_at (self, 0)->seq <= seq) {
        frame_t *frame = frame_at (self, 0);
        self->kept -= frame->size;
        self->events -= frame->events;
        frame_free (frame);
        self->head = (self->head + 1) % self->room;
        self->count--;
        self->dropped -= self->dropped > 0;
    }
}

void
lane_durable_one (lane_t *self, uint64_t seq)
{
    for (size_t at = 0; at < self->count; at++)
        if (frame_at (self, at)->seq == seq)
            frame_at (self, at)->durable = true;
    while (self->count && frame_at (self, 0)->durable)
        lane_durable (self, frame_at (self, 0)->seq);
}

size_t
lane_unapplied (const lane_t *self)
{
    return self->unapplied;
}

size_t
lane_kept (const lane_t *self)
{
    return self->kept + self->building.size;
}

size_t
lane_frames (const lane_t *self)
{
    return self->count;
}

size_t
lane_events (const lane_t *self)
{
    return self->events;
}

static void
frame_first (const frame_t *frame, uint32_t partition, uint64_t *next)
{
    for (size_t at = 0; at < frame->first_count; at++)
        if (frame->firsts [at].partition == partition && frame->firsts [at].first < *next)
            *next = frame->firsts [at].first;
}

void
lane_first (const lane_t *self, uint32_t partition, uint64_t *next)
{
    for (size_t at = 0; at < self->count; at++)
        frame_first (frame_at (self, at), partition, next);
    frame_first (&self->building, partition, next);
}
