//  roll - the actors of a shard by viewer id, awake or asleep

#include "roll.h"
#include "fetch.h"
#include "memory.h"
#include "sleep.h"

#include <stdlib.h>
#include <xxhash.h>

enum {
    ROOM_FIRST = 1024,
    DOZE_MS = 2000,       //  without being asked for
    DOZE_PER_TURN = 64    //  looked at in one turn, and as many again where too many are awake
};

//  Its address marks a place; nobody looks inside.
static const seat_t gone;
#define GONE ((seat_t *)(uintptr_t)&gone)

struct roll {
    size_t room, used, count;    //  used counts GONE places too
    uint32_t *hashes;
    seat_t **seats;              //  NULL: never used; GONE: used once
    actor_t *newest, *oldest;    //  of those awake
    size_t awake, awake_max;
    actor_t *guest;     //  the one that woke up last where there were enough, or NULL
    uint64_t now_ms;    //  of the last roll_doze
    roll_due_fn *due;
    const void *due_arg;
    buffer_t working;
};

static void
places_new (roll_t *self, size_t room)
{
    self->room = room;
    self->hashes = memory_new (room, sizeof *self->hashes);
    self->seats = memory_new (room, sizeof *self->seats);
}

roll_t *
roll_new (roll_due_fn *due, const void *due_arg)
{
    roll_t *self = memory_new (1, sizeof *self);
    self->due = due;
    self->due_arg = due_arg;
    places_new (self, ROOM_FIRST);
    self->awake_max = SIZE_MAX;
    return self;
}

//  ---- who is awake

static void
list_add (roll_t *self, actor_t *actor)
{
    actor->listed_ms = self->now_ms;
    actor->asked = false;
    actor->newer = NULL;
    actor->older = self->newest;
    *(self->newest ? &self->newest->newer : &self->oldest) = actor;
    self->newest = actor;
    self->awake++;
}

static void
list_remove (roll_t *self, actor_t *actor)
{
    *(actor->newer ? &actor->newer->older : &self->newest) = actor->older;
    *(actor->older ? &actor->older->newer : &self->oldest) = actor->newer;
    self->awake--;
}

void
flight_free (flight_t **self_p)
{
    if (*self_p)
        free ((*self_p)->tickets.others);
    free (*self_p);
    *self_p = NULL;
}

static void
actor_free (actor_t *actor)
{
    for (size_t at = 0; at < actor->held_count; at++)
        free (actor->held [at].data);
    free (actor->held);
    if (actor->partial)
        viewer_clear (actor->partial);
    free (actor->partial);
    flight_free (&actor->flight);
    free (actor->dirty.others);
    viewer_clear (&actor->viewer);
    free (actor);
}

static void
seat_doze (roll_t *self, seat_t *seat)
{
    actor_t *actor = seat->actor;
    roll_due_keep (seat, self->due (self->due_arg, actor));
    list_remove (self, actor);
    if (self->guest == actor)
        self->guest = NULL;
    flight_t *flight = actor->flight;
    seat->asleep = true;
    seat->in_flight = flight != NULL;
    if (flight) {
        //  As if it were done: then the answer changes nothing, and need wake nobody. Who wakes up sooner gets back what is.
        actor->stored_epoch = flight->epoch;
        actor->stored_version = flight->version;
        seat->flight = flight;
        actor->flight = NULL;
    }
    *seat_packed (seat) = sleep_pack (actor, &self->working);
    actor_free (actor);
}

//  Who was woken for one event goes back to sleep behind it: its memory is at hand, and the next one takes it. What is under
//  way for it may keep it awake.
static void
guest_doze (roll_t *self)
{
    if (self->guest && sleep_allowed (self->guest))
        seat_doze (self, self->guest->seat);
    self->guest = NULL;
}

