//  viewer - the actor: a person's sessions, what was applied to them, which rows the store should hold

#include "viewer.h"
#include "memory.h"
#include "rows.h"
#include "sum.h"
#include "window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ROWS_SQUEEZE_BYTES = 64 * 384    //  64 rows wait for a write, before repeated ones are looked for
};

void
viewer_init (viewer_t *self, usher_str_t id)
{
    *self = (viewer_t){ .slot = usher_slot (id) };
    self->id = usher_bytes (memory_copy (id.data, id.size), id.size);
}

static void
sessions_clear (viewer_t *self)
{
    for (size_t at = 0; at < self->session_count; at++)
        session_clear (&self->sessions [at]);
    self->session_count = self->position_count = 0;
    self->sum = (usher_sum_record_t){ 0 };
}

void
viewer_clear (viewer_t *self)
{
    sessions_clear (self);
    free (self->sessions);
    free (self->positions);
    free (self->rows);
    free ((void *)(uintptr_t)self->id.data);
    *self = (viewer_t){ 0 };
}

void
viewer_empty (viewer_t *self)
{
    viewer_t fresh;
    viewer_init (&fresh, self->id);
    fresh.feed_version = self->feed_version;
    viewer_clear (self);
    *self = fresh;
}

//  ---- positions

static usher_position_record_t *
position_find (viewer_t *self, const usher_event_t *event)
{
    for (size_t at = 0; at < self->position_count; at++) {
        usher_position_record_t *position = &self->positions [at];
        if (position->partition == event->partition && position->source == event->source)
            return position;
    }
    return NULL;
}

static bool
is_applied (viewer_t *self, const usher_event_t *event)
{
    const usher_position_record_t *position = position_find (self, event);
    return position && position->generation == event->generation && event->offset <= position->offset;
}

//  A new generation of a source replaces the old one.
static void
position_note (viewer_t *self, const usher_event_t *event)
{
    usher_position_record_t *position = position_find (self, event);
    if (!position && self->position_count < VIEWER_POSITIONS) {
        self->positions = memory_resize (self->positions, self->position_count + 1, sizeof *self->positions);
        position = &self->positions [self->position_count++];
    }
    //  Beyond the limit the event ids in the windows are what tells a replay.
    if (position)
        *position =
            (usher_position_record_t){ event->source, event->generation, event->partition, event->offset };
}

//  ---- sessions

