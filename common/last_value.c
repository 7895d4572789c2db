//  last_value - every live session as its newest message, by slot

#include "last_value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "memory.h"

typedef struct {
    uint32_t *hashes;    //  of the viewers, beside their entries
    last_value_entry_t **entries;
    size_t count, room;
} slot_t;

struct last_value {
    slot_t slots [USHER_SLOTS];
    size_t total, bytes;
};

last_value_t *
last_value_new (void)
{
    return memory_new (1, sizeof (last_value_t));
}

void
last_value_destroy (last_value_t **self_p)
{
    last_value_t *self = *self_p;
    if (!self)
        return;
    for (size_t slot = 0; slot < USHER_SLOTS; slot++) {
        for (size_t at = 0; at < self->slots [slot].count; at++)
            free (self->slots [slot].entries [at]);
        free (self->slots [slot].entries);
        free (self->slots [slot].hashes);
    }
    free (self);
    *self_p = NULL;
}

usher_str_t
last_value_viewer (const last_value_entry_t *entry)
{
    return usher_bytes (entry->bytes + entry->viewer_at, entry->viewer_size);
}

usher_str_t
last_value_session (const last_value_entry_t *entry)
{
    return usher_bytes (entry->bytes + entry->session_at, entry->session_size);
}

void
last_value_decode (const last_value_entry_t *entry, usher_session_t *session)
{
    usher_frame_t frame;
    usher_msg_t msg;
    usher_records_open (&frame, entry->bytes, entry->size);
    usher_error_t error = usher_decode (&frame, &msg);
    assert (!error && msg.id == USHER_MSG_session);
    (void)error;
    *session = msg.session;
}

static uint32_t
hash_of (usher_str_t viewer_id)
{
    return XXH32 (viewer_id.data, viewer_id.size, 1);
}

//  Where a string of a message lies in its encoding: found by reading it back, as the encoder tells no offsets.
static last_value_entry_t *
entry_new (const usher_session_t *session)
{
    usher_msg_t msg = { .id = USHER_MSG_session, .session = *session };
    last_value_entry_t *entry = memory_new (1, sizeof *entry + usher_encode_bound (&msg));
    entry->size = (uint32_t)usher_encode (&msg, entry->bytes, usher_encode_bound (&msg));
    assert (entry->size);
    entry = memory_resize (entry, sizeof *entry + entry->size, 1);
    usher_session_t read;
    last_value_decode (entry, &read);
    entry->epoch = session->epoch;
    entry->version = session->version;
    entry->viewer_at =
        read.viewer_id.size ? (uint16_t)((const uint8_t *)read.viewer_id.data - entry->bytes) : 0;
    entry->viewer_size = (uint16_t)read.viewer_id.size;
    entry->session_at =
        read.session_id.size ? (uint16_t)((const uint8_t *)read.session_id.data - entry->bytes) : 0;
    entry->session_size = (uint16_t)read.session_id.size;
    entry->marked = true;
    return entry;
}

static size_t
index_of (const last_value_t *self, uint32_t slot, usher_str_t viewer_id, usher_str_t session_id)
{
    size_t at = last_value_next (self, slot, viewer_id, 0);
    while (at < self->slots [slot].count &&
           !usher_str_eq (session_id, last_value_session (self->slots [slot].entries [at])))
        at = last_value_next (self, slot, viewer_id, at + 1);
    return at;
}

size_t
last_value_next (const last_value_t *self, uint32_t slot, usher_str_t viewer_id, size_t index)
{
    const slot_t *of = &self->slots [slot];
    uint32_t hash = hash_of (viewer_id);
    while (index < of->count &&
           !(of->hashes [index] == hash && usher_str_eq (viewer_id, last_value_viewer (of->entries [index]))))
        index++;
    return index;
}

static void
slot_add (slot_t *self, uint32_t hash, last_value_entry_t *entry)
{
    if (self->count == self->room) {
        self->room = self->room ? self->room + self->room / 2 + 1 : 4;
        self->hashes = memory_resize (self->hashes, self->room, sizeof *self->hashes);
        self->entries = memory_resize (self->entries, self->room, sizeof *self->entries);
    }
    self->hashes [self->count] = hash;
    self->entries [self->count++] = entry;
}

bool
last_value_put (last_value_t *self, const usher_session_t *session)
{
    slot_t *slot = &self->slots [session->slot];
    size_t at = index_of (self, session->slot, session->viewer_id, session->session_id);
    bool held = at < slot->count;
    if (session->gone) {
        if (held)
            last_value_remove (self, session->slot, at);
        return held;
    }
    last_value_entry_t *entry = entry_new (session);
    self->bytes += entry->size;
    if (held) {
        self->bytes -= slot->entries [at]->size;
        free (slot->entries [at]);
        slot->entries [at] = entry;
    } else {
        slot_add (slot, hash_of (session->viewer_id), entry);
        self->total++;
    }
    return true;
}

void
last_value_note (last_value_t *self, uint32_t slot, size_t index, uint8_t note)
{
    self->slots [slot].entries [index]->note = note;
}

void
last_value_remove (last_value_t *self, uint32_t slot, size_t index)
{
    slot_t *of = &self->slots [slot];
    assert (index < of->count);
    self->bytes -= of->entries [index]->size;
    self->total--;
    free (of->entries [index]);
    of->count--;
    of->entries [index] = of->entries [of->count];
    of->hashes [index] = of->hashes [of->count];
}

const last_value_entry_t *
last_value_find (const last_value_t *self, uint32_t slot, usher_str_t viewer_id, usher_str_t session_id)
{
    size_t at = index_of (self, slot, viewer_id, session_id);
    return at < self->slots [slot].count ? self->slots [slot].entries [at] : NULL;
}

size_t
last_value_count (const last_value_t *self, uint32_t slot)
{
    return self->slots [slot].count;
}

const last_value_entry_t *
last_value_at (const last_value_t *self, uint32_t slot, size_t index)
{
    return self->slots [slot].entries [index];
}

size_t
last_value_total (const last_value_t *self)
{
    return self->total;
}

size_t
last_value_bytes (const last_value_t *self)
{
    return self->bytes;
}

void
last_value_unmark (last_value_t *self, uint32_t slot)
{
    for (size_t at = 0; at < self->slots [slot].count; at++)
        self->slots [slot].entries [at]->marked = false;
}
