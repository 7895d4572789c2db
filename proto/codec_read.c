//  codec_read - messages out of msgpack: a flat reader over the tables
//
//  A frame may come from anybody who can reach the socket, or be half a frame. Nothing is read before it is known to be
//  there, nothing is allocated, nothing recurses; a length is compared with what is left of the frame, and a value with its
//  limit, before it is taken.

#include "codec_private.h"

#include <endian.h>
#include <math.h>
#include <string.h>

//  A row of the tables as reading wants it: eight bytes, and numbers that are read in the same way are one kind.
typedef enum { NUMBER_32, NUMBER_64, REAL, TEXT, NOTHING } reading_t;

typedef struct {
    uint16_t offset;
    uint16_t reading;
    uint32_t max;
} row_t;

#define ROW_U32(limit) NUMBER_32, limit
#define ROW_ENUM(limit) NUMBER_32, USHER_LAST_##limit
#define ROW_U64(limit) NUMBER_64, 0
#define ROW_F64(limit) REAL, 0
#define ROW_STR(limit) TEXT, limit

//  The last row is where a message has no more fields.
#define MESSAGE(message, id, link, direction, doc) static const row_t message##_rows [] = {
#define FIELD(message, field, kind, limit, doc) { offsetof (usher_##message##_t, field), ROW_##kind (limit) },
#define END(message)                                                                                         \
    {                                                                                                        \
        0, NOTHING, 0                                                                                        \
    }                                                                                                        \
    }                                                                                                        \
    ;
#include "messages.def"

