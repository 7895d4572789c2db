//  picture - the sessions held, and what they come to: the two change together

#ifndef PICTURE_H
#define PICTURE_H

#include "aggregates.h"
#include "last_value.h"

typedef struct picture picture_t;

picture_t *picture_new (void);
void picture_destroy (picture_t **self_p);

//  Keeps a session as it is now, or takes it out when it is gone. Returns false if it was gone already, or if it is partial
//  and is held as a whole. now_ms is Unix time.
bool picture_put (picture_t *self, const usher_session_t *session, uint64_t now_ms);

//  Takes out one by its slot and index.
void picture_remove (picture_t *self, uint32_t slot, size_t index, uint64_t now_ms);

//  Time has passed: sessions that have stalled for too long count no longer.
void picture_tick (picture_t *self, uint64_t now_ms);

const last_value_t *picture_sessions (const picture_t *self);
aggregates_t *picture_aggregates (const picture_t *self);

#endif
