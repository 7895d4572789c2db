//  shares - bytes that many have in common, kept once

#include "shares.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "memory.h"

static uint64_t
hash_of (const void *data, uint32_t size)
{
    uint64_t hash = XXH64 (data, size, 3);
    return hash ? hash : 1;
}

share_t *
shares_take (shares_t *self, const void *data, uint32_t size)
{
    uint64_t *first = hash_map_put (&self->index, hash_of (data, size));
    share_t *share = (share_t *)(uintptr_t)*first;
    while (share && !(share->size == size && memcmp (share->bytes, data, size) == 0))
        share = share->next;
    if (!share) {
        share = memory_new (1, sizeof *share + size);
        share->next = (share_t *)(uintptr_t)*first;
        share->size = size;
        memcpy (share->bytes, data, size);
        *first = (uint64_t)(uintptr_t)share;
        self->count++;
        self->bytes += size;
    }
    share->holders++;
    return share;
}

//  Takes it out of the shares of its hash; without any the hash goes too.
static void
unlink_share (shares_t *self, share_t *share)
{
    uint64_t hash = hash_of (share->bytes, share->size), *first = hash_map_get (&self->index, hash);
    assert (first);
    share_t *before = (share_t *)(uintptr_t)*first;
    if (before != share) {
        while (before->next != share)
            before = before->next;
        before->next = share->next;
    } else if (share->next)
        *first = (uint64_t)(uintptr_t)share->next;
    else
        hash_map_remove (&self->index, hash);
}

void
shares_drop (shares_t *self, share_t *share)
{
    if (--share->holders)
        return;
    unlink_share (self, share);
    self->count--;
    self->bytes -= share->size;
    free (share);
}

void
shares_free (shares_t *self)
{
    hash_map_free (&self->index);
}
