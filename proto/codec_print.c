//  codec_print - messages for people, and whether two are the same; walks the tables of message.c

#include "codec_private.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

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

//  ---- printing

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

//  ---- comparing

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
