//  wheel - which viewers want to be looked at when
//
//  A ring of one-second buckets of viewer numbers. Lazy: a viewer is in one bucket, is looked at when that comes
//  round, and says then when to come again; a deadline that moved later costs nothing meanwhile.

#ifndef WHEEL_H
#define WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wheel wheel_t;
typedef struct wheel_node {
    struct wheel_node *next, **prev;    //  prev NULL: in no bucket
    uint32_t due_s;                     //  rounded up
    uint32_t owns;                      //  its owner may keep something here: the room is there
} wheel_node_t;

wheel_t *wheel_new (void);
void wheel_destroy (wheel_t **self_p);

//  Puts a node where it comes up at due_ms or soon after; one that comes up earlier already stays there.
void wheel_put (wheel_t *self, wheel_node_t *node, uint64_t due_ms);
void wheel_remove (wheel_node_t *node);

//  Takes out one node that is due at now_ms; NULL when there is none. now_ms never goes back.
wheel_node_t *wheel_due (wheel_t *self, uint64_t now_ms);

#endif
