//  picture - the sessions held, and what they come to: the two change together

#include "picture.h"

#include <stdlib.h>

#include "memory.h"

struct picture {
    last_value_t *sessions;
    aggregates_t *aggregates;
    aggregates_counted_t *others;    //  of the viewer that is being changed
    size_t room;
};

picture_t *
picture_new (void)
{
    picture_t *self = memory_new (1, sizeof *self);
    self->sessions = last_value_new ();
    self->aggregates = aggregates_new ();
    return self;
}

void
picture_destroy (picture_t **self_p)
{
    picture_t *self = *self_p;
    if (!self)
        return;
    aggregates_destroy (&self->aggregates);
    last_value_destroy (&self->sessions);
    free (self->others);
    free (self);
    *self_p = NULL;
}

static void
counted_read (const picture_t *self, uint32_t slot, size_t index, aggregates_counted_t *counted)
{
    const last_value_entry_t *entry = last_value_at (self->sessions, slot, index);
    counted->mark = entry->note;
    last_value_decode (entry, slot, &counted->session);
}

static void
others_add (picture_t *self, size_t count, uint32_t slot, size_t index)
{
    if (count == self->room) {
        self->room = self->room ? self->room * 2 : 4;
        self->others = memory_resize (self->others, self->room, sizeof *self->others);
    }
    counted_read (self, slot, index, &self->others [count]);
}

//  Reads a viewer's sessions. *held: where the named one is, LAST_VALUE_NONE nowhere. Returns how many others there are.
static size_t
viewer_read (picture_t *self, uint32_t slot, usher_str_t viewer_id, usher_str_t session_id, size_t *held)
{
    size_t count = 0;
    *held = LAST_VALUE_NONE;
    size_t at = last_value_first (self->sessions, slot, viewer_id);
    while (at != LAST_VALUE_NONE) {
        if (usher_str_eq (session_id, last_value_session (last_value_at (self->sessions, slot, at))))
            *held = at;
        else
            others_add (self, count++, slot, at);
        at = last_value_next (self->sessions, slot, viewer_id, at);
    }
    return count;
}

//  What is partial does not take the place of what an earlier owner knew in whole: its totals would be counted twice.
static bool
is_less (const usher_session_t *session, const usher_session_t *held)
{
    return (session->flags & USHER_PARTIAL) && !(held->flags & USHER_PARTIAL);
}

bool
picture_put (picture_t *self, const usher_session_t *session, uint64_t now_ms)
{
    size_t held, count = viewer_read (self, session->slot, session->viewer_id, session->session_id, &held);
    if (held == LAST_VALUE_NONE && session->gone)
        return false;
    aggregates_counted_t old;
    if (held != LAST_VALUE_NONE)
        counted_read (self, session->slot, held, &old);
    if (held != LAST_VALUE_NONE && is_less (session, &old.session))
        return false;
    uint8_t mark = aggregates_change (self->aggregates, held == LAST_VALUE_NONE ? NULL : &old,
                                      session->gone ? NULL : session, self->others, count, now_ms);
    held = last_value_put (self->sessions, held, session);
    if (held != LAST_VALUE_NONE)
        last_value_note (self->sessions, session->slot, held, mark);
    return true;
}

void
picture_remove (picture_t *self, uint32_t slot, size_t index, uint64_t now_ms)
{
    const last_value_entry_t *entry = last_value_at (self->sessions, slot, index);
    size_t held,
        count = viewer_read (self, slot, last_value_viewer (entry), last_value_session (entry), &held);
    aggregates_counted_t old;
    counted_read (self, slot, index, &old);
    aggregates_change (self->aggregates, &old, NULL, self->others, count, now_ms);
    last_value_remove (self->sessions, slot, index);
}

void
picture_tick (picture_t *self, uint64_t now_ms)
{
    uint32_t slot;
    usher_str_t viewer_id, session_id;
    while (aggregates_due (self->aggregates, now_ms, &slot, &viewer_id, &session_id)) {
        size_t held, count = viewer_read (self, slot, viewer_id, session_id, &held);
        if (held == LAST_VALUE_NONE)
            continue;
        aggregates_counted_t old;
        counted_read (self, slot, held, &old);
        old.mark = aggregates_unwatched (old.mark);
        uint8_t mark = aggregates_change (self->aggregates, &old, &old.session, self->others, count, now_ms);
        last_value_note (self->sessions, slot, held, mark);
    }
}

const last_value_t *
picture_sessions (const picture_t *self)
{
    return self->sessions;
}

aggregates_t *
picture_aggregates (const picture_t *self)
{
    return self->aggregates;
}
