//  tracker_text - a growing text, and the few things one must know about UTF-8
//
//  Everything that the tracker protocol brings is text of unknown length from strangers. It is collected in
//  a tracker_text_t, which grows as needed and ends the process when memory is gone. Broken UTF-8 never gets
//  past here: readers take code points from utf8_next, which answers U+FFFD for bytes that are none, as the
//  JVM does when the Snowplow Collector turns a body into a String.

#ifndef TRACKER_TEXT_H_INCLUDED
#define TRACKER_TEXT_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

typedef struct {
    char *data;    //  not terminated; NULL while nothing was put
    size_t size;
    size_t room;
} tracker_text_t;

//  A piece of somebody else's text.
typedef struct {
    const char *data;
    size_t size;
} span_t;

//  The span of a C string; NULL gives an empty one.
span_t span_of (const char *text);

//  Is the span exactly this C string?
bool span_is (span_t span, const char *text);

//  Append bytes, a C string, one byte, a formatted text.
void tracker_text_put (tracker_text_t *self, const char *data, size_t size);
void tracker_text_puts (tracker_text_t *self, const char *text);
void tracker_text_putc (tracker_text_t *self, char byte);
void tracker_text_printf (tracker_text_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3), nonnull (2)));

//  Append one code point as UTF-8; a surrogate becomes '?', as in Java's encoder.
void tracker_text_put_utf8 (tracker_text_t *self, uint32_t point);

//  The text as a span; valid until the next put.
span_t tracker_text_span (const tracker_text_t *self);

//  Empty the text and keep its memory; give the memory back.
void tracker_text_reset (tracker_text_t *self);
void tracker_text_free (tracker_text_t *self);

//  Hand over the memory, terminated; the caller frees it. The text is empty afterwards.
char *tracker_text_take (tracker_text_t *self);

//  The next code point of *at, which must be before end, and step over it. A byte that begins no valid
//  sequence is stepped over alone and gives U+FFFD.
uint32_t utf8_next (const char **at, const char *end);

//  Step over printable ASCII but '"' and '\\', which every form of text here holds as it is; returns its end.
//  Most text is nothing else, so runs of it are copied whole.
const char *plain_run (const char *at, const char *end);

//  Append a text column's value as Enrich cleans it: tab becomes four blanks, other bytes 0x00-0x1F and 0x7F
//  are dropped, the rest stays.
void tracker_text_put_clean (tracker_text_t *self, span_t raw);

//  Length in UTF-16 units, which is what Enrich's column limits count.
size_t utf16_length (span_t text);

#endif
