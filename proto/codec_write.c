//  codec_write - messages into msgpack: what usher_encode and usher_encode_bound do
//
//  Most fields of most messages hold their zero, so what writing costs is mostly the question whether they do. Each message
//  therefore has a function of its own, a line for each row of messages.def: a comparison with zero at a known place, and a
//  call where it is another value. How a value is written stands here once (decision 023).

#include "codec_private.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

//  ---- values

//  All return what is behind what they put.

static inline uint8_t *
tagged_1 (uint8_t *data, uint8_t tag, uint64_t value)
{
    data [0] = tag;
    data [1] = (uint8_t)value;
    return data + 2;
}

static inline uint8_t *
tagged_2 (uint8_t *data, uint8_t tag, uint64_t value)
{
    uint16_t bits = htobe16 ((uint16_t)value);
    data [0] = tag;
    memcpy (data + 1, &bits, sizeof bits);
    return data + 3;
}

static inline uint8_t *
tagged_4 (uint8_t *data, uint8_t tag, uint64_t value)
{
    uint32_t bits = htobe32 ((uint32_t)value);
    data [0] = tag;
    memcpy (data + 1, &bits, sizeof bits);
    return data + 5;
}

static inline uint8_t *
tagged_8 (uint8_t *data, uint8_t tag, uint64_t value)
{
    uint64_t bits = htobe64 (value);
    data [0] = tag;
    memcpy (data + 1, &bits, sizeof bits);
    return data + 9;
}

//  A number in as few bytes as msgpack has for it.
static inline uint8_t *
number_put (uint8_t *data, uint64_t value)
{
    if (value < 0x80) {
        *data = (uint8_t)value;
        return data + 1;
    }
    if (value > UINT32_MAX)
        return tagged_8 (data, 0xcf, value);
    if (value > UINT16_MAX)
        return tagged_4 (data, 0xce, value);
    return value > UINT8_MAX ? tagged_2 (data, 0xcd, value) : tagged_1 (data, 0xcc, value);
}

static inline uint8_t *
real_put (uint8_t *data, double value)
{
    if (isnan (value)) {
        *data = 0xc0;
        return data + 1;
    }
    uint64_t bits;
    memcpy (&bits, &value, sizeof bits);
    return tagged_8 (data, 0xcb, bits);
}

static inline uint8_t *
text_put (uint8_t *data, usher_str_t text)
{
    data = text.size <= UINT8_MAX    ? tagged_1 (data, 0xc4, text.size)
           : text.size <= UINT16_MAX ? tagged_2 (data, 0xc5, text.size)
                                     : tagged_4 (data, 0xc6, text.size);
    memcpy (data, text.data, text.size);
    return data + text.size;
}

//  ---- fields

//  There is room for the whole message before its first field is written, so nothing is checked on the way but limits, and
//  that is seen at the end. Of this size it stays in two registers.
typedef struct {
    uint8_t *next;
    uint64_t
        progress;    //  ITEM for each item of the array, BEYOND for each limit; below, the first field not passed yet
} writer_t;

#define ITEM ((uint64_t)1 << 16)
#define BEYOND ((uint64_t)1 << 32)

//  Comes to a field that is not zero: a byte for each USHER_SKIP_MAX fields that were passed.
static inline writer_t
pass (writer_t self, uint32_t column)
{
    uint32_t zeros = column - (uint16_t)self.progress;
    self.progress += ITEM + zeros + 1;
    while (zeros) {
        uint32_t run = zeros < USHER_SKIP_MAX ? zeros : USHER_SKIP_MAX;
        *self.next++ = (uint8_t)(0x100 - run);
        self.progress += ITEM;
        zeros -= run;
    }
    return self;
}

static writer_t
write_number (writer_t self, uint32_t column, uint64_t value)
{
    self = pass (self, column);
    self.next = number_put (self.next, value);
    return self;
}

static writer_t
write_limited (writer_t self, uint32_t column, uint32_t value, uint32_t max)
{
    self.progress += value > max ? BEYOND : 0;
    return write_number (self, column, value);
}

static writer_t
write_real (writer_t self, uint32_t column, double value)
{
    self = pass (self, column);
    self.next = real_put (self.next, value);
    return self;
}

static writer_t
write_text (writer_t self, uint32_t column, usher_str_t text, uint32_t max)
{
    self = pass (self, column);
    self.progress += text.size > max ? BEYOND : 0;
    self.next = text_put (self.next, text);
    return self;
}

