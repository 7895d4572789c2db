//  codec - turns messages into msgpack frames and back, guided by the tables in message.c

#include "message.h"

#include <inttypes.h>
#include <math.h>
#include <msgpack.h>
#include <string.h>
#include <xxhash.h>

//  Message ids are small; this finds a layout without a search.
#define ID_MAX 127

//  What msgpack calls a negative fixint, -1 to -32, stands for so many fields that hold their zero.
#define SKIP_MAX 32u

//  Goes into the checksum: grows when fields are written in another way.
#define ENCODING 2

//  An enum is sent as the number of its word, so its words count.
static uint32_t
field_checksum (const usher_field_t *field, uint32_t checksum)
{
    uint64_t shape [] = { field->kind, field->max };
    checksum = XXH32 (field->name, strlen (field->name), checksum);
    checksum = XXH32 (shape, sizeof shape, checksum);
    for (uint64_t value = 0; field->kind == USHER_ENUM && value <= field->max; value++)
        checksum = XXH32 (field->names [value], strlen (field->names [value]), checksum);
    return checksum;
}

uint32_t
usher_schema (void)
{
    static uint32_t checksum;    //  a cache of a constant, not state
    if (checksum)
        return checksum;
    checksum = ENCODING;
    for (size_t row = 0; row < usher_layout_count; row++) {
        const usher_layout_t *layout = &usher_layouts [row];
        checksum = XXH32 (layout->name, strlen (layout->name), checksum + layout->id);
        for (size_t col = 0; col < layout->field_count; col++)
            checksum = field_checksum (&layout->fields [col], checksum);
    }
    //  The top bit makes msgpack write it as a 32-bit number always, so a head has one length.
    checksum |= 0x80000000u;
    return checksum;
}

const usher_layout_t *
usher_layout (uint64_t id)
{
    static const usher_layout_t *index [ID_MAX + 1];
    if (!index [usher_layouts [0].id])
        for (size_t row = 0; row < usher_layout_count; row++)
            index [usher_layouts [row].id] = &usher_layouts [row];
    return id <= ID_MAX ? index [id] : NULL;
}

//  ---- writing

typedef struct {
    uint8_t *next, *end;
} sink_t;

//  msgpack-c's write callback: all or nothing, -1 stops the packer.
static int
sink_write (void *arg, const char *data, size_t size)
{
    sink_t *self = arg;
    if ((size_t)(self->end - self->next) < size)
        return -1;
    memcpy (self->next, data, size);
    self->next += size;
    return 0;
}

size_t
usher_frame_begin (void *data, size_t size)
{
    sink_t sink = { data, (uint8_t *)data + size };
    msgpack_packer packer;
    msgpack_packer_init (&packer, &sink, sink_write);
    return msgpack_pack_uint32 (&packer, usher_schema ()) ? 0 : USHER_FRAME_HEAD;
}

static const void *
field_at (const usher_msg_t *msg, const usher_field_t *field)
{
    //  All members of the union begin where the union begins.
    return (const char *)&msg->hello + field->offset;
}

static bool
field_is_zero (const void *value, usher_kind_t kind)
{
    uint64_t bits;
    switch (kind) {
    case USHER_U32:
    case USHER_ENUM:
        return *(const uint32_t *)value == 0;
    case USHER_STR:
        return ((const usher_str_t *)value)->size == 0;
    case USHER_U64:
    case USHER_F64:
        memcpy (&bits, value, sizeof bits);
        return bits == 0;
    }
    return false;
}

static int
pack_field (msgpack_packer *packer, const void *value, const usher_field_t *field)
{
    const usher_str_t *text;
    switch (field->kind) {
    case USHER_U32:
    case USHER_ENUM:
        return *(const uint32_t *)value > field->max ? -1
                                                     : msgpack_pack_uint32 (packer, *(const uint32_t *)value);
    case USHER_U64:
        return msgpack_pack_uint64 (packer, *(const uint64_t *)value);
    case USHER_F64:
        return isnan (*(const double *)value) ? msgpack_pack_nil (packer)
                                              : msgpack_pack_double (packer, *(const double *)value);
    case USHER_STR:
        text = value;
        if (text->size > field->max)
            return -1;
        if (msgpack_pack_bin (packer, text->size))
            return -1;
        return text->size ? msgpack_pack_bin_body (packer, text->data, text->size) : 0;
    }
    return -1;
}

//  Zero fields in front of one that is not, a byte for each SKIP_MAX.
static int
pack_skip (sink_t *sink, size_t zeros, size_t *items)
{
    for (; zeros; (*items)++) {
        size_t run = zeros < SKIP_MAX ? zeros : SKIP_MAX;
        if (sink->next == sink->end)
            return -1;
        *sink->next++ = (uint8_t)(0x100 - run);
        zeros -= run;
    }
    return 0;
}

//  The array's head was written for all fields there can be; now it is known how many items came.
static void
array_patch (uint8_t *head, size_t items)
{
    if (*head != 0xdc)
        *head = (uint8_t)(0x90 | items);
    else {
        head [1] = (uint8_t)(items >> 8);
        head [2] = (uint8_t)items;
    }
}

