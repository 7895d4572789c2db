//  stats - counts over all sessions, kept up to date change by change

#ifndef STATS_H
#define STATS_H

#include "buffer.h"
#include "last_value.h"

typedef struct stats stats_t;

stats_t *stats_new (void);
void stats_destroy (stats_t **self_p);

//  Counts all sessions of a viewer in, or out again; between the two it must not change.
void stats_add (stats_t *self, const last_value_t *sessions, uint32_t slot, usher_str_t viewer_id);
void stats_subtract (stats_t *self, const last_value_t *sessions, uint32_t slot, usher_str_t viewer_id);

//  Writes them as /v1/stats has them.
void stats_write (const stats_t *self, buffer_t *out, uint64_t now_ms, double messages_per_second,
                  bool partial);

//  The live sessions of all viewers that are counted; for tests and metrics.
uint64_t stats_concurrent_sessions (const stats_t *self);
uint64_t stats_concurrent_viewers (const stats_t *self);

#endif
