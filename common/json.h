//  json - writes JSON text that every browser reads: no NaN, no broken UTF-8
//
//  Commas put themselves: a value or key that follows another one in the same object or list gets its comma.

#ifndef JSON_H
#define JSON_H

#include <stdbool.h>

#include "buffer.h"
#include "codec.h"

//  { } [ ]: begins and ends an object or a list.
void json_open (buffer_t *out, char bracket);
void json_close (buffer_t *out, char bracket);

//  The name of the member whose value comes next: letters, digits and _ only.
void json_key (buffer_t *out, const char *name);

//  Values. A string's invalid UTF-8 becomes U+FFFD. A number that is NaN or infinite becomes null.
void json_text (buffer_t *out, usher_str_t text);
void json_word (buffer_t *out, const char *text);
void json_upper (buffer_t *out, const char *text);
void json_uint (buffer_t *out, uint64_t number);
void json_number (buffer_t *out, double number);
void json_bool (buffer_t *out, bool value);
void json_unknown (buffer_t *out);

//  Unix ms as ISO 8601 with three decimals and Z; beyond the year 9999 it stands still.
void json_time (buffer_t *out, uint64_t unix_ms);

//  JSON text made elsewhere, as a value.
void json_raw (buffer_t *out, const void *data, size_t size);

//  An ad id as the reference has it: a number where the text is an int32, else a string; 0 where there is none.
void json_ad_id (buffer_t *out, usher_str_t text);

#endif
