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

//  Puts a copy of a record into its place, unless it is there already or belongs before the window.
window_place_t window_put (session_t *self, const usher_window_record_t *record);

//  Takes one out.
void window_remove (session_t *self, size_t at);

//  Folds the oldest events away that are out of the window; window_fold any number of them.
void window_trim (session_t *self);
void window_fold (session_t *self, size_t count);

//  Adds a record behind all others, as it was stored. Returns false when there are more than a window has.
bool window_append (session_t *self, const usher_window_record_t *record);

//  Lets go of all of it.
void window_free (session_t *self);

//  After window_append: which clocks there are.
void window_recount (session_t *self);

//  -1, 0, 1: by the time of the collector first. Never changes by what else there is.
int window_order_collected (const usher_window_record_t *a, const usher_window_record_t *b);

#endif
