//  dimension - sessions and viewers by one property: medium, country, state

#include "dimension.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "hash_map.h"
#include "memory.h"
#include "records.h"

typedef struct {
    uint64_t hash;
    dimension_count_t count;
    uint32_t size;
    char *key;
} place_t;

struct dimension {
    usher_dimension_t which;
    place_t *places;
    size_t count, room;
    hash_map_t index;    //  hash of the key to place plus 1
    dimension_count_t other;
};

dimension_t *
dimension_new (usher_dimension_t which)
{
    dimension_t *self = memory_new (1, sizeof *self);
    self->which = which;
    return self;
}

void
dimension_destroy (dimension_t **self_p)
{
    dimension_t *self = *self_p;
    if (!self)
        return;
    for (size_t at = 0; at < self->count; at++)
        free (self->places [at].key);
    free (self->places);
    hash_map_free (&self->index);
    free (self);
    *self_p = NULL;
}

static usher_str_t
cut (usher_str_t key)
{
    return usher_bytes (key.data, key.size < DIMENSION_KEY_BYTES ? key.size : DIMENSION_KEY_BYTES);
}

static uint64_t
hash_of (usher_str_t key)
{
    uint64_t hash = XXH64 (key.data, key.size, 0);
    return hash ? hash : 1;
}

static place_t *
find (const dimension_t *self, usher_str_t key)
{
    const uint64_t *place = hash_map_get (&self->index, hash_of (cut (key)));
    return place ? &self->places [*place - 1] : NULL;
}

static place_t *
place_new (dimension_t *self, usher_str_t key)
{
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 16;
        self->places = memory_resize (self->places, self->room, sizeof *self->places);
    }
    place_t *place = &self->places [self->count++];
    *place = (place_t){ .hash = hash_of (key), .size = key.size, .key = memory_copy (key.data, key.size) };
    *hash_map_put (&self->index, place->hash) = self->count;
    return place;
}

//  The last place moves into the gap.
static void
place_remove (dimension_t *self, place_t *place)
{
    hash_map_remove (&self->index, place->hash);
    free (place->key);
    place_t *last = &self->places [--self->count];
    if (place == last)
        return;
    *place = *last;
    *hash_map_put (&self->index, place->hash) = (uint64_t)(place - self->places) + 1;
}

bool
dimension_is_full_for (const dimension_t *self, usher_str_t key)
{
    return self->count == DIMENSION_KEYS && !find (self, key);
}

static void
count_add (dimension_count_t *count, int sessions, int viewers)
{
    count->sessions += (uint64_t)(int64_t)sessions;
    count->viewers += (uint64_t)(int64_t)viewers;
}

void
dimension_add (dimension_t *self, usher_str_t key, bool other, int sessions, int viewers)
{
    if (other) {
        count_add (&self->other, sessions, viewers);
        return;
    }
    place_t *place = find (self, key);
    if (!place)
        place = place_new (self, cut (key));
    count_add (&place->count, sessions, viewers);
    if (!place->count.sessions)
        place_remove (self, place);
}

dimension_count_t
dimension_count (const dimension_t *self, usher_str_t key)
{
    const place_t *place = find (self, key);
    return place ? place->count : (dimension_count_t){ 0 };
}

dimension_count_t
dimension_other (const dimension_t *self)
{
    return self->other;
}

size_t
dimension_keys (const dimension_t *self)
{
    return self->count;
}

//  ---- writing

//  Most sessions first; the hash makes the order one.
static int
compare (const void *a, const void *b)
{
    const place_t *x = *(const place_t *const *)a, *y = *(const place_t *const *)b;
    if (x->count.sessions != y->count.sessions)
        return x->count.sessions > y->count.sessions ? -1 : 1;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void
write_key (const dimension_t *self, usher_str_t key, bool other, dimension_count_t count, buffer_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_aggregate_key,
                        .aggregate_key = { self->which, key, other, count.sessions, count.viewers } };
    records_add (out, &msg);
}

void
dimension_write (const dimension_t *self, size_t limit, buffer_t *out)
{
    const place_t **places = memory_new (self->count + 1, sizeof *places);
    dimension_count_t other = self->other;
    for (size_t at = 0; at < self->count; at++)
        places [at] = &self->places [at];
    qsort (places, self->count, sizeof *places, compare);
    for (size_t at = 0; at < self->count; at++)
        if (at < limit)
            write_key (self, usher_bytes (places [at]->key, places [at]->size), false, places [at]->count,
                       out);
        else
            count_add (&other, (int)places [at]->count.sessions, (int)places [at]->count.viewers);
    if (other.sessions)
        write_key (self, usher_bytes ("", 0), true, other, out);
    free (places);
}
