//  pack - records of messages.def in as few bytes as they fit, for what stays in this process's memory

#include "pack.h"
#include "memory.h"
#include "uuid_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

//  A number takes at most NUMBER_MAX bytes, one that is told whole as much as eight more.
enum { NUMBER_MAX = 10, FIELD_MAX = NUMBER_MAX + 8, MASK_MAX = 16, MASK_BITS = 7 };

//  Between these a number is taken for an instant in Unix ms: the years 1972 to 2527.
static const uint64_t INSTANT_MIN = 1ull << 36, INSTANT_END = 1ull << 44;

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

//  ---- numbers

//  What puts and takes is given where the next byte goes or comes from, and returns where the one behind it does: the compiler
//  keeps that in a register, whatever bytes are written. Who puts has made room.

//  A flag and a number: 6 bits of it beside the flag, then 7 a byte, the least first.
static inline uint8_t *
put_flagged (uint8_t *next, bool flag, uint64_t value)
{
    uint64_t rest = value >> 6;
    *next++ = (uint8_t)((rest ? 0x80 : 0) | (flag ? 0x40 : 0) | (value & 0x3f));
    for (; rest; rest >>= 7)
        *next++ = (uint8_t)((rest > 0x7f ? 0x80 : 0) | (rest & 0x7f));
    return next;
}

static inline const uint8_t *
take_flagged (const uint8_t *next, bool *flag, uint64_t *value)
{
    uint8_t byte = *next++;
    *flag = byte & 0x40;
    *value = byte & 0x3f;
    for (unsigned shift = 6; byte & 0x80; shift += 7) {
        byte = *next++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
    }
    return next;
}

static inline bool
is_instant (uint64_t value)
{
    return value >= INSTANT_MIN && value < INSTANT_END;
}

//  An instant as its distance to the one before, flagged: twice as much, and one more where it goes back.
static inline uint8_t *
put_number (uint8_t *next, uint64_t *instant_ms, uint64_t value)
{
    if (!is_instant (value))
        return put_flagged (next, false, value);
    uint64_t ahead = value - *instant_ms, behind = *instant_ms - value;
    next = put_flagged (next, true, value >= *instant_ms ? ahead * 2 : behind * 2 - 1);
    *instant_ms = value;
    return next;
}

static inline const uint8_t *
take_number (const uint8_t *next, uint64_t *instant_ms, uint64_t *value)
{
    bool instant;
    next = take_flagged (next, &instant, value);
    if (!instant)
        return next;
    *instant_ms += *value & 1 ? 0 - (*value + 1) / 2 : *value / 2;
    *value = *instant_ms;
    return next;
}

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

//  ---- decimal numbers

//  Not flagged: thousandths. Flagged: 0 is NaN, 1 the eight bytes behind it, an even number is twice the millionths and 2,
//  an odd one twice what nearly thousandths are and 3: 16 times those and how many steps of a double it is off, plus 8.
//  Sums of thousandths are off by a few.
enum { REAL_NAN, REAL_WHOLE, REAL_MILLIONTHS, REAL_NEARLY, OFF_ZERO = 8, OFF_END = 16 };
#define REAL_END 1e9    //  numbers beyond are whole

static double
double_of (uint64_t bits)
{
    double value;
    memcpy (&value, &bits, sizeof value);
    return value;
}

static uint64_t
bits_of (double value)
{
    uint64_t bits;
    memcpy (&bits, &value, sizeof bits);
    return bits;
}

//  How many steps of a double it is off the nearest of so many parts, plus 8; finds the number of parts.
static uint64_t
steps_off (double value, double parts, uint64_t *number)
{
    *number = (uint64_t)(value * parts + 0.5);
    return bits_of (value) - bits_of ((double)*number / parts) + OFF_ZERO;
}

static uint8_t *
put_whole (uint8_t *next, double value)
{
    next = put_flagged (next, true, REAL_WHOLE);
    memcpy (next, &value, sizeof value);
    return next + sizeof value;
}

