//  tracker_text - a growing text, and the few things one must know about UTF-8

#include "snowplow/tracker_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

span_t
span_of (const char *text)
{
    return text ? (span_t){ text, strlen (text) } : (span_t){ "", 0 };
}

bool
span_is (span_t span, const char *text)
{
    size_t size = strlen (text);
    return span.size == size && (size == 0 || memcmp (span.data, text, size) == 0);
}

static void
text_reserve (tracker_text_t *self, size_t more)
{
    if (self->room - self->size >= more)
        return;
    size_t room = self->room ? self->room : 256;
    while (room - self->size < more)
        room *= 2;
    self->data = realloc (self->data, room);
    if (!self->data)
        abort ();
    self->room = room;
}

void
tracker_text_put (tracker_text_t *self, const char *data, size_t size)
{
    if (size == 0)
        return;
    text_reserve (self, size);
    memcpy (self->data + self->size, data, size);
    self->size += size;
}

void
tracker_text_puts (tracker_text_t *self, const char *text)
{
    tracker_text_put (self, text, strlen (text));
}

void
tracker_text_putc (tracker_text_t *self, char byte)
{
    text_reserve (self, 1);
    self->data [self->size++] = byte;
}

void
tracker_text_printf (tracker_text_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    int size = vsnprintf (NULL, 0, format, args);
    va_end (args);
    text_reserve (self, (size_t)size + 1);
    va_start (args, format);
    vsnprintf (self->data + self->size, (size_t)size + 1, format, args);
    va_end (args);
    self->size += (size_t)size;
}

void
tracker_text_put_utf8 (tracker_text_t *self, uint32_t point)
{
    if (point >= 0xD800 && point <= 0xDFFF)
        point = '?';
    if (point < 0x80) {
        tracker_text_putc (self, (char)point);
        return;
    }
    unsigned extra = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint32_t lead [] = { 0, 0xC0, 0xE0, 0xF0 };
    tracker_text_putc (self, (char)(lead [extra] | point >> (6 * extra)));
    while (extra-- > 0)
        tracker_text_putc (self, (char)(0x80 | (point >> (6 * extra) & 0x3F)));
}

span_t
tracker_text_span (const tracker_text_t *self)
{
    return self->size ? (span_t){ self->data, self->size } : (span_t){ "", 0 };
}

void
tracker_text_reset (tracker_text_t *self)
{
    self->size = 0;
}

void
tracker_text_free (tracker_text_t *self)
{
    free (self->data);
    *self = (tracker_text_t){ 0 };
}

char *
tracker_text_take (tracker_text_t *self)
{
    tracker_text_putc (self, 0);
    char *data = self->data;
    *self = (tracker_text_t){ 0 };
    return data;
}

//  Length of the sequence that a lead byte announces; 0 for a byte that is no lead.
static size_t
utf8_length (unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

uint32_t
utf8_next (const char **at, const char *end)
{
    static const uint32_t least [] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *byte = (const unsigned char *)*at;
    size_t size = utf8_length (*byte);
    *at += 1;
    if (size == 1)
        return *byte;
    if (size == 0 || (size_t)(end - (const char *)byte) < size)
        return 0xFFFD;
    uint32_t point = *byte & (0x7FU >> size);
    for (size_t index = 1; index < size; index++) {
        if ((byte [index] & 0xC0) != 0x80)
            return 0xFFFD;
        point = point << 6 | (byte [index] & 0x3FU);
    }
    if (point < least [size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0xFFFD;
    *at += size - 1;
    return point;
}

const char *
plain_run (const char *at, const char *end)
{
    while (at < end && *at >= 0x20 && *at < 0x7F && *at != '"' && *at != '\\')
        at++;
    return at;
}

void
tracker_text_put_clean (tracker_text_t *self, span_t raw)
{
    const char *at = raw.data;
    const char *end = raw.data + raw.size;
    while (at < end) {
        const char *run = plain_run (at, end);
        tracker_text_put (self, at, (size_t)(run - at));
        at = run;
        if (at == end)
            return;
        uint32_t point = utf8_next (&at, end);
        if (point == '\t')
            tracker_text_put (self, "    ", 4);
        else if (point >= 0x20 && point != 0x7F)
            tracker_text_put_utf8 (self, point);
    }
}

size_t
utf16_length (span_t text)
{
    size_t length = 0;
    const char *at = text.data;
    const char *end = text.data + text.size;
    while (at < end)
        length += utf8_next (&at, end) >= 0x10000 ? 2 : 1;
    return length;
}