//  Not of -0.0.
static inline bool
real_is_zero (double value)
{
    uint64_t bits;
    memcpy (&bits, &value, sizeof bits);
    return bits == 0;
}

//  ---- messages

#define WRITE_U64(column, value, limit)                                                                      \
    if (value)                                                                                               \
        self = write_number (self, column, value);
#define WRITE_U32(column, value, limit)                                                                      \
    if (value)                                                                                               \
        self = limit < UINT32_MAX ? write_limited (self, column, value, limit)                               \
                                  : write_number (self, column, value);
#define WRITE_ENUM(column, value, limit) WRITE_U32 (column, value, USHER_LAST_##limit)
#define WRITE_F64(column, value, limit)                                                                      \
    if (!real_is_zero (value))                                                                               \
        self = write_real (self, column, value);
#define WRITE_STR(column, value, limit)                                                                      \
    if (value.size)                                                                                          \
        self = write_text (self, column, value, limit);

#define MESSAGE(message, id, link, direction, doc)                                                           \
    static writer_t write_##message (writer_t self, const usher_msg_t *msg)                                  \
    {                                                                                                        \
        (void)msg;
#define FIELD(message, field, kind, limit, doc)                                                              \
    WRITE_##kind (USHER_COLUMN_##message##_##field, msg->message.field, limit)
#define END(message)                                                                                         \
    return self;                                                                                             \
    }
#include "messages.def"

//  The most bytes that a field can need. It may be a zero that is the first of its run.
#define BOUND_U32(value) 5
#define BOUND_ENUM(value) 5
#define BOUND_U64(value) 9
#define BOUND_F64(value) 9
#define BOUND_STR(value) 5 + (size_t)value.size

#define MESSAGE(message, id, link, direction, doc)                                                           \
    static size_t bound_##message (const usher_msg_t *msg)                                                   \
    {                                                                                                        \
        (void)msg;                                                                                           \
        return HEAD_MAX
#define FIELD(message, field, kind, limit, doc) +BOUND_##kind (msg->message.field)
#define END(message)                                                                                         \
    ;                                                                                                        \
    }

enum { HEAD_MAX = 4 };    //  bytes of an array's head and the id

#include "messages.def"

static const struct {
    writer_t (*write) (writer_t self, const usher_msg_t *msg);
    size_t (*bound) (const usher_msg_t *msg);
    size_t columns;
} writers [USHER_ID_MAX + 1] = {
#define MESSAGE(message, id, link, direction, doc)                                                           \
    [id] = { write_##message, bound_##message, USHER_COLUMNS_##message },
#include "messages.def"
};

//  Writes where there is room for the most that msg can need. Returns the bytes, 0 if a field is beyond its limit.
static size_t
message_put (const usher_msg_t *msg, uint8_t *data)
{
    //  The array's head has room for all fields there can be; how many items came is known at the end.
    bool wide = writers [msg->id].columns >= 15;
    writer_t self = { .next = data + (wide ? 3 : 1), .progress = ITEM };
    *self.next++ = (uint8_t)msg->id;
    self = writers [msg->id].write (self, msg);
    if (self.progress >= BEYOND)
        return 0;
    if (wide)
        tagged_2 (data, 0xdc, self.progress / ITEM);
    else
        *data = (uint8_t)(0x90 | self.progress / ITEM);
    return (size_t)(self.next - data);
}

//  A message that may be longer than the room is put together elsewhere; that is once a frame, at its end.
static size_t
message_fit (const usher_msg_t *msg, size_t bound, void *data, size_t size)
{
    uint8_t *whole = malloc (bound);
    if (!whole)
        abort ();
    size_t used = message_put (msg, whole);
    if (used <= size && used)
        memcpy (data, whole, used);
    free (whole);
    return used <= size ? used : 0;
}

size_t
usher_encode (const usher_msg_t *msg, void *data, size_t size)
{
    size_t bound = usher_encode_bound (msg);
    if (bound == 0)
        return 0;
    return size >= bound ? message_put (msg, data) : message_fit (msg, bound, data, size);
}

size_t
usher_encode_bound (const usher_msg_t *msg)
{
    bool known = msg->id <= USHER_ID_MAX && writers [msg->id].bound;
    return known ? writers [msg->id].bound (msg) : 0;
}

size_t
usher_frame_begin (void *data, size_t size)
{
    if (size < USHER_FRAME_HEAD)
        return 0;
    tagged_4 (data, 0xce, usher_schema ());
    return USHER_FRAME_HEAD;
}
