//  uuid_text - the sixteen bytes of a UUID and the text that trackers write of them

#include "uuid_text.h"

#include <endian.h>
#include <string.h>

//  Where the first digit of each byte is; the dashes lie between.
static const uint8_t places [UUID_BYTES] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };

//  Where the first four digits of each half of eight are.
static const uint8_t halves [4][2] = { { 0, 4 }, { 9, 14 }, { 19, 24 }, { 28, 32 } };

//  The same in each of eight bytes.
#define EIGHT(byte) (0x0101010101010101 * (uint64_t)(byte))

//  Eight digits at once as four bytes. What is counted is written as digits again: only digits come out as they came.
static bool
digits_read (const char *text, const uint8_t half [2], uint8_t *bytes)
{
    uint32_t low, high;
    memcpy (&low, text + half [0], sizeof low);
    memcpy (&high, text + half [1], sizeof high);
    uint64_t digits = (uint64_t)le32toh (high) << 32 | le32toh (low);
    uint64_t count = (digits & EIGHT (15)) + (digits >> 6 & EIGHT (1)) * 9;
    uint64_t letters = (count + EIGHT (6)) >> 4 & EIGHT (1);
    if (count & EIGHT (0xf0) || count + EIGHT ('0') + letters * ('a' - 10 - '0') != digits)
        return false;
    uint64_t pairs = (count << 4 | count >> 8) & 0x00ff00ff00ff00ff;
    pairs = (pairs | pairs >> 8) & 0x0000ffff0000ffff;
    uint32_t four = htole32 ((uint32_t)(pairs | pairs >> 16));
    memcpy (bytes, &four, sizeof four);
    return true;
}

bool
uuid_read (usher_str_t text, uint8_t *bytes)
{
    if (text.size != UUID_TEXT || text.data [8] != '-' || text.data [13] != '-' || text.data [18] != '-' ||
        text.data [23] != '-')
        return false;
    for (size_t at = 0; at < UUID_BYTES / 4; at++)
        if (!digits_read (text.data, halves [at], bytes + 4 * at))
            return false;
    return true;
}

usher_str_t
uuid_write (const uint8_t *bytes, char *text)
{
    static const char letters [] = "0123456789abcdef";
    for (size_t at = 0; at < UUID_BYTES; at++) {
        text [places [at]] = letters [bytes [at] >> 4];
        text [places [at] + 1] = letters [bytes [at] & 15];
    }
    text [8] = text [13] = text [18] = text [23] = '-';
    return usher_bytes (text, UUID_TEXT);
}
