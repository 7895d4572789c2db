//  receipts - which frames of which ingester are applied and durable

#include "receipts.h"
#include "memory.h"

#include <stdlib.h>

typedef struct {
    uint32_t generation;
    bool open, begun;
    uint64_t last;       //  begun last
    uint64_t durable;    //  everything up to here is
    uint64_t told_applied, told_durable;
    size_t room;        //  of waits; a power of two
    uint32_t *waits;    //  ring by seq: tickets out for the frame
} lane_t;

struct receipts {
    size_t count;
    lane_t *lanes;    //  by peer
};

receipts_t *
receipts_new (void)
{
    return memory_new (1, sizeof (receipts_t));
}

void
receipts_destroy (receipts_t **self_p)
{
    receipts_t *self = *self_p;
    for (size_t at = 0; at < self->count; at++)
        free (self->lanes [at].waits);
    free (self->lanes);
    free (self);
    *self_p = NULL;
}

void
receipts_open (receipts_t *self, uint32_t peer)
{
    while (self->count <= peer) {
        self->lanes = memory_resize (self->lanes, self->count + 1, sizeof *self->lanes);
        self->lanes [self->count++] = (lane_t){ 0 };
    }
    lane_t *lane = &self->lanes [peer];
    free (lane->waits);
    *lane = (lane_t){ .generation = lane->generation + 1, .open = true };
}

static void
lane_grow (lane_t *lane)
{
    size_t room = lane->room ? lane->room * 2 : 64;
    uint32_t *waits = memory_new (room, sizeof *waits);
    for (uint64_t seq = lane->durable + 1; lane->room && seq <= lane->last; seq++)
        waits [seq & (room - 1)] = lane->waits [seq & (lane->room - 1)];
    free (lane->waits);
    lane->waits = waits;
    lane->room = room;
}

bool
receipts_begin (receipts_t *self, uint32_t peer, uint64_t seq)
{
    if (peer >= self->count || !self->lanes [peer].open || seq == 0)
        return false;
    lane_t *lane = &self->lanes [peer];
    if (lane->begun && seq != lane->last + 1)
        return false;
    if (!lane->begun) {
        lane->begun = true;
        lane->durable = lane->told_applied = lane->told_durable = seq - 1;
    }
    if (seq - lane->durable > lane->room)
        lane_grow (lane);
    lane->last = seq;
    lane->waits [seq & (lane->room - 1)] = 0;
    return true;
}

receipt_ticket_t
receipts_take (receipts_t *self, uint32_t peer)
{
    lane_t *lane = &self->lanes [peer];
    lane->waits [lane->last & (lane->room - 1)]++;
    return (receipt_ticket_t){ peer, lane->generation, lane->last };
}

void
receipts_give_back (receipts_t *self, receipt_ticket_t ticket)
{
    lane_t *lane = &self->lanes [ticket.peer];
    if (lane->generation == ticket.generation)
        lane->waits [ticket.seq & (lane->room - 1)]--;
}

bool
receipts_same (receipt_ticket_t a, receipt_ticket_t b)
{
    return a.seq == b.seq && a.peer == b.peer && a.generation == b.generation;
}

void
receipts_report (receipts_t *self, void (*tell) (void *arg, uint32_t peer, usher_msg_id_t id, uint64_t seq),
                 void *arg)
{
    for (uint32_t peer = 0; peer < self->count; peer++) {
        lane_t *lane = &self->lanes [peer];
        if (!lane->begun)
            continue;
        while (lane->durable < lane->last && lane->waits [(lane->durable + 1) & (lane->room - 1)] == 0)
            lane->durable++;
        if (lane->told_applied < lane->last)
            tell (arg, peer, USHER_MSG_applied, lane->last);
        if (lane->told_durable < lane->durable)
            tell (arg, peer, USHER_MSG_durable, lane->durable);
        lane->told_applied = lane->last;
        lane->told_durable = lane->durable;
    }
}

size_t
receipts_open_count (const receipts_t *self)
{
    size_t count = 0;
    for (size_t peer = 0; peer < self->count; peer++)
        count += (size_t)(self->lanes [peer].last - self->lanes [peer].durable);
    return count;
}

//  ---- tickets

static receipt_ticket_t *
ticket_at (tickets_t *self, size_t at)
{
    return at == 0 ? &self->first : &self->others [at - 1];
}

static receipt_ticket_t *
ticket_of (tickets_t *self, uint32_t peer)
{
    for (size_t at = 0; at < self->count; at++)
        if (ticket_at (self, at)->peer == peer)
            return ticket_at (self, at);
    return NULL;
}

void
tickets_put (tickets_t *self, receipts_t *receipts, receipt_ticket_t ticket)
{
    receipt_ticket_t *one = ticket_of (self, ticket.peer);
    if (one) {
        //  One of the peer's earlier life means nothing any more.
        bool newer = one->generation == ticket.generation ? ticket.seq >= one->seq
                                                          : ticket.generation < one->generation;
        receipts_give_back (receipts, newer ? ticket : *one);
        if (!newer)
            *one = ticket;
        return;
    }
    if (self->count > self->room) {
        self->room = self->room * 2 + 1;
        self->others = memory_resize (self->others, self->room, sizeof *self->others);
    }
    *ticket_at (self, self->count++) = ticket;
}

void
tickets_take (tickets_t *self, receipts_t *receipts, uint32_t peer)
{
    const receipt_ticket_t *one = ticket_of (self, peer);
    if (!one || one->generation != receipts->lanes [peer].generation)
        tickets_put (self, receipts, receipts_take (receipts, peer));
}

void
tickets_move (tickets_t *self, receipts_t *receipts, tickets_t *from)
{
    for (size_t at = 0; at < from->count; at++)
        tickets_put (self, receipts, *ticket_at (from, at));
    free (from->others);
    *from = (tickets_t){ 0 };
}

void
tickets_give_back (tickets_t *self, receipts_t *receipts)
{
    for (size_t at = 0; at < self->count; at++)
        receipts_give_back (receipts, *ticket_at (self, at));
    free (self->others);
    *self = (tickets_t){ 0 };
}