static uint8_t *
put_odd_real (uint8_t *next, double value)
{
    uint64_t thousandths, millionths, off;
    if (isnan (value))
        return put_flagged (next, true, REAL_NAN);
    if (!(value >= 0 && value < REAL_END) || signbit (value))
        return put_whole (next, value);
    off = steps_off (value, 1e3, &thousandths);
    if (steps_off (value, 1e6, &millionths) == OFF_ZERO)
        return put_flagged (next, true, millionths * 2 + REAL_MILLIONTHS);
    if (off < OFF_END)
        return put_flagged (next, true, (thousandths * OFF_END + off) * 2 + REAL_NEARLY);
    return put_whole (next, value);
}

static inline uint8_t *
put_real (uint8_t *next, double value)
{
    uint64_t thousandths;
    if (value > 0 && value < REAL_END && steps_off (value, 1e3, &thousandths) == OFF_ZERO)
        return put_flagged (next, false, thousandths);
    return put_odd_real (next, value);
}

static const uint8_t *
take_odd_real (const uint8_t *next, uint64_t number, double *value)
{
    if (number == REAL_NAN)
        *value = NAN;
    else if (number == REAL_WHOLE) {
        memcpy (value, next, sizeof *value);
        next += sizeof *value;
    } else if (number % 2 == 0)
        *value = (double)((number - REAL_MILLIONTHS) / 2) / 1e6;
    else {
        number = (number - REAL_NEARLY) / 2;
        *value = double_of (bits_of ((double)(number / OFF_END) / 1e3) + number % OFF_END - OFF_ZERO);
    }
    return next;
}

static inline const uint8_t *
take_real (const uint8_t *next, double *value)
{
    bool flag;
    uint64_t number;
    next = take_flagged (next, &flag, &number);
    if (flag)
        return take_odd_real (next, number, value);
    *value = (double)number / 1e3;
    return next;
}

//  ---- texts

static inline uint8_t *
put_bytes (uint8_t *next, const void *data, size_t size)
{
    if (size)
        memcpy (next, data, size);
    return next + size;
}

static uint8_t *
put_text (pack_t *self, uint8_t *next, usher_str_t text)
{
    uint8_t uuid [UUID_BYTES];
    if (self->uuid_count < PACK_UUIDS && uuid_read (text, uuid)) {
        self->uuid_count++;
        return put_bytes (put_flagged (next, true, 0), uuid, sizeof uuid);
    }
    return put_bytes (put_flagged (next, false, text.size), text.data, text.size);
}

static const uint8_t *
take_text (pack_t *self, const uint8_t *next, usher_str_t *text)
{
    bool uuid;
    uint64_t size;
    next = take_flagged (next, &uuid, &size);
    if (!uuid) {
        *text = usher_bytes (next, size);
        return next + size;
    }
    char *written = self->uuids [self->uuid_count++];
    *text = uuid_write (next, written);
    return next + UUID_BYTES;
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

static inline uint8_t *
put_field (pack_t *self, uint8_t *next, uint64_t *instant_ms, usher_kind_t kind, const void *value)
{
    if (kind == USHER_STR)
        return put_text (self, next, *(const usher_str_t *)value);
    if (kind == USHER_F64)
        return put_real (next, *(const double *)value);
    if (kind == USHER_U64)
        return put_number (next, instant_ms, *(const uint64_t *)value);
    return put_flagged (next, false, *(const uint32_t *)value);
}

static inline const uint8_t *
take_field (pack_t *self, const uint8_t *next, uint64_t *instant_ms, usher_kind_t kind, void *value)
{
    bool flag;
    uint64_t number;
    if (kind == USHER_STR)
        return take_text (self, next, value);
    if (kind == USHER_F64)
        return take_real (next, value);
    if (kind == USHER_U64)
        return take_number (next, instant_ms, value);
    next = take_flagged (next, &flag, &number);
    *(uint32_t *)value = (uint32_t)number;
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
