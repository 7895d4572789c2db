//  snapshots - answers gateways page by page, a bounded piece in each loop turn
//
//  Requests wait in a ring and take turns. A slot is sent whole within one turn, so it is exactly as of its number.

#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include "last_value.h"
#include "outbox.h"

typedef struct snapshots snapshots_t;

//  The last number of a slot.
typedef uint64_t (snapshots_seq_fn) (const void *arg, uint32_t slot);

snapshots_t *snapshots_new (uint64_t epoch);
void snapshots_destroy (snapshots_t **self_p);

//  Takes a request. A new one of the same peer replaces its old one; when all places are taken it is dropped, and the
//  gateway asks again.
void snapshots_ask (snapshots_t *self, uint32_t peer, const usher_snapshot_request_t *request);

//  Forgets what a peer asked.
void snapshots_forget (snapshots_t *self, uint32_t peer);

//  Sends the next piece. Returns true while there is more to send.
bool snapshots_turn (snapshots_t *self, const last_value_t *sessions, snapshots_seq_fn *seq_of,
                     const void *arg, outbox_t *out);

//  How many requests are being answered.
size_t snapshots_waiting (const snapshots_t *self);

#endif
