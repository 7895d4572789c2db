//  stats - what the publisher says all sessions come to, as JSON
//
//  The publisher counts, and says so each second on the feed (topic a). Nothing is counted here.

#ifndef STATS_H
#define STATS_H

#include "buffer.h"
#include "tally.h"

typedef struct stats stats_t;

stats_t *stats_new (void);
void stats_destroy (stats_t **self_p);

//  Takes a frame of topic a. False, with nothing changed, if it is none.
bool stats_take (stats_t *self, const void *data, size_t size);

//  Has the publisher said anything yet?
bool stats_known (const stats_t *self);

//  /v1/stats. partial: the picture may lack something.
void stats_write (const stats_t *self, buffer_t *out, uint64_t now_ms, double messages_per_second,
                  bool partial);

//  /v1/titles: the limit most watched; /v1/titles/LABEL/count.
void stats_write_titles (const stats_t *self, buffer_t *out, size_t limit, bool partial);
void stats_write_title (const stats_t *self, buffer_t *out, usher_str_t label, bool partial);

//  Members of the open object: ads with their rates, start-up times and rebuffering with percentiles.
void stats_write_tally (buffer_t *out, const tally_t *tally);

//  Percentiles that are shown.
#define STATS_PERCENTILES 5
extern const unsigned stats_percentiles [STATS_PERCENTILES];

#endif
