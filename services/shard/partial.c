//  partial - a viewer whom the store has not given yet, shown as far as the events that wait for the profile say
//
//  A load that takes longer than two seconds is waited for no more: the events held are folded into a viewer of their own,
//  and the feed is told its sessions, marked as partial. That viewer is for show. It has no history, is never written,
//  and announces nothing; and as its totals lack what came before, they are told as no news. When the profile is there
//  the events are worked into that, which tells and announces as ever, and whatever only the other one showed is gone.

#include "shard_private.h"
#include "memory.h"

#include <stdlib.h>

enum { PARTIAL_MS = 2000 };

//  Is it recent enough to be shown?
static bool
is_present (const shard_t *self, const session_t *session)
{
    return session_forget_at (session, self->config) > self->clock_ms;
}

//  Works an event in. Returns its session, or NULL; *changed: did something change that people look at?
static session_t *
partial_take (shard_t *self, actor_t *actor, const usher_event_t *event, bool *changed)
{
    if (event->collected_ms <= actor->erased_ms)
        return NULL;
    viewer_effect_t done = viewer_take (actor->partial, event, 0);
    viewer_rows_forget (actor->partial);
    if (done.session)
        session_reconsider (done.session, self->config, self->clock_ms);
    *changed = done.effect.changed;
    return done.session;
}

static void
partial_trim (shard_t *self, actor_t *actor)
{
    for (session_t *session; (session = viewer_excess (actor->partial));) {
        if (session->shown)
            shard_tell (self, actor, session, true);
        viewer_fold (actor->partial, session);
    }
}

void
shard_partial_see (shard_t *self, actor_t *actor, const usher_event_t *event)
{
    if (!actor->partial)
        return;
    bool changed;
    session_t *session = partial_take (self, actor, event, &changed);
    if (!session || !is_present (self, session))
        return;
    if (changed || !session->shown || shard_feed_due (self, session) <= self->now.mono_ms)
        shard_tell (self, actor, session, false);
    else
        session->unfed = true;
    partial_trim (self, actor);
}

//  Says once what all that is held comes to.
static void
partial_begin (shard_t *self, actor_t *actor)
{
    actor->partial = memory_new (1, sizeof *actor->partial);
    viewer_init (actor->partial, actor->viewer.id);
    self->partials++;
    for (size_t at = 0; at < actor->held_count; at++) {
        usher_frame_t frame;
        usher_msg_t msg;
        bool changed;
        usher_records_open (&frame, actor->held [at].data, actor->held [at].size);
        if (usher_decode (&frame, &msg) == USHER_OK)
            partial_take (self, actor, &msg.event, &changed);
        partial_trim (self, actor);
    }
    for (size_t at = 0; at < actor->partial->session_count; at++)
        if (is_present (self, &actor->partial->sessions [at]))
            shard_tell (self, actor, &actor->partial->sessions [at], false);
}

//  Silence and soft facts, as shard_actor_look has them.
static void
partial_look (shard_t *self, actor_t *actor)
{
    for (size_t at = 0; at < actor->partial->session_count; at++) {
        session_t *session = &actor->partial->sessions [at];
        if (!session->shown)
            continue;
        bool silent = session_deadline (session, self->config) <= self->clock_ms;
        if (silent)
            session_expire (session, self->config);
        if (silent || (session->unfed && shard_feed_due (self, session) <= self->now.mono_ms))
            shard_tell (self, actor, session, false);
        if (!is_present (self, session))
            shard_tell (self, actor, session, true);
    }
}

//  Who is not loaded is awake. A shard that was not granted its slots has no epoch to speak under.
void
shard_partial_tick (shard_t *self)
{
    if (!self->epoch || !self->counters.held)
        return;
    for (actor_t *actor = NULL; (actor = roll_next_awake (self->roll, actor));)
        if (actor->partial)
            partial_look (self, actor);
        else if (!actor->loaded && actor->held_count && self->now.mono_ms - actor->held_ms >= PARTIAL_MS)
            partial_begin (self, actor);
}

void
shard_partial_fill (shard_t *self, actor_t *actor)
{
    for (size_t at = 0; actor->partial && at < actor->partial->session_count; at++)
        if (actor->partial->sessions [at].shown)
            shard_tell (self, actor, &actor->partial->sessions [at], false);
}

static bool
is_shown (const viewer_t *viewer, usher_str_t session_id)
{
    for (size_t at = 0; at < viewer->session_count; at++)
        if (usher_str_eq (viewer->sessions [at].known.session_id, session_id))
            return viewer->sessions [at].shown;
    return false;
}

void
shard_partial_end (shard_t *self, actor_t *actor)
{
    if (!actor->partial)
        return;
    for (size_t at = 0; at < actor->partial->session_count; at++) {
        session_t *session = &actor->partial->sessions [at];
        if (session->shown && !is_shown (&actor->viewer, session->known.session_id))
            shard_tell (self, actor, session, true);
    }
    viewer_clear (actor->partial);
    free (actor->partial);
    actor->partial = NULL;
    self->partials--;
}
