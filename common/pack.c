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
pack_numbers (pack_t *self, uint64_t *const *values, size_t count)
{
    if (self->reading) {
        const uint8_t *next = self->data + self->used;
        for (size_t at = 0; at < count; at++)
            next = take_number (next, &self->instant_ms, values [at]);
        self->used = (size_t)(next - self->data);
        return;
    }
    make_room (self, count * NUMBER_MAX);
    uint8_t *next = self->data + self->used;
    for (size_t at = 0; at < count; at++)
        next = put_number (next, &self->instant_ms, *values [at]);
    self->used = (size_t)(next - self->data);
}

void
pack_number (pack_t *self, uint64_t *value)
{
    pack_numbers (self, &value, 1);
}

void
pack_text (pack_t *self, usher_str_t *text)
{
    if (self->reading) {
        bool flag;
        uint64_t size;
        const uint8_t *next = take_flagged (self->data + self->used, &flag, &size);
        *text = usher_bytes (next, size);
        self->used = (size_t)(next - self->data) + size;
        return;
    }
    make_room (self, NUMBER_MAX + text->size);
    uint8_t *next = put_flagged (self->data + self->used, false, text->size);
    self->used = (size_t)(put_bytes (next, text->data, text->size) - self->data);
}

//  ---- records

//  A field as this file looks at it: a column of messages.def in 4 bytes, so that a record's columns stay in the cache.
typedef struct {
    uint16_t offset;
    uint8_t kind;
} column_t;

#define MESSAGE(message, id, link, direction, doc) static const column_t message##_columns [] = {
#define FIELD(message, field, kind, limit, doc) { offsetof (usher_##message##_t, field), USHER_##kind },
#define END(message)                                                                                         \
    {                                                                                                        \
        0, 0                                                                                                 \
    }                                                                                                        \
    }                                                                                                        \
    ;
#include "messages.def"

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

