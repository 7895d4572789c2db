//  erase - erasures that somebody waits for
//
//  Pure: the shell says who waits; the answer goes to a function. An answer comes when the store has done it (200),
//  or has noted it and the process that hosts the viewer did not let go in time (202: it will be done, whatever dies).

#ifndef ERASE_H
#define ERASE_H

#include "api.h"
#include "outbox.h"

//  Erasures that may wait at once, and how long.
#define ERASE_WAITING 32
#define ERASE_MS 10000

typedef struct erase erase_t;

//  Takes an answer; its body goes over to the receiver.
typedef void (erase_done_fn) (void *asker, api_answer_t *answer);

erase_t *erase_new (erase_done_fn *done);
void erase_destroy (erase_t **self_p);

//  Asks. Returns the request's number, or 0 when too many wait.
uint64_t erase_ask (erase_t *self, void *asker, usher_str_t viewer_id, int64_t mono_ms, outbox_t *out);

//  The asker went away; what was asked for is done all the same.
void erase_cancel (erase_t *self, uint64_t request);

//  What the store says.
void erase_answer (erase_t *self, const usher_erasure_t *erasure);

//  The store is there (again): what waits is asked again. Time passes: who waited too long is told.
void erase_store_up (erase_t *self, outbox_t *out);
void erase_tick (erase_t *self, int64_t mono_ms);

#endif
