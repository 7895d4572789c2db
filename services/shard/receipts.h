//  receipts - which frames of which ingester are applied and durable
//
//  A frame is durable when it was applied and everything it waits for is written. Receipts go back in order.

#ifndef RECEIPTS_H
#define RECEIPTS_H

#include "message.h"

typedef struct receipts receipts_t;

//  Names a frame that something waits for. A ticket outlives its ingester harmlessly.
typedef struct {
    uint32_t peer;
    uint32_t generation;
    uint64_t seq;
} receipt_ticket_t;

receipts_t *receipts_new (void);
void receipts_destroy (receipts_t **self_p);

//  A peer begins anew; its old tickets mean nothing from now on.
void receipts_open (receipts_t *self, uint32_t peer);

//  Begins frame seq. Returns false, and takes nothing, unless it is the peer's first or the one after its last.
bool receipts_begin (receipts_t *self, uint32_t peer, uint64_t seq);

//  A ticket for the frame that the peer began last; each one taken must be given back.
receipt_ticket_t receipts_take (receipts_t *self, uint32_t peer);
void receipts_give_back (receipts_t *self, receipt_ticket_t ticket);

//  Is a the same frame as b?
bool receipts_same (receipt_ticket_t a, receipt_ticket_t b);

//  The frames that wait for one thing, a write: of each peer the oldest one's ticket. Receipts go back in order, so it
//  holds up those behind it, however many they are.
typedef struct {
    size_t count, room;
    receipt_ticket_t first;    //  nearly always the only one
    receipt_ticket_t *others;
} tickets_t;

//  Adds a ticket that was taken, or gives it back where the peer has an older one here.
void tickets_put (tickets_t *self, receipts_t *receipts, receipt_ticket_t ticket);

//  Takes one for the frame that the peer began last, unless the peer has one here.
void tickets_take (tickets_t *self, receipts_t *receipts, uint32_t peer);

//  Everything that waits for from waits for self now.
void tickets_move (tickets_t *self, receipts_t *receipts, tickets_t *from);

//  Gives all of them back.
void tickets_give_back (tickets_t *self, receipts_t *receipts);

//  Calls tell for each peer whose applied or durable number grew since the last call.
void receipts_report (receipts_t *self,
                      void (*tell) (void *arg, uint32_t peer, usher_msg_id_t id, uint64_t seq), void *arg);

//  Frames begun and not durable.
size_t receipts_open_count (const receipts_t *self);

#endif
