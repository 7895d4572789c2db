//  pack - records of messages.def in as few bytes as they fit, for what stays in this process's memory

#include "pack.h"
#include "memory.h"
#include "pack_field.h"

#include <stdlib.h>

enum { MASK_MAX = 16, MASK_BITS = 7 };

void
pack_begin (pack_t *self)
{
    self->used = 0;
    self->reading = false;
    self->instant_ms = 0;
}

void
pack_open (pack_t *self, void *data, size_t size)
{
    *self = (pack_t){ .data = data, .room = size, .reading = true };
}

static void
make_room (pack_t *self, size_t more)
{
    if (self->room - self->used >= more)
        return;
    self->room = (self->used + more) * 2;
    self->data = memory_resize (self->data, self->room, 1);
}

//  ---- alone

void
pack_number (pack_t *self, uint64_t *value)
{
    if (self->reading) {
        self->used = (size_t)(take_number (self->data + self->used, &self->instant_ms, value) - self->data);
        return;
    }
    make_room (self, NUMBER_MAX);
    self->used = (size_t)(put_number (self->data + self->used, &self->instant_ms, *value) - self->data);
}

void
pack_text (pack_t *self, usher_str_t *text)
{
    self->uuid_count = PACK_UUIDS;
    if (self->reading) {
        self->used = (size_t)(take_text (self, self->data + self->used, text) - self->data);
        return;
    }
    make_room (self, NUMBER_MAX + text->size);
    self->used = (size_t)(put_text (self, self->data + self->used, *text) - self->data);
}

//  ---- records

//  A field as this file looks at it: a column of messages.def in 4 bytes, so that a record's columns stay in the cache.
typedef struct {
    uint16_t offset;
    uint8_t kind;
    uint8_t
        tells;    //  where in the field its first bytes are that are not zero when it is not: a text's size
} column_t;

