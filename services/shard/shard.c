//  shard - hosts the viewer actors of its slots
//
//  in     control slots; events batch, event; store granted, loaded, live_page, written, forget; changes fill
//  out    events applied, durable; store claim, load, load_live, write with its history, forgotten; changes session,
//         announce, filled
//  keeps  every live viewer's profile, with at most one write of it in flight
//  drain  until everything applied is written and acknowledged
//  death  costs the soft facts since the last checkpoint; the ingester sends again what had no receipt, and the
//         profiles' positions keep that from counting twice

#include "shard.h"
#include "roll.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILL_PER_TURN = 512,      //  actors told to a starting publisher in one turn
    RETRY_MS = 1000,          //  after a failed write
    PROFILE_MAX = 262144,     //  bytes; the limit of write.profile
    ROWS_MAX = 1024 * 1024    //  bytes of history in one frame to the store
};

struct shard {
    const config_t *config;
    uint32_t number;
    usher_time_t now;
    uint64_t clock_ms;    //  the source's clock; never goes back
    uint64_t epoch;       //  0: not granted
    bool store_up, live_loaded, stale, publisher_up, publisher_full, filling, retry;
    size_t fill_cursor;
    uint32_t owners_size;
    char owners [USHER_SLOTS];
    uint32_t batch_peer;
    bool batch_open;    //  events of batch_peer count
    int64_t retry_ms;
    char live_after [1024];
    roll_t *roll;
    wheel_t *wheel;
    receipts_t *receipts;
    size_t writes_in_flight, loads_in_flight, dirty;
    shard_counters_t counters;
    outbox_t *out;    //  of the call that is under way
};

shard_t *
shard_new (const config_t *config, uint32_t number, usher_time_t now)
{
    shard_t *self = memory_new (1, sizeof *self);
    self->config = config;
    self->number = number;
    self->now = now;
    self->roll = roll_new ();
    self->wheel = wheel_new ();
    self->receipts = receipts_new ();
    return self;
}

void
shard_destroy (shard_t **self_p)
{
    shard_t *self = *self_p;
    if (!self)
        return;
    roll_destroy (&self->roll);
    wheel_destroy (&self->wheel);
    receipts_destroy (&self->receipts);
    free (self);
    *self_p = NULL;
}

const shard_counters_t *
shard_counters (const shard_t *self)
{
    return &self->counters;
}

bool
shard_is_stale (const shard_t *self)
{
    return self->stale;
}

//  ---- the feed

//  Are a session's totals no news? So it is too where the publisher has started and may not have heard of it yet.
static bool
is_restored (const shard_t *self, const session_t *session)
{
    return session->restored || (session->feed_version && !self->publisher_full);
}

static void
tell_session (shard_t *self, actor_t *actor, session_t *session, bool gone)
{
    usher_msg_t msg = { .id = USHER_MSG_session };
    if (!gone) {
        session->shown = true;
        session_describe (session, &msg.session);
        viewer_describe_earlier (&actor->viewer, &msg.session);
    }
    msg.session.restored = !gone && is_restored (self, session);
    msg.session.session_id = session->known.session_id;
    msg.session.slot = actor->viewer.slot;
    msg.session.viewer_id = actor->viewer.id;
    msg.session.epoch = self->epoch;
    msg.session.version = session->feed_version = ++actor->viewer.feed_version;
    msg.session.gone = gone;
    session->fed_ms = self->now.mono_ms;
    session->shown = !gone;
    session->unfed = false;
    session->restored = gone;
    if (self->publisher_up)
        outbox_put (self->out, USHER_LINK_changes, 0, &msg);
}