size_t
usher_encode (const usher_msg_t *msg, void *data, size_t size)
{
    const usher_layout_t *layout = usher_layout (msg->id);
    if (!layout)
        return 0;
    sink_t sink = { data, (uint8_t *)data + size };
    msgpack_packer packer;
    msgpack_packer_init (&packer, &sink, sink_write);
    if (msgpack_pack_array (&packer, layout->field_count + 1) || msgpack_pack_uint32 (&packer, layout->id))
        return 0;
    size_t items = 1, zeros = 0;
    for (size_t col = 0; col < layout->field_count; col++) {
        const usher_field_t *field = &layout->fields [col];
        const void *value = field_at (msg, field);
        if (field_is_zero (value, field->kind)) {
            zeros++;
            continue;
        }
        if (pack_skip (&sink, zeros, &items) || pack_field (&packer, value, field))
            return 0;
        zeros = 0;
        items++;
    }
    array_patch (data, items);
    return (size_t)(sink.next - (uint8_t *)data);
}

size_t
usher_encode_bound (const usher_msg_t *msg)
{
    const usher_layout_t *layout = usher_layout (msg->id);
    size_t bound = 3 + 5;
    for (size_t col = 0; layout && col < layout->field_count; col++) {
        const usher_field_t *field = &layout->fields [col];
        bound += field->kind == USHER_STR ? 5 + ((const usher_str_t *)field_at (msg, field))->size : 9;
    }
    return bound;
}

//  ---- reading

//  Reads a big-endian number of 1, 2, 4 or 8 bytes.
static bool
take_number (usher_frame_t *frame, size_t bytes, uint64_t *value)
{
    if ((size_t)(frame->end - frame->next) < bytes)
        return false;
    *value = 0;
    for (size_t at = 0; at < bytes; at++)
        *value = *value << 8 | *frame->next++;
    return true;
}

static bool
take_tag (usher_frame_t *frame, uint8_t *tag)
{
    if (frame->next == frame->end)
        return false;
    *tag = *frame->next++;
    return true;
}

static bool
take_uint (usher_frame_t *frame, uint64_t *value)
{
    uint8_t tag;
    if (!take_tag (frame, &tag))
        return false;
    if (tag < 0x80) {
        *value = tag;
        return true;
    }
    return tag >= 0xcc && tag <= 0xcf && take_number (frame, (size_t)1 << (tag - 0xcc), value);
}

static bool
take_array (usher_frame_t *frame, uint64_t *count)
{
    uint8_t tag;
    if (!take_tag (frame, &tag))
        return false;
    if ((tag & 0xf0) == 0x90) {
        *count = tag & 0x0f;
        return true;
    }
    return tag == 0xdc && take_number (frame, 2, count);
}

static bool
take_double (usher_frame_t *frame, double *value)
{
    uint8_t tag;
    uint64_t bits;
    if (!take_tag (frame, &tag))
        return false;
    if (tag == 0xc0) {
        *value = NAN;
        return true;
    }
    if (tag != 0xcb || !take_number (frame, 8, &bits))
        return false;
    memcpy (value, &bits, sizeof bits);
    return true;
}

static bool
take_bytes (usher_frame_t *frame, usher_str_t *text)
{
    uint8_t tag;
    uint64_t size;
    if (!take_tag (frame, &tag) || tag < 0xc4 || tag > 0xc6 ||
        !take_number (frame, (size_t)1 << (tag - 0xc4), &size))
        return false;
    if (size > (size_t)(frame->end - frame->next))
        return false;
    *text = (usher_str_t){ (const char *)frame->next, (uint32_t)size };
    frame->next += size;
    return true;
}

static usher_error_t
take_field (usher_frame_t *frame, void *value, const usher_field_t *field)
{
    uint64_t number;
    switch (field->kind) {
    case USHER_U32:
    case USHER_ENUM:
        if (!take_uint (frame, &number))
            return USHER_E_SHAPE;
        if (number > field->max)
            return USHER_E_RANGE;
        *(uint32_t *)value = (uint32_t)number;
        return USHER_OK;
    case USHER_U64:
        return take_uint (frame, value) ? USHER_OK : USHER_E_SHAPE;
    case USHER_F64:
        return take_double (frame, value) ? USHER_OK : USHER_E_SHAPE;
    case USHER_STR:
        if (!take_bytes (frame, value))
            return USHER_E_SHAPE;
        return ((usher_str_t *)value)->size <= field->max ? USHER_OK : USHER_E_RANGE;
    }
    return USHER_E_SHAPE;
}

//  Fills a message that was zeroed from so many items.
static usher_error_t
take_fields (usher_frame_t *frame, const usher_layout_t *layout, uint64_t items, usher_msg_t *msg)
{
    size_t col = 0;
    for (; items; items--) {
        if (frame->next != frame->end && *frame->next >= 0x100 - SKIP_MAX) {
            col += 0x100u - *frame->next++;
            continue;
        }
        if (col >= layout->field_count)
            return USHER_E_SHAPE;
        const usher_field_t *field = &layout->fields [col++];
        usher_error_t error = take_field (frame, (char *)&msg->hello + field->offset, field);
        if (error)
            return error;
    }
    return col <= layout->field_count ? USHER_OK : USHER_E_SHAPE;
}

