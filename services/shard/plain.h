//  plain - a viewer who sleeps and is as most are: one live session, one partition; and an event that leaves
//  it asleep
//
//  Most events are pings that move a position and add to a few totals. What these touch lies in a plain sleeper at places of its
//  own, so that such an event is worked in by the same functions as any other, but without waking anybody: no memory is
//  asked for, and what it does not touch stays as it lies.

#ifndef PLAIN_H
#define PLAIN_H

#include "roll.h"

//  What begins the bytes of everybody who sleeps.
typedef struct {
    uint16_t id_size;
    bool plain;    //  they are a plain_t's
} packed_t;

//  Behind it lie, end to end: the viewer's id, the session's texts, words of all else (sleep.c), the fold now and that before
//  the window (fold_bytes.h), then at an even place the digests of the strip, and its events up to the end of the block.
typedef struct {
    packed_t packed;
    uint8_t source;                  //  with partition, generation and offset: the position that was applied
    uint8_t count, gone, digests;    //  of the strip, digests being the room for them
    uint16_t room;                   //  bytes of the block
    uint16_t session_id_size, texts_size, words_size, now_size, base_size;
    uint16_t head, tail;    //  of the strip
    uint16_t partition;
    uint32_t instant_s;    //  that the folds are told by
    int32_t first_ms;      //  order of the strip's first event, from that on
    int32_t lead_min_ms, lead_max_ms;
    uint64_t generation, offset;
    int64_t fed_ms;
} plain_t;

//  The plain sleeper among those bytes, or NULL.
const plain_t *plain_of (const uint8_t *packed);

//  Is an actor who may sleep like that?
bool plain_suits (const actor_t *actor);

//  Its block, with words that plain_words gives back, which the caller owns. The actor is as before.
uint8_t *plain_new (const actor_t *actor, usher_str_t words);

//  Bytes of it: views.
usher_str_t plain_viewer_id (const plain_t *self);
usher_str_t plain_texts (const plain_t *self);
usher_str_t plain_words (const plain_t *self);

//  Gives an actor with one session and one position all that lies at places of its own. When soft facts are due its seat knows.
void plain_restore (const plain_t *self, actor_t *actor);

//  Works in an event that changes nothing but soft facts, if it is one; false: nothing was done, wake the viewer. Its feed must
//  have been told later than at told_ms, or it has to be told again. session gets what tells when to look at it again (its fold
//  now, fed_ms) and is meant to be all zeros before the first call; it must not be cleared.
bool plain_take (seat_t *seat, const usher_event_t *event, int64_t told_ms, session_t *session);

#endif