static void
announce (shard_t *self, actor_t *actor, const session_t *session, const usher_event_t *event)
{
    usher_msg_t msg = { .id = USHER_MSG_announce };
    msg.announce = (usher_announce_t){
        .slot = actor->viewer.slot,
        .viewer_id = actor->viewer.id,
        .epoch = self->epoch,
        .version = session->feed_version,
        .collected_ms = event->collected_ms,
        .event_id = event->event_id,
        .kind = event->kind,
        .video_s = event->video_s != event->video_s ? 0 : event->video_s,
        .ads_clicked = fold_clicked (&session->now),
        .ads_skipped = fold_skipped (&session->now),
        .ad_id = event->ad_id,
        .status = session_status (session),
    };
    if (self->publisher_up)
        outbox_put (self->out, USHER_LINK_changes, 0, &msg);
}

//  ---- writing

static uint64_t
expires_s (const shard_t *self)
{
    return (uint64_t)self->now.wall_ms / 1000 + (uint64_t)self->config->store.expire_days * 86400;
}

static bool
is_live (const actor_t *actor)
{
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        if (actor->viewer.sessions [at].shown)
            return true;
    return false;
}

//  What the others say of earlier sessions goes out with their next soft facts.
static void
tell_gone (shard_t *self, actor_t *actor, session_t *session)
{
    tell_session (self, actor, session, true);
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        actor->viewer.sessions [at].unfed |= actor->viewer.sessions [at].shown;
}

static void
session_fold (shard_t *self, actor_t *actor, session_t *session)
{
    if (session->shown)
        tell_gone (self, actor, session);
    viewer_fold (&actor->viewer, session);
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
        session_fold (self, actor, session);
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
        .live = is_live (actor),
        .expires_s = expires_s (self),
        .profile = usher_bytes (profile, profile_size),
        .erased_ms = actor->erased_ms,
    };
    if (profile_size == 0)
        abort ();    //  a field beyond its limit: event's are no larger than session_record's
    size_t room = USHER_FRAME_HEAD + viewer->rows_used + usher_encode_bound (&msg);
    actor->writing = memory_new (room, 1);
    size_t used = usher_frame_begin (actor->writing, room);
    if (viewer->rows_used)
        memcpy (actor->writing + used, viewer->rows, viewer->rows_used);
    used += viewer->rows_used;
    actor->writing_rows = viewer->rows_used;
    used += usher_encode (&msg, actor->writing + used, room - used);
    actor->writing_size = used;
    actor->writing_version = msg.write.version;
    free (profile);
}

//  The frame as it is, or where history is more than a link carries at once, in several: the store keeps rows until the
//  write that they came with.
static void
write_send (shard_t *self, actor_t *actor)
{
    if (!self->store_up)
        return;
    if (actor->writing_rows <= ROWS_MAX) {
        outbox_join (self->out, USHER_LINK_store, 0, actor->writing, actor->writing_size);
        return;
    }
    usher_frame_t frame;
    usher_msg_t msg;
    usher_frame_open (&frame, actor->writing, actor->writing_size);
    while (usher_decode (&frame, &msg) == USHER_OK)
        outbox_put (self->out, USHER_LINK_store, 0, &msg);
}

//  Starts a write if there is something to write and none is in flight.
static void
write_start (shard_t *self, actor_t *actor)
{
    if (self->epoch == 0 || !actor->loaded || actor->reload || actor->writing_size ||
        !(actor->hard || actor->soft))
        return;
    write_build (self, actor);
    viewer_rows_forget (&actor->viewer);
    actor->hard = actor->soft = false;
    actor->in_flight = actor->dirty;
    actor->dirty = (tickets_t){ 0 };
    self->dirty--;
    self->writes_in_flight++;
    self->counters.writes++;
    write_send (self, actor);
}

//  The source's clock at a monotonic instant, if the two go alike until then. In a backlog the source's clock races: who
//  is looked at too early for that is looked at again.
static uint64_t
clock_at (const shard_t *self, int64_t mono_ms)
{
    return self->clock_ms + (mono_ms > self->now.mono_ms ? (uint64_t)(mono_ms - self->now.mono_ms) : 0);
}

