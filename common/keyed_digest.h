//  keyed_digest - HMAC-SHA256: who has the key can tell whether two names are the same, nobody else can tell the name

#ifndef KEYED_DIGEST_H
#define KEYED_DIGEST_H

#include "message.h"

#define KEYED_DIGEST_BYTES 32
#define KEYED_DIGEST_HEX (2 * KEYED_DIGEST_BYTES)

//  Writes HMAC-SHA256 (key, text).
void keyed_digest (usher_str_t key, usher_str_t text, uint8_t digest [KEYED_DIGEST_BYTES]);

//  The same as hexadecimal digits, lower case, with a 0 behind.
void keyed_digest_hex (usher_str_t key, usher_str_t text, char hex [KEYED_DIGEST_HEX + 1]);

//  Does text look like what keyed_digest_hex writes?
bool keyed_digest_is_hex (usher_str_t text);

#endif
