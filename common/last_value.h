//  last_value - every live session as it was said last, by slot
//
//  Publisher and gateway hold the same picture, so they hold it in the same way: one block of memory a session, which only
//  who looks at it decodes. In it are the ids as they are, then the session's message, packed (pack.h), without what stands elsewhere:
//  the slot, which is where it lies; owner and device, and the medium, which many sessions have in common and which are kept
//  once (shares.h).
//
//  A slot is a hash table by viewer, open addressing with linear probing: a place is a pointer and a hash of 4 bytes, and the
//  table grows by a quarter, so that a session costs about 15 bytes there. With ten million viewers a slot has ten thousand.

#ifndef LAST_VALUE_H
#define LAST_VALUE_H

#include "lot.h"
#include "shares.h"

typedef struct last_value last_value_t;

//  What is shared: the owner's epoch with player, platform, application, system and country; the medium.
enum { LAST_VALUE_OWNER, LAST_VALUE_MEDIUM, LAST_VALUE_SHARES };

//  One session.
typedef struct {
    uint64_t version;
    share_t *shares [LAST_VALUE_SHARES];
    uint16_t viewer_size, session_size, packed_size;
    bool marked;         //  put since the last last_value_unmark
    uint8_t note;        //  the owner's; 0 at first
    uint8_t bytes [];    //  viewer id, session id, the packed message
} last_value_entry_t;

//  No such place.
#define LAST_VALUE_NONE SIZE_MAX

last_value_t *last_value_new (void);
void last_value_destroy (last_value_t **self_p);

//  Keeps session, or takes it out when it is gone. place: where it is, as last_value_find says. Returns where it is now,
//  LAST_VALUE_NONE if it is gone. Order is the caller's matter. Its strings are not those of an entry; restored is not kept,
//  for it is the message's and not the session's.
size_t last_value_put (last_value_t *self, size_t place, const usher_session_t *session);

//  The sessions of a lot will be looked for next: asks for the memory of them all, so that none waits for its own. Changes nothing.
void last_value_expect (const last_value_t *self, const lot_t *lot);

//  Where a session is; LAST_VALUE_NONE nowhere.
size_t last_value_find (const last_value_t *self, uint32_t slot, usher_str_t viewer_id,
                        usher_str_t session_id);

//  Where the first session of a viewer is, and the next one behind a place; LAST_VALUE_NONE there is none.
size_t last_value_first (const last_value_t *self, uint32_t slot, usher_str_t viewer_id);
size_t last_value_next (const last_value_t *self, uint32_t slot, usher_str_t viewer_id, size_t place);

//  How many places a slot has, and what is there: NULL nothing. A pointer or a place is valid until the slot changes.
size_t last_value_places (const last_value_t *self, uint32_t slot);
const last_value_entry_t *last_value_at (const last_value_t *self, uint32_t slot, size_t place);

//  How many sessions a slot, or everything, has; the bytes of all entries and shares.
size_t last_value_count (const last_value_t *self, uint32_t slot);
size_t last_value_total (const last_value_t *self);
size_t last_value_bytes (const last_value_t *self);

//  Marks one by its place; sets its note.
void last_value_mark (last_value_t *self, uint32_t slot, size_t place);
void last_value_note (last_value_t *self, uint32_t slot, size_t place, uint8_t note);

//  Takes out one by its place. Others may move: who goes through all places looks at this one again, and may meet one twice.
void last_value_remove (last_value_t *self, uint32_t slot, size_t place);

//  Clears the marks of a slot.
void last_value_unmark (last_value_t *self, uint32_t slot);

//  Views into an entry; decodes one (session's strings live in the entry and its shares).
usher_str_t last_value_viewer (const last_value_entry_t *entry);
usher_str_t last_value_session (const last_value_entry_t *entry);
uint64_t last_value_epoch (const last_value_entry_t *entry);
void last_value_decode (const last_value_entry_t *entry, uint32_t slot, usher_session_t *session);

#endif
