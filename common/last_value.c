//  last_value - every live session as it was said last, by slot

#include "last_value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "buffer.h"
#include "fetch.h"
#include "memory.h"
#include "pack.h"

//  A slot's first places. It grows by a quarter where seven of eight places are taken.
#define PLACES 8

typedef struct {
    uint32_t *hashes;    //  of the viewers; 0: the place is empty
    last_value_entry_t **entries;
    uint32_t count, room;
} slot_t;

struct last_value {
    slot_t slots [USHER_SLOTS];
    size_t total, bytes;
    shares_t shares;
    pack_t pack;        //  of the session that is being put
    buffer_t shared;    //  of one of its shares
};

last_value_t *
last_value_new (void)
{
    return memory_new (1, sizeof (last_value_t));
}

static void
shares_leave (last_value_t *self, const last_value_entry_t *entry)
{
    for (int share = 0; share < LAST_VALUE_SHARES; share++)
        shares_drop (&self->shares, entry->shares [share]);
}

static void
entry_free (last_value_t *self, last_value_entry_t *entry)
{
    if (entry)
        shares_leave (self, entry);
    free (entry);
}

void
last_value_destroy (last_value_t **self_p)
{
    last_value_t *self = *self_p;
    if (!self)
        return;
    for (size_t slot = 0; slot < USHER_SLOTS; slot++) {
        for (size_t place = 0; place < self->slots [slot].room; place++)
            entry_free (self, self->slots [slot].entries [place]);
        free (self->slots [slot].entries);
        free (self->slots [slot].hashes);
    }
    shares_free (&self->shares);
    free (self->pack.data);
    buffer_free (&self->shared);
    free (self);
    *self_p = NULL;
}

//  ---- what is shared

//  The strings of each share. The owner's begins with the epoch.
static const struct {
    int share;
    size_t offset;
} shared [] = {
    { LAST_VALUE_OWNER, offsetof (usher_session_t, player_type) },
    { LAST_VALUE_OWNER, offsetof (usher_session_t, platform) },
    { LAST_VALUE_OWNER, offsetof (usher_session_t, app_id) },
    { LAST_VALUE_OWNER, offsetof (usher_session_t, os) },
    { LAST_VALUE_OWNER, offsetof (usher_session_t, country) },
    { LAST_VALUE_MEDIUM, offsetof (usher_session_t, media_label) },
    { LAST_VALUE_MEDIUM, offsetof (usher_session_t, media_type) },
};
#define SHARED (sizeof shared / sizeof *shared)

static usher_str_t *
string_at (usher_session_t *session, size_t row)
{
    return (usher_str_t *)(void *)((char *)session + shared [row].offset);
}

//  Does a share say just what session says?
static bool
share_is_same (const share_t *held, int share, const usher_session_t *session)
{
    const uint8_t *next = held->bytes;
    if (share == LAST_VALUE_OWNER) {
        if (memcmp (next, &session->epoch, sizeof session->epoch) != 0)
            return false;
        next += sizeof session->epoch;
    }
    for (size_t row = 0; row < SHARED; row++) {
        if (shared [row].share != share)
            continue;
        usher_str_t text = *string_at ((usher_session_t *)(uintptr_t)session, row);
        uint32_t size;
        memcpy (&size, next, sizeof size);
        if (size != text.size || (size && memcmp (next + sizeof size, text.data, size) != 0))
            return false;
        next += sizeof size + size;
    }
    return true;
}

//  The share of what session says. held: what its entry has; NULL nothing.
static share_t *
share_take (last_value_t *self, int share, const usher_session_t *session, share_t *held)
{
    if (held && share_is_same (held, share, session))
        return held;
    self->shared.size = 0;
    if (share == LAST_VALUE_OWNER)
        buffer_add (&self->shared, &session->epoch, sizeof session->epoch);
    for (size_t row = 0; row < SHARED; row++) {
        if (shared [row].share != share)
            continue;
        usher_str_t text = *string_at ((usher_session_t *)(uintptr_t)session, row);
        buffer_add (&self->shared, &text.size, sizeof text.size);
        buffer_add (&self->shared, text.data, text.size);
    }
    share_t *taken = shares_take (&self->shares, self->shared.data, (uint32_t)self->shared.size);
    if (held)
        shares_drop (&self->shares, held);
    return taken;
}