//  Looks at so many of the oldest, until it comes to one that may stay.
static void
oldest_doze (roll_t *self, size_t looks)
{
    for (; looks > 0 && self->oldest; looks--) {
        actor_t *actor = self->oldest;
        if (self->awake <= self->awake_max && actor->listed_ms + DOZE_MS > self->now_ms)
            return;
        if (!actor->asked && sleep_allowed (actor)) {
            seat_doze (self, actor->seat);
            continue;
        }
        list_remove (self, actor);
        list_add (self, actor);
    }
}

void
roll_doze (roll_t *self, uint64_t now_ms, size_t awake_max)
{
    self->now_ms = now_ms;
    self->awake_max = awake_max;
    guest_doze (self);
    //  Some of those that are too many wait for the store and can't sleep: to look at all of them in each turn costs more than
    //  events do. Who was answered is let go by roll_rest.
    size_t excess = self->awake > awake_max ? self->awake - awake_max : 0;
    oldest_doze (self, (excess < DOZE_PER_TURN / 2 ? 2 * excess : DOZE_PER_TURN) + DOZE_PER_TURN);
}

void
roll_rest (roll_t *self, actor_t *actor)
{
    if (self->awake <= self->awake_max || self->guest == actor)
        return;
    guest_doze (self);
    self->guest = actor;
}

static actor_t *
actor_new (roll_t *self, seat_t *seat)
{
    guest_doze (self);
    actor_t *actor = memory_new (1, sizeof *actor);
    actor->seat = seat;
    seat->asleep = false;
    seat->actor = actor;
    if (self->awake >= self->awake_max)
        self->guest = actor;
    list_add (self, actor);
    return actor;
}

roll_due_t
roll_due (const seat_t *seat)
{
    return (roll_due_t){ seat->clock_ms, seat->feed_ms, (uint64_t)seat->node.owns * 1000 };
}

void
roll_due_keep (seat_t *seat, roll_due_t due)
{
    seat->clock_ms = due.clock_ms & ROLL_NEVER;
    seat->feed_ms = due.feed_ms;
    seat->node.owns = (uint32_t)(due.checkpoint_ms / 1000);
}

actor_t *
roll_wake (roll_t *self, seat_t *seat)
{
    if (!seat->asleep) {
        seat->actor->asked = true;
        return seat->actor;
    }
    flight_t *flight = seat_flight (seat);
    uint8_t *packed = *seat_packed (seat);
    actor_t *actor = actor_new (self, seat);
    sleep_unpack (actor, packed);
    free (packed);
    if (flight) {
        actor->stored_epoch = flight->old_epoch;
        actor->stored_version = flight->old_version;
        actor->unwritten = flight->size;
        actor->flight = flight;
    }
    return actor;
}

void
roll_land (seat_t *seat)
{
    flight_t *flight = seat->flight;
    seat->packed = flight->packed;
    seat->in_flight = false;
    flight_free (&flight);
}

actor_t *
roll_next_awake (const roll_t *self, const actor_t *actor)
{
    return actor ? actor->older : self->newest;
}

//  ---- places

static void
seat_free (seat_t *seat)
{
    wheel_remove (&seat->node);
    if (!seat->asleep)
        actor_free (seat->actor);
    else {
        free (*seat_packed (seat));
        if (seat->in_flight)
            flight_free (&seat->flight);
    }
    free (seat);
}

void
roll_destroy (roll_t **self_p)
{
    roll_t *self = *self_p;
    size_t cursor = 0;
    for (seat_t *seat; (seat = roll_next (self, &cursor));)
        seat_free (seat);
    free (self->hashes);
    free (self->seats);
    buffer_free (&self->working);
    free (self);
    *self_p = NULL;
}

//  Another hash than the one that chose the slot: within a shard some bits of that say nothing.
static uint32_t
hash_of (usher_str_t viewer_id)
{
    return (uint32_t)XXH3_64bits (viewer_id.data, viewer_id.size);
}

static usher_str_t
seat_viewer_id (seat_t *seat)
{
    return seat->asleep ? sleep_viewer_id (*seat_packed (seat)) : seat->actor->viewer.id;
}

