//  roll - the actors of a shard by viewer id

#include "roll.h"
#include "memory.h"

#include <stdlib.h>
#include <xxhash.h>

typedef struct {
    uint64_t hash;
    actor_t *actor;    //  NULL: never used; GONE: used once
} place_t;

//  Its address marks a place; nobody looks inside.
static actor_t gone;
#define GONE (&gone)

struct roll {
    size_t room, used, count;    //  used counts GONE places too
    place_t *places;
};

roll_t *
roll_new (void)
{
    roll_t *self = memory_new (1, sizeof *self);
    self->room = 1024;
    self->places = memory_new (self->room, sizeof *self->places);
    return self;
}

static void
actor_free (actor_t *actor)
{
    wheel_remove (&actor->node);
    for (size_t at = 0; at < actor->held_count; at++)
        free (actor->held [at].data);
    free (actor->held);
    free (actor->writing);
    free (actor->dirty.items);
    free (actor->in_flight.items);
    viewer_clear (&actor->viewer);
    free (actor);
}

void
roll_destroy (roll_t **self_p)
{
    roll_t *self = *self_p;
    for (size_t at = 0; at < self->room; at++)
        if (self->places [at].actor && self->places [at].actor != GONE)
            actor_free (self->places [at].actor);
    free (self->places);
    free (self);
    *self_p = NULL;
}

static place_t *
place_find (const roll_t *self, usher_str_t viewer_id, uint64_t hash)
{
    for (size_t at = hash & (self->room - 1);; at = (at + 1) & (self->room - 1)) {
        place_t *place = &self->places [at];
        if (!place->actor)
            return place;
        if (place->hash == hash && place->actor != GONE && usher_str_eq (place->actor->viewer.id, viewer_id))
            return place;
    }
}

actor_t *
roll_find (const roll_t *self, usher_str_t viewer_id)
{
    return place_find (self, viewer_id, XXH64 (viewer_id.data, viewer_id.size, 0) >> 10)->actor;
}

static void
roll_grow (roll_t *self)
{
    roll_t old = *self;
    if (self->count * 2 > self->room / 2)
        self->room *= 2;
    self->places = memory_new (self->room, sizeof *self->places);
    self->used = self->count;
    for (size_t at = 0; at < old.room; at++)
        if (old.places [at].actor && old.places [at].actor != GONE)
            *place_find (self, old.places [at].actor->viewer.id, old.places [at].hash) = old.places [at];
    free (old.places);
}

actor_t *
roll_get (roll_t *self, usher_str_t viewer_id)
{
    if (self->used * 3 >= self->room * 2)
        roll_grow (self);
    //  The low ten bits chose the slot, so within a shard they say less than the others.
    uint64_t hash = XXH64 (viewer_id.data, viewer_id.size, 0) >> 10;
    place_t *place = place_find (self, viewer_id, hash);
    if (!place->actor) {
        actor_t *actor = memory_new (1, sizeof *actor);
        viewer_init (&actor->viewer, viewer_id);
        *place = (place_t){ hash, actor };
        self->count++;
        self->used++;
    }
    return place->actor;
}

void
roll_drop (roll_t *self, actor_t *actor)
{
    usher_str_t id = actor->viewer.id;
    place_t *place = place_find (self, id, XXH64 (id.data, id.size, 0) >> 10);
    place->actor = GONE;
    self->count--;
    actor_free (actor);
}

size_t
roll_count (const roll_t *self)
{
    return self->count;
}

actor_t *
roll_next (const roll_t *self, size_t *cursor)
{
    while (*cursor < self->room) {
        actor_t *actor = self->places [(*cursor)++].actor;
        if (actor && actor != GONE)
            return actor;
    }
    return NULL;
}
