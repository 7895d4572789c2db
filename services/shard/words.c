//  words - numbers side by side in few bytes, and quickly: for what stays in this process's memory

#include "words.h"
#include "bits.h"

#include <string.h>

//  A word's first byte: SMALL and the word; or how many bytes there are less one, how many zero bytes lie below them, and
//  whether it is an instant.
enum { SMALL = 0x80, INSTANT = 0x40, BELOW_SHIFT = 3, BYTES_MASK = 7 };

static size_t
mask_bytes (size_t count)
{
    return (count + 7) / 8;
}

static uint8_t *
put_large (uint8_t *to, uint64_t word, unsigned flags)
{
    unsigned below = word ? (unsigned)__builtin_ctzll (word) / 8 : 0;
    word >>= below * 8;
    unsigned bytes = (71 - (unsigned)__builtin_clzll (word | 1)) / 8;
    *to++ = (uint8_t)(flags | below << BELOW_SHIFT | (bytes - 1));
    memcpy (to, &word, sizeof word);
    return to + bytes;
}

//  Its distance to the one before.
static uint8_t *
put_instant (uint8_t *to, uint64_t word, uint64_t *instant_ms)
{
    uint64_t distance = word - *instant_ms;
    *instant_ms = word;
    return put_large (to, zigzag (distance), INSTANT);
}

uint64_t
words_mask (const uint64_t *words, size_t count)
{
    uint64_t mask = 0;
    for (size_t at = 0; at < count; at++)
        mask |= (uint64_t)(words [at] != 0) << at;
    return mask;
}

uint8_t *
words_put (uint8_t *to, const uint64_t *words, uint64_t mask, size_t count, uint64_t *instant_ms)
{
    memcpy (to, &mask, sizeof mask);
    to += mask_bytes (count);
    for (; mask; mask &= mask - 1) {
        uint64_t word = words [__builtin_ctzll (mask)];
        if (word < SMALL)
            *to++ = (uint8_t)(SMALL | word);
        else if (is_instant (word))
            to = put_instant (to, word, instant_ms);
        else
            to = put_large (to, word, 0);
    }
    return to;
}

static const uint8_t *
take_large (const uint8_t *from, unsigned first, uint64_t *word, uint64_t *instant_ms)
{
    unsigned bytes = (first & BYTES_MASK) + 1;
    uint64_t value;
    memcpy (&value, from, sizeof value);
    value = value << (8 - bytes) * 8 >> (8 - bytes) * 8 << (first >> BELOW_SHIFT & BYTES_MASK) * 8;
    if (first & INSTANT) {
        *instant_ms += zigzag_back (value);
        value = *instant_ms;
    }
    *word = value;
    return from + bytes;
}

const uint8_t *
words_take (const uint8_t *from, uint64_t *words, size_t count, uint64_t *instant_ms)
{
    uint64_t mask;
    memcpy (&mask, from, sizeof mask);
    from += mask_bytes (count);
    //  Behind the mask of fewer words lie other bytes.
    mask = mask << (WORDS_MAX - count) >> (WORDS_MAX - count);
    memset (words, 0, count * sizeof *words);
    for (; mask; mask &= mask - 1) {
        uint64_t *word = &words [__builtin_ctzll (mask)];
        unsigned first = *from++;
        if (first & SMALL)
            *word = first & ~(unsigned)SMALL;
        else
            from = take_large (from, first, word, instant_ms);
    }
    return from;
}
