//  json_scan - reads JSON from front to back, once, and keeps nothing

#include "snowplow/json_scan.h"
#include "snowplow/bytes16.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
json_scan_open (json_scan_t *self, const char *data, size_t size)
{
    *self = (json_scan_t){ .start = data, .at = data, .end = data + size };
}

static bool
fail (json_scan_t *self, const char *fault)
{
    if (!self->fault)
        self->fault = fault;
    return false;
}

static bool
is_digit (char byte)
{
    return byte >= '0' && byte <= '9';
}

static __attribute__ ((noinline)) char
peek_behind_blanks (json_scan_t *self)
{
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r'))
        self->at++;
    return self->at < self->end ? *self->at : 0;
}

//  The next byte that is no blank; 0 at the end, which no JSON text has in it. As a rule nobody writes blanks.
static inline char
peek (json_scan_t *self)
{
    return self->at < self->end && (unsigned char)*self->at > ' ' ? *self->at : peek_behind_blanks (self);
}

static inline char
next_type (json_scan_t *self)
{
    char byte = peek (self);
    return is_digit (byte) || byte == '-' ? '0' : byte;
}

char
json_scan_type (json_scan_t *self)
{
    return next_type (self);
}

//  ---- scalars

static bool
is_hex (char byte)
{
    return is_digit (byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

//  at is behind a backslash.
static bool
read_escape (json_scan_t *self)
{
    if (self->at == self->end || !*self->at || !strchr ("\"\\/bfnrtu", *self->at))
        return fail (self, "no such escape");
    if (*self->at++ != 'u')
        return true;
    for (int digit = 0; digit < 4; digit++, self->at++)
        if (self->at == self->end || !is_hex (*self->at))
            return fail (self, "\\u wants four hex digits");
    return true;
}

static bool
is_plain (char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

//  The first of the bytes that are looked at that a string cannot simply hold, NULL if it holds all. Adds to high what is
//  beyond ASCII before it.
static inline const char *
block_look (const char *at, uint32_t looked_at, uint32_t *high)
{
    bytes16_t block = bytes16_load (at);
    uint32_t special = bytes16_any (block, '"', '\\', 0x1f) & looked_at;
    //  All bits below the lowest one, and that, which is none beyond ASCII; all bits if there is none.
    *high |= bytes16_high (block) & looked_at & (special ^ (special - 1));
    return special ? at + __builtin_ctz (special) : NULL;
}

//  The first byte that a string cannot simply hold, or the end.
static inline const char *
skip_plain (const json_scan_t *self, const char *at, uint32_t *high)
{
    const char *found, *end = self->end;
    for (; end - at >= BYTES16; at += BYTES16)
        if ((found = block_look (at, UINT32_MAX, high)))
            return found;
    //  The last few are looked at together with those before them, if there are so many.
    if (end - self->start >= BYTES16) {
        found = block_look (end - BYTES16, UINT32_MAX << (BYTES16 - (end - at)), high);
        return found ? found : end;
    }
    for (; at < end && is_plain (*at); at++)
        *high |= (unsigned char)*at & 0x80;
    return at;
}

//  Goes on at a byte that a string cannot simply hold: an escape, or a fault.
static __attribute__ ((noinline)) bool
read_escaped_string (json_scan_t *self, json_value_t *value, const char *at, uint32_t high)
{
    const char *begin = self->at + 1;
    while (at < self->end && *at == '\\') {
        self->at = at + 1;
        if (!read_escape (self))
            return false;
        at = skip_plain (self, self->at, &high);
    }
    self->at = at;
    if (at == self->end)
        return fail (self, "string without an end");
    if (*at != '"')
        return fail (self, "control character in a string");
    *value = (json_value_t){
        .type = '"', .escaped = true, .ascii = !high, .data = begin, .size = (size_t)(at - begin)
    };
    self->at = at + 1;
    return true;
}

static inline bool
read_string (json_scan_t *self, json_value_t *value)
{
    uint32_t high = 0;
    const char *begin = self->at + 1, *at = skip_plain (self, begin, &high);
    if (at == self->end || *at != '"')
        return read_escaped_string (self, value, at, high);
    *value = (json_value_t){ .type = '"', .ascii = !high, .data = begin, .size = (size_t)(at - begin) };
    self->at = at + 1;
    return true;
}

static const char *
skip_digits (const char *at, const char *end)
{
    while (at < end && is_digit (*at))
        at++;
    return at;
}

//  Behind the number that begins at at; NULL if none does.
static const char *
number_end (const char *at, const char *end)
{
    const char *digits;
    if (at < end && *at == '-')
        at++;
    if (at == end || !is_digit (*at))
        return NULL;
    at = *at == '0' ? at + 1 : skip_digits (at, end);
    if (at < end && *at == '.') {
        digits = ++at;
        at = skip_digits (at, end);
        if (at == digits)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        at = skip_digits (at, end);
        if (at == digits)
            return NULL;
    }
    return at;
}

static bool
read_number (json_scan_t *self, json_value_t *value)
{
    const char *end = number_end (self->at, self->end);
    if (!end)
        return fail (self, "not a number");
    *value = (json_value_t){ .type = '0', .data = self->at, .size = (size_t)(end - self->at) };
    self->at = end;
    return true;
}

static bool
read_word (json_scan_t *self, json_value_t *value, const char *word)
{
    size_t size = strlen (word);
    if ((size_t)(self->end - self->at) < size || memcmp (self->at, word, size) != 0)
        return fail (self, "not a value");
    *value = (json_value_t){ .type = *word, .data = self->at, .size = size };
    self->at += size;
    return true;
}

//  ---- containers

bool
json_scan_enter (json_scan_t *self)
{
    char open = peek (self);
    if (self->fault || (open != '{' && open != '['))
        return fail (self, "neither an object nor an array");
    if (self->depth == JSON_SCAN_DEPTH_MAX)
        return fail (self, "nested too deep");
    self->at++;
    self->depth++;
    self->objects &= ~((uint64_t)1 << self->depth);
    self->objects |= (uint64_t)(open == '{') << self->depth;
    self->fresh = true;
    return true;
}

//  True before another member or item, the comma in between having been read; false when the container was left.
static inline bool
another (json_scan_t *self, char close)
{
    if (self->fault)
        return false;
    bool first = self->fresh;
    char byte = peek (self);
    self->fresh = false;
    if (byte == close) {
        self->at++;
        self->depth--;
        return false;
    }
    if (first)
        return true;
    if (byte != ',')
        return fail (self, byte ? "a comma is missing" : "the end is missing");
    self->at++;
    return true;
}

bool
json_scan_member (json_scan_t *self, json_value_t *key)
{
    if (!another (self, '}'))
        return false;
    if (peek (self) != '"')
        return fail (self, "a key is missing");
    if (!read_string (self, key))
        return false;
    if (peek (self) != ':')
        return fail (self, "a colon is missing");
    self->at++;
    return true;
}

bool
json_scan_member_is (json_scan_t *self, const char *key, size_t size)
{
    const char *at = self->at + !self->fresh, *end = self->end;
    if (self->fault || end - at < (ptrdiff_t)size + 3 || (!self->fresh && at [-1] != ',') || *at != '"' ||
        at [size + 1] != '"' || at [size + 2] != ':' || memcmp (at + 1, key, size) != 0)
        return false;
    self->fresh = false;
    self->at = at + size + 3;
    return true;
}

bool
json_scan_item (json_scan_t *self)
{
    return another (self, ']');
}

static inline bool
read_scalar (json_scan_t *self, char type, json_value_t *value)
{
    switch (type) {
    case '"':
        return read_string (self, value);
    case '0':
        return read_number (self, value);
    case 't':
        return read_word (self, value, "true");
    case 'f':
        return read_word (self, value, "false");
    case 'n':
        return read_word (self, value, "null");
    default:
        return fail (self, "not a value");
    }
}

//  Walks on in the innermost container: into a value, over a scalar, or out of it.
static bool
step (json_scan_t *self)
{
    json_value_t ignored;
    bool object = self->objects >> self->depth & 1;
    if (!(object ? json_scan_member (self, &ignored) : json_scan_item (self)))
        return !self->fault;
    char type = next_type (self);
    return type == '{' || type == '[' ? json_scan_enter (self) : read_scalar (self, type, &ignored);
}

bool
json_scan_value (json_scan_t *self, json_value_t *value)
{
    if (self->fault)
        return false;
    char type = next_type (self);
    if (type != '{' && type != '[')
        return read_scalar (self, type, value);
    const char *begin = self->at;
    uint32_t outside = self->depth;
    if (!json_scan_enter (self))
        return false;
    while (self->depth > outside)
        if (!step (self))
            return false;
    *value = (json_value_t){ .type = type, .data = begin, .size = (size_t)(self->at - begin) };
    return true;
}

bool
json_scan_done (json_scan_t *self)
{
    if (!self->fault && peek (self) != 0)
        fail (self, "more after the end");
    if (!self->fault && self->at < self->end)
        fail (self, "zero byte");
    return !self->fault;
}

//  ---- values

static uint32_t
hex4 (const char *digits)
{
    uint32_t number = 0;
    for (int at = 0; at < 4; at++) {
        char digit = digits [at];
        number = number << 4 | (uint32_t)(is_digit (digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    return number;
}

static size_t
put_utf8 (char *out, uint32_t point)
{
    if (point < 0x80) {
        out [0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out [0] = (char)(0xc0 | point >> 6);
        out [1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out [0] = (char)(0xe0 | point >> 12);
        out [1] = (char)(0x80 | (point >> 6 & 0x3f));
        out [2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out [0] = (char)(0xf0 | point >> 18);
    out [1] = (char)(0x80 | (point >> 12 & 0x3f));
    out [2] = (char)(0x80 | (point >> 6 & 0x3f));
    out [3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

//  The code point of the \u escape at *at, a pair of surrogates being one; steps over it.
static uint32_t
take_unicode (const char **at, const char *end)
{
    uint32_t point = hex4 (*at + 2);
    *at += 6;
    if (point < 0xd800 || point > 0xdfff)
        return point ? point : 0xfffd;
    if (point < 0xdc00 && end - *at >= 6 && (*at) [0] == '\\' && (*at) [1] == 'u') {
        uint32_t low = hex4 (*at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *at += 6;
            return 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd;
}

size_t
json_value_unescape (const json_value_t *value, char *out)
{
    static const char from [] = "\"\\/bfnrt", to [] = "\"\\/\b\f\n\r\t";
    const char *at = value->data, *end = at + value->size;
    size_t size = 0;
    while (at < end) {
        if (*at != '\\')
            out [size++] = *at++;
        else if (at [1] == 'u')
            size += put_utf8 (out + size, take_unicode (&at, end));
        else {
            out [size++] = to [strchr (from, at [1]) - from];
            at += 2;
        }
    }
    return size;
}

bool
json_value_spells (const json_value_t *value, const char *text)
{
    //  Six bytes at most stand for one of an ASCII text, and nobody asks for a longer one.
    char plain [256];
    size_t size = strlen (text);
    if (value->size > sizeof plain)
        return false;
    return json_value_unescape (value, plain) == size && memcmp (plain, text, size) == 0;
}

//  Digits that a double holds exactly, over a power of ten that it holds exactly too: the quotient is the nearest
//  double, as strtod's is (W. Clinger, How to read floating point numbers accurately). So are nearly all numbers that
//  players write. Returns false for the others.
static bool
read_short (const char *at, const char *end, double *number)
{
    static const double tens [] = { 1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                                    1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16 };
    const char *point = end;
    uint64_t digits = 0;
    bool minus = *at == '-';
    at += minus;
    if (end - at > 17)
        return false;
    for (; at < end; at++) {
        if (*at == '.')
            point = at + 1;
        else if (is_digit (*at))
            digits = digits * 10 + (uint64_t)(*at - '0');
        else
            return false;
    }
    *number = (double)digits / tens [end - point];
    if (minus)
        *number = -*number;
    return digits <= (uint64_t)1 << 53;
}

double
json_value_number (const json_value_t *value)
{
    char text [64];
    double number;
    const char *end = value->data + value->size;
    if (value->type == '0' && value->size == 1)    //  most counts
        return *value->data - '0';
    if ((value->type != '0' && value->type != '"') || value->size >= sizeof text || !value->size)
        return NAN;
    if (value->type == '"' && number_end (value->data, end) != end)
        return NAN;
    if (read_short (value->data, end, &number))
        return number;
    memcpy (text, value->data, value->size);
    text [value->size] = 0;
    number = strtod (text, NULL);
    return isfinite (number) ? number : NAN;
}
