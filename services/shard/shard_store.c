//  shard_store - slots are granted, profiles loaded, viewers forgotten

#include "shard_private.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
held_apply (shard_t *self, actor_t *actor)
{
    for (size_t at = 0; at < actor->held_count; at++) {
        held_event_t *held = &actor->held [at];
        usher_frame_t frame;
        usher_msg_t msg;
        usher_records_open (&frame, held->data, held->size);
        if (usher_decode (&frame, &msg) == USHER_OK)
            shard_event_apply (self, actor, &msg.event);
        self->counters.held--;
        if (actor->hard) {
            //  The held event's own ticket moves to the write that will make it durable.
            tickets_put (&actor->dirty, self->receipts, held->ticket);
        } else
            receipts_give_back (self->receipts, held->ticket);
        free (held->data);
    }
    free (actor->held);
    actor->held = NULL;
    actor->held_count = actor->held_bytes = 0;
}

//  Sessions that were live when they were stored are live again, with a timeout of grace.
static void
actor_wake (shard_t *self, actor_t *actor)
{
    for (size_t at = 0; at < actor->viewer.session_count; at++) {
        session_t *session = &actor->viewer.sessions [at];
        session->grace_ms = self->clock_ms;
        session->restored = true;
        session->shown = session_forget_at (session, self->config) > self->clock_ms;
    }
    //  Once it is known which are shown: each says what the others were.
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        if (actor->viewer.sessions [at].shown)
            shard_tell (self, actor, &actor->viewer.sessions [at], false);
    wheel_put (self->wheel, &actor->seat->node, self->clock_ms + 1);
}

//  Which row the next write is to replace.
static void
stored_note (actor_t *actor, const usher_loaded_t *loaded)
{
    actor->stored_epoch = loaded->epoch;
    actor->stored_version = loaded->version;
    actor->stored_row = loaded->row;
}

static void
reload_take (shard_t *self, actor_t *actor, const usher_loaded_t *loaded)
{
    actor->reload = false;
    //  The owner of a slot is asked before anybody is erased, so who missed that is not the owner any more.
    if (loaded->epoch > self->epoch || loaded->erased_ms > actor->erased_ms) {
        self->stale = true;
        return;
    }
    //  The row is not the one we replaced: ours is the newer truth, so write it over this one.
    stored_note (actor, loaded);
    self->counters.rewrites++;
    shard_write_start (self, actor);
}

void
shard_on_loaded (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    const usher_loaded_t *loaded = &msg->loaded;
    actor_t *actor = roll_get (self->roll, loaded->viewer_id);
    if (actor->reload) {
        reload_take (self, actor, loaded);
        return;
    }
    if (actor->loaded)
        return;
    //  From before the erasure that we carried out since; the answer from after it is still to come.
    if (loaded->erased_ms < actor->erased_ms)
        return;
    if (loaded->epoch && !viewer_restore (&actor->viewer, loaded->profile.data, loaded->profile.size))
        log_error ("profile damaged", "slot=%u epoch=%" PRIu64 " version=%" PRIu64 " hint=\"it begins anew\"",
                   actor->viewer.slot, loaded->epoch, loaded->version);
    actor->loaded = true;
    actor->let_go = false;
    stored_note (actor, loaded);
    actor->erased_ms = loaded->erased_ms;
    if (loaded->unsure.size) {
        viewer_mend (&actor->viewer, loaded->unsure, shard_expires_s (self));
        shard_mark_dirty (self, actor, true);
    }
    actor_wake (self, actor);
    held_apply (self, actor);
    shard_partial_end (self, actor);
    if (actor->hard)
        shard_write_start (self, actor);
    shard_unwritten_note (self, actor);
}

static void
load_live_send (shard_t *self)
{
    usher_msg_t msg = { .id = USHER_MSG_load_live };
    msg.load_live = (usher_load_live_t){ usher_bytes (self->owners, self->owners_size), self->number,
                                         usher_str (self->live_after) };
    outbox_put (self->out, USHER_LINK_store, 0, &msg);
}

void
shard_on_live_page (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    if (msg->live_page.last) {
        self->live_loaded = true;
        return;
    }
    snprintf (self->live_after, sizeof self->live_after, "%.*s", (int)msg->live_page.after.size,
              msg->live_page.after.data);
    load_live_send (self);
}

void
shard_claim (shard_t *self)
{
    if (!self->store_up || self->epoch || self->owners_size == 0)
        return;
    usher_msg_t msg = { .id = USHER_MSG_claim };
    msg.claim = (usher_claim_t){ self->number, usher_bytes (self->owners, self->owners_size) };
    outbox_put (self->out, USHER_LINK_store, 0, &msg);
}

