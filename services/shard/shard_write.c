//  shard_write - profiles and their history on the way to the store, one write of a viewer at a time

#include "shard_private.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROFILE_MAX = 262144,     //  bytes; the limit of write.profile
    ROWS_MAX = 1024 * 1024    //  bytes of history in one frame to the store
};

uint64_t
shard_expires_s (const shard_t *self)
{
    return (uint64_t)self->now.wall_ms / 1000 + (uint64_t)self->config->store.expire_days * 86400;
}

bool
shard_is_live (const actor_t *actor)
{
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        if (actor->viewer.sessions [at].shown)
            return true;
    return false;
}

//  Never one that an earlier write had, so that its answer is not taken for this one's.
static uint64_t
next_version (const actor_t *actor)
{
    uint64_t last =
        actor->stored_version > actor->writing_version ? actor->stored_version : actor->writing_version;
    return last + 1;
}

//  Builds the frame of a write: history rows first, then the profile that they belong to.
static void
write_build (shard_t *self, actor_t *actor)
{
    viewer_t *viewer = &actor->viewer;
    for (session_t *session; (session = viewer_shrink (viewer, PROFILE_MAX));)
        shard_fold (self, actor, session);
    size_t bound = viewer_store_bound (viewer);
    uint8_t *profile = memory_new (bound, 1);
    size_t profile_size = viewer_store (viewer, profile, bound);
    usher_msg_t msg = { .id = USHER_MSG_write };
    msg.write = (usher_write_t){
        .viewer_id = viewer->id,
        .old_epoch = actor->stored_epoch,
        .old_version = actor->stored_version,
        .epoch = self->epoch,
        .version = next_version (actor),
        .slot = viewer->slot,
        .live = shard_is_live (actor),
        .expires_s = shard_expires_s (self),
        .profile = usher_bytes (profile, profile_size),
        .erased_ms = actor->erased_ms,
        .row = actor->stored_row,
    };
    if (profile_size == 0)
        abort ();    //  a field beyond its limit: event's are no larger than session_record's
    size_t room = USHER_FRAME_HEAD + viewer->rows_used + usher_encode_bound (&msg);
    flight_t *flight = memory_resize (NULL, sizeof *flight + room, 1);
    size_t used = usher_frame_begin (flight->frame, room);
    if (viewer->rows_used)
        memcpy (flight->frame + used, viewer->rows, viewer->rows_used);
    used += viewer->rows_used;
    used += usher_encode (&msg, flight->frame + used, room - used);
    *flight = (flight_t){ .size = used,
                          .rows = viewer->rows_used,
                          .old_epoch = msg.write.old_epoch,
                          .old_version = msg.write.old_version,
                          .row = msg.write.row,
                          .epoch = msg.write.epoch,
                          .version = msg.write.version,
                          .tickets = actor->dirty };
    actor->dirty = (tickets_t){ 0 };
    actor->flight = flight;
    actor->writing_version = msg.write.version;
    free (profile);
}

//  The frame as it is, or where history is more than a link carries at once, in several: the store keeps rows until the
//  write that they came with.
static void
flight_send (shard_t *self, const flight_t *flight)
{
    if (!self->store_up)
        return;
    if (flight->rows <= ROWS_MAX) {
        outbox_join (self->out, USHER_LINK_store, 0, flight->frame, flight->size);
        return;
    }
    usher_frame_t frame;
    usher_msg_t msg;
    usher_frame_open (&frame, flight->frame, flight->size);
    while (usher_decode (&frame, &msg) == USHER_OK)
        outbox_put (self->out, USHER_LINK_store, 0, &msg);
}

void
shard_writes_send_again (shard_t *self)
{
    size_t left = self->writes_in_flight, cursor = 0;
    for (seat_t *seat; left > 0 && (seat = roll_next (self->roll, &cursor));) {
        const flight_t *flight = seat_flight (seat);
        if (!flight)
            continue;
        flight_send (self, flight);
        left--;
    }
}

