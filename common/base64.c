//  base64 - bytes as text and back, in the alphabet of RFC 4648 § 4, with padding

#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet [] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_add (buffer_t *out, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    char *to = buffer_reserve (out, (size + 2) / 3 * 4);
    for (size_t at = 0; at < size; at += 3) {
        uint32_t group = (uint32_t)bytes [at] << 16;
        group |= at + 1 < size ? (uint32_t)bytes [at + 1] << 8 : 0;
        group |= at + 2 < size ? (uint32_t)bytes [at + 2] : 0;
        *to++ = alphabet [group >> 18];
        *to++ = alphabet [group >> 12 & 63];
        *to++ = at + 1 < size ? alphabet [group >> 6 & 63] : '=';
        *to++ = at + 2 < size ? alphabet [group & 63] : '=';
    }
    out->size += (size + 2) / 3 * 4;
}

bool
base64_read (buffer_t *out, const char *text, size_t size)
{
    if (size % 4)
        return false;
    for (size_t padding = 0; padding < 2 && size && text [size - 1] == '='; padding++)
        size--;
    uint32_t group = 0;
    int bits = 0;
    for (size_t at = 0; at < size; at++) {
        const char *found = text [at] ? strchr (alphabet, text [at]) : NULL;
        if (!found)
            return false;
        group = group << 6 | (uint32_t)(found - alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buffer_add (out, &(uint8_t){ (uint8_t)(group >> bits) }, 1);
        }
    }
    return true;
}
