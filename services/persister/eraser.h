//  eraser - erases viewers: the wish, the owner that lets go, the tombstone, the quarantine
//
//  In two steps. The wish is committed and the owner of the viewer's slot told to forget; when it has let go, the instant it
//  names is committed as a tombstone together with the removal of all rows (in DynamoDB behind it). Wishes are told again
//  to whoever starts or comes back, and after a turn that failed. The quarantine is searched piece by piece; at its end
//  whoever asked is told.

#ifndef ERASER_H
#define ERASER_H

#include "dynamo_store.h"
#include "erasures.h"
#include "turn.h"

typedef struct {
    turn_t *turn;
    dynamo_store_t *dynamo;    //  without a core: profiles and history are in the store
    uint32_t tombstone_s;      //  how long tombstones stand
    erasures_t erasures;
    uint64_t failures;    //  of turns, when owners were last asked to forget
    int64_t told_ms;
} eraser_t;

//  A peer comes, and is told all wishes; it goes; it has learned what it owns, and is told again.
void eraser_meet (eraser_t *self, uint32_t peer, outbox_t *out);
void eraser_leave (eraser_t *self, uint32_t peer);
void eraser_tell (eraser_t *self, uint32_t peer, outbox_t *out);

//  Somebody wants a viewer to be erased: notes the wish, and asks the owner, whoever it is, to forget. When the turn fails,
//  nobody is asked.
void eraser_wish (eraser_t *self, uint32_t peer, const usher_erase_t *erase, outbox_t *out);

//  The owner has let go: tombstone and removal are one transaction; in DynamoDB the removal comes first, and until it is
//  done the wish stands.
void eraser_bury (eraser_t *self, const usher_forgotten_t *forgotten, outbox_t *out);

//  DynamoDB has removed it.
void eraser_buried (eraser_t *self, const usher_forgotten_t *forgotten, uint64_t profiles, uint64_t rows,
                    outbox_t *out);

//  Asks owners again whom a turn that failed may have kept from hearing it. Each tick, before the turn ends.
void eraser_tell_again (eraser_t *self, usher_time_t now, outbox_t *out);

//  Searches one piece of the quarantine. Each tick.
void eraser_search (eraser_t *self, outbox_t *out);

#endif