void
shard_on_granted (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    if (self->epoch)
        return;
    self->epoch = msg->granted.epoch;
    log_info ("epoch granted", "epoch=%" PRIu64, self->epoch);
    load_live_send (self);
    //  Profiles may have come before: what events have made of them since waited for an epoch to be written under.
    for (actor_t *actor = NULL; (actor = roll_next_awake (self->roll, actor));)
        if (actor->hard)
            shard_write_start (self, actor);
}

void
shard_on_slots (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    memcpy (self->owners, msg->slots.owners.data, msg->slots.owners.size);
    self->owners_size = msg->slots.owners.size;
    shard_claim (self);
}

//  A store that is back has forgotten what was asked.
void
shard_store_begin (shard_t *self)
{
    shard_claim (self);
    if (self->epoch && !self->live_loaded)
        load_live_send (self);
    //  Who is asleep waits for no profile.
    for (actor_t *actor = NULL; (actor = roll_next_awake (self->roll, actor));) {
        actor->load_sent = false;
        if (!actor->loaded || actor->reload)
            shard_load_send (self, actor);
    }
    shard_writes_send_again (self);
}

//  ---- erasure

//  Nothing that we hold was collected later: the source's clock is the newest evidence of all.
static uint64_t
erasure_instant (const shard_t *self, uint64_t wished_ms)
{
    uint64_t instant_ms = (uint64_t)self->now.wall_ms;
    if (instant_ms < self->clock_ms)
        instant_ms = self->clock_ms;
    return instant_ms > wished_ms ? instant_ms : wished_ms;
}

//  Lets go of all that an actor holds, written or not; who waited for it to be written need not wait any more. Events
//  that wait for the viewer to be loaded go on waiting: some may have been collected after the instant.
static void
actor_let_go (shard_t *self, actor_t *actor)
{
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        if (actor->viewer.sessions [at].shown)
            shard_tell (self, actor, &actor->viewer.sessions [at], true);
    shard_partial_end (self, actor);
    viewer_empty (&actor->viewer);
    if (actor->flight) {
        tickets_give_back (&actor->flight->tickets, self->receipts);
        shard_write_forget (self, actor);
    }
    if (actor->hard || actor->soft)
        self->dirty--;
    actor->hard = actor->soft = actor->reload = actor->loaded = false;
    tickets_give_back (&actor->dirty, self->receipts);
}

//  What the store is answered. An owner that is asked again names the same instant: what it holds was collected after that. One
//  that holds nothing names what would do, and takes whichever the store says.
static usher_forgotten_t
actor_forget (shard_t *self, actor_t *actor, uint64_t wished_ms)
{
    uint64_t instant_ms = erasure_instant (self, wished_ms);
    bool held = actor->loaded || actor->let_go, missed = actor->erased_ms < wished_ms;
    if (missed) {
        actor_let_go (self, actor);
        actor->erased_ms = held ? instant_ms : wished_ms;
    }
    actor->let_go = held && !actor->loaded;
    return (usher_forgotten_t){ actor->viewer.id, held ? actor->erased_ms : instant_ms, wished_ms, !held };
}

static bool
is_owner (const shard_t *self, usher_str_t viewer_id)
{
    uint32_t slot = usher_slot (viewer_id);
    return slot < self->owners_size && (uint8_t)self->owners [slot] == self->number;
}

//  The actor is there from now on even if it was not, unloaded, until the store answers a question that was asked
//  behind `forgotten`: rows of the viewer that are under way to us do not wake anybody up.
void
shard_on_forget (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    if (!is_owner (self, msg->forget.viewer_id))
        return;
    actor_t *actor = roll_get (self->roll, msg->forget.viewer_id);
    usher_msg_t done = { .id = USHER_MSG_forgotten,
                         .forgotten = actor_forget (self, actor, msg->forget.wished_ms) };
    outbox_put (self->out, USHER_LINK_store, 0, &done);
    actor->load_sent = false;
    shard_load_send (self, actor);
    shard_unwritten_note (self, actor);
}

//  ---- ahead

static usher_str_t
answered_viewer (const usher_msg_t *msg)
{
    if (msg->id == USHER_MSG_written)
        return msg->written.viewer_id;
    return msg->id == USHER_MSG_loaded ? msg->loaded.viewer_id : (usher_str_t){ 0 };
}

void
shard_expect (const void *arg, const lot_t *lot)
{
    const shard_t *self = arg;
    roll_ahead_t ahead;
    ahead.count = 0;
    for (size_t at = 0; at < lot->count; at++) {
        usher_str_t viewer_id = answered_viewer (&lot->messages [at]);
        if (viewer_id.size)
            roll_ahead_add (&ahead, viewer_id, false);
    }
    roll_ahead (self->roll, &ahead);
    for (size_t at = 0; at < ahead.count; at++)
        roll_ahead_next (&ahead, at);
}
