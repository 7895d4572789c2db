//  sum - totals over sessions
//
//  The tracker sends running totals, which are right even where events were lost; they count unless an input has none.
//  Then what the fold counted from times and positions does.

#ifndef SUM_H
#define SUM_H

#include "session.h"

//  Adds the totals of one session.
void sum_add (usher_sum_record_t *self, const session_t *session);

//  Adds another sum.
void sum_merge (usher_sum_record_t *self, const usher_sum_record_t *other);

//  Fills in what the feed says of earlier sessions.
void sum_describe (const usher_sum_record_t *self, usher_session_t *out);

#endif
