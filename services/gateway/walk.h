//  walk - through all viewers in a fixed order, page by page, while they change
//
//  The order is slot, then hash of the viewer id. A viewer that is there during the whole walk is met exactly once.

#ifndef WALK_H
#define WALK_H

#include "last_value.h"

//  Where to go on; all zeros begins.
typedef struct {
    uint32_t slot;     //  USHER_SLOTS: the end
    uint64_t after;    //  hash of the last viewer met in that slot
} walk_t;

//  Meets a viewer; returns whether it counts to the page.
typedef bool (walk_fn) (void *arg, uint32_t slot, usher_str_t viewer_id);

//  Meets viewers until limit of them counted or the end is reached.
void walk_on (walk_t *self, const last_value_t *sessions, size_t limit, walk_fn *fn, void *arg);

//  How walk and filters know a viewer, or a title; never 0.
uint64_t walk_hash (usher_str_t text);

//  A place as text for people's URLs: at most 24 characters and a zero. The other way: false if it is none.
void walk_print (const walk_t *self, char text [25]);
bool walk_parse (walk_t *self, const char *text);

#endif