static void
share_read (const last_value_entry_t *entry, int share, usher_session_t *session)
{
    const uint8_t *next = entry->shares [share]->bytes;
    if (share == LAST_VALUE_OWNER)
        next += sizeof session->epoch;
    for (size_t row = 0; row < SHARED; row++) {
        if (shared [row].share != share)
            continue;
        uint32_t size;
        memcpy (&size, next, sizeof size);
        *string_at (session, row) = usher_bytes (next + sizeof size, size);
        next += sizeof size + size;
    }
}

//  ---- entries

usher_str_t
last_value_viewer (const last_value_entry_t *entry)
{
    return usher_bytes (entry->bytes, entry->viewer_size);
}

usher_str_t
last_value_session (const last_value_entry_t *entry)
{
    return usher_bytes (entry->bytes + entry->viewer_size, entry->session_size);
}

uint64_t
last_value_epoch (const last_value_entry_t *entry)
{
    uint64_t epoch;
    memcpy (&epoch, entry->shares [LAST_VALUE_OWNER]->bytes, sizeof epoch);
    return epoch;
}

void
last_value_decode (const last_value_entry_t *entry, uint32_t slot, usher_session_t *session)
{
    unpack_session ((const uint8_t *)entry->bytes + entry->viewer_size + entry->session_size, session);
    session->slot = slot;
    session->viewer_id = last_value_viewer (entry);
    session->session_id = last_value_session (entry);
    session->epoch = last_value_epoch (entry);
    session->version = entry->version;
    share_read (entry, LAST_VALUE_OWNER, session);
    share_read (entry, LAST_VALUE_MEDIUM, session);
}

static size_t
entry_size (const last_value_entry_t *entry)
{
    return sizeof *entry + entry->viewer_size + entry->session_size + entry->packed_size;
}

//  What an allocator of 16 bytes a step with a head of 8 gives anyway, so that one that grows a little stays where it is.
static size_t
entry_room (size_t size)
{
    return (size + 7) / 16 * 16 + 8;
}

//  Packs what is the session's own.
static void
own_pack (last_value_t *self, const usher_session_t *session)
{
    usher_session_t own = *session;
    own.slot = own.restored = 0;
    own.viewer_id = own.session_id = (usher_str_t){ 0 };
    own.epoch = own.version = 0;
    for (size_t row = 0; row < SHARED; row++)
        *string_at (&own, row) = (usher_str_t){ 0 };
    pack_session (&self->pack, &own);
    assert (self->pack.used <= UINT16_MAX);
}

//  Packs a session and fills its entry's head. held: as in entry_make.
static void
head_make (last_value_t *self, const last_value_entry_t *held, const usher_session_t *session,
           last_value_entry_t *head)
{
    own_pack (self, session);
    *head = (last_value_entry_t){ .version = session->version,
                                  .viewer_size = (uint16_t)session->viewer_id.size,
                                  .session_size = (uint16_t)session->session_id.size,
                                  .packed_size = (uint16_t)self->pack.used,
                                  .marked = true };
    for (int share = 0; share < LAST_VALUE_SHARES; share++)
        head->shares [share] = share_take (self, share, session, held ? held->shares [share] : NULL);
}

//  Appends to what an entry has; returns where its end is.
static uint8_t *
bytes_add (uint8_t *end, const void *data, size_t size)
{
    if (size)
        memcpy (end, data, size);
    return end + size;
}

//  Makes the entry of a session, in held's memory where it fits (NULL nothing is held). What held had is gone.
static last_value_entry_t *
entry_make (last_value_t *self, last_value_entry_t *held, const usher_session_t *session)
{
    last_value_entry_t head, *entry = held;
    head_make (self, held, session, &head);
    if (!held || entry_room (entry_size (held)) != entry_room (entry_size (&head)))
        entry = memory_resize (held, entry_room (entry_size (&head)), 1);
    *entry = head;
    uint8_t *end = entry->bytes + head.viewer_size + head.session_size;
    if (!held) {
        end = bytes_add (entry->bytes, session->viewer_id.data, session->viewer_id.size);
        end = bytes_add (end, session->session_id.data, session->session_id.size);
    }
    bytes_add (end, self->pack.data, self->pack.used);
    return entry;
}

