//  histogram - counts of values in cells that are alike everywhere, so that histograms add up exactly
//
//  Cells as in HdrHistogram (Gil Tene): each power of two is cut into 64 equal cells, and values below 128 have a cell each.
//  A percentile is the middle of its cell, so it is off by 1/128 (0.8 %) of itself at most. Counts are signed: a
//  correction may take out of one span what another one counted, and over both the sum is right.

#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "codec.h"

//  Values beyond are counted as this one: 70 minutes in ms, four times the whole in millionths.
#define HISTOGRAM_MAX ((1u << 22) - 1)
#define HISTOGRAM_CELLS (64 + 16 * 64)

//  Starts as all zeros.
typedef struct {
    int32_t cells [HISTOGRAM_CELLS];
} histogram_t;

//  Counts a value by times more, or less.
void histogram_add (histogram_t *self, uint64_t value, int by);

//  Adds all counts of another one.
void histogram_sum (histogram_t *self, const histogram_t *other);

//  Adds what histogram_write wrote. False, with nothing added, if it is damaged.
bool histogram_merge (histogram_t *self, usher_str_t bytes);

//  Appends the cells that are not 0: distance to the cell before and count, both in 7-bit groups.
void histogram_write (const histogram_t *self, buffer_t *out);

//  How many values there are. A cell below 0 counts as empty, here and in percentiles.
uint64_t histogram_count (const histogram_t *self);

//  The smallest value that is not below percent of all, from 1 to 100; 0 where there are none.
uint64_t histogram_percentile (const histogram_t *self, unsigned percent);

#endif
