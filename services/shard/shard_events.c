//  shard_events - events are worked in or held, and actors looked after when their time has come

#include "shard_private.h"
#include "memory.h"
#include "plain.h"

static uint64_t
earlier (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

int64_t
shard_feed_due (const shard_t *self, const session_t *session)
{
    return session->fed_ms + (int64_t)self->config->shard.feed_soft_s * 1000;
}

//  When the source's clock will show that, if it goes on as it does. A clock that races and stops makes soft facts late by
//  so many times feed_soft_s; one taken for slower than it is has the actor looked at again and again for nothing.
static uint64_t
feed_look (const shard_t *self, int64_t due_ms)
{
    int64_t left_ms = due_ms - self->now.mono_ms;
    return self->clock_ms + (left_ms > 0 ? (uint64_t)left_ms * self->pace : 0);
}

uint64_t
shard_look_at (const shard_t *self, roll_due_t due)
{
    if (due.feed_ms < ROLL_NEVER)
        due.clock_ms = earlier (due.clock_ms, feed_look (self, (int64_t)due.feed_ms));
    if (due.checkpoint_ms)
        due.clock_ms = earlier (due.clock_ms, shard_clock_at (self, (int64_t)due.checkpoint_ms));
    return due.clock_ms;
}

//  When silence makes something of a session.
static uint64_t
silence_due (const shard_t *self, const session_t *session)
{
    return earlier (session_deadline (session, self->config), session_forget_at (session, self->config));
}

roll_due_t
shard_actor_due (const void *arg, const actor_t *actor)
{
    const shard_t *self = arg;
    roll_due_t due = { ROLL_NEVER, ROLL_NEVER, actor->soft ? (uint64_t)actor->checkpoint_ms : 0 };
    for (size_t at = 0; at < actor->viewer.session_count; at++) {
        const session_t *session = &actor->viewer.sessions [at];
        if (!session->shown)
            continue;
        due.clock_ms = earlier (due.clock_ms, silence_due (self, session));
        if (session->unfed)
            due.feed_ms = earlier (due.feed_ms, (uint64_t)shard_feed_due (self, session));
    }
    return due;
}

static void
session_look (shard_t *self, actor_t *actor, session_t *session)
{
    if (session->unfed && shard_feed_due (self, session) <= self->now.mono_ms)
        shard_tell (self, actor, session, false);
    if (session_deadline (session, self->config) <= self->clock_ms) {
        usher_state_t becomes = session_expire (session, self->config);
        *(becomes == USHER_state_lost ? &self->counters.lost : &self->counters.failed) += 1;
        shard_tell (self, actor, session, false);
        shard_mark_dirty (self, actor, true);
    }
    if (session_forget_at (session, self->config) <= self->clock_ms) {
        shard_tell_gone (self, actor, session);
        shard_mark_dirty (self, actor, true);
    }
}

//  An actor leaves when nothing of it is live and all of it is written.
bool
shard_actor_leave (shard_t *self, actor_t *actor)
{
    if (shard_is_live (actor) || !actor->loaded || actor->hard || actor->soft || actor->flight ||
        actor->held_count)
        return false;
    roll_drop (self->roll, actor);
    return true;
}

void
shard_actor_look (shard_t *self, actor_t *actor)
{
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        if (actor->viewer.sessions [at].shown)
            session_look (self, actor, &actor->viewer.sessions [at]);
    if (actor->soft && actor->checkpoint_ms <= self->now.mono_ms)
        actor->hard = true;
    if (actor->hard)
        shard_write_start (self, actor);
    if (shard_actor_leave (self, actor))
        return;
    uint64_t due = shard_look_at (self, shard_actor_due (self, actor));
    //  A write in flight may keep it here past its time; the answer looks again.
    if (due < ROLL_NEVER)
        wheel_put (self->wheel, &actor->seat->node,
                   due > self->clock_ms ? due : self->clock_ms + SHARD_RETRY_MS);
}

static void
count_outcome (shard_t *self, viewer_outcome_t outcome)
{
    uint64_t *counters [] = { &self->counters.applied, &self->counters.duplicate, &self->counters.late };
    ++*counters [outcome];
}

//  Tells the feed of an event's session, now or with the next soft facts.
static void
event_tell (shard_t *self, actor_t *actor, const usher_event_t *event, const viewer_effect_t *done)
{
    session_t *session = done->session;
    if (done->effect.changed || !session->shown || shard_feed_due (self, session) <= self->now.mono_ms)
        shard_tell (self, actor, session, false);
    else {
        session->unfed = true;
        wheel_put (self->wheel, &actor->seat->node, feed_look (self, shard_feed_due (self, session)));
    }
    if (done->effect.announce)
        shard_announce (self, actor, session, event);
    wheel_put (self->wheel, &actor->seat->node, silence_due (self, session));
}

void
shard_event_apply (shard_t *self, actor_t *actor, const usher_event_t *event)
{
    if (event->collected_ms <= actor->erased_ms) {
        self->counters.erased++;
        return;
    }
    viewer_effect_t done = viewer_take (&actor->viewer, event, shard_expires_s (self));
    count_outcome (self, done.outcome);
    if (done.outcome == VIEWER_DUPLICATE && !done.effect.changed)
        return;
    shard_mark_dirty (self, actor, done.effect.hard);
    if (!done.session)
        return;
    session_reconsider (done.session, self->config, self->clock_ms);
    if (done.outcome != VIEWER_LATE || done.session->shown)
        event_tell (self, actor, event, &done);
    for (session_t *session; (session = viewer_excess (&actor->viewer));)
        shard_fold (self, actor, session);
}

//  What an actor has not written holds its frame up, whether this event or an earlier one is the cause: a replay's
//  receipt must not overtake the write of what it repeats.
static void
event_wait (shard_t *self, actor_t *actor, uint32_t peer)
{
    if (actor->hard)
        tickets_take (&actor->dirty, self->receipts, peer);
    else if (actor->flight)
        tickets_take (&actor->flight->tickets, self->receipts, peer);
}

void
shard_load_send (shard_t *self, actor_t *actor)
{
    if (!self->store_up || actor->load_sent)
        return;
    usher_msg_t msg = { .id = USHER_MSG_load, .load = { actor->viewer.id } };
    outbox_put (self->out, USHER_LINK_store, 0, &msg);
    actor->load_sent = true;
    self->counters.loads++;
}

static void
event_hold (shard_t *self, actor_t *actor, const usher_msg_t *msg)
{
    actor->held = memory_resize (actor->held, actor->held_count + 1, sizeof *actor->held);
    held_event_t *held = &actor->held [actor->held_count++];
    size_t bound = usher_encode_bound (msg);
    held->data = memory_new (bound, 1);
    held->size = usher_encode (msg, held->data, bound);
    held->data = memory_resize (held->data, held->size, 1);
    if (actor->held_count == 1)
        actor->held_ms = self->now.mono_ms;
    held->ticket = receipts_take (self->receipts, self->batch_peer);
    actor->held_bytes += held->size + sizeof *held;
    self->counters.held++;
    shard_load_send (self, actor);
    shard_partial_see (self, actor, &msg->event);
}

static void
batch_take (shard_t *self, uint32_t peer, const usher_batch_t *batch)
{
    self->batch_peer = peer;
    self->batch_open = receipts_begin (self->receipts, peer, batch->seq);
    if (!self->batch_open) {
        self->counters.frames_refused++;
        return;
    }
    self->counters.frames++;
    if (batch->clock_ms > self->clock_ms)
        self->clock_ms = batch->clock_ms;
}

//  An event of who sleeps, if it leaves it asleep: what shard_event_apply, event_tell and event_wait would do.
static bool
event_take_asleep (shard_t *self, uint32_t peer, seat_t *seat, const usher_event_t *event)
{
    session_t *session = &self->asleep;
    int64_t told_ms = self->now.mono_ms - (int64_t)self->config->shard.feed_soft_s * 1000;
    if (!plain_take (seat, event, told_ms, session))
        return false;
    self->counters.applied++;
    self->counters.asleep++;
    roll_due_t due = { silence_due (self, session), (uint64_t)shard_feed_due (self, session),
                       roll_due (seat).checkpoint_ms };
    if (!due.checkpoint_ms) {
        self->dirty++;
        due.checkpoint_ms = (uint64_t)shard_checkpoint_begin (self, seat, usher_slot (event->viewer_id));
    }
    roll_due_keep (seat, due);
    wheel_put (self->wheel, &seat->node, feed_look (self, (int64_t)due.feed_ms));
    wheel_put (self->wheel, &seat->node, due.clock_ms);
    if (seat->in_flight)
        tickets_take (&seat->flight->tickets, self->receipts, peer);
    return true;
}

static void
event_take (shard_t *self, uint32_t peer, const usher_msg_t *msg, seat_t *seat)
{
    if (!self->batch_open || peer != self->batch_peer)
        return;
    if (seat && seat->asleep && event_take_asleep (self, peer, seat, &msg->event))
        return;
    actor_t *actor = seat ? roll_wake (self->roll, seat) : roll_get (self->roll, msg->event.viewer_id);
    if (actor->loaded) {
        shard_event_apply (self, actor, &msg->event);
        event_wait (self, actor, peer);
        if (actor->hard)
            shard_write_start (self, actor);
    } else
        event_hold (self, actor, msg);
    shard_unwritten_note (self, actor);
}

//  ---- lots

static bool
has_attributes (const usher_event_t *event)
{
    return event->has || event->ad_id.size || event->platform.size || event->user_agent.size;
}

//  Those from begin to end.
static void
lot_take_in (shard_t *self, const lot_t *lot, size_t begin, size_t end)
{
    roll_ahead_t ahead;
    ahead.count = 0;
    for (size_t at = begin; at < end; at++)
        if (lot->messages [at].id == USHER_MSG_event)
            roll_ahead_add (&ahead, lot->messages [at].event.viewer_id,
                            has_attributes (&lot->messages [at].event));
    roll_ahead (self->roll, &ahead);
    size_t events = 0;
    for (size_t at = begin; at < end; at++)
        if (lot->messages [at].id == USHER_MSG_event) {
            const usher_msg_t *msg = &lot->messages [at];
            roll_ahead_next (&ahead, events);
            event_take (self, lot->tags [at], msg,
                        roll_ahead_seat (self->roll, &ahead, events++, msg->event.viewer_id));
        } else if (lot->messages [at].id == USHER_MSG_batch)
            batch_take (self, lot->tags [at], &lot->messages [at].batch);
}

void
shard_events_let_in (void *arg, const lot_t *lot)
{
    lot_take_in (arg, lot, 0, lot->count);
}

void
shard_events (void *arg, const lot_t *lot, outbox_t *out)
{
    shard_t *self = arg;
    self->out = out;
    size_t begin = 0;
    for (size_t at = 0; at < lot->count; at++)
        if (shard_frame_waits (self, lot->tags [at], &lot->messages [at], lot->bytes [at])) {
            lot_take_in (self, lot, begin, at);
            begin = at + 1;
        }
    lot_take_in (self, lot, begin, lot->count);
}
