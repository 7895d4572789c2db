//  fold - what the events of a session, in their order, make of it
//
//  A session is the fold of its events over a small plain value. Events that come late are put in their place
//  and folded again, so arrival order cannot matter. LOST and FAILED are no part of it: they come from silence,
//  not from an event (session.c).

#ifndef FOLD_H
#define FOLD_H

#include "window_event.h"

//  As stored; see fold_record in messages.def.
typedef usher_fold_record_t fold_t;

//  Bits of fold_t.marks.
enum { FOLD_IN_AD = 1, FOLD_IN_BREAK = 2, FOLD_AD_ALONE = 4, FOLD_BEGUN = 8 };

//  The part of an event that a fold looks at.
typedef window_event_t fold_event_t;

//  What an event does in a state, for the documents: rows of the table in fold.c.
typedef enum {
    FOLD_GO,
    FOLD_STALL,
    FOLD_UNSTALL,
    FOLD_ENTER_AD,
    FOLD_LEAVE_AD,
    FOLD_ENTER_AD_ALONE,
    FOLD_LEAVE_AD_ALONE,
    FOLD_PROGRESS
} fold_move_t;

//  A device clock that steps by more than this against the collector's is another clock.
#define FOLD_STEP_MS (5 * 60 * 1000)

//  A session before its first event.
void fold_init (fold_t *self);

//  Applies the next event in order.
void fold_apply (fold_t *self, const fold_event_t *event);

//  Does an event that counts nothing itself leave the state and the ads' totals as they are?
bool fold_rests (const fold_t *self, const fold_event_t *event);

//  The status of a state that events can lead to.
usher_status_t fold_status (usher_state_t state);

//  The sum of ads clicked and skipped as far as anybody told: the tracker's totals or what we counted.
uint32_t fold_clicked (const fold_t *self);
uint32_t fold_skipped (const fold_t *self);

//  How long the session may be silent where it should ping: 2.5 of its ping intervals and 10 s.
uint64_t fold_timeout_ms (const fold_t *self);

//  Is the device's clock another one than in the newest event folded? By its distance to the collector's.
bool fold_clock_steps (const fold_t *self, const fold_event_t *event);

//  The state that an event leads to from a state, by the table alone, with before as what was remembered.
usher_state_t fold_next (usher_state_t state, usher_event_kind_t kind, usher_state_t before, bool alone,
                         bool moved);

#endif
