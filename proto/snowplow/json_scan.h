//  json_scan - reads JSON from front to back, once, and keeps nothing
//
//  Whoever reads walks into the objects it knows and steps over the rest; both check the grammar as they go, so
//  a document that was read to its end was JSON. Neither allocates nor recurses. The first fault sticks: after
//  it every call returns false, and json_scan_done tells at the end.

#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_SCAN_DEPTH_MAX 32

typedef struct {
    const char *start, *at, *end;
    const char *fault;    //  in words; NULL while all is well
    uint32_t depth;
    uint64_t objects;    //  bit n: the container open at depth n is an object
    bool fresh;          //  nothing was read in the innermost container yet
} json_scan_t;

typedef struct {
    char type;       //  one of { [ " t f n and 0 for a number
    bool escaped;    //  a string that holds escapes
    bool ascii;      //  a string without a byte beyond ASCII
    const char *data;
    size_t size;    //  of a string without its quotes
} json_value_t;

void json_scan_open (json_scan_t *self, const char *data, size_t size);

//  The type of the value that comes next; 0 at the end of the document.
char json_scan_type (json_scan_t *self);

//  Reads one whole value; of a container its text.
bool json_scan_value (json_scan_t *self, json_value_t *value);

//  Walks into an object or an array. Then member (an object's next key; its value must be read next) or item (an
//  array has a next item, which must be read next) until false, at which the container has been left.
bool json_scan_enter (json_scan_t *self);
bool json_scan_member (json_scan_t *self, json_value_t *key);

//  Steps over the next key and its colon if it is this one, without an escape, and no blanks are around it; false: nothing was
//  read.
bool json_scan_member_is (json_scan_t *self, const char *key, size_t size);

bool json_scan_item (json_scan_t *self);

//  Was that all, and all well? If not, fault is set.
bool json_scan_done (json_scan_t *self);

//  ---- values

//  Undoes a string's escapes; out has room for value->size bytes. Lone surrogates and U+0000 become U+FFFD. Returns
//  the size.
size_t json_value_unescape (const json_value_t *value, char *out);

//  Is this string, which may be escaped, the given text? Asked of every key, so it is here, where the compiler sees how
//  long the text is; json_value_spells is the way of strings with escapes.
bool json_value_spells (const json_value_t *value, const char *text);

static inline bool
json_value_is (const json_value_t *value, const char *text)
{
    if (value->escaped)
        return json_value_spells (value, text);
    size_t size = strlen (text);
    return value->size == size && memcmp (value->data, text, size) == 0;
}

//  The number that a number stands for, or a string that spells one as JSON does; NaN for all else and for what
//  a double cannot hold.
double json_value_number (const json_value_t *value);

#endif
