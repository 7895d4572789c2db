//  sleep - an actor as bytes, between two events of its viewer
//
//  Most viewers speak twice a minute. What they are in the meantime lies in one block of bytes, a fifth of what the actor
//  takes and less; whoever wants to look at it wakes it up, and it is what it was, to the last field.

#ifndef SLEEP_H
#define SLEEP_H

#include "buffer.h"
#include "roll.h"

//  May it sleep? Not while anything is under way but a write: a load, events or frames that wait.
bool sleep_allowed (const actor_t *actor);

//  The bytes of an actor, in a block of its own that the caller owns and frees. The actor is as before; a write that is under
//  way is not in them. working is memory to work in.
uint8_t *sleep_pack (const actor_t *actor, buffer_t *working);

//  Makes an actor, of which nothing but its seat is set, what it was.
void sleep_unpack (actor_t *actor, const uint8_t *packed);

//  Whose bytes they are: a view.
usher_str_t sleep_viewer_id (const uint8_t *packed);

#endif