//  ---- places

static uint32_t
hash_of (usher_str_t viewer_id)
{
    uint32_t hash = (uint32_t)XXH3_64bits (viewer_id.data, viewer_id.size);
    return hash ? hash : 1;
}

//  Where the search for a hash begins: in the order of the hashes, whatever the room is.
static size_t
home_of (const slot_t *self, uint32_t hash)
{
    return (size_t)((uint64_t)hash * self->room >> 32);
}

static size_t
step (const slot_t *self, size_t place)
{
    return place + 1 == self->room ? 0 : place + 1;
}

//  The viewer's first entry from a place on, until an empty one.
static size_t
search (const slot_t *self, usher_str_t viewer_id, uint32_t hash, size_t place)
{
    for (; self->hashes [place]; place = step (self, place))
        if (self->hashes [place] == hash &&
            usher_str_eq (viewer_id, last_value_viewer (self->entries [place])))
            return place;
    return LAST_VALUE_NONE;
}

size_t
last_value_first (const last_value_t *self, uint32_t slot, usher_str_t viewer_id)
{
    const slot_t *of = &self->slots [slot];
    uint32_t hash = hash_of (viewer_id);
    return of->room ? search (of, viewer_id, hash, home_of (of, hash)) : LAST_VALUE_NONE;
}

size_t
last_value_next (const last_value_t *self, uint32_t slot, usher_str_t viewer_id, size_t place)
{
    const slot_t *of = &self->slots [slot];
    return search (of, viewer_id, of->hashes [place], step (of, place));
}

size_t
last_value_find (const last_value_t *self, uint32_t slot, usher_str_t viewer_id, usher_str_t session_id)
{
    size_t place = last_value_first (self, slot, viewer_id);
    while (place != LAST_VALUE_NONE &&
           !usher_str_eq (session_id, last_value_session (self->slots [slot].entries [place])))
        place = last_value_next (self, slot, viewer_id, place);
    return place;
}

static size_t
slot_insert (slot_t *self, uint32_t hash, last_value_entry_t *entry)
{
    size_t place = home_of (self, hash);
    while (self->hashes [place])
        place = step (self, place);
    self->hashes [place] = hash;
    self->entries [place] = entry;
    self->count++;
    return place;
}

static size_t
slot_add (slot_t *self, uint32_t hash, last_value_entry_t *entry)
{
    if (self->count + 1 > self->room / 8 * 7) {
        slot_t old = *self;
        self->room = old.room ? old.room + (old.room / 4 + 7) / 8 * 8 : PLACES;
        self->hashes = memory_new (self->room, sizeof *self->hashes);
        self->entries = memory_new (self->room, sizeof *self->entries);
        self->count = 0;
        for (size_t place = 0; place < old.room; place++)
            if (old.hashes [place])
                slot_insert (self, old.hashes [place], old.entries [place]);
        free (old.hashes);
        free (old.entries);
    }
    return slot_insert (self, hash, entry);
}

//  Closes the gap at a place: whatever would no longer be found moves into it.
static void
slot_remove (slot_t *self, size_t hole)
{
    self->count--;
    for (size_t at = step (self, hole); self->hashes [at]; at = step (self, at)) {
        size_t home = home_of (self, self->hashes [at]);
        size_t from_home = at >= home ? at - home : at + self->room - home;
        size_t from_hole = at >= hole ? at - hole : at + self->room - hole;
        if (from_home < from_hole)
            continue;
        self->hashes [hole] = self->hashes [at];
        self->entries [hole] = self->entries [at];
        hole = at;
    }
    self->hashes [hole] = 0;
    self->entries [hole] = NULL;
}

//  ---- looking ahead

enum { ENTRY_AHEAD = 3 * FETCH_LINE };    //  most entries end in the third line

