//  json_text - JSON as text: checks it, compacts it, walks it, and never builds a tree

#include "snowplow/json_text.h"

#include <string.h>

//  What the reader must see next.
typedef enum {
    WANT_VALUE,
    WANT_VALUE_OR_CLOSE,
    WANT_KEY,
    WANT_KEY_OR_CLOSE,
    WANT_COLON,
    WANT_COMMA_OR_CLOSE,
    WANT_END
} want_t;

typedef struct {
    const char *start;
    const char *at;
    const char *end;
    tracker_text_t *out;
    json_text_fault_t *fault;
    want_t want;
    size_t depth;
    char open [JSON_TEXT_DEPTH_MAX];    //  '{' or '[' of each container that we are in
} reader_t;

static int
reader_fail (reader_t *self, const char *what)
{
    *self->fault = (json_text_fault_t){ what, (size_t)(self->at - self->start) };
    return -1;
}

static int
reader_peek (const reader_t *self)
{
    return self->at < self->end ? (unsigned char)*self->at : -1;
}

static bool
is_digit (int byte)
{
    return byte >= '0' && byte <= '9';
}

static int
hex_value (int byte)
{
    if (is_digit (byte))
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

//  ---- Strings

//  Append one character of a string in its normal form.
static void
put_char (tracker_text_t *out, uint32_t point)
{
    static const char plain [] = "\"\\\b\f\n\r\t";
    static const char letters [] = "\"\\bfnrt";
    const char *found = point && point < 0x80 ? strchr (plain, (int)point) : NULL;
    if (found) {
        tracker_text_putc (out, '\\');
        tracker_text_putc (out, letters [found - plain]);
    } else if (point < 0x20 || (point >= 0x7F && point <= 0x9F))
        tracker_text_printf (out, "\\u%04x", (unsigned)point);
    else
        tracker_text_put_utf8 (out, point);
}

//  The four digits behind \u; -1 if they are none.
static int32_t
read_hex4 (const char **at, const char *end)
{
    int32_t value = 0;
    if (end - *at < 4)
        return -1;
    for (int index = 0; index < 4; index++) {
        int digit = hex_value ((unsigned char)(*at) [index]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    *at += 4;
    return value;
}

//  A \u escape, at its first digit; joins a surrogate pair, leaves a lone one as it is.
static int32_t
read_unicode (const char **at, const char *end)
{
    int32_t high = read_hex4 (at, end);
    if (high < 0xD800 || high > 0xDBFF || end - *at < 6 || (*at) [0] != '\\' || (*at) [1] != 'u')
        return high;
    const char *next = *at + 2;
    int32_t low = read_hex4 (&next, end);
    if (low < 0xDC00 || low > 0xDFFF)
        return high;
    *at = next;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

//  The character that an escape stands for, at the byte behind the backslash; -1 if it is no escape.
static int32_t
read_escape (const char **at, const char *end)
{
    static const char letters [] = "\"\\/bfnrt";
    static const char plain [] = "\"\\/\b\f\n\r\t";
    if (*at == end)
        return -1;
    char letter = *(*at)++;
    if (letter == 'u')
        return read_unicode (at, end);
    const char *found = letter ? strchr (letters, letter) : NULL;
    return found ? plain [found - letters] : -1;
}

//  Copy printable ASCII as it is.
static const char *
put_run (tracker_text_t *out, const char *at, const char *end)
{
    const char *run = plain_run (at, end);
    tracker_text_put (out, at, (size_t)(run - at));
    return run;
}

static int
read_string (reader_t *self)
{
    tracker_text_putc (self->out, '"');
    for (self->at = put_run (self->out, self->at + 1, self->end); self->at < self->end && *self->at != '"';
         self->at = put_run (self->out, self->at, self->end)) {
        if ((unsigned char)*self->at < 0x20)
            return reader_fail (self, "control character in a string");
        if (*self->at != '\\') {
            put_char (self->out, utf8_next (&self->at, self->end));
            continue;
        }
        self->at++;
        int32_t point = read_escape (&self->at, self->end);
        if (point < 0)
            return reader_fail (self, "bad escape in a string");
        put_char (self->out, (uint32_t)point);
    }
    if (self->at == self->end)
        return reader_fail (self, "string without an end");
    self->at++;
    tracker_text_putc (self->out, '"');
    return 0;
}

//  ---- Numbers and names

static bool
skip_digits (reader_t *self)
{
    const char *before = self->at;
    while (is_digit (reader_peek (self)))
        self->at++;
    return self->at > before;
}

static bool
skip_number (reader_t *self)
{
    if (reader_peek (self) == '-')
        self->at++;
    if (reader_peek (self) == '0')
        self->at++;
    else if (!skip_digits (self))
        return false;
    if (reader_peek (self) == '.') {
        self->at++;
        if (!skip_digits (self))
            return false;
    }
    if (reader_peek (self) == 'e' || reader_peek (self) == 'E') {
        self->at++;
        if (reader_peek (self) == '+' || reader_peek (self) == '-')
            self->at++;
        return skip_digits (self);
    }
    return true;
}

static int
read_number (reader_t *self)
{
    const char *before = self->at;
    if (!skip_number (self))
        return reader_fail (self, "bad number");
    tracker_text_put (self->out, before, (size_t)(self->at - before));
    return 0;
}

static int
read_name (reader_t *self)
{
    static const char *const names [] = { "true", "false", "null" };
    for (size_t index = 0; index < 3; index++) {
        size_t size = strlen (names [index]);
        if ((size_t)(self->end - self->at) >= size && memcmp (self->at, names [index], size) == 0) {
            tracker_text_put (self->out, self->at, size);
            self->at += size;
            return 0;
        }
    }
    return reader_fail (self, "value expected");
}

//  ---- Structure

static void
reader_after_value (reader_t *self)
{
    self->want = self->depth ? WANT_COMMA_OR_CLOSE : WANT_END;
}

static int
read_open (reader_t *self, char bracket)
{
    if (self->depth == JSON_TEXT_DEPTH_MAX)
        return reader_fail (self, "nested too deeply");
    self->open [self->depth++] = bracket;
    self->want = bracket == '{' ? WANT_KEY_OR_CLOSE : WANT_VALUE_OR_CLOSE;
    tracker_text_putc (self->out, bracket);
    self->at++;
    return 0;
}

static int
read_close (reader_t *self)
{
    char bracket = self->open [self->depth - 1] == '{' ? '}' : ']';
    if (*self->at != bracket)
        return reader_fail (self, "comma or closing bracket expected");
    self->depth--;
    tracker_text_putc (self->out, bracket);
    self->at++;
    reader_after_value (self);
    return 0;
}

static int
read_value (reader_t *self)
{
    int byte = reader_peek (self);
    if (byte == '{' || byte == '[')
        return read_open (self, (char)byte);
    int rc;
    if (byte == '"')
        rc = read_string (self);
    else if (byte == '-' || is_digit (byte))
        rc = read_number (self);
    else
        rc = read_name (self);
    reader_after_value (self);
    return rc;
}

static int
read_key (reader_t *self)
{
    if (*self->at != '"')
        return reader_fail (self, "key expected");
    self->want = WANT_COLON;
    return read_string (self);
}

static int
read_mark (reader_t *self, char mark, want_t next)
{
    if (*self->at != mark)
        return reader_fail (self, "colon expected");
    tracker_text_putc (self->out, mark);
    self->at++;
    self->want = next;
    return 0;
}

//  Read one token; there is at least one byte and it is no blank.
static int
read_token (reader_t *self)
{
    switch (self->want) {
    case WANT_VALUE:
        return read_value (self);
    case WANT_VALUE_OR_CLOSE:
        return *self->at == ']' ? read_close (self) : read_value (self);
    case WANT_KEY:
        return read_key (self);
    case WANT_KEY_OR_CLOSE:
        return *self->at == '}' ? read_close (self) : read_key (self);
    case WANT_COLON:
        return read_mark (self, ':', WANT_VALUE);
    case WANT_COMMA_OR_CLOSE:
        if (*self->at == ',')
            return read_mark (self, ',', self->open [self->depth - 1] == '{' ? WANT_KEY : WANT_VALUE);
        return read_close (self);
    case WANT_END:
        break;
    }
    return reader_fail (self, "text after the end");
}

static void
skip_blanks (reader_t *self)
{
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r'))
        self->at++;
}

int
json_text_compact (span_t text, tracker_text_t *out, json_text_fault_t *fault)
{
    reader_t self = { .start = text.data,
                      .at = text.data,
                      .end = text.data + text.size,
                      .out = out,
                      .fault = fault,
                      .want = WANT_VALUE };
    size_t before = out->size;
    int rc = 0;
    for (skip_blanks (&self); rc == 0 && self.at < self.end; skip_blanks (&self))
        rc = read_token (&self);
    if (rc == 0 && self.want != WANT_END)
        rc = reader_fail (&self, text.size ? "ends too early" : "empty");
    if (rc != 0)
        out->size = before;
    return rc;
}

//  ---- Reading the normal form

char
json_text_kind (span_t value)
{
    char byte = value.size ? *value.data : 0;
    return byte == '-' || is_digit (byte) ? '0' : byte;
}

//  One byte behind the string that begins at `at`.
static const char *
skip_string (const char *at)
{
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

//  One byte behind the value that begins at `at`.
static const char *
skip_value (const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string (at);
            if (depth == 0)
                return at;
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']') {
            if (depth == 0)
                return at;
            if (--depth == 0)
                return at + 1;
        } else if (*at == ',' && depth == 0)
            return at;
        at++;
    }
    return at;
}

json_text_walk_t
json_text_walk (span_t container)
{
    char kind = json_text_kind (container);
    if (kind != '{' && kind != '[')
        return (json_text_walk_t){ 0 };
    return (json_text_walk_t){ container.data + 1, container.data + container.size - 1, kind == '{' };
}

bool
json_text_next (json_text_walk_t *walk, span_t *key, span_t *value)
{
    if (walk->at == walk->end)
        return false;
    if (*walk->at == ',')
        walk->at++;
    *key = (span_t){ walk->at, 0 };
    if (walk->object) {
        key->size = (size_t)(skip_string (walk->at) - walk->at);
        walk->at += key->size + 1;
    }
    value->data = walk->at;
    walk->at = skip_value (walk->at, walk->end);
    value->size = (size_t)(walk->at - value->data);
    return true;
}

bool
json_text_is (span_t string, const char *text)
{
    return string.size >= 2 && span_is ((span_t){ string.data + 1, string.size - 2 }, text);
}

//  The next character of a string value's inside.
static uint32_t
next_char (const char **at, const char *end)
{
    if (**at != '\\')
        return utf8_next (at, end);
    ++*at;
    return (uint32_t)read_escape (at, end);
}

void
json_text_decode (span_t string, tracker_text_t *out)
{
    const char *end = string.data + string.size - 1;
    for (const char *at = put_run (out, string.data + 1, end); at < end; at = put_run (out, at, end))
        tracker_text_put_utf8 (out, next_char (&at, end));
}

size_t
json_text_string_length (span_t string)
{
    size_t length = 0;
    const char *end = string.data + string.size - 1;
    for (const char *at = string.data + 1; at < end; length++)
        next_char (&at, end);
    return length;
}

void
json_text_encode (span_t text, tracker_text_t *out)
{
    const char *end = text.data + text.size;
    tracker_text_putc (out, '"');
    for (const char *at = put_run (out, text.data, end); at < end; at = put_run (out, at, end))
        put_char (out, utf8_next (&at, end));
    tracker_text_putc (out, '"');
}