static void
mark_dirty (shard_t *self, actor_t *actor, bool hard)
{
    if (!actor->hard && !actor->soft)
        self->dirty++;
    if (!hard && !actor->soft) {
        //  Jitter, from the viewer itself, so that checkpoints of many spread out.
        int64_t checkpoint_ms = (int64_t)self->config->shard.checkpoint_s * 1000;
        actor->checkpoint_ms =
            self->now.mono_ms + checkpoint_ms + checkpoint_ms * (actor->viewer.slot % 256) / 1024;
        wheel_put (self->wheel, &actor->seat->node, clock_at (self, actor->checkpoint_ms));
    }
    actor->hard = actor->hard || hard;
    actor->soft = actor->soft || !hard;
}

//  ---- time

static uint64_t
earlier (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

//  When soft facts of a session may go out again, by the source's clock.
static uint64_t
feed_due (const shard_t *self, const session_t *session)
{
    return clock_at (self, session->fed_ms + (int64_t)self->config->shard.feed_soft_s * 1000);
}

//  When an actor wants to be looked at next.
static uint64_t
actor_due (const shard_t *self, const actor_t *actor)
{
    uint64_t due = actor->soft ? clock_at (self, actor->checkpoint_ms) : UINT64_MAX;
    for (size_t at = 0; at < actor->viewer.session_count; at++) {
        const session_t *session = &actor->viewer.sessions [at];
        if (!session->shown)
            continue;
        due = earlier (due, session_deadline (session, self->config));
        due = earlier (due, session_forget_at (session, self->config));
        if (session->unfed)
            due = earlier (due, feed_due (self, session));
    }
    return due;
}

static void
session_look (shard_t *self, actor_t *actor, session_t *session)
{
    if (session->unfed && feed_due (self, session) <= self->clock_ms)
        tell_session (self, actor, session, false);
    if (session_deadline (session, self->config) <= self->clock_ms) {
        usher_state_t becomes = session_expire (session, self->config);
        *(becomes == USHER_state_lost ? &self->counters.lost : &self->counters.failed) += 1;
        tell_session (self, actor, session, false);
        mark_dirty (self, actor, true);
    }
    if (session_forget_at (session, self->config) <= self->clock_ms) {
        tell_gone (self, actor, session);
        mark_dirty (self, actor, true);
    }
}

//  An actor leaves when nothing of it is live and all of it is written.
static bool
actor_leave (shard_t *self, actor_t *actor)
{
    if (is_live (actor) || !actor->loaded || actor->hard || actor->soft || actor->writing_size ||
        actor->held_count)
        return false;
    roll_drop (self->roll, actor);
    return true;
}

static void
actor_look (shard_t *self, actor_t *actor)
{
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        if (actor->viewer.sessions [at].shown)
            session_look (self, actor, &actor->viewer.sessions [at]);
    if (actor->soft && actor->checkpoint_ms <= self->now.mono_ms)
        actor->hard = true;
    if (actor->hard)
        write_start (self, actor);
    if (actor_leave (self, actor))
        return;
    uint64_t due = actor_due (self, actor);
    //  A write in flight may keep it here past its time; the answer looks again.
    if (due != UINT64_MAX)
        wheel_put (self->wheel, &actor->seat->node, due > self->clock_ms ? due : self->clock_ms + RETRY_MS);
}

//  ---- events

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
    if (done->effect.changed || !session->shown || feed_due (self, session) <= self->clock_ms)
        tell_session (self, actor, session, false);
    else {
        session->unfed = true;
        wheel_put (self->wheel, &actor->seat->node, feed_due (self, session));
    }
    if (done->effect.announce)
        announce (self, actor, session, event);
    wheel_put (self->wheel, &actor->seat->node,
               earlier (session_deadline (session, self->config), session_forget_at (session, self->config)));
}