#define TELLS_U32 0
#define TELLS_U64 0
#define TELLS_F64 0
#define TELLS_ENUM 0
#define TELLS_STR offsetof (usher_str_t, size)
#define MESSAGE(message, id, link, direction, doc) static const column_t message##_columns [] = {
#define FIELD(message, field, kind, limit, doc)                                                              \
    { offsetof (usher_##message##_t, field), USHER_##kind, TELLS_##kind },
#define END(message)                                                                                         \
    {                                                                                                        \
        0, 0, 0                                                                                              \
    }                                                                                                        \
    }                                                                                                        \
    ;
#include "messages.def"

typedef struct {
    const column_t *columns;
    uint16_t count, size;
} shape_t;

//  By the message's id.
static const shape_t shapes [] = {
#define MESSAGE(message, id, link, direction, doc)                                                           \
    [id] = { message##_columns, sizeof message##_columns / sizeof *message##_columns - 1,                    \
             sizeof (usher_##message##_t) },
#include "messages.def"
};

//  Which fields are put: bit by bit, in two words.
typedef struct {
    uint64_t words [2];
} mask_t;
_Static_assert(MASK_MAX *MASK_BITS <= 128, "a mask is two words");

static inline uint64_t
bits_at (const char *field, bool wide)
{
    uint32_t bits;
    uint64_t wide_bits;
    memcpy (&bits, field, sizeof bits);
    if (!wide)
        return bits;
    memcpy (&wide_bits, field, sizeof wide_bits);
    return wide_bits;
}

static inline bool
is_wide (const column_t *column)
{
    return column->kind == USHER_U64 || column->kind == USHER_F64;
}

static bool
is_same (const column_t *column, const char *field, const char *other)
{
    if (column->kind != USHER_STR)
        return bits_at (field, is_wide (column)) == bits_at (other, is_wide (column));
    return usher_str_eq (*(const usher_str_t *)(const void *)field,
                         *(const usher_str_t *)(const void *)other);
}

//  The fields that are others than in before, NULL: than zero. Adds the bytes of all texts to room.
static mask_t
mask_of (const shape_t *shape, const char *record, const char *before, size_t *room)
{
    mask_t mask = { { 0 } };
    for (size_t col = 0; col < shape->count; col++) {
        const column_t *column = &shape->columns [col];
        const char *field = record + column->offset;
        uint64_t bits = bits_at (field + column->tells, is_wide (column));
        *room += column->kind == USHER_STR ? bits : 0;
        bool put = before ? !is_same (column, field, before + column->offset) : bits != 0;
        mask.words [col / 64] |= (uint64_t)put << col % 64;
    }
    return mask;
}

static inline size_t
lowest (uint64_t *word)
{
    size_t bit = (size_t)__builtin_ctzll (*word);
    *word &= *word - 1;
    return bit;
}

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

static void
put_record (pack_t *self, const shape_t *shape, const char *record, const char *before)
{
    size_t room = MASK_MAX + shape->count * FIELD_MAX;
    mask_t mask = mask_of (shape, record, before, &room);
    make_room (self, room);
    uint8_t *next = put_mask (self->data + self->used, mask);
    for (size_t word = 0; word < 2; word++)
        while (mask.words [word]) {
            const column_t *column = &shape->columns [word * 64 + lowest (&mask.words [word])];
            next = put_field (self, next, &self->instant_ms, column->kind, record + column->offset);
        }
    self->used = (size_t)(next - self->data);
}

static void
take_record (pack_t *self, const shape_t *shape, char *record, const char *before)
{
    mask_t mask;
    const uint8_t *next = take_mask (self->data + self->used, &mask);
    if (before)
        memcpy (record, before, shape->size);
    else
        memset (record, 0, shape->size);
    for (size_t word = 0; word < 2; word++)
        while (mask.words [word]) {
            const column_t *column = &shape->columns [word * 64 + lowest (&mask.words [word])];
            next = take_field (self, next, &self->instant_ms, column->kind, record + column->offset);
        }
    self->used = (size_t)(next - self->data);
}

//  ---- a session: the same bytes, field by field without a table, for it is packed and read with every change of the feed

//  The number of each field in its message.
#define MESSAGE(message, id, link, direction, doc) enum {
#define FIELD(message, field, kind, limit, doc) COLUMN_##message##_##field,
#define END(message)                                                                                         \
    COLUMNS_##message                                                                                        \
    }                                                                                                        \
    ;
#include "messages.def"

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

//  Of the other messages the compiler leaves nothing.
static size_t
session_room (const usher_session_t *session)
{
    size_t room = MASK_MAX + COLUMNS_session * FIELD_MAX;
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == USHER_MSG_session)                                                            \
        room += ROOM_##kind (((const usher_##message##_t *)(const void *)session)->field);
#include "messages.def"
    return room;
}

//  Puts the fields behind room for the longest mask, then moves them to the mask's end.
static void
put_session (pack_t *self, const usher_session_t *session)
{
    make_room (self, session_room (session));
    uint8_t *begin = self->data + self->used, *next = begin + MASK_MAX;
    uint64_t instant_ms = self->instant_ms;
    mask_t mask = { { 0 } };
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == USHER_MSG_session) {                                                          \
        const usher_##message##_t *record = (const void *)session;                                           \
        if (IS_##kind (record->field)) {                                                                     \
            mask.words [COLUMN_##message##_##field / 64] |= 1ull << COLUMN_##message##_##field % 64;         \
            next = put_field (self, next, &instant_ms, USHER_##kind, &record->field);                        \
        }                                                                                                    \
    }
#include "messages.def"
    size_t size = (size_t)(next - begin) - MASK_MAX;
    next = put_mask (begin, mask);
    memmove (next, begin + MASK_MAX, size);
    self->used = (size_t)(next - self->data) + size;
    self->instant_ms = instant_ms;
}

static void
take_session (pack_t *self, usher_session_t *session)
{
    mask_t mask;
    const uint8_t *next = take_mask (self->data + self->used, &mask);
    uint64_t instant_ms = self->instant_ms;
    memset (session, 0, sizeof *session);
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == USHER_MSG_session) {                                                          \
        usher_##message##_t *record = (void *)session;                                                       \
        if (mask.words [COLUMN_##message##_##field / 64] >> COLUMN_##message##_##field % 64 & 1)             \
            next = take_field (self, next, &instant_ms, USHER_##kind, &record->field);                       \
    }
#include "messages.def"
    self->used = (size_t)(next - self->data);
    self->instant_ms = instant_ms;
}

void
pack_record (pack_t *self, usher_msg_id_t id, void *record, const void *before)
{
    const shape_t *shape = &shapes [id];
    if (shape->count > MASK_MAX * MASK_BITS)
        abort ();    //  the table outgrew MASK_MAX
    self->uuid_count = self->plain ? PACK_UUIDS : 0;
    bool whole_session = id == USHER_MSG_session && !before;
    if (self->reading && whole_session)
        take_session (self, record);
    else if (self->reading)
        take_record (self, shape, record, before);
    else if (whole_session)
        put_session (self, record);
    else
        put_record (self, shape, record, before);
}
