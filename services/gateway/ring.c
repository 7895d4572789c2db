//  ring - the texts that clients are sent, numbered; the oldest go first

#include "ring.h"

#include <assert.h>
#include <stdlib.h>

#include "hash_map.h"
#include "memory.h"

struct ring {
    ring_item_t *items;
    size_t room, bytes_max, bytes;
    uint64_t tail, head;
    hash_map_t newest;    //  hash of a viewer to number of its text, plus 1
};

ring_t *
ring_new (size_t texts, size_t bytes)
{
    ring_t *self = memory_new (1, sizeof *self);
    self->items = memory_new (texts, sizeof *self->items);
    self->room = texts;
    self->bytes_max = bytes;
    return self;
}

static ring_item_t *
item_at (const ring_t *self, uint64_t number)
{
    return &self->items [number % self->room];
}

static void
item_clear (ring_t *self, ring_item_t *item)
{
    if (!item->text)
        return;
    self->bytes -= item->size;
    free (item->text);
    free (item->titles);
    *item = (ring_item_t){ 0 };
}

static void
drop_oldest (ring_t *self)
{
    ring_item_t *item = item_at (self, self->tail);
    if (item->text && item->kind == RING_VIEWER)
        hash_map_remove (&self->newest, item->viewer);
    item_clear (self, item);
    self->tail++;
}

void
ring_destroy (ring_t **self_p)
{
    ring_t *self = *self_p;
    if (!self)
        return;
    while (self->tail < self->head)
        drop_oldest (self);
    hash_map_free (&self->newest);
    free (self->items);
    free (self);
    *self_p = NULL;
}

void
ring_add (ring_t *self, ring_kind_t kind, uint64_t viewer, const uint64_t *titles, size_t title_count,
          const void *text, size_t size)
{
    if (kind == RING_VIEWER) {
        uint64_t *newest = hash_map_get (&self->newest, viewer);
        if (newest)
            item_clear (self, item_at (self, *newest - 1));
    }
    while (self->tail < self->head &&
           (self->head - self->tail == self->room || self->bytes + size > self->bytes_max))
        drop_oldest (self);
    if (kind == RING_VIEWER)
        *hash_map_put (&self->newest, viewer) = self->head + 1;
    *item_at (self, self->head) =
        (ring_item_t){ kind,
                       viewer,
                       title_count ? memory_copy (titles, title_count * sizeof *titles) : NULL,
                       title_count,
                       memory_copy (text, size),
                       size };
    self->bytes += size;
    self->head++;
}

uint64_t
ring_tail (const ring_t *self)
{
    return self->tail;
}

uint64_t
ring_head (const ring_t *self)
{
    return self->head;
}

const ring_item_t *
ring_at (const ring_t *self, uint64_t number)
{
    assert (number >= self->tail && number < self->head);
    return item_at (self, number);
}