//  Where the probing of a hash begins: its share of the room, so that the room may be any number.
static size_t
place_first (const roll_t *self, uint32_t hash)
{
    return (size_t)((uint64_t)hash * self->room >> 32);
}

static size_t
place_after (const roll_t *self, size_t at)
{
    return at + 1 == self->room ? 0 : at + 1;
}

static size_t
place_find (const roll_t *self, usher_str_t viewer_id, uint32_t hash)
{
    size_t at = place_first (self, hash);
    for (;; at = place_after (self, at)) {
        seat_t *seat = self->seats [at];
        if (!seat ||
            (self->hashes [at] == hash && seat != GONE && usher_str_eq (seat_viewer_id (seat), viewer_id)))
            return at;
    }
}

seat_t *
roll_find (const roll_t *self, usher_str_t viewer_id)
{
    return self->seats [place_find (self, viewer_id, hash_of (viewer_id))];
}

//  ---- ahead

enum {
    PACKED_AHEAD = 6 * FETCH_LINE,    //  of who sleeps; most end there
    ACTOR_AHEAD = offsetof (actor_t, viewer.slot) + FETCH_LINE,
    SESSION_AHEAD = offsetof (session_t, known.duration_s),
    AHEAD_STEPS = 3,    //  behind the seat
    AHEAD = 2           //  events between two steps of one: a processor waits for a dozen lines at once
};

//  Without looking at seats: of two viewers of one hash the first found will do.
static seat_t *
seat_guess (const roll_t *self, uint32_t hash)
{
    size_t at = place_first (self, hash);
    while (self->seats [at] && self->hashes [at] != hash)
        at = place_after (self, at);
    return self->seats [at];
}

static void
session_fetch (const session_t *session)
{
    usher_str_t digests = strip_digests (&session->strip);
    if (session->strip.bytes) {
        fetch (session->strip.bytes + session->strip.head, FETCH_LINE);
        fetch (session->strip.bytes + session->strip.tail, FETCH_LINE);
    }
    fetch (digests.data, digests.size);
    fetch (session->known.session_id.data, 2 * FETCH_LINE);
}

//  One step each: the seat; the viewer or what is packed; what the viewer holds; what its first session holds.
static void
seat_find (const roll_t *self, roll_ahead_t *ahead, size_t at)
{
    seat_t *seat = seat_guess (self, ahead->hashes [at]);
    ahead->seats [at] = seat == GONE ? NULL : seat;
    fetch (seat, sizeof *seat);
}

static void
seat_fetch (const seat_t *seat)
{
    if (!seat->asleep)
        fetch (seat->actor, ACTOR_AHEAD);
    else if (seat->in_flight)
        fetch (seat->flight, sizeof (flight_t));
    else
        fetch (seat->packed, PACKED_AHEAD);
}

//  A processor waits for so many lines at once, and no more: what few events touch is left out.
static void
viewer_fetch (const actor_t *actor, bool attributes)
{
    const viewer_t *viewer = &actor->viewer;
    fetch (actor->flight, sizeof (flight_t));
    fetch (viewer->id.data, viewer->id.size);
    fetch (viewer->positions, 1);
    if (viewer->session_count == 0)
        return;
    const session_t *session = &viewer->sessions [0];
    fetch (session, attributes ? sizeof *session : SESSION_AHEAD);
    fetch (&session->known.expired_ms, 1);
}

//  Takes one of them a step on. Who falls asleep meanwhile keeps the seat.
static void
ahead_step (const roll_ahead_t *ahead, size_t at, size_t step)
{
    const seat_t *seat = at < ahead->count ? ahead->seats [at] : NULL;
    if (!seat)
        return;
    if (step == 0)
        seat_fetch (seat);
    else if (seat->asleep && step == 1 && seat->in_flight)
        fetch (seat->flight->packed, PACKED_AHEAD);
    else if (!seat->asleep && step == 1)
        viewer_fetch (seat->actor, ahead->attributes [at]);
    else if (!seat->asleep && seat->actor->viewer.session_count)
        session_fetch (&seat->actor->viewer.sessions [0]);
}

