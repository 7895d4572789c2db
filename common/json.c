//  json - writes JSON text that every browser reads: no NaN, no broken UTF-8

#include "json.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

//  Last ms of the year 9999.
#define TIME_MAX_MS 253402300799999u

static void
comma (buffer_t *out)
{
    if (out->size && !strchr ("{[:,", out->data [out->size - 1]))
        buffer_add (out, ",", 1);
}

void
json_open (buffer_t *out, char bracket)
{
    comma (out);
    buffer_add (out, &bracket, 1);
}

void
json_close (buffer_t *out, char bracket)
{
    buffer_add (out, &bracket, 1);
}

void
json_key (buffer_t *out, const char *name)
{
    comma (out);
    buffer_add (out, "\"", 1);
    buffer_add_text (out, name);
    buffer_add (out, "\":", 2);
}

//  How many bytes a well-formed character at data has (RFC 3629); 0 it is not one.
static size_t
character_size (const uint8_t *data, size_t size)
{
    static const struct {
        uint8_t first_low, first_high, second_low, second_high, bytes;
    } rows [] = {
        { 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        if (*data < rows [row].first_low || *data > rows [row].first_high)
            continue;
        if (rows [row].bytes > size)
            return 0;
        if (rows [row].bytes > 1 && (data [1] < rows [row].second_low || data [1] > rows [row].second_high))
            return 0;
        for (size_t at = 2; at < rows [row].bytes; at++)
            if ((data [at] & 0xc0) != 0x80)
                return 0;
        return rows [row].bytes;
    }
    return 0;
}

static void
escape (buffer_t *out, uint8_t byte)
{
    static const char names [][2] = { { '"', '"' },  { '\\', '\\' }, { '\b', 'b' }, { '\f', 'f' },
                                      { '\n', 'n' }, { '\r', 'r' },  { '\t', 't' } };
    for (size_t at = 0; at < sizeof names / sizeof *names; at++)
        if (byte == (uint8_t)names [at][0]) {
            buffer_add (out, (char []){ '\\', names [at][1] }, 2);
            return;
        }
    char text [8];
    snprintf (text, sizeof text, "\\u%04x", byte);
    buffer_add_text (out, text);
}

void
json_text (buffer_t *out, usher_str_t text)
{
    comma (out);
    buffer_add (out, "\"", 1);
    const uint8_t *data = (const uint8_t *)text.data;
    for (size_t at = 0; at < text.size;) {
        size_t size = character_size (data + at, text.size - at);
        if (size == 0)
            buffer_add (out, "\xef\xbf\xbd", 3);
        else if (size == 1 &&
                 (data [at] < 0x20 || data [at] == 0x7f || data [at] == '"' || data [at] == '\\'))
            escape (out, data [at]);
        else
            buffer_add (out, data + at, size);
        at += size ? size : 1;
    }
    buffer_add (out, "\"", 1);
}

void
json_word (buffer_t *out, const char *text)
{
    json_text (out, usher_str (text));
}

void
json_upper (buffer_t *out, const char *text)
{
    comma (out);
    buffer_add (out, "\"", 1);
    for (; *text; text++)
        buffer_add (out, (char []){ (char)toupper ((unsigned char)*text) }, 1);
    buffer_add (out, "\"", 1);
}

void
json_raw (buffer_t *out, const void *data, size_t size)
{
    comma (out);
    buffer_add (out, data, size);
}

void
json_uint (buffer_t *out, uint64_t number)
{
    char text [24];
    json_raw (out, text, (size_t)snprintf (text, sizeof text, "%" PRIu64, number));
}

void
json_number (buffer_t *out, double number)
{
    if (!isfinite (number)) {
        json_unknown (out);
        return;
    }
    //  The short form where it is the same number.
    char text [40];
    int size = snprintf (text, sizeof text, "%.15g", number);
    if (fpclassify (strtod (text, NULL) - number) != FP_ZERO)
        size = snprintf (text, sizeof text, "%.17g", number);
    json_raw (out, text, (size_t)size);
}

void
json_bool (buffer_t *out, bool value)
{
    json_raw (out, value ? "true" : "false", value ? 4 : 5);
}

void
json_unknown (buffer_t *out)
{
    json_raw (out, "null", 4);
}

void
json_time (buffer_t *out, uint64_t unix_ms)
{
    if (unix_ms > TIME_MAX_MS)
        unix_ms = TIME_MAX_MS;
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    char text [48], whole [24];
    gmtime_r (&seconds, &parts);
    strftime (whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &parts);
    int size = snprintf (text, sizeof text, "\"%s.%03uZ\"", whole, (unsigned)(unix_ms % 1000));
    json_raw (out, text, (size_t)size);
}

static bool
is_int32 (const char *text)
{
    char *end;
    long long value = strtoll (text, &end, 10);
    char again [24];
    snprintf (again, sizeof again, "%lld", value);
    return value >= INT32_MIN && value <= INT32_MAX && strcmp (again, text) == 0;
}

void
json_ad_id (buffer_t *out, usher_str_t text)
{
    char number [12] = { 0 };
    if (text.size && text.size < sizeof number)
        memcpy (number, text.data, text.size);
    if (!text.size)
        json_uint (out, 0);
    else if (is_int32 (number))
        json_raw (out, text.data, text.size);
    else
        json_text (out, text);
}
