//  view - what the world sees of a session, a viewer and an announcement, as JSON
//
//  The shapes are the contract with the dashboard, the command line and every API client.

#ifndef VIEW_H
#define VIEW_H

#include "buffer.h"
#include "last_value.h"

//  Sessions of one viewer that are shown; the best ones where there are more.
#define VIEW_SESSIONS 64

//  A viewer as it is now. sessions: best first, so that [0] gives the viewer's state and status.
typedef struct {
    uint32_t slot;
    usher_str_t viewer_id;
    size_t count;
    usher_session_t sessions [VIEW_SESSIONS];
} view_viewer_t;

//  Reads a viewer. Returns false when it has no session. Strings live in sessions' entries.
bool view_read (view_viewer_t *viewer, const last_value_t *sessions, uint32_t slot, usher_str_t viewer_id);

void view_write_session (buffer_t *out, const usher_session_t *session);
void view_write_viewer (buffer_t *out, const view_viewer_t *viewer, bool partial);

//  The reference's feed message.
void view_write_announce (buffer_t *out, const usher_announce_t *announce);

//  One row of video_events. key_tstamp may carry # and an event id behind the instant.
void view_write_history (buffer_t *out, const usher_history_row_t *row);

#endif