void
roll_ahead_add (roll_ahead_t *ahead, usher_str_t viewer_id, bool attributes)
{
    ahead->hashes [ahead->count] = hash_of (viewer_id);
    ahead->attributes [ahead->count++] = attributes;
}

void
roll_ahead (const roll_t *self, roll_ahead_t *ahead)
{
    for (size_t at = 0; at < ahead->count; at++) {
        size_t place = place_first (self, ahead->hashes [at]);
        fetch (&self->hashes [place], 1);
        fetch (&self->seats [place], 1);
    }
    for (size_t at = 0; at < ahead->count; at++)
        seat_find (self, ahead, at);
    roll_ahead_begin (ahead);
}

void
roll_ahead_seat_add (roll_ahead_t *ahead, seat_t *seat)
{
    ahead->seats [ahead->count] = seat;
    ahead->attributes [ahead->count++] = false;
}

void
roll_ahead_begin (const roll_ahead_t *ahead)
{
    for (size_t step = 0; step < AHEAD_STEPS; step++)
        for (size_t at = 0; at < (AHEAD_STEPS - step) * AHEAD; at++)
            ahead_step (ahead, at, step);
}

void
roll_ahead_next (const roll_ahead_t *ahead, size_t at)
{
    for (size_t step = AHEAD_STEPS; step-- > 0;)
        ahead_step (ahead, at + (AHEAD_STEPS - step) * AHEAD, step);
}

seat_t *
roll_ahead_seat (const roll_t *self, const roll_ahead_t *ahead, size_t at, usher_str_t viewer_id)
{
    seat_t *seat = ahead->seats [at];
    if (seat && usher_str_eq (seat_viewer_id (seat), viewer_id))
        return seat;
    return self->seats [place_find (self, viewer_id, ahead->hashes [at])];
}

//  ---- places once more

//  By half, so that at least half of the places are taken: a place costs 12 bytes.
static void
roll_grow (roll_t *self)
{
    roll_t old = *self;
    places_new (self, self->count * 2 > self->room ? self->room + self->room / 2 : self->room);
    self->used = self->count;
    for (size_t from = 0; from < old.room; from++) {
        if (!old.seats [from] || old.seats [from] == GONE)
            continue;
        size_t at = place_first (self, old.hashes [from]);
        while (self->seats [at])
            at = place_after (self, at);
        self->hashes [at] = old.hashes [from];
        self->seats [at] = old.seats [from];
    }
    free (old.hashes);
    free (old.seats);
}

actor_t *
roll_get (roll_t *self, usher_str_t viewer_id)
{
    if (self->used * 5 >= self->room * 4)
        roll_grow (self);
    uint32_t hash = hash_of (viewer_id);
    size_t at = place_find (self, viewer_id, hash);
    if (self->seats [at])
        return roll_wake (self, self->seats [at]);
    seat_t *seat = memory_new (1, sizeof *seat);
    actor_t *actor = actor_new (self, seat);
    viewer_init (&actor->viewer, viewer_id);
    self->hashes [at] = hash;
    self->seats [at] = seat;
    self->count++;
    self->used++;
    return actor;
}

void
roll_drop (roll_t *self, actor_t *actor)
{
    usher_str_t id = actor->viewer.id;
    self->seats [place_find (self, id, hash_of (id))] = GONE;
    self->count--;
    list_remove (self, actor);
    if (self->guest == actor)
        self->guest = NULL;
    seat_free (actor->seat);
}

size_t
roll_count (const roll_t *self)
{
    return self->count;
}

size_t
roll_awake (const roll_t *self)
{
    return self->awake;
}

seat_t *
roll_next (const roll_t *self, size_t *cursor)
{
    while (*cursor < self->room) {
        seat_t *seat = self->seats [(*cursor)++];
        if (seat && seat != GONE)
            return seat;
    }
    return NULL;
}
