//  json_text - JSON as text: checks it, compacts it, walks it, and never builds a tree
//
//  Enrich writes contexts and self-describing events into its columns with the number text and the key order
//  of the tracker: a tree of doubles would lose both. So a document is read once by
//  json_text_compact, which refuses what is not JSON and appends the normal form; the other functions take
//  spans of that normal form only and need not check again.
//
//  The normal form: no blanks; numbers verbatim; string escapes undone but for \" \\ \b \f \n \r \t and, as
//  \u00xx, U+0000-1F and U+007F-9F; UTF-8 raw; a key that comes twice stays twice, the last one wins.
//  Depth is limited to JSON_TEXT_DEPTH_MAX; nothing here recurses.

#ifndef JSON_TEXT_H_INCLUDED
#define JSON_TEXT_H_INCLUDED

#include "snowplow/tracker_text.h"

#define JSON_TEXT_DEPTH_MAX 128

typedef struct {
    const char *what;    //  in words
    size_t offset;       //  byte of the input where it was noticed
} json_text_fault_t;

//  Read one document and append its normal form to out. Returns 0; or -1 with fault filled and out as it was.
int json_text_compact (span_t text, tracker_text_t *out, json_text_fault_t *fault);

//  What a value is: one of { [ " t f n and 0 for a number.
char json_text_kind (span_t value);

//  Members of an object or items of an array, in order. `key` is a string value (with its quotes), empty in
//  an array. A walk over anything else ends at once.
typedef struct {
    const char *at;
    const char *end;
    bool object;
} json_text_walk_t;

json_text_walk_t json_text_walk (span_t container);
bool json_text_next (json_text_walk_t *walk, span_t *key, span_t *value);

//  Is this string value, unescaped, the given text? The text must need no escapes.
bool json_text_is (span_t string, const char *text);

//  Append the text that a string value stands for.
void json_text_decode (span_t string, tracker_text_t *out);

//  Length of a string value in code points, which is what JSON Schema counts.
size_t json_text_string_length (span_t string);

//  Append a text as a string value.
void json_text_encode (span_t text, tracker_text_t *out);

#endif