//  Starts a write if there is something to write and none is in flight.
void
shard_write_start (shard_t *self, actor_t *actor)
{
    if (self->epoch == 0 || !actor->loaded || actor->reload || actor->flight || !(actor->hard || actor->soft))
        return;
    write_build (self, actor);
    viewer_rows_forget (&actor->viewer);
    actor->hard = actor->soft = false;
    self->dirty--;
    self->writes_in_flight++;
    self->counters.writes++;
    shard_unwritten_note (self, actor);
    flight_send (self, actor->flight);
}

//  The source's clock at a monotonic instant, if the two go alike until then. In a backlog the source's clock races: who
//  is looked at too early for that is looked at again.
uint64_t
shard_clock_at (const shard_t *self, int64_t mono_ms)
{
    return self->clock_ms + (mono_ms > self->now.mono_ms ? (uint64_t)(mono_ms - self->now.mono_ms) : 0);
}

int64_t
shard_checkpoint_begin (shard_t *self, seat_t *seat, uint32_t slot)
{
    //  Jitter, from the viewer itself, so that checkpoints of many spread out.
    int64_t checkpoint_ms = (int64_t)self->config->shard.checkpoint_s * 1000;
    int64_t due_ms = self->now.mono_ms + checkpoint_ms + checkpoint_ms * (slot % 256) / 1024;
    due_ms = (due_ms / 1000 + 1) * 1000;
    wheel_put (self->wheel, &seat->node, shard_clock_at (self, due_ms));
    return due_ms;
}

void
shard_mark_dirty (shard_t *self, actor_t *actor, bool hard)
{
    if (!actor->hard && !actor->soft)
        self->dirty++;
    if (!hard && !actor->soft)
        actor->checkpoint_ms = shard_checkpoint_begin (self, actor->seat, actor->viewer.slot);
    actor->hard = actor->hard || hard;
    actor->soft = actor->soft || !hard;
}

void
shard_write_forget (shard_t *self, actor_t *actor)
{
    flight_free (&actor->flight);
    self->writes_in_flight--;
}

static void
write_settled (shard_t *self, actor_t *actor, uint64_t row)
{
    actor->stored_epoch = actor->flight->epoch;
    actor->stored_version = actor->flight->version;
    actor->stored_row = row;
    tickets_give_back (&actor->flight->tickets, self->receipts);
    shard_write_forget (self, actor);
}

//  The row is not the one that was to be replaced: its history rows and whoever waited for them wait for the next
//  write, once the row has been read again.
static void
write_take_back (shard_t *self, actor_t *actor)
{
    viewer_rows_prepend (&actor->viewer, actor->flight->frame + USHER_FRAME_HEAD, actor->flight->rows);
    tickets_move (&actor->dirty, self->receipts, &actor->flight->tickets);
    shard_write_forget (self, actor);
    self->counters.refused++;
    shard_mark_dirty (self, actor, true);
    actor->reload = true;
    actor->load_sent = false;
    shard_load_send (self, actor);
}

//  What was awaited, of who sleeps and has something live: it sleeps on. Its bytes tell of the row as if it were so (roll.c).
static bool
settled_asleep (shard_t *self, seat_t *seat, const usher_written_t *written)
{
    flight_t *flight = seat_flight (seat);
    if (!seat->asleep || written->outcome != USHER_outcome_done || written->row != flight->row ||
        roll_due (seat).clock_ms == ROLL_NEVER)
        return false;
    self->unwritten -= flight->size;
    self->writes_in_flight--;
    tickets_give_back (&flight->tickets, self->receipts);
    roll_land (seat);
    return true;
}

void
shard_on_written (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    seat_t *seat = roll_find (self->roll, msg->written.viewer_id);
    const flight_t *flight = seat ? seat_flight (seat) : NULL;
    if (!flight || msg->written.epoch != flight->epoch || msg->written.version != flight->version)
        return;    //  the answer to a write that was sent twice
    if (msg->written.outcome == USHER_outcome_failed) {
        self->retry = true;
        return;
    }
    if (settled_asleep (self, seat, &msg->written))
        return;
    actor_t *actor = roll_wake (self->roll, seat);
    if (msg->written.outcome == USHER_outcome_refused)
        write_take_back (self, actor);
    else
        write_settled (self, actor, msg->written.row);
    if (actor->hard)
        shard_write_start (self, actor);
    shard_unwritten_note (self, actor);
    if (!shard_actor_leave (self, actor))
        roll_rest (self->roll, actor);
}
