//  last_value - every live session as its newest message, by slot
//
//  Publisher and gateway hold the same picture, so they hold it in the same way: each session is kept as the bytes
//  of its message. A snapshot copies bytes; only who looks at a session decodes it. A slot is an unordered array
//  that is searched by the hash of the viewer: with a million viewers a slot has a thousand, so a search reads
//  4 KiB in a row and an index would cost more memory than it saves time.

#ifndef LAST_VALUE_H
#define LAST_VALUE_H

#include "message.h"

typedef struct last_value last_value_t;

//  One session. bytes is the encoded message without a frame's head.
typedef struct {
    uint64_t epoch, version;
    uint32_t size;
    uint16_t viewer_at, viewer_size, session_at, session_size;
    bool marked;     //  put since the last last_value_unmark
    uint8_t note;    //  the owner's; 0 at first
    uint8_t bytes [];
} last_value_entry_t;

last_value_t *last_value_new (void);
void last_value_destroy (last_value_t **self_p);

//  Keeps session, or takes it out when it is gone. Returns false if it was gone already. Order is the caller's matter.
bool last_value_put (last_value_t *self, const usher_session_t *session);

//  What is held of a session; NULL nothing. Valid until the slot changes.
const last_value_entry_t *last_value_find (const last_value_t *self, uint32_t slot, usher_str_t viewer_id,
                                           usher_str_t session_id);

//  The index of a viewer's next session in its slot, from index on; last_value_count where there are no more.
size_t last_value_next (const last_value_t *self, uint32_t slot, usher_str_t viewer_id, size_t index);

//  How many sessions a slot, or everything, has; one of them; their encoded bytes in all.
size_t last_value_count (const last_value_t *self, uint32_t slot);
const last_value_entry_t *last_value_at (const last_value_t *self, uint32_t slot, size_t index);
size_t last_value_total (const last_value_t *self);
size_t last_value_bytes (const last_value_t *self);

//  Sets the note of one by its index.
void last_value_note (last_value_t *self, uint32_t slot, size_t index, uint8_t note);

//  Takes out one by its index; the slot's last one moves to its place.
void last_value_remove (last_value_t *self, uint32_t slot, size_t index);

//  Clears the marks of a slot.
void last_value_unmark (last_value_t *self, uint32_t slot);

//  Views into an entry; decodes one (session's strings live in the entry).
usher_str_t last_value_viewer (const last_value_entry_t *entry);
usher_str_t last_value_session (const last_value_entry_t *entry);
void last_value_decode (const last_value_entry_t *entry, usher_session_t *session);

#endif
