//  base64 - bytes as text and back, in the alphabet of RFC 4648 § 4, with padding

#ifndef BASE64_H
#define BASE64_H

#include <stdbool.h>

#include "buffer.h"

//  Appends the text of size bytes.
void base64_add (buffer_t *out, const void *data, size_t size);

//  Appends the bytes of a text. Returns false when it is none; out may then hold a part of it.
bool base64_read (buffer_t *out, const char *text, size_t size);

#endif
