//  wheel - which viewers want to be looked at when

#include "wheel.h"
#include "fetch.h"
#include "memory.h"

#include <stdlib.h>

enum { BUCKETS = 4096, BUCKET_MS = 1000 };

struct wheel {
    uint64_t second;    //  of the bucket that is next to be emptied
    wheel_node_t *buckets [BUCKETS];
};

wheel_t *
wheel_new (void)
{
    return memory_new (1, sizeof (wheel_t));
}

void
wheel_destroy (wheel_t **self_p)
{
    free (*self_p);
    *self_p = NULL;
}

void
wheel_remove (wheel_node_t *node)
{
    if (!node->prev)
        return;
    *node->prev = node->next;
    if (node->next)
        node->next->prev = node->prev;
    node->prev = NULL;
    node->next = NULL;
}

static void
insert (wheel_t *self, wheel_node_t *node)
{
    //  Beyond the ring it comes up early and goes in again.
    uint64_t second = node->due_s;
    if (second < self->second)
        second = self->second;
    if (second >= self->second + BUCKETS)
        second = self->second + BUCKETS - 1;
    wheel_node_t **bucket = &self->buckets [second % BUCKETS];
    node->next = *bucket;
    node->prev = bucket;
    if (node->next)
        node->next->prev = &node->next;
    *bucket = node;
}

void
wheel_put (wheel_t *self, wheel_node_t *node, uint64_t due_ms)
{
    //  Rounded up, so that what comes out of a bucket is due.
    uint64_t second = due_ms / BUCKET_MS + (due_ms % BUCKET_MS != 0);
    uint32_t due_s = second < UINT32_MAX ? (uint32_t)second : UINT32_MAX;
    if (node->prev && node->due_s <= due_s)
        return;
    wheel_remove (node);
    node->due_s = due_s;
    insert (self, node);
}

wheel_node_t *
wheel_due (wheel_t *self, uint64_t now_ms)
{
    uint64_t now = now_ms / BUCKET_MS;
    //  After a long stand-still every bucket is due once.
    if (now >= self->second + BUCKETS)
        self->second = now - BUCKETS + 1;
    while (self->second <= now) {
        wheel_node_t *node = self->buckets [self->second % BUCKETS];
        if (!node) {
            if (self->second == now)
                return NULL;
            self->second++;
            continue;
        }
        fetch (node->next, sizeof *node);    //  which is taken out next
        wheel_remove (node);
        //  Beyond the ring it was put in for a later round.
        if (node->due_s <= now)
            return node;
        insert (self, node);
    }
    return NULL;
}
