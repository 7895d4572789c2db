//  utf8 - is it UTF-8, and where may it be cut?

#include "snowplow/utf8.h"
#include "snowplow/bytes16.h"

//  Bytes of the code point at at, 0 if it is none.
static size_t
point_size (const unsigned char *at, size_t room)
{
    if (at [0] < 0x80)
        return at [0] != 0;
    if (at [0] < 0xc2 || at [0] > 0xf4)
        return 0;
    size_t size = at [0] < 0xe0 ? 2 : at [0] < 0xf0 ? 3 : 4;
    if (room < size)
        return 0;
    for (size_t more = 1; more < size; more++)
        if ((at [more] & 0xc0) != 0x80)
            return 0;
    bool bad = (at [0] == 0xe0 && at [1] < 0xa0) || (at [0] == 0xed && at [1] > 0x9f) ||
               (at [0] == 0xf0 && at [1] < 0x90) || (at [0] == 0xf4 && at [1] > 0x8f);
    return bad ? 0 : size;
}

//  How many bytes there are before the first that is zero or beyond ASCII; as a rule all.
static size_t
ascii_size (const char *data, size_t size)
{
    size_t at = 0;
    for (; size - at >= BYTES16; at += BYTES16) {
        bytes16_t block = bytes16_load (data + at);
        uint32_t other = bytes16_high (block) | bytes16_equal (block, 0);
        if (other)
            return at + (size_t)__builtin_ctz (other);
    }
    while (at < size && (unsigned char)data [at] - 1u < 0x7f)
        at++;
    return at;
}

bool
utf8_is_valid (const char *data, size_t size)
{
    for (size_t at = ascii_size (data, size), step_size; at < size; at += step_size) {
        step_size = point_size ((const unsigned char *)data + at, size - at);
        if (!step_size)
            return false;
    }
    return true;
}

size_t
utf8_cut (const char *data, size_t size, size_t limit)
{
    if (size <= limit)
        return size;
    while (limit && ((unsigned char)data [limit] & 0xc0) == 0x80)
        limit--;
    return limit;
}
