//  uuid_text - the sixteen bytes of a UUID and the text that trackers write of them

#include "uuid_text.h"

//  Where the first digit of each byte is; the dashes lie between.
static const uint8_t places [UUID_BYTES] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };

//  What a digit counts, with DIGIT set.
enum { DIGIT = 16 };
static const uint8_t digits [256] = {
    ['0'] = DIGIT,      ['1'] = DIGIT + 1,  ['2'] = DIGIT + 2,  ['3'] = DIGIT + 3,
    ['4'] = DIGIT + 4,  ['5'] = DIGIT + 5,  ['6'] = DIGIT + 6,  ['7'] = DIGIT + 7,
    ['8'] = DIGIT + 8,  ['9'] = DIGIT + 9,  ['a'] = DIGIT + 10, ['b'] = DIGIT + 11,
    ['c'] = DIGIT + 12, ['d'] = DIGIT + 13, ['e'] = DIGIT + 14, ['f'] = DIGIT + 15,
};

bool
uuid_read (usher_str_t text, uint8_t *bytes)
{
    if (text.size != UUID_TEXT || text.data [8] != '-' || text.data [13] != '-' || text.data [18] != '-' ||
        text.data [23] != '-')
        return false;
    const uint8_t *from = (const uint8_t *)text.data;
    unsigned sound = DIGIT;
    for (size_t at = 0; at < UUID_BYTES; at++) {
        unsigned high = digits [from [places [at]]], low = digits [from [places [at] + 1]];
        sound &= high & low;
        bytes [at] = (uint8_t)(high << 4 | (low & 15));
    }
    return sound;
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
