//  viewer - the actor: a person's sessions, what was applied to them, which rows the store should hold
//
//  Pure: an event in, effects out. When to write and whom to tell is the shard's business.

#ifndef VIEWER_H
#define VIEWER_H

#include "session.h"

#define VIEWER_SESSIONS                                                                                      \
    16    //  more than these: those silent longest are folded away, once out of the window
#define VIEWER_SESSIONS_MAX 32    //  more than these: whether out of the window or not
#define VIEWER_POSITIONS 64       //  partitions a viewer's events came from

//  What nearly every event touches comes first.
typedef struct {
    usher_str_t id;    //  owned
    size_t session_count, position_count;
    session_t *sessions;    //  in the order of their ids
    usher_position_record_t *positions;
    size_t rows_used, rows_room;    //  history messages that wait for the next write, encoded
    uint8_t *rows;
    uint32_t slot;
    uint64_t feed_version;     //  of the newest session message of any session
    usher_sum_record_t sum;    //  of those that were folded away
} viewer_t;

typedef enum { VIEWER_APPLIED, VIEWER_DUPLICATE, VIEWER_LATE } viewer_outcome_t;

typedef struct {
    viewer_outcome_t outcome;
    session_t *session;    //  the one that it concerned; NULL for a duplicate
    session_effect_t effect;
} viewer_effect_t;

void viewer_init (viewer_t *self, usher_str_t id);
void viewer_clear (viewer_t *self);

//  Makes it a viewer of whom nothing is known; versions in the feed go on.
void viewer_empty (viewer_t *self);

//  Applies an event once: a position that was applied before, or an id that is in the window, is a duplicate. One of
//  these may have an effect all the same: an earlier copy. Ask viewer_excess afterwards.
//  expires_s is the Unix second at which history rows expire.
viewer_effect_t viewer_take (viewer_t *self, const usher_event_t *event, uint64_t expires_s);

//  The session that should be folded away next, or NULL; folds it away. Pointers to sessions move with that.
session_t *viewer_excess (viewer_t *self);
void viewer_fold (viewer_t *self, session_t *session);

//  Fills in what the feed says of the viewer's earlier sessions: those that it does not show.
void viewer_describe_earlier (const viewer_t *self, usher_session_t *out);

//  Makes the profile fit into max bytes when it is stored: folds the oldest events of windows away. Returns a session
//  that has to be folded away as well, or NULL. Only somebody who means harm gets there.
session_t *viewer_shrink (viewer_t *self, size_t max);

//  Lets go of the history messages, which somebody has copied.
void viewer_rows_forget (viewer_t *self);

//  Puts back history messages that were taken for a write and not written, before those queued since.
void viewer_rows_prepend (viewer_t *self, const void *data, size_t size);

//  Has the rows of a restored viewer written as its windows want them, behind history messages that take back what
//  somebody else may have left.
void viewer_mend (viewer_t *self, usher_str_t unsure, uint64_t expires_s);

//  Bytes that viewer_store needs at most.
size_t viewer_store_bound (const viewer_t *self);

//  Writes the profile as records. Returns the bytes, 0 if size is too small.
size_t viewer_store (const viewer_t *self, void *data, size_t size);

//  Reads a stored profile into a viewer made by viewer_init. Returns false when it is damaged; the viewer is empty then.
bool viewer_restore (viewer_t *self, const void *data, size_t size);

#endif
