//  walk - through all viewers in a fixed order, page by page, while they change

#include "walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

#include "memory.h"

typedef struct {
    uint64_t hash;
    usher_str_t viewer_id;
} step_t;

uint64_t
walk_hash (usher_str_t text)
{
    uint64_t hash = XXH64 (text.data, text.size, 7);
    return hash ? hash : 1;
}

static int
compare (const void *a, const void *b)
{
    const step_t *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

//  The viewers of a slot behind a hash, in order; each may be there several times. Returns how many.
static size_t
steps_of (const last_value_t *sessions, uint32_t slot, uint64_t after, step_t *steps)
{
    size_t count = 0;
    for (size_t at = 0; at < last_value_places (sessions, slot); at++) {
        const last_value_entry_t *entry = last_value_at (sessions, slot, at);
        if (!entry)
            continue;
        usher_str_t viewer_id = last_value_viewer (entry);
        uint64_t hash = walk_hash (viewer_id);
        if (hash > after)
            steps [count++] = (step_t){ hash, viewer_id };
    }
    qsort (steps, count, sizeof *steps, compare);
    return count;
}

//  Returns how much of the limit is left.
static size_t
walk_slot (walk_t *self, const last_value_t *sessions, size_t limit, walk_fn *fn, void *arg)
{
    step_t *steps = memory_new (last_value_count (sessions, self->slot), sizeof *steps);
    size_t count = steps_of (sessions, self->slot, self->after, steps);
    size_t at = 0;
    for (; at < count && limit; at++) {
        if (steps [at].hash == self->after)
            continue;
        self->after = steps [at].hash;
        if (fn (arg, self->slot, steps [at].viewer_id))
            limit--;
    }
    free (steps);
    if (at == count)
        *self = (walk_t){ .slot = self->slot + 1 };
    return limit;
}

void
walk_on (walk_t *self, const last_value_t *sessions, size_t limit, walk_fn *fn, void *arg)
{
    while (self->slot < USHER_SLOTS && limit)
        limit = walk_slot (self, sessions, limit, fn, arg);
}

void
walk_print (const walk_t *self, char text [25])
{
    snprintf (text, 25, "%x-%" PRIx64, self->slot, self->after);
}

bool
walk_parse (walk_t *self, const char *text)
{
    char tail;
    walk_t read;
    if (sscanf (text, "%5x-%16" SCNx64 "%c", &read.slot, &read.after, &tail) != 2 || read.slot >= USHER_SLOTS)
        return false;
    *self = read;
    return true;
}
