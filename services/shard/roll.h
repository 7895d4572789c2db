//  roll - the actors of a shard by viewer id, awake or asleep
//
//  Open addressing over pointers; bits of the hash are kept beside, so a probe touches no actor but the one it finds.
//  Whoever asks for an actor gets it awake. Those that nobody asked for in a while are put to sleep (sleep.h), and so are
//  the ones that were not asked for longest when there are too many: a second chance for each, as pages of memory have it.

#ifndef ROLL_H
#define ROLL_H

#include "lot.h"
#include "receipts.h"
#include "viewer.h"
#include "wheel.h"

//  An event that waits for its viewer to be loaded, encoded, and the frame it holds up.
typedef struct {
    size_t size;
    uint8_t *data;
    receipt_ticket_t ticket;
} held_event_t;

//  A write that the store has not answered: its frame, to send it again, how many bytes of that are history behind its head,
//  who waits for the answer, and the viewer's bytes if it sleeps meanwhile.
typedef struct {
    size_t size, rows;
    uint64_t old_epoch, old_version, row;    //  of the row that it replaces; row 0: not known, or none
    uint64_t epoch, version;                 //  that it gives it
    uint8_t *packed;
    tickets_t tickets;
    uint8_t frame [];
} flight_t;

typedef struct actor actor_t;

//  What there is of a viewer in any case. Asleep it has what roll_due_t has; the node owns the checkpoint, in seconds.
typedef struct {
    wheel_node_t node;    //  first: a node is its seat
    uint64_t asleep : 1;
    uint64_t in_flight : 1;    //  asleep: a write is
    uint64_t clock_ms : 62;
    uint64_t feed_ms;
    union {
        actor_t *actor;
        uint8_t *packed;
        flight_t *flight;    //  asleep and in_flight: it has the bytes
    };
} seat_t;

//  What a shard keeps of a viewer beside the viewer itself, while it is awake. sleep.c lists what outlives a sleep. What nearly
//  every event touches comes first.
struct actor {
    seat_t *seat;
    bool asked;    //  for, since listed_ms
    bool loaded, load_sent;
    bool let_go;           //  of all it held, for an erasure, and the store has not given it again
    bool hard, soft;       //  something is not written that must be now, or at the next checkpoint
    bool reload;           //  a write was refused: read the row before the next one
    uint64_t erased_ms;    //  what was collected up to here is erased; 0 nothing
    size_t held_count, held_bytes;
    flight_t *flight;    //  the write that is under way, or NULL
    size_t unwritten;    //  bytes that it was counted with last (unwritten.c)
    viewer_t viewer;
    actor_t *newer, *older;                               //  in the list of those that are awake
    uint64_t listed_ms;                                   //  monotonic; since when it is there
    uint64_t stored_epoch, stored_version, stored_row;    //  of the row as we know it
    int64_t checkpoint_ms;    //  monotonic, whole seconds; when soft facts are due
    int64_t held_ms;          //  monotonic; since when the first of them waits
    viewer_t *partial;        //  what they come to, for show (partial.c); or NULL
    held_event_t *held;
    uint64_t writing_version;    //  of the last write, answered or not
    tickets_t dirty;             //  frames that wait for the next write
};

typedef struct roll roll_t;

//  When there is something to look at of an actor: by the source's clock, and monotonic when what the feed was not told is to be
//  told, ROLL_NEVER if not; and monotonic, in whole seconds, when what is soft is to be written, 0 if not.
typedef struct {
    uint64_t clock_ms, feed_ms, checkpoint_ms;
} roll_due_t;

#define ROLL_NEVER (UINT64_MAX >> 2)
typedef roll_due_t (roll_due_fn) (const void *arg, const actor_t *actor);

//  Lets go of a write; NULL is none. The bytes of who sleeps are not freed.
void flight_free (flight_t **self_p);

roll_t *roll_new (roll_due_fn *due, const void *due_arg);
void roll_destroy (roll_t **self_p);

//  The actor, made if need be. It is awake until another one is asked for, or until roll_doze.
actor_t *roll_get (roll_t *self, usher_str_t viewer_id);

//  The seat, NULL if there is none; nobody wakes up.
seat_t *roll_find (const roll_t *self, usher_str_t viewer_id);

//  Who is going to be asked for, in this order, up to LOT_MESSAGES of them. Starts with count 0.
typedef struct {
    size_t count;
    uint32_t hashes [LOT_MESSAGES];
    seat_t *seats [LOT_MESSAGES];
    bool attributes [LOT_MESSAGES];
} roll_ahead_t;

//  Adds one. An event that tells attributes touches more of a session.
void roll_ahead_add (roll_ahead_t *ahead, usher_str_t viewer_id, bool attributes);

//  Fetches into the cache what will be touched of each, step by step, as one leads to the next; the later steps while those
//  before are worked, for which roll_ahead_next is told the number of each before it is. None of them may be dropped till then.
void roll_ahead (const roll_t *self, roll_ahead_t *ahead);
void roll_ahead_next (const roll_ahead_t *ahead, size_t at);

//  The same of those whose seats are at hand: adds one, and begins.
void roll_ahead_seat_add (roll_ahead_t *ahead, seat_t *seat);
void roll_ahead_begin (const roll_ahead_t *ahead);

//  The seat of the one that was added as number at, NULL if there is none; nobody wakes up.
seat_t *roll_ahead_seat (const roll_t *self, const roll_ahead_t *ahead, size_t at, usher_str_t viewer_id);

//  The actor of a seat, awake likewise.
actor_t *roll_wake (roll_t *self, seat_t *seat);

//  The bytes of who sleeps.
static inline uint8_t **
seat_packed (seat_t *seat)
{
    return seat->in_flight ? &seat->flight->packed : &seat->packed;
}

//  The write that is under way, or NULL.
static inline flight_t *
seat_flight (const seat_t *seat)
{
    if (!seat->asleep)
        return seat->actor->flight;
    return seat->in_flight ? seat->flight : NULL;
}

//  The write of who sleeps is done, and lets go of: it sleeps on.
void roll_land (seat_t *seat);

//  Says anew when there is something to look at of who sleeps.
void roll_due_keep (seat_t *seat, roll_due_t due);

//  When there is something to look at of who sleeps.
roll_due_t roll_due (const seat_t *seat);

//  Puts to sleep some of what is awake beyond so many, and of what nobody asked for in a while. Time is monotonic.
void roll_doze (roll_t *self, uint64_t now_ms, size_t awake_max);

//  What was under way for an actor is over: where too many are awake it goes to sleep, before the next one wakes up.
void roll_rest (roll_t *self, actor_t *actor);

//  Forgets an actor and frees it.
void roll_drop (roll_t *self, actor_t *actor);

size_t roll_count (const roll_t *self);
size_t roll_awake (const roll_t *self);

//  Walks over all seats: *cursor starts at 0; NULL at the end. Those added or dropped in between may be missed.
seat_t *roll_next (const roll_t *self, size_t *cursor);

//  Walks over the actors that are awake: the one after actor, the first after NULL; NULL at the end.
actor_t *roll_next_awake (const roll_t *self, const actor_t *actor);

#endif
