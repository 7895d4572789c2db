//  uuid_text - the sixteen bytes of a UUID and the text that trackers write of them
//
//  RFC 9562, section 4: 8-4-4-4-12 hexadecimal digits. Only lower case is taken for one, so that what was read is written
//  again as it was.

#ifndef UUID_TEXT_H
#define UUID_TEXT_H

#include "message.h"

#define UUID_BYTES 16
#define UUID_TEXT 36

//  The UUID_BYTES bytes of a UUID. Returns false, with bytes undefined, unless the text is just what uuid_write writes of them.
bool uuid_read (usher_str_t text, uint8_t *bytes);

//  Writes the UUID_TEXT bytes of the text, without a zero byte. Returns a view of it.
usher_str_t uuid_write (const uint8_t *bytes, char *text);

#endif