static void
event_apply (shard_t *self, actor_t *actor, const usher_event_t *event)
{
    if (event->collected_ms <= actor->erased_ms) {
        self->counters.erased++;
        return;
    }
    viewer_effect_t done = viewer_take (&actor->viewer, event, expires_s (self));
    count_outcome (self, done.outcome);
    if (done.outcome == VIEWER_DUPLICATE && !done.effect.changed)
        return;
    mark_dirty (self, actor, done.effect.hard);
    if (!done.session)
        return;
    session_reconsider (done.session, self->config, self->clock_ms);
    if (done.outcome != VIEWER_LATE || done.session->shown)
        event_tell (self, actor, event, &done);
    for (session_t *session; (session = viewer_excess (&actor->viewer));)
        session_fold (self, actor, session);
}

//  What an actor has not written holds its frame up, whether this event or an earlier one is the cause: a replay's
//  receipt must not overtake the write of what it repeats.
static void
event_wait (shard_t *self, actor_t *actor, uint32_t peer)
{
    if (actor->hard)
        tickets_take (&actor->dirty, self->receipts, peer);
    else if (actor->writing_size)
        tickets_take (&actor->in_flight, self->receipts, peer);
}

static void
load_send (shard_t *self, actor_t *actor)
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
    held->ticket = receipts_take (self->receipts, self->batch_peer);
    self->counters.held++;
    load_send (self, actor);
}

static void
on_batch (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)out;
    self->batch_peer = peer;
    self->batch_open = receipts_begin (self->receipts, peer, msg->batch.seq);
    if (!self->batch_open) {
        self->counters.frames_refused++;
        return;
    }
    self->counters.frames++;
    if (msg->batch.clock_ms > self->clock_ms)
        self->clock_ms = msg->batch.clock_ms;
}

static void
on_event (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    if (!self->batch_open || peer != self->batch_peer)
        return;
    self->out = out;
    actor_t *actor = roll_get (self->roll, msg->event.viewer_id);
    if (!actor->loaded) {
        event_hold (self, actor, msg);
        return;
    }
    event_apply (self, actor, &msg->event);
    event_wait (self, actor, peer);
    if (actor->hard)
        write_start (self, actor);
}

//  ---- the store

static void
held_apply (shard_t *self, actor_t *actor)
{
    for (size_t at = 0; at < actor->held_count; at++) {
        held_event_t *held = &actor->held [at];
        usher_frame_t frame;
        usher_msg_t msg;
        usher_records_open (&frame, held->data, held->size);
        if (usher_decode (&frame, &msg) == USHER_OK)
            event_apply (self, actor, &msg.event);
        self->counters.held--;
        if (actor->hard) {
            //  The held event's own ticket moves to the write that will make it durable.
            tickets_put (&actor->dirty, held->ticket);
        } else
            receipts_give_back (self->receipts, held->ticket);
        free (held->data);
    }
    free (actor->held);
    actor->held = NULL;
    actor->held_count = 0;
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
            tell_session (self, actor, &actor->viewer.sessions [at], false);
    wheel_put (self->wheel, &actor->seat->node, self->clock_ms + 1);
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
    actor->stored_epoch = loaded->epoch;
    actor->stored_version = loaded->version;
    self->counters.rewrites++;
    write_start (self, actor);
}

static void
on_loaded (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
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
    actor->stored_epoch = loaded->epoch;
    actor->stored_version = loaded->version;
    actor->erased_ms = loaded->erased_ms;
    actor_wake (self, actor);
    held_apply (self, actor);
    if (actor->hard)
        write_start (self, actor);
}

static void
load_live_send (shard_t *self)
{
    usher_msg_t msg = { .id = USHER_MSG_load_live };
    msg.load_live = (usher_load_live_t){ usher_bytes (self->owners, self->owners_size), self->number,
                                         usher_str (self->live_after) };
    outbox_put (self->out, USHER_LINK_store, 0, &msg);
}