usher_error_t
usher_frame_open (usher_frame_t *frame, const void *data, size_t size)
{
    usher_records_open (frame, data, size);
    uint64_t schema;
    if (!take_uint (frame, &schema))
        return USHER_E_SYNTAX;
    return schema == usher_schema () ? USHER_OK : USHER_E_SCHEMA;
}

void
usher_records_open (usher_frame_t *frame, const void *data, size_t size)
{
    frame->next = data;
    frame->end = size ? frame->next + size : frame->next;
}

usher_error_t
usher_decode (usher_frame_t *frame, usher_msg_t *msg)
{
    msg->id = 0;
    if (frame->next == frame->end)
        return USHER_END;
    uint64_t count, id;
    if (!take_array (frame, &count) || count == 0 || !take_uint (frame, &id))
        return USHER_E_SYNTAX;
    const usher_layout_t *layout = usher_layout (id);
    if (!layout)
        return USHER_E_UNKNOWN;
    memset (&msg->hello, 0, layout->size);
    usher_error_t error = take_fields (frame, layout, count - 1, msg);
    if (error) {
        memset (&msg->hello, 0, layout->size);
        return error;
    }
    msg->id = (usher_msg_id_t)id;
    return USHER_OK;
}

const char *
usher_error_text (usher_error_t error)
{
    static const char *const texts [] = { "no error",
                                          "end of frame",
                                          "not the msgpack that we write",
                                          "written by another version of messages.def",
                                          "no such message",
                                          "a field too many or of the wrong type",
                                          "a value beyond its limit" };
    return (size_t)error < sizeof texts / sizeof *texts ? texts [error] : "unknown error";
}

//  ---- printing and comparing

static void
print_text (usher_str_t text, FILE *out)
{
    fputc ('"', out);
    for (uint32_t at = 0; at < text.size && at < 80; at++) {
        unsigned char byte = (unsigned char)text.data [at];
        if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\')
            fprintf (out, "\\x%02x", byte);
        else
            fputc (byte, out);
    }
    fputs (text.size > 80 ? "...\"" : "\"", out);
}

static void
print_length (usher_str_t text, FILE *out)
{
    fprintf (out, "<%" PRIu32 " bytes>", text.size);
}

static void
print_field (const void *value, const usher_field_t *field, bool nameless, FILE *out)
{
    fprintf (out, " %s=", field->name);
    switch (field->kind) {
    case USHER_U32:
        fprintf (out, "%" PRIu32, *(const uint32_t *)value);
        break;
    case USHER_U64:
        fprintf (out, "%" PRIu64, *(const uint64_t *)value);
        break;
    case USHER_F64:
        fprintf (out, "%g", *(const double *)value);
        break;
    case USHER_STR:
        if (nameless && strcmp (field->name, "event_id") != 0)
            print_length (*(const usher_str_t *)value, out);
        else
            print_text (*(const usher_str_t *)value, out);
        break;
    case USHER_ENUM:
        fputs (*(const uint32_t *)value <= field->max ? field->names [*(const uint32_t *)value] : "?", out);
        break;
    }
}

static void
print_message (const usher_msg_t *msg, bool nameless, FILE *out)
{
    const usher_layout_t *layout = usher_layout (msg->id);
    if (!layout) {
        fprintf (out, "message-%u", (unsigned)msg->id);
        return;
    }
    fputs (layout->name, out);
    for (size_t col = 0; col < layout->field_count; col++) {
        const void *value = field_at (msg, &layout->fields [col]);
        if (!field_is_zero (value, layout->fields [col].kind) || layout->fields [col].kind == USHER_ENUM)
            print_field (value, &layout->fields [col], nameless, out);
    }
}

void
usher_print (const usher_msg_t *msg, FILE *out)
{
    print_message (msg, false, out);
}

void
usher_print_nameless (const usher_msg_t *msg, FILE *out)
{
    print_message (msg, true, out);
}

static bool
field_equal (const void *a, const void *b, usher_kind_t kind)
{
    double x, y;
    switch (kind) {
    case USHER_U32:
    case USHER_ENUM:
        return *(const uint32_t *)a == *(const uint32_t *)b;
    case USHER_U64:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case USHER_F64:
        memcpy (&x, a, sizeof x);
        memcpy (&y, b, sizeof y);
        return x == y || (isnan (x) && isnan (y));
    case USHER_STR:
        return usher_str_eq (*(const usher_str_t *)a, *(const usher_str_t *)b);
    }
    return false;
}

bool
usher_equal (const usher_msg_t *a, const usher_msg_t *b)
{
    const usher_layout_t *layout = usher_layout (a->id);
    if (a->id != b->id || !layout)
        return false;
    for (size_t col = 0; col < layout->field_count; col++)
        if (!field_equal (field_at (a, &layout->fields [col]), field_at (b, &layout->fields [col]),
                          layout->fields [col].kind))
            return false;
    return true;
}
