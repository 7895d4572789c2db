//  tally - what all sessions come to, in a span of time or now: sums and histograms that add up
//
//  The publisher counts seconds, adds them up to minutes, and a gateway adds up what several publishers saw of one
//  minute, or all of a day: all by tally_merge. On a link and in the store a tally is an aggregate message.

#ifndef TALLY_H
#define TALLY_H

#include "histogram.h"
#include "message.h"

typedef struct {
    usher_aggregate_t sum;    //  its strings are not used
    histogram_t startup_ms, stalled_ppm;
} tally_t;

//  Adds a part: seconds and sums are added, the largest stays the largest. False if the part is damaged.
bool tally_merge (tally_t *self, const usher_aggregate_t *part);

//  The same for one that is a tally already.
void tally_add (tally_t *self, const tally_t *part);

//  Appends the aggregate message, without a frame's head.
void tally_write (const tally_t *self, buffer_t *out);

#endif