static void
on_live_page (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
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

static void
claim (shard_t *self)
{
    if (!self->store_up || self->epoch || self->owners_size == 0)
        return;
    usher_msg_t msg = { .id = USHER_MSG_claim };
    msg.claim = (usher_claim_t){ self->number, usher_bytes (self->owners, self->owners_size) };
    outbox_put (self->out, USHER_LINK_store, 0, &msg);
}

static void
on_granted (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    if (self->epoch)
        return;
    self->epoch = msg->granted.epoch;
    log_info ("epoch granted", "epoch=%" PRIu64, self->epoch);
    load_live_send (self);
}

static void
on_slots (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    memcpy (self->owners, msg->slots.owners.data, msg->slots.owners.size);
    self->owners_size = msg->slots.owners.size;
    claim (self);
}

static void
write_forget (shard_t *self, actor_t *actor)
{
    free (actor->writing);
    actor->writing = NULL;
    actor->writing_size = 0;
    self->writes_in_flight--;
}

static void
write_settled (shard_t *self, actor_t *actor)
{
    actor->stored_epoch = self->epoch;
    actor->stored_version = actor->writing_version;
    tickets_give_back (&actor->in_flight, self->receipts);
    write_forget (self, actor);
}

//  The row is not the one that was to be replaced: its history rows and whoever waited for them wait for the next
//  write, once the row has been read again.
static void
write_take_back (shard_t *self, actor_t *actor)
{
    viewer_rows_prepend (&actor->viewer, actor->writing + USHER_FRAME_HEAD, actor->writing_rows);
    write_forget (self, actor);
    tickets_move (&actor->dirty, &actor->in_flight);
    self->counters.refused++;
    mark_dirty (self, actor, true);
    actor->reload = true;
    actor->load_sent = false;
    load_send (self, actor);
}

static void
on_written (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    actor_t *actor = roll_find (self->roll, msg->written.viewer_id);
    if (!actor || !actor->writing_size || msg->written.epoch != self->epoch ||
        msg->written.version != actor->writing_version)
        return;    //  the answer to a write that was sent twice
    if (msg->written.outcome == USHER_outcome_failed) {
        self->retry = true;
        return;
    }
    if (msg->written.outcome == USHER_outcome_refused)
        write_take_back (self, actor);
    else
        write_settled (self, actor);
    if (actor->hard)
        write_start (self, actor);
    actor_leave (self, actor);
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
actor_let_go (shard_t *self, actor_t *actor, uint64_t wished_ms)
{
    //  Asked again: what it holds was collected after the instant that it has named.
    if (actor->erased_ms >= wished_ms)
        return;
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        if (actor->viewer.sessions [at].shown)
            tell_session (self, actor, &actor->viewer.sessions [at], true);
    viewer_empty (&actor->viewer);
    if (actor->writing_size)
        write_forget (self, actor);
    if (actor->hard || actor->soft)
        self->dirty--;
    actor->hard = actor->soft = actor->reload = actor->loaded = false;
    tickets_give_back (&actor->in_flight, self->receipts);
    tickets_give_back (&actor->dirty, self->receipts);
    actor->erased_ms = erasure_instant (self, wished_ms);
}

static bool
is_owner (const shard_t *self, usher_str_t viewer_id)
{
    uint32_t slot = usher_slot (viewer_id);
    return slot < self->owners_size && (uint8_t)self->owners [slot] == self->number;
}

//  The actor is there from now on even if it was not, unloaded, until the store answers a question that was asked
//  behind `forgotten`: rows of the viewer that are under way to us do not wake anybody up.
static void
on_forget (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer;
    self->out = out;
    if (!is_owner (self, msg->forget.viewer_id))
        return;
    actor_t *actor = roll_get (self->roll, msg->forget.viewer_id);
    actor_let_go (self, actor, msg->forget.wished_ms);
    usher_msg_t done = { .id = USHER_MSG_forgotten, .forgotten = { actor->viewer.id, actor->erased_ms } };
    outbox_put (self->out, USHER_LINK_store, 0, &done);
    actor->load_sent = false;
    load_send (self, actor);
}

//  A store that is back has forgotten what was asked.
static void
store_begin (shard_t *self)
{
    claim (self);
    if (self->epoch && !self->live_loaded)
        load_live_send (self);
    //  Who is asleep waits for nothing.
    for (actor_t *actor = NULL; (actor = roll_next_awake (self->roll, actor));) {
        actor->load_sent = false;
        if (!actor->loaded || actor->reload)
            load_send (self, actor);
        if (actor->writing_size)
            write_send (self, actor);
    }
}

//  ---- the publisher

static void
on_fill (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer, (void)msg, (void)out;
    self->filling = true;
    self->fill_cursor = 0;
}

//  Tells the publisher some actors more. Those that come or change in the meantime are told as they do.
static void
fill_some (shard_t *self)
{
    for (int told = 0; told < FILL_PER_TURN; told++) {
        seat_t *seat = roll_next (self->roll, &self->fill_cursor);
        if (!seat) {
            self->filling = false;
            self->publisher_full = true;
            usher_msg_t msg = { .id = USHER_MSG_filled };
            msg.filled =
                (usher_filled_t){ self->number, usher_bytes (self->owners, self->owners_size), self->epoch };
            outbox_put (self->out, USHER_LINK_changes, 0, &msg);
            return;
        }
        actor_t *actor = roll_wake (self->roll, seat);
        for (size_t at = 0; at < actor->viewer.session_count; at++)
            if (actor->viewer.sessions [at].shown)
                tell_session (self, actor, &actor->viewer.sessions [at], false);
    }
}

//  ---- the service

void
shard_peer_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    shard_t *self = arg;
    (void)name;
    self->out = out;
    if (link == USHER_LINK_events)
        receipts_open (self->receipts, peer);
    if (link == USHER_LINK_changes) {
        self->publisher_up = true;
        self->publisher_full = self->filling = false;
    }
    if (link == USHER_LINK_store) {
        self->store_up = true;
        store_begin (self);
    }
}

void
shard_peer_down (void *arg, usher_link_id_t link, uint32_t peer)
{
    shard_t *self = arg;
    if (link == USHER_LINK_events)
        receipts_open (self->receipts, peer);
}

static void
receipt_tell (void *arg, uint32_t peer, usher_msg_id_t id, uint64_t seq)
{
    shard_t *self = arg;
    usher_msg_t msg = { .id = id };
    if (id == USHER_MSG_applied)
        msg.applied.seq = seq;
    else
        msg.durable.seq = seq;
    outbox_put (self->out, USHER_LINK_events, peer, &msg);
}

bool
shard_turn (void *arg, usher_time_t now, outbox_t *out)
{
    shard_t *self = arg;
    self->now = now;
    self->out = out;
    for (wheel_node_t *node; self->live_loaded && (node = wheel_due (self->wheel, self->clock_ms));)
        actor_look (self, roll_wake (self->roll, (seat_t *)node));
    //  The live ones first, or the publisher would take the unloaded ones for gone.
    if (self->filling && self->live_loaded)
        fill_some (self);
    roll_doze (self->roll, (uint64_t)now.mono_ms, self->config->shard.awake_viewers);
    receipts_report (self->receipts, receipt_tell, self);
    return self->filling && self->live_loaded;
}

void
shard_tick (void *arg, usher_time_t now, outbox_t *out)
{
    shard_t *self = arg;
    self->now = now;
    self->out = out;
    if (now.mono_ms - self->retry_ms < RETRY_MS)
        return;
    self->retry_ms = now.mono_ms;
    claim (self);    //  unless it was granted
    if (!self->retry)
        return;
    self->retry = false;
    for (actor_t *actor = NULL; (actor = roll_next_awake (self->roll, actor));)
        if (actor->writing_size)
            write_send (self, actor);
}

bool
shard_ready (const void *arg)
{
    const shard_t *self = arg;
    return self->live_loaded;
}

//  Everything that was applied goes out, soft facts too.
bool
shard_drained (void *arg, usher_time_t now, outbox_t *out)
{
    shard_t *self = arg;
    self->now = now;
    self->out = out;
    if (self->epoch == 0)
        return true;
    size_t cursor = 0;
    for (seat_t *seat; self->dirty && (seat = roll_next (self->roll, &cursor));)
        if (!seat->asleep || seat->soft)
            write_start (self, roll_wake (self->roll, seat));
    receipts_report (self->receipts, receipt_tell, self);
    return self->dirty == 0 && self->writes_in_flight == 0;
}

void
shard_metrics (const void *arg, FILE *out)
{
    const shard_t *self = arg;
    const shard_counters_t *counters = &self->counters;
    const metric_t rows [] = {
        { "events_applied_total", METRIC_COUNTER, "Events that changed a profile.", NULL, counters->applied },
        { "events_duplicate_total", METRIC_COUNTER, "Events that were applied before.", NULL,
          counters->duplicate },
        { "events_late_total", METRIC_COUNTER,
          "Events behind the reordering window; only totals were raised.", NULL, counters->late },
        { "events_erased_total", METRIC_COUNTER,
          "Events of erased viewers that were collected before the erasure.", NULL, counters->erased },
        { "events_held", METRIC_GAUGE, "Events that wait for their viewer to be loaded.", NULL,
          counters->held },
        { "frames_out_of_turn_total", METRIC_COUNTER, "Frames refused because one before them is missing.",
          NULL, counters->frames_refused },
        { "profile_writes_total", METRIC_COUNTER, "Profile writes sent to the store.", NULL,
          counters->writes },
        { "profile_writes_refused_total", METRIC_COUNTER, "Profile writes that met another row.", NULL,
          counters->refused },
        { "profile_loads_total", METRIC_COUNTER, "Profiles asked of the store.", NULL, counters->loads },
        { "sessions_lost_total", METRIC_COUNTER, "Sessions that fell silent.", NULL, counters->lost },
        { "sessions_failed_total", METRIC_COUNTER, "Sessions that failed after an error.", NULL,
          counters->failed },
        { "viewers_in_memory", METRIC_GAUGE, "Viewer actors.", NULL, roll_count (self->roll) },
        { "viewers_awake", METRIC_GAUGE, "Viewer actors that are not packed as bytes.", NULL,
          roll_awake (self->roll) },
        { "writes_in_flight", METRIC_GAUGE, "Profile writes without an answer.", NULL,
          self->writes_in_flight },
        { "source_clock_milliseconds", METRIC_GAUGE, "The source's clock, Unix milliseconds.", NULL,
          self->clock_ms },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
}

const service_route_t shard_routes [] = {
    { USHER_LINK_control, USHER_MSG_slots, on_slots },
    { USHER_LINK_events, USHER_MSG_batch, on_batch },
    { USHER_LINK_events, USHER_MSG_event, on_event },
    { USHER_LINK_store, USHER_MSG_granted, on_granted },
    { USHER_LINK_store, USHER_MSG_loaded, on_loaded },
    { USHER_LINK_store, USHER_MSG_live_page, on_live_page },
    { USHER_LINK_store, USHER_MSG_written, on_written },
    { USHER_LINK_store, USHER_MSG_forget, on_forget },
    { USHER_LINK_changes, USHER_MSG_fill, on_fill },
};
const size_t shard_route_count = sizeof shard_routes / sizeof *shard_routes;

const service_link_t shard_links [] = {
    { USHER_LINK_events, SERVICE_BIND_INSTANCE },
    { USHER_LINK_store, SERVICE_CONNECT },
    { USHER_LINK_changes, SERVICE_CONNECT },
};
const size_t shard_link_count = sizeof shard_links / sizeof *shard_links;
