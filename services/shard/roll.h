//  roll - the actors of a shard by viewer id
//
//  Open addressing over pointers; the hash is kept beside, so a probe touches no actor but the one it finds.

#ifndef ROLL_H
#define ROLL_H

#include "receipts.h"
#include "viewer.h"
#include "wheel.h"

//  An event that waits for its viewer to be loaded, encoded, and the frame it holds up.
typedef struct {
    size_t size;
    uint8_t *data;
    receipt_ticket_t ticket;
} held_event_t;

//  What a shard keeps of a viewer beside the viewer itself.
typedef struct {
    wheel_node_t node;    //  first: a node is its actor
    viewer_t viewer;
    bool loaded, load_sent;
    bool hard, soft;    //  something is not written that must be now, or at the next checkpoint
    bool reload;        //  a write was refused: read the row before the next one
    uint64_t stored_epoch, stored_version;    //  of the row as we know it
    uint64_t erased_ms;                       //  what was collected up to here is erased; 0 nothing
    int64_t checkpoint_ms;                    //  monotonic; when soft facts are due
    size_t held_count;
    held_event_t *held;
    size_t writing_size;    //  0: no write in flight
    uint8_t *writing;       //  its frame, to send it again
    uint64_t writing_version;
    size_t writing_rows;           //  bytes of history in it, behind the frame's head
    bool writing_gone;             //  the actor may leave once this is written
    tickets_t dirty, in_flight;    //  frames that wait for the next write; for this one
} actor_t;

typedef struct roll roll_t;

roll_t *roll_new (void);
void roll_destroy (roll_t **self_p);

//  The actor, or NULL; the actor, made if need be.
actor_t *roll_find (const roll_t *self, usher_str_t viewer_id);
actor_t *roll_get (roll_t *self, usher_str_t viewer_id);

//  Forgets an actor and frees it.
void roll_drop (roll_t *self, actor_t *actor);

size_t roll_count (const roll_t *self);

//  Walks over all actors: *cursor starts at 0; NULL at the end. Actors added or dropped in between may be missed.
actor_t *roll_next (const roll_t *self, size_t *cursor);

#endif
