//  window - the last events of a session in their order, apart from the fold of all before
//
//  The order is the device's: created, ties by running times, rank and id. A device clock that steps by over 5 min against
//  the collector's starts another run: walk the events by the collector's time, and one whose distance between the two
//  clocks differs by more than that from its predecessor's begins a new run. Runs follow each other as the collector saw
//  them; within one the device's time counts. All this is a function of the set of events, never of their arrival.

#ifndef WINDOW_H
#define WINDOW_H

#include "session.h"

//  Why an event is not in the window, or where it is.
typedef enum { WINDOW_PLACED, WINDOW_KNOWN, WINDOW_LATE } window_outcome_t;

typedef struct {
    window_outcome_t outcome;
    size_t at;        //  where it is; for a known one where that is
    bool shuffled;    //  others may have changed places
} window_place_t;

//  Has the window's events at hand as session->window, to be looked at in any order and changed. Their strings are views of
//  the strip and of what was put. window_close makes a strip of them again.
void window_open (session_t *self);
void window_close (session_t *self);

//  With the window open: puts a record into its place, unless it is there already or belongs before the window.
window_place_t window_put (session_t *self, const window_event_t *record);

//  With the window open: takes one out.
void window_remove (session_t *self, size_t at);

//  Is it new, and does it come behind all others, on the one clock that there is?
bool window_follows (const session_t *self, const window_event_t *record);

//  Puts one that follows at the end; the window is not open.
void window_append (session_t *self, const window_event_t *record);

//  The same by the bytes of strip_event_put, where the strip has room.
void window_add (session_t *self, const window_event_t *record, const uint8_t *bytes, size_t size);

//  Folds the oldest events away that are out of the window; window_fold any number of them. It may be open or not.
void window_trim (session_t *self);
void window_fold (session_t *self, size_t count);

//  Lets go of all of it.
void window_free (session_t *self);

//  Finds again which clocks there are.
void window_recount (session_t *self);

//  -1, 0, 1: by the time of the collector first. Never changes by what else there is.
int window_order_collected (const window_event_t *a, const window_event_t *b);

#endif
