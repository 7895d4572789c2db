//  shard_feed - what a shard tells the publisher

#include "shard_private.h"

enum { FILL_PER_TURN = 512 };    //  actors told to a starting publisher in one turn

//  Are a session's totals no news? So it is too where the publisher has started and may not have heard of it yet.
static bool
is_restored (const shard_t *self, const session_t *session)
{
    return session->restored || (session->feed_version && !self->publisher_full);
}

void
shard_tell (shard_t *self, actor_t *actor, session_t *session, bool gone)
{
    usher_msg_t msg = { .id = USHER_MSG_session };
    bool partial = !actor->loaded;
    if (!gone) {
        session->shown = true;
        session_describe (session, &msg.session);
        viewer_describe_earlier (partial ? actor->partial : &actor->viewer, &msg.session);
        msg.session.flags |= partial ? USHER_PARTIAL : 0;
    }
    msg.session.restored = !gone && (partial || is_restored (self, session));
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

void
shard_announce (shard_t *self, actor_t *actor, const session_t *session, const usher_event_t *event)
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

//  What the others say of earlier sessions goes out with their next soft facts.
void
shard_tell_gone (shard_t *self, actor_t *actor, session_t *session)
{
    shard_tell (self, actor, session, true);
    for (size_t at = 0; at < actor->viewer.session_count; at++)
        actor->viewer.sessions [at].unfed |= actor->viewer.sessions [at].shown;
}

void
shard_fold (shard_t *self, actor_t *actor, session_t *session)
{
    if (session->shown)
        shard_tell_gone (self, actor, session);
    viewer_fold (&actor->viewer, session);
}

void
shard_on_fill (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shard_t *self = arg;
    (void)peer, (void)msg, (void)out;
    self->filling = true;
    self->fill_cursor = 0;
}

//  Tells the publisher some actors more. Those that come or change in the meantime are told as they do.
void
shard_fill_some (shard_t *self)
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
                shard_tell (self, actor, &actor->viewer.sessions [at], false);
        shard_partial_fill (self, actor);
    }
}