static const struct {
    const row_t *rows;
    uint32_t columns, size;
} readers [USHER_ID_MAX + 1] = {
#define MESSAGE(message, id, link, direction, doc)                                                           \
    [id] = { message##_rows, USHER_COLUMNS_##message, sizeof (usher_##message##_t) },
#include "messages.def"
};

//  ---- items

//  Big-endian numbers. All of these return what is behind what they took, NULL if it is cut or something else.

static inline const uint8_t *
take_1 (const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    if (at == end)
        return NULL;
    *value = *at;
    return at + 1;
}

static inline const uint8_t *
take_2 (const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    uint16_t bits;
    if (end - at < (ptrdiff_t)sizeof bits)
        return NULL;
    memcpy (&bits, at, sizeof bits);
    *value = be16toh (bits);
    return at + sizeof bits;
}

static inline const uint8_t *
take_4 (const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    uint32_t bits;
    if (end - at < (ptrdiff_t)sizeof bits)
        return NULL;
    memcpy (&bits, at, sizeof bits);
    *value = be32toh (bits);
    return at + sizeof bits;
}

static inline const uint8_t *
take_8 (const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    uint64_t bits;
    if (end - at < (ptrdiff_t)sizeof bits)
        return NULL;
    memcpy (&bits, at, sizeof bits);
    *value = be64toh (bits);
    return at + sizeof bits;
}

//  A number of which the tag was read. Most take the tag alone, instants and generations eight bytes.
static inline const uint8_t *
take_uint (const uint8_t *at, const uint8_t *end, uint8_t tag, uint64_t *value)
{
    if (tag < 0x80) {
        *value = tag;
        return at;
    }
    if (tag == 0xcf)
        return take_8 (at, end, value);
    if (tag == 0xce)
        return take_4 (at, end, value);
    return tag == 0xcd ? take_2 (at, end, value) : tag == 0xcc ? take_1 (at, end, value) : NULL;
}

static inline const uint8_t *
take_real (const uint8_t *at, const uint8_t *end, uint8_t tag, double *value)
{
    uint64_t bits;
    if (tag == 0xc0) {
        *value = (double)NAN;
        return at;
    }
    if (tag != 0xcb || !(at = take_8 (at, end, &bits)))
        return NULL;
    memcpy (value, &bits, sizeof bits);
    return at;
}

static inline const uint8_t *
take_text (const uint8_t *at, const uint8_t *end, uint8_t tag, usher_str_t *text)
{
    uint64_t size;
    at = tag == 0xc4   ? take_1 (at, end, &size)
         : tag == 0xc5 ? take_2 (at, end, &size)
         : tag == 0xc6 ? take_4 (at, end, &size)
                       : NULL;
    if (!at || size > (size_t)(end - at))
        return NULL;
    *text = (usher_str_t){ (const char *)at, (uint32_t)size };
    return at + size;
}

//  ---- messages

static inline const uint8_t *
take_field (const uint8_t *at, const uint8_t *end, uint8_t tag, const row_t *row, void *value,
            usher_error_t *error)
{
    uint64_t number;
    switch ((reading_t)row->reading) {
    case NUMBER_32:
        if (!(at = take_uint (at, end, tag, &number)))
            return NULL;
        *(uint32_t *)value = (uint32_t)number;
        break;
    case NUMBER_64:
        return take_uint (at, end, tag, value);
    case REAL:
        return take_real (at, end, tag, value);
    case TEXT:
        if (!(at = take_text (at, end, tag, value)))
            return NULL;
        number = ((usher_str_t *)value)->size;
        break;
    case NOTHING:
    default:
        return NULL;
    }
    if (number <= row->max)
        return at;
    *error = USHER_E_RANGE;
    return NULL;
}

//  Fills a message that was zeroed from so many items. Leaves *next behind them.
static inline usher_error_t
take_fields (const uint8_t **next, const uint8_t *end, uint64_t items, const row_t *row, size_t columns,
             char *message)
{
    const uint8_t *at = *next;
    const row_t *last = row + columns;
    usher_error_t error = USHER_E_SHAPE;
    for (; items; items--) {
        if (at == end)
            return USHER_E_SHAPE;
        uint8_t tag = *at++;
        if (tag >= 0x100 - USHER_SKIP_MAX) {
            ptrdiff_t zeros = 0x100 - tag;
            if (zeros > last - row)
                return USHER_E_SHAPE;
            row += zeros;
            continue;
        }
        at = take_field (at, end, tag, row, message + row->offset, &error);
        if (!at)
            return error;
        row++;
    }
    *next = at;
    return USHER_OK;
}

//  Head and id of a message. Returns what is behind them, NULL if that is something else.
static const uint8_t *
take_head (const uint8_t *at, const uint8_t *end, uint64_t *count, uint64_t *id)
{
    uint8_t tag = *at++;
    if ((tag & 0xf0) == 0x90)
        *count = tag & 0x0f;
    else if (tag != 0xdc || !(at = take_2 (at, end, count)))
        return NULL;
    if (*count == 0 || at == end)
        return NULL;
    tag = *at++;
    return take_uint (at, end, tag, id);
}

usher_error_t
usher_decode (usher_frame_t *frame, usher_msg_t *msg)
{
    msg->id = 0;
    if (frame->next == frame->end)
        return USHER_END;
    uint64_t count, id;
    const uint8_t *at = take_head (frame->next, frame->end, &count, &id);
    if (!at)
        return USHER_E_SYNTAX;
    if (id > USHER_ID_MAX || !readers [id].rows)
        return USHER_E_UNKNOWN;
    memset (&msg->hello, 0, readers [id].size);
    usher_error_t error = take_fields (&at, frame->end, count - 1, readers [id].rows, readers [id].columns,
                                       (char *)&msg->hello);
    if (error) {
        memset (&msg->hello, 0, readers [id].size);
        return error;
    }
    frame->next = at;
    msg->id = (usher_msg_id_t)id;
    return USHER_OK;
}

usher_error_t
usher_frame_open (usher_frame_t *frame, const void *data, size_t size)
{
    usher_records_open (frame, data, size);
    uint64_t schema;
    if (!size)
        return USHER_E_SYNTAX;
    const uint8_t *at = take_uint (frame->next + 1, frame->end, *frame->next, &schema);
    if (!at)
        return USHER_E_SYNTAX;
    frame->next = at;
    return schema == usher_schema () ? USHER_OK : USHER_E_SCHEMA;
}

void
usher_records_open (usher_frame_t *frame, const void *data, size_t size)
{
    frame->next = data;
    frame->end = size ? frame->next + size : frame->next;
}
