//  bits - numbers as other numbers that take few bytes

#ifndef BITS_H
#define BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

//  A double's eight bytes, and back.
static inline uint64_t
bits_of (double value)
{
    uint64_t bits;
    memcpy (&bits, &value, sizeof bits);
    return bits;
}

static inline double
double_of (uint64_t bits)
{
    double value;
    memcpy (&value, &bits, sizeof value);
    return value;
}

//  A difference of two numbers, which wraps below zero: small ones to both sides are small. Twice as much, and one less than that
//  where it is negative.
static inline uint64_t
zigzag (uint64_t difference)
{
    return difference << 1 ^ (0 - (difference >> 63));
}

static inline uint64_t
zigzag_back (uint64_t number)
{
    return number >> 1 ^ (0 - (number & 1));
}

//  Is a number taken for an instant in Unix ms? Those of the years 1972 to 2527 are.
static inline bool
is_instant (uint64_t value)
{
    return value >= 1ull << 36 && value < 1ull << 44;
}

#endif