//  -1, 0, 1: bytes, then length.
static int
str_order (usher_str_t a, usher_str_t b)
{
    uint32_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp (a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

//  Sessions lie in the order of their names, so which one came first does not show. Returns where it lies now.
static session_t *
session_sort_in (viewer_t *self, session_t *session)
{
    session_t moving = *session;
    size_t at = (size_t)(session - self->sessions);
    memmove (session, session + 1, (self->session_count - at - 1) * sizeof *session);
    for (at = self->session_count - 1; at > 0; at--) {
        if (str_order (self->sessions [at - 1].known.session_id, moving.known.session_id) < 0)
            break;
        self->sessions [at] = self->sessions [at - 1];
    }
    self->sessions [at] = moving;
    return &self->sessions [at];
}

static session_t *
session_find (const viewer_t *self, usher_str_t name)
{
    for (size_t at = 0; at < self->session_count; at++)
        if (usher_str_eq (self->sessions [at].known.session_id, name))
            return &self->sessions [at];
    return NULL;
}

static session_t *
session_add (viewer_t *self, usher_str_t name)
{
    self->sessions = memory_resize (self->sessions, self->session_count + 1, sizeof *self->sessions);
    session_t *session = &self->sessions [self->session_count++];
    session_init (session, name);
    return session_sort_in (self, session);
}

//  ---- sessions of long ago

static session_t *
longest_silent (viewer_t *self)
{
    //  Of two that fell silent at once the first by its id.
    session_t *found = &self->sessions [0];
    for (size_t at = 1; at < self->session_count; at++)
        if (self->sessions [at].now.seen_ms < found->now.seen_ms)
            found = &self->sessions [at];
    return found;
}

static uint64_t
newest_evidence (const viewer_t *self)
{
    uint64_t newest_ms = 0;
    for (size_t at = 0; at < self->session_count; at++)
        if (self->sessions [at].now.seen_ms > newest_ms)
            newest_ms = self->sessions [at].now.seen_ms;
    return newest_ms;
}

session_t *
viewer_excess (viewer_t *self)
{
    if (self->session_count <= VIEWER_SESSIONS)
        return NULL;
    session_t *session = longest_silent (self);
    bool outlived = session->now.seen_ms + SESSION_WINDOW_MS < newest_evidence (self);
    return outlived || self->session_count > VIEWER_SESSIONS_MAX ? session : NULL;
}

void
viewer_fold (viewer_t *self, session_t *session)
{
    sum_add (&self->sum, session);
    session_clear (session);
    size_t at = (size_t)(session - self->sessions);
    self->session_count--;
    memmove (session, session + 1, (self->session_count - at) * sizeof *session);
}

//  An event of a session that is not here and of a time whose sessions were folded away: counting it would count twice.
static bool
is_of_long_ago (const viewer_t *self, const usher_event_t *event)
{
    return self->sum.sessions > 0 && event->collected_ms + SESSION_WINDOW_MS < newest_evidence (self);
}

void
viewer_describe_earlier (const viewer_t *self, usher_session_t *out)
{
    usher_sum_record_t sum = self->sum;
    for (size_t at = 0; at < self->session_count; at++)
        if (!self->sessions [at].shown)
            sum_add (&sum, &self->sessions [at]);
    sum_describe (&sum, out);
}

//  ---- history rows

//  Whether another row of this viewer at the same instant comes before this one, and so has the bare key.
static bool
instant_is_taken (const viewer_t *self, const session_t *session, const window_event_t *record)
{
    for (size_t one = 0; one < self->session_count; one++) {
        const session_t *other = &self->sessions [one];
        if (other->base.row_ms == record->collected_ms)
            return true;
        for (size_t at = 0; at < other->count; at++) {
            const window_event_t *rival = &other->window [at];
            if (rival == record || !rival->row_wanted || rival->collected_ms != record->collected_ms)
                continue;
            int order = session_order (rival, record);
            if (order < 0 || (order == 0 && other < session))
                return true;
        }
    }
    return false;
}

//  ISO 8601 with three decimals and Z, so that keys sort; with # and the event id where the instant is taken.
static usher_str_t
key_write (const window_event_t *record, uint32_t has_row, char *text, size_t size)
{
    time_t seconds = (time_t)(record->collected_ms / 1000);
    struct tm parts;
    gmtime_r (&seconds, &parts);
    size_t used = strftime (text, size, "%Y-%m-%dT%H:%M:%S", &parts);
    used += (size_t)snprintf (text + used, size - used, ".%03uZ", (unsigned)(record->collected_ms % 1000));
    if (has_row == 2) {
        char text_id [UUID_TEXT];
        usher_str_t id = window_event_id (record, text_id);
        used += (size_t)snprintf (text + used, size - used, "#%.*s", (int)id.size, id.data);
    }
    return usher_bytes (text, used);
}

static void
row_queue (viewer_t *self, const usher_history_t *row)
{
    usher_msg_t msg = { .id = USHER_MSG_history, .history = *row };
    size_t bound = usher_encode_bound (&msg);
    if (self->rows_room - self->rows_used < bound) {
        //  A medium that is renamed again and again, or a store that is gone, would let them grow without end.
        if (self->rows_used > ROWS_SQUEEZE_BYTES)
            self->rows_used = rows_squeeze (self->rows, self->rows_used);
        self->rows_room = (self->rows_used + bound) * 2;
        self->rows = memory_resize (self->rows, self->rows_room, 1);
    }
    self->rows_used += usher_encode (&msg, self->rows + self->rows_used, self->rows_room - self->rows_used);
}

void
viewer_rows_forget (viewer_t *self)
{
    free (self->rows);
    self->rows = NULL;
    self->rows_used = self->rows_room = 0;
}

void
viewer_rows_prepend (viewer_t *self, const void *data, size_t size)
{
    self->rows = memory_resize (self->rows, self->rows_used + size, 1);
    self->rows_room = self->rows_used + size;
    memmove (self->rows + size, self->rows, self->rows_used);
    memcpy (self->rows, data, size);
    self->rows_used += size;
}

static void
row_remove (viewer_t *self, const window_event_t *record)
{
    char text [192];
    usher_history_t row = { .viewer_id = self->id, .remove = 1 };
    row.key_tstamp = key_write (record, record->has_row, text, sizeof text);
    row_queue (self, &row);
}

static void
row_put (viewer_t *self, const session_t *session, const window_event_t *record, uint64_t expires_s)
{
    char text [192], id [UUID_TEXT];
    usher_history_t row = { .viewer_id = self->id, .expires_s = expires_s };
    session_row (session, record, id, &row);
    row.key_tstamp = key_write (record, record->has_row, text, sizeof text);
    row_queue (self, &row);
}

static uint8_t
key_wanted (const viewer_t *self, const session_t *session, const window_event_t *record)
{
    if (!record->row_wanted)
        return 0;
    return instant_is_taken (self, session, record) ? 2 : 1;
}

//  First takes back what is wrong, then writes all rows of the window that are wanted: rows are few and keyed,
//  so writing one again does no harm.
static void
rows_settle (viewer_t *self, bool rewrite, session_t *touched, uint64_t expires_s)
{
    //  The window of the touched one is open; rows of the others may be at the same instant.
    for (size_t one = 0; one < self->session_count; one++)
        if (&self->sessions [one] != touched)
            window_open (&self->sessions [one]);
    for (size_t one = 0; one < self->session_count; one++) {
        session_t *session = &self->sessions [one];
        for (size_t at = 0; at < session->count; at++) {
            window_event_t *record = &session->window [at];
            uint8_t wanted = key_wanted (self, session, record);
            if (record->has_row && record->has_row != wanted)
                row_remove (self, record);
        }
    }
    for (size_t one = 0; one < self->session_count; one++) {
        session_t *session = &self->sessions [one];
        for (size_t at = 0; at < session->count; at++) {
            window_event_t *record = &session->window [at];
            uint8_t wanted = key_wanted (self, session, record);
            bool again = wanted != record->has_row || (rewrite && session == touched);
            record->has_row = wanted;
            if (wanted && again)
                row_put (self, session, record, expires_s);
        }
    }
    for (size_t one = 0; one < self->session_count; one++)
        if (&self->sessions [one] != touched)
            window_close (&self->sessions [one]);
}

void
viewer_mend (viewer_t *self, usher_str_t unsure, uint64_t expires_s)
{
    viewer_rows_prepend (self, unsure.data, unsure.size);
    for (size_t one = 0; one < self->session_count; one++) {
        strip_reader_t reader = strip_open (&self->sessions [one].strip);
        for (window_event_t record; strip_read (&reader, &record);)
            if (record.has_row)
                row_put (self, &self->sessions [one], &record, expires_s);
    }
}

//  What is nearly always: see session_follows.
static viewer_effect_t
take_next (viewer_t *self, session_t *session, const usher_event_t *event, window_event_t *record,
           uint64_t expires_s)
{
    session_effect_t effect = session_take_next (session, event, record);
    if (record->row_wanted) {
        record->has_row = 1;
        row_put (self, session, record, expires_s);
    }
    window_append (session, record);
    window_trim (session);
    return (viewer_effect_t){ VIEWER_APPLIED, session, effect };
}

static viewer_effect_t
take_anywhere (viewer_t *self, session_t *session, const usher_event_t *event, uint64_t expires_s)
{
    static const viewer_outcome_t outcomes [] = { [SESSION_APPLIED] = VIEWER_APPLIED,
                                                  [SESSION_DUPLICATE] = VIEWER_DUPLICATE,
                                                  [SESSION_LATE] = VIEWER_LATE };
    window_open (session);
    session_effect_t effect = session_take (session, event);
    if (effect.replaced_row) {
        window_event_t replaced = { .collected_ms = effect.replaced_ms, .text_id = event->event_id };
        replaced.has_row = (uint8_t)effect.replaced_row;
        row_remove (self, &replaced);
    }
    if (effect.rows)
        rows_settle (self, effect.reordered, session, expires_s);
    window_close (session);
    return (viewer_effect_t){ outcomes [effect.outcome], session, effect };
}

viewer_effect_t
viewer_take (viewer_t *self, const usher_event_t *event, uint64_t expires_s)
{
    if (is_applied (self, event))
        return (viewer_effect_t){ .outcome = VIEWER_DUPLICATE };
    position_note (self, event);
    usher_str_t name = session_name (event);
    session_t *session = session_find (self, name);
    window_event_t record;
    if (session && session_follows (session, event, newest_evidence (self), &record))
        return take_next (self, session, event, &record, expires_s);
    if (!session && is_of_long_ago (self, event))
        return (viewer_effect_t){ .outcome = VIEWER_LATE };
    if (!session)
        session = session_add (self, name);
    return take_anywhere (self, session, event, expires_s);
}

//  ---- stored

size_t
viewer_store_bound (const viewer_t *self)
{
    size_t bound = 256 + self->id.size + self->position_count * 64;
    for (size_t one = 0; one < self->session_count; one++)
        bound += session_store_bound (&self->sessions [one]);
    return bound;
}

//  The session whose window has the most to give.
static session_t *
widest (viewer_t *self)
{
    session_t *found = NULL;
    size_t most = 0;
    for (size_t at = 0; at < self->session_count; at++) {
        size_t bytes = strip_bytes (&self->sessions [at].strip).size;
        if (bytes > most) {
            most = bytes;
            found = &self->sessions [at];
        }
    }
    return found;
}

session_t *
viewer_shrink (viewer_t *self, size_t max)
{
    //  Half of a window at a time: it ends after a few steps.
    for (session_t *session; viewer_store_bound (self) > max && (session = widest (self));)
        window_fold (session, (session->strip.count + 1) / 2);
    return viewer_store_bound (self) > max && self->session_count > 1 ? longest_silent (self) : NULL;
}

size_t
viewer_store (const viewer_t *self, void *data, size_t size)
{
    usher_msg_t msg = { .id = USHER_MSG_viewer_record, .viewer_record = { self->id } };
    size_t used = usher_encode (&msg, data, size);
    for (size_t at = 0; at < self->position_count; at++) {
        msg = (usher_msg_t){ .id = USHER_MSG_position_record, .position_record = self->positions [at] };
        used += usher_encode (&msg, (char *)data + used, size - used);
    }
    if (self->sum.sessions) {
        msg = (usher_msg_t){ .id = USHER_MSG_sum_record, .sum_record = self->sum };
        used += usher_encode (&msg, (char *)data + used, size - used);
    }
    for (size_t at = 0; at < self->session_count; at++) {
        size_t bytes = session_store (&self->sessions [at], (char *)data + used, size - used);
        if (bytes == 0)
            return 0;
        used += bytes;
    }
    return used;
}

static bool
records_read (viewer_t *self, usher_frame_t *frame, usher_msg_t *msg)
{
    if (usher_decode (frame, msg) != USHER_OK || msg->id != USHER_MSG_viewer_record ||
        !usher_str_eq (msg->viewer_record.viewer_id, self->id))
        return false;
    usher_error_t error = usher_decode (frame, msg);
    while (error == USHER_OK && msg->id == USHER_MSG_position_record) {
        self->positions = memory_resize (self->positions, self->position_count + 1, sizeof *self->positions);
        self->positions [self->position_count++] = msg->position_record;
        error = usher_decode (frame, msg);
    }
    if (error == USHER_OK && msg->id == USHER_MSG_sum_record) {
        self->sum = msg->sum_record;
        usher_decode (frame, msg);
    }
    while (msg->id == USHER_MSG_session_record) {
        usher_session_record_t record = msg->session_record;
        self->sessions = memory_resize (self->sessions, self->session_count + 1, sizeof *self->sessions);
        if (!session_restore (&self->sessions [self->session_count++], &record, frame, msg))
            return false;
    }
    return frame->next == frame->end && msg->id == 0;
}

bool
viewer_restore (viewer_t *self, const void *data, size_t size)
{
    usher_frame_t frame;
    usher_msg_t msg;
    usher_records_open (&frame, data, size);
    if (records_read (self, &frame, &msg))
        return true;
    sessions_clear (self);
    return false;
}
