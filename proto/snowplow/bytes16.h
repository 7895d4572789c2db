//  bytes16 - looks at sixteen bytes at once: bit n of an answer speaks of byte n
//
//  One instruction each where SSE2 is (every x86-64); elsewhere loops that say the same.

#ifndef BYTES16_H
#define BYTES16_H

#include <stdint.h>
#include <string.h>

#define BYTES16 16

#ifdef __SSE2__

#include <emmintrin.h>

typedef __m128i bytes16_t;

static inline bytes16_t
bytes16_load (const char *at)
{
    return _mm_loadu_si128 ((const __m128i *)(const void *)at);
}

static inline uint32_t
bytes16_equal (bytes16_t block, char byte)
{
    return (uint32_t)_mm_movemask_epi8 (_mm_cmpeq_epi8 (block, _mm_set1_epi8 (byte)));
}

//  One byte or the other, or a number up to most, unsigned.
static inline uint32_t
bytes16_any (bytes16_t block, char one, char other, char most)
{
    __m128i equal = _mm_or_si128 (_mm_cmpeq_epi8 (block, _mm_set1_epi8 (one)),
                                  _mm_cmpeq_epi8 (block, _mm_set1_epi8 (other)));
    __m128i small = _mm_cmpeq_epi8 (_mm_min_epu8 (block, _mm_set1_epi8 (most)), block);
    return (uint32_t)_mm_movemask_epi8 (_mm_or_si128 (equal, small));
}

//  Beyond ASCII.
static inline uint32_t
bytes16_high (bytes16_t block)
{
    return (uint32_t)_mm_movemask_epi8 (block);
}

#else

typedef struct {
    unsigned char bytes [BYTES16];
} bytes16_t;

static inline bytes16_t
bytes16_load (const char *at)
{
    bytes16_t block;
    memcpy (block.bytes, at, BYTES16);
    return block;
}

static inline uint32_t
bytes16_equal (bytes16_t block, char byte)
{
    uint32_t mask = 0;
    for (int at = 0; at < BYTES16; at++)
        mask |= (uint32_t)(block.bytes [at] == (unsigned char)byte) << at;
    return mask;
}

static inline uint32_t
bytes16_any (bytes16_t block, char one, char other, char most)
{
    uint32_t mask = bytes16_equal (block, one) | bytes16_equal (block, other);
    for (int at = 0; at < BYTES16; at++)
        mask |= (uint32_t)(block.bytes [at] <= (unsigned char)most) << at;
    return mask;
}

static inline uint32_t
bytes16_high (bytes16_t block)
{
    uint32_t mask = 0;
    for (int at = 0; at < BYTES16; at++)
        mask |= (uint32_t)(block.bytes [at] >> 7) << at;
    return mask;
}

#endif

#endif
