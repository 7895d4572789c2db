//  erasures - who is connected, and who waits to hear that a viewer is erased

#include "erasures.h"

#include <string.h>

void
erasures_meet (erasures_t *self, uint32_t peer)
{
    erasures_leave (self, peer);
    if (peer < ERASURES_PEERS)
        self->up [peer] = true;
}

void
erasures_leave (erasures_t *self, uint32_t peer)
{
    if (peer < ERASURES_PEERS)
        self->up [peer] = false;
    for (size_t at = 0; at < ERASURES_ASKERS; at++)
        if (self->askers [at].peer == peer)
            self->askers [at].request = 0;
}

bool
erasures_wait (erasures_t *self, uint32_t peer, const usher_erase_t *erase)
{
    for (size_t at = 0; at < ERASURES_ASKERS; at++) {
        erasures_asker_t *asker = &self->askers [at];
        if (asker->request)
            continue;
        *asker = (erasures_asker_t){ .peer = peer, .request = erase->request };
        asker->viewer_id_size = erase->viewer_id.size;
        memcpy (asker->viewer_id, erase->viewer_id.data, erase->viewer_id.size);
        return true;
    }
    return false;
}

static bool
waits_for (const erasures_asker_t *asker, usher_str_t viewer_id)
{
    return asker->request && usher_str_eq (usher_bytes (asker->viewer_id, asker->viewer_id_size), viewer_id);
}

void
erasures_count (erasures_t *self, usher_str_t viewer_id, uint64_t profiles, uint64_t rows, uint64_t bad)
{
    for (size_t at = 0; at < ERASURES_ASKERS; at++) {
        erasures_asker_t *asker = &self->askers [at];
        if (!waits_for (asker, viewer_id))
            continue;
        asker->removed.profiles += profiles;
        asker->removed.rows += rows;
        asker->removed.bad += bad;
    }
}

bool
erasures_take (erasures_t *self, usher_str_t viewer_id, uint32_t *peer, usher_erasure_t *done)
{
    for (size_t at = 0; at < ERASURES_ASKERS; at++) {
        erasures_asker_t *asker = &self->askers [at];
        if (!waits_for (asker, viewer_id))
            continue;
        *peer = asker->peer;
        *done = asker->removed;
        done->request = asker->request;
        asker->request = 0;
        return true;
    }
    return false;
}