#define IS_U32(value) ((value) != 0)
#define IS_ENUM(value) ((value) != 0)
#define IS_U64(value) ((value) != 0)
#define IS_F64(value) (bits_of (value) != 0)
#define IS_STR(value) ((value).size != 0)
#define OTHER_U32(value, before) ((value) != (before))
#define OTHER_ENUM(value, before) ((value) != (before))
#define OTHER_U64(value, before) ((value) != (before))
#define OTHER_F64(value, before) (bits_of (value) != bits_of (before))
#define OTHER_STR(value, before) (!usher_str_eq (value, before))
#define ROOM_U32(value) 0
#define ROOM_ENUM(value) 0
#define ROOM_U64(value) 0
#define ROOM_F64(value) 0
#define ROOM_STR(value) (value).size
#define BIT(message, field, is)                                                                              \
    mask.words [COLUMN_##message##_##field / 64] |= (uint64_t)(is) << COLUMN_##message##_##field % 64;

//  The fields that are others than zero, or than in before. Adds the bytes of all texts to room. A function for each message: a
//  loop over its columns takes ten times as long.
typedef mask_t (mask_fn) (const void *record, const void *before, size_t *room);

#define MESSAGE(message, id, link, direction, doc)                                                           \
    static mask_t message##_set (const void *data, const void *nothing, size_t *room)                        \
    {                                                                                                        \
        const usher_##message##_t *record = data;                                                            \
        mask_t mask = { { 0 } };                                                                             \
        (void)record, (void)nothing, (void)room;
#define FIELD(message, field, kind, limit, doc)                                                              \
    BIT (message, field, IS_##kind (record->field))                                                          \
    *room += ROOM_##kind (record->field);
#define END(message)                                                                                         \
    return mask;                                                                                             \
    }
#include "messages.def"

#define MESSAGE(message, id, link, direction, doc)                                                           \
    static mask_t message##_changed (const void *data, const void *earlier, size_t *room)                    \
    {                                                                                                        \
        const usher_##message##_t *record = data, *before = earlier;                                         \
        mask_t mask = { { 0 } };                                                                             \
        (void)record, (void)before, (void)room;
#define FIELD(message, field, kind, limit, doc)                                                              \
    BIT (message, field, OTHER_##kind (record->field, before->field))                                        \
    *room += ROOM_##kind (record->field);
#define END(message)                                                                                         \
    return mask;                                                                                             \
    }
#include "messages.def"

typedef struct {
    const column_t *columns;
    uint16_t count, size;
    mask_fn *set, *changed;
} shape_t;

//  By the message's id.
static const shape_t shapes [] = {
#define MESSAGE(message, id, link, direction, doc)                                                           \
    [id] = { message##_columns, sizeof message##_columns / sizeof *message##_columns - 1,                    \
             sizeof (usher_##message##_t), message##_set, message##_changed },
#include "messages.def"
};

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
    mask_t mask = (before ? shape->changed : shape->set) (record, before, &room);
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

//  ---- what there is many of: the same bytes, field by field without a table

//  id is a constant where these are called: of all other messages the compiler leaves nothing.
#define ALWAYS static inline __attribute__ ((always_inline))

ALWAYS size_t
unrolled_room (usher_msg_id_t id, const void *data)
{
    size_t room = MASK_MAX;
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == id)                                                                           \
        room += FIELD_MAX + ROOM_##kind (((const usher_##message##_t *)data)->field);
#include "messages.def"
    return room;
}

//  Puts the fields behind room for the longest mask, then moves them to the mask's end.
ALWAYS void
put_unrolled (pack_t *self, usher_msg_id_t id, const void *data)
{
    make_room (self, unrolled_room (id, data));
    uint8_t *begin = self->data + self->used, *next = begin + MASK_MAX;
    uint64_t instant_ms = self->instant_ms;
    mask_t mask = { { 0 } };
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == id) {                                                                         \
        const usher_##message##_t *record = data;                                                            \
        if (IS_##kind (record->field)) {                                                                     \
            BIT (message, field, true)                                                                       \
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

ALWAYS void
take_unrolled (pack_t *self, usher_msg_id_t id, void *data)
{
    mask_t mask;
    const uint8_t *next = take_mask (self->data + self->used, &mask);
    uint64_t instant_ms = self->instant_ms;
    memset (data, 0, shapes [id].size);
#define FIELD(message, field, kind, limit, doc)                                                              \
    if (USHER_MSG_##message == id) {                                                                         \
        usher_##message##_t *record = data;                                                                  \
        if (mask.words [COLUMN_##message##_##field / 64] >> COLUMN_##message##_##field % 64 & 1)             \
            next = take_field (self, next, &instant_ms, USHER_##kind, &record->field);                       \
    }
#include "messages.def"
    self->used = (size_t)(next - self->data);
    self->instant_ms = instant_ms;
}

ALWAYS void
pack_unrolled (pack_t *self, usher_msg_id_t id, void *data)
{
    if (self->reading)
        take_unrolled (self, id, data);
    else
        put_unrolled (self, id, data);
}

//  Returns false for what the table has to do.
static bool
pack_often (pack_t *self, usher_msg_id_t id, void *record)
{
    if (id == USHER_MSG_session)
        pack_unrolled (self, USHER_MSG_session, record);
    else if (id == USHER_MSG_session_record)
        pack_unrolled (self, USHER_MSG_session_record, record);
    else if (id == USHER_MSG_fold_record)
        pack_unrolled (self, USHER_MSG_fold_record, record);
    else
        return false;
    return true;
}

void
pack_record (pack_t *self, usher_msg_id_t id, void *record, const void *before)
{
    const shape_t *shape = &shapes [id];
    if (shape->count > MASK_MAX * MASK_BITS)
        abort ();    //  the table outgrew MASK_MAX
    self->uuid_count = self->plain ? PACK_UUIDS : 0;
    if (!before && pack_often (self, id, record))
        return;
    if (self->reading)
        take_record (self, shape, record, before);
    else
        put_record (self, shape, record, before);
}