static void
place_expect (const last_value_t *self, uint32_t slot, uint32_t hash)
{
    const slot_t *of = &self->slots [slot];
    size_t home = home_of (of, hash);
    if (!of->room)
        return;
    fetch (&of->hashes [home], 1);
    fetch (&of->entries [home], 1);
}

//  The first entry of that hash; NULL none.
static const last_value_entry_t *
entry_expected (const last_value_t *self, uint32_t slot, uint32_t hash)
{
    const slot_t *of = &self->slots [slot];
    size_t place = home_of (of, hash);
    if (!of->room)
        return NULL;
    while (of->hashes [place] && of->hashes [place] != hash)
        place = step (of, place);
    return of->entries [place];
}

static const usher_session_t *
session_of (const lot_t *lot, size_t at)
{
    const usher_msg_t *msg = &lot->messages [at];
    return msg->id == USHER_MSG_session ? &msg->session : NULL;
}

//  All that one step asks for is on its way together, and there when the next step looks at it.
void
last_value_expect (const last_value_t *self, const lot_t *lot)
{
    uint32_t hashes [LOT_MESSAGES];
    const last_value_entry_t *entries [LOT_MESSAGES] = { NULL };
    for (size_t at = 0; at < lot->count; at++)
        if (session_of (lot, at)) {
            hashes [at] = hash_of (session_of (lot, at)->viewer_id);
            place_expect (self, session_of (lot, at)->slot, hashes [at]);
        }
    for (size_t at = 0; at < lot->count; at++)
        if (session_of (lot, at)) {
            entries [at] = entry_expected (self, session_of (lot, at)->slot, hashes [at]);
            fetch (entries [at], entries [at] ? ENTRY_AHEAD : 0);
        }
    for (size_t at = 0; at < lot->count; at++)
        for (int share = 0; entries [at] && share < LAST_VALUE_SHARES; share++)
            fetch (entries [at]->shares [share], 1);
}

//  ---- changes

size_t
last_value_put (last_value_t *self, size_t place, const usher_session_t *session)
{
    slot_t *slot = &self->slots [session->slot];
    if (session->gone) {
        if (place != LAST_VALUE_NONE)
            last_value_remove (self, session->slot, place);
        return LAST_VALUE_NONE;
    }
    if (place == LAST_VALUE_NONE) {
        last_value_entry_t *entry = entry_make (self, NULL, session);
        self->bytes += entry_size (entry);
        self->total++;
        return slot_add (slot, hash_of (session->viewer_id), entry);
    }
    self->bytes -= entry_size (slot->entries [place]);
    slot->entries [place] = entry_make (self, slot->entries [place], session);
    self->bytes += entry_size (slot->entries [place]);
    return place;
}

void
last_value_mark (last_value_t *self, uint32_t slot, size_t place)
{
    self->slots [slot].entries [place]->marked = true;
}

void
last_value_note (last_value_t *self, uint32_t slot, size_t place, uint8_t note)
{
    self->slots [slot].entries [place]->note = note;
}

void
last_value_remove (last_value_t *self, uint32_t slot, size_t place)
{
    slot_t *of = &self->slots [slot];
    last_value_entry_t *entry = of->entries [place];
    self->bytes -= entry_size (entry);
    self->total--;
    slot_remove (of, place);
    entry_free (self, entry);
}

void
last_value_unmark (last_value_t *self, uint32_t slot)
{
    for (size_t place = 0; place < self->slots [slot].room; place++)
        if (self->slots [slot].entries [place])
            self->slots [slot].entries [place]->marked = false;
}

//  ---- questions

size_t
last_value_places (const last_value_t *self, uint32_t slot)
{
    return self->slots [slot].room;
}

const last_value_entry_t *
last_value_at (const last_value_t *self, uint32_t slot, size_t place)
{
    return self->slots [slot].entries [place];
}

size_t
last_value_count (const last_value_t *self, uint32_t slot)
{
    return self->slots [slot].count;
}

size_t
last_value_total (const last_value_t *self)
{
    return self->total;
}

size_t
last_value_bytes (const last_value_t *self)
{
    return self->bytes + self->shares.bytes;
}
