//  series - seconds of the last hour, minutes of the last day, as columns of numbers
//
//  Rows come from the store, oldest first. A span has a point in each column, null where nobody counted: a gap is shown as one, never
//  filled. Of how many seconds a point speaks, and how many of those were partial, are columns of their own.

#ifndef SERIES_H
#define SERIES_H

#include "buffer.h"
#include "tally.h"

//  What is asked for. to_s is behind the last span.
typedef struct {
    uint32_t step_s;    //  1 or 60
    uint64_t from_s, to_s;
    uint32_t metrics;    //  bits, as the rows of metrics in series.c
    bool by;             //  a dimension is asked for too
    usher_dimension_t dimension;
} series_query_t;

typedef struct series series_t;

//  As the parameters of a request.
typedef struct {
    const char *resolution, *from, *to, *metric, *by;
} series_words_t;

//  Room for what is wrong: one name that was asked for, and all names there are.
#define SERIES_WRONG 1024

//  Reads parameters; empty ones have defaults. Returns false with what is wrong in words. The range is cut to what is kept; the
//  last minute is the one that runs.
bool series_read_query (series_query_t *query, const series_words_t *words, uint64_t now_s,
                        char wrong [SERIES_WRONG]);

series_t *series_new (const series_query_t *query);
void series_destroy (series_t **self_p);
const series_query_t *series_query (const series_t *self);

//  Forgets the rows that were added.
void series_clear (series_t *self);

//  Adds one row: records, as the publisher wrote them. What cannot be read is left out.
void series_add (series_t *self, usher_str_t body);

//  Writes the answer.
void series_write (series_t *self, buffer_t *out);

#endif
