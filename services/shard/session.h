//  session - one playback of one medium: its events in order, what they fold to, and what it knows besides
//
//  Keeps the last events (5 minutes, 64 of them) apart from the fold of all before, so that one that comes late
//  takes its place (window.c). Attributes come from the newest event that has them, totals are merged by maximum
//  (known.c), silence counts by the source's clock (presence.c): none of them minds the order of arrival.

#ifndef SESSION_H
#define SESSION_H

#include "config.h"
#include "fold.h"
#include "strip.h"

#define SESSION_WINDOW_EVENTS 64
#define SESSION_WINDOW_MS (5 * 60 * 1000)
//  More than that is kept only of a crowd at one instant.
#define WINDOW_EVENTS_MAX STRIP_EVENTS_MAX

//  What nearly every event touches comes first.
typedef struct {
    fold_t base, now;    //  before the window; after it
    strip_t strip;       //  the window, in order
    window_event_t
        *window;     //  the same while it is open (window.h), then strip is of no account; else NULL
    size_t count;    //  events of window
    //  How far the device's clock was ahead of the collector's, in the window and the newest of the base.
    int64_t lead_min_ms, lead_max_ms;
    uint64_t grace_ms;        //  nothing expires before this plus a timeout: it was loaded then
    uint64_t feed_version;    //  of the newest session message
    int64_t fed_ms;           //  monotonic time of it
    bool shown;               //  the feed has it as live
    bool unfed;               //  the feed lacks soft facts, which go out with the next look
    bool restored;            //  what is told of it next is no news: it was loaded, or forgotten meanwhile
    usher_session_record_t known;    //  strings are owned
} session_t;

typedef enum { SESSION_APPLIED, SESSION_DUPLICATE, SESSION_LATE } session_outcome_t;

//  What an event did, for whoever writes and publishes.
typedef struct {
    session_outcome_t outcome;
    bool hard;        //  a fact that must be durable before its offset is committed
    bool changed;     //  the state or something people look at changed: tell the feed now
    bool announce;    //  a status change, first event, or ad counter change by the newest event
    bool
        reordered;    //  rows of others may say something else now: it came before them, or renamed the medium
    bool rows;        //  which history rows there should be has changed: see session_row_wanted
    //  An earlier copy took the place of one that was collected then, with a row under that instant (has_row).
    uint64_t replaced_ms;
    uint32_t replaced_row;
} session_effect_t;

//  Which session an event belongs to. An input without sessions: the label of the medium, as far as an id may be long, else
//  the viewer as a whole. A view.
usher_str_t session_name (const usher_event_t *event);

void session_init (session_t *self, usher_str_t session_id);
void session_clear (session_t *self);

//  Applies one event. What it needs of it is copied. A session that was LOST or FAILED is so still: see
//  session_reconsider. A window that is open stays so, as history rows may be asked for.
session_effect_t session_take (session_t *self, const usher_event_t *event);

//  The same for what nearly all events are: one that is new, comes behind all others by either clock, and renames nothing.
//  evidence_ms is the newest evidence of all sessions of the viewer: nothing else has a history row at its instant. Then only
//  the ends of the window are touched. False: do session_take. The record of an event that follows goes into the window
//  with window_append, once its row is known, and window_trim behind it.
bool session_follows (const session_t *self, const usher_event_t *event, uint64_t evidence_ms,
                      window_event_t *record);
session_effect_t session_take_next (session_t *self, const usher_event_t *event, window_event_t *record);

//  The state with silence taken into account, and its status.
usher_state_t session_state (const session_t *self);
usher_status_t session_status (const session_t *self);

//  When the session will be LOST or FAILED if nothing comes, in ms of the source's clock; UINT64_MAX never, or it is.
uint64_t session_deadline (const session_t *self, const config_t *config);

//  Makes a live session LOST or FAILED, as of the last evidence and the timeout. Returns which.
usher_state_t session_expire (session_t *self, const config_t *config);

//  After an event: gives a LOST or FAILED session back what it was, unless the clock says that it is LOST or FAILED all
//  the same.
void session_reconsider (session_t *self, const config_t *config, uint64_t clock_ms);

//  When it leaves memory, in ms of the source's clock; UINT64_MAX while it is live.
uint64_t session_forget_at (const session_t *self, const config_t *config);

//  Fills in what the history row of an event says that wants one: strings are views, of id where that is written.
void session_row (const session_t *self, const window_event_t *record, char *id, usher_history_t *row);

//  -1, 0, 1: the order of two events. Rows as in 02-profile: device time, running times, rank, id.
int session_order (const window_event_t *a, const window_event_t *b);

//  Fills in what the feed says of the session. Strings are views.
void session_describe (const session_t *self, usher_session_t *out);

//  Bytes that session_store needs at most.
size_t session_store_bound (const session_t *self);

//  Writes and reads what is stored. session_restore takes its records from msg and after; false when they are not a session.
size_t session_store (const session_t *self, void *data, size_t size);
bool session_restore (session_t *self, const usher_session_record_t *record, usher_frame_t *frame,
                      usher_msg_t *next);

//  Finds again all that follows from what it knows, its base and its window.
void session_settle (session_t *self);

#endif
