//  ring - the texts that clients are sent, numbered; the oldest go first

#ifndef RING_H
#define RING_H

#include "codec.h"

typedef struct ring ring_t;

typedef enum { RING_MESSAGE, RING_VIEWER } ring_kind_t;

//  titles: hashes of the titles that a viewer watches or watched just before, for filters.
typedef struct {
    ring_kind_t kind;
    uint64_t viewer;    //  hash
    uint64_t *titles;
    size_t title_count;
    char *text;    //  NULL: a newer text of the viewer follows
    size_t size;
} ring_item_t;

//  Holds at most texts items of bytes in all.
ring_t *ring_new (size_t texts, size_t bytes);
void ring_destroy (ring_t **self_p);

//  Appends a copy of text and titles. A viewer's earlier text is emptied.
void ring_add (ring_t *self, ring_kind_t kind, uint64_t viewer, const uint64_t *titles, size_t title_count,
               const void *text, size_t size);

//  The oldest number that is there, and the one that comes next.
uint64_t ring_tail (const ring_t *self);
uint64_t ring_head (const ring_t *self);

//  The item of a number between tail and head.
const ring_item_t *ring_at (const ring_t *self, uint64_t number);

#endif
