//  pack - a session's message in as few bytes as they fit, for what stays in this process's memory

#include "pack.h"
#include "memory.h"
#include "pack_field.h"

enum { MASK_MAX = 16, MASK_BITS = 7 };

static void
make_room (pack_t *self, size_t bytes)
{
    if (self->room >= bytes)
        return;
    self->room = bytes * 2;
    self->data = memory_resize (self->data, self->room, 1);
}

//  ---- which fields there are

//  The number of each field in its message.
#define MESSAGE(message, id, link, direction, doc) enum {
#define FIELD(message, field, kind, limit, doc) COLUMN_##message##_##field,
#define END(message)                                                                                         \
    COLUMNS_##message                                                                                        \
    }                                                                                                        \
    ;
#include "messages.def"

//  Which fields are put: bit by bit, in two words.
typedef struct {
    uint64_t words [2];
} mask_t;
_Static_assert(MASK_MAX *MASK_BITS <= 128, "a mask is two words");
_Static_assert(COLUMNS_session <= MASK_MAX * MASK_BITS, "a session's fields have a bit each");

//  Seven bits a byte; the eighth says that there is another byte. The last fields of a record are the rare ones.
static uint8_t *
put_mask (uint8_t *next, mask_t mask)
{
    for (; mask.words [0] >> MASK_BITS || mask.words [1]; mask.words [1] >>= MASK_BITS) {
        *next++ = (uint8_t)(0x80 | (mask.words [0] & 0x7f));
        mask.words [0] = mask.words [0] >> MASK_BITS | mask.words [1] << (64 - MASK_BITS);
    }
    *next++ = (uint8_t)mask.words [0];
    return next;
}

static const uint8_t *
take_mask (const uint8_t *next, mask_t *mask)
{
    *mask = (mask_t){ { 0 } };
    uint8_t byte = 0x80;
    for (unsigned shift = 0; byte & 0x80; shift += MASK_BITS) {
        byte = *next++;
        uint64_t bits = byte & 0x7f;
        if (shift < 64)
            mask->words [0] |= bits << shift;
        if (shift > 64 - MASK_BITS)
            mask->words [1] |= shift < 64 ? bits >> (64 - shift) : bits << (shift - 64);
    }
    return next;
}

//  ---- field by field: of all other messages the compiler leaves nothing

#define IS_U32(value) ((value) != 0)
#define IS_ENUM(value) ((value) != 0)
#define IS_U64(value) ((value) != 0)
#define IS_F64(value) (bits_of (value) != 0)
#define IS_STR(value) ((value).size != 0)
#define ROOM_U32(value) 0
#define ROOM_ENUM(value) 0
#define ROOM_U64(value) 0
#define ROOM_F64(value) 0
#define ROOM_STR(value) (value).size

static size_t
session_room (const void *data)
{
    size_t room = MASK_MAX;
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == USHER_MSG_session)                                                            \
        room += FIELD_MAX + ROOM_##kind (((const usher_##message##_t *)data)->field);
#include "messages.def"
    return room;
}

//  Puts the fields behind room for the longest mask, then moves them to the mask's end.
void
pack_session (pack_t *self, const usher_session_t *session)
{
    const void *data = session;
    make_room (self, session_room (data));
    uint8_t *next = self->data + MASK_MAX;
    uint64_t instant_ms = 0;
    mask_t mask = { { 0 } };
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == USHER_MSG_session) {                                                          \
        const usher_##message##_t *record = data;                                                            \
        if (IS_##kind (record->field)) {                                                                     \
            mask.words [COLUMN_##message##_##field / 64] |= 1ull << COLUMN_##message##_##field % 64;         \
            next = put_field (next, &instant_ms, USHER_##kind, &record->field);                              \
        }                                                                                                    \
    }
#include "messages.def"
    size_t size = (size_t)(next - self->data) - MASK_MAX;
    next = put_mask (self->data, mask);
    memmove (next, self->data + MASK_MAX, size);
    self->used = (size_t)(next - self->data) + size;
}

void
unpack_session (const uint8_t *packed, usher_session_t *session)
{
    mask_t mask;
    const uint8_t *next = take_mask (packed, &mask);
    uint64_t instant_ms = 0;
    void *data = session;
    *session = (usher_session_t){ 0 };
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == USHER_MSG_session) {                                                          \
        usher_##message##_t *record = data;                                                                  \
        if (mask.words [COLUMN_##message##_##field / 64] >> COLUMN_##message##_##field % 64 & 1)             \
            next = take_field (next, &instant_ms, USHER_##kind, &record->field);                             \
    }
#include "messages.def"
    (void)next;
}
