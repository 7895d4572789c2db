//  pack_field - one field of a packed record, put and taken; for pack.c

#ifndef PACK_FIELD_H
#define PACK_FIELD_H

#include <math.h>
#include <string.h>

#include "bits.h"
#include "message.h"

//  A number takes at most NUMBER_MAX bytes, one that is told whole as much as eight more.
enum { NUMBER_MAX = 10, FIELD_MAX = NUMBER_MAX + 8 };

//  ---- numbers

//  What puts and takes is given where the next byte goes or comes from, and returns where the one behind it does: the compiler
//  keeps that in a register, whatever bytes are written. Who puts has made room.

//  A flag and a number: 6 bits of it beside the flag, then 7 a byte, the least first.
static inline uint8_t *
put_flagged (uint8_t *next, bool flag, uint64_t value)
{
    uint64_t rest = value >> 6;
    *next++ = (uint8_t)((rest ? 0x80 : 0) | (flag ? 0x40 : 0) | (value & 0x3f));
    for (; rest; rest >>= 7)
        *next++ = (uint8_t)((rest > 0x7f ? 0x80 : 0) | (rest & 0x7f));
    return next;
}

static inline const uint8_t *
take_flagged (const uint8_t *next, bool *flag, uint64_t *value)
{
    uint8_t byte = *next++;
    *flag = byte & 0x40;
    *value = byte & 0x3f;
    for (unsigned shift = 6; byte & 0x80; shift += 7) {
        byte = *next++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
    }
    return next;
}

//  An instant as its distance to the one before, flagged.
static inline uint8_t *
put_number (uint8_t *next, uint64_t *instant_ms, uint64_t value)
{
    if (!is_instant (value))
        return put_flagged (next, false, value);
    next = put_flagged (next, true, zigzag (value - *instant_ms));
    *instant_ms = value;
    return next;
}

static inline const uint8_t *
take_number (const uint8_t *next, uint64_t *instant_ms, uint64_t *value)
{
    bool instant;
    next = take_flagged (next, &instant, value);
    if (!instant)
        return next;
    *instant_ms += zigzag_back (*value);
    *value = *instant_ms;
    return next;
}

//  ---- decimal numbers

//  Not flagged: thousandths. Flagged: 0 is NaN, 1 the eight bytes behind it, an even number is twice the millionths and 2,
//  an odd one twice what nearly thousandths are and 3: 16 times those and how many steps of a double it is off, plus 8.
//  Sums of thousandths are off by a few.
enum { REAL_NAN, REAL_WHOLE, REAL_MILLIONTHS, REAL_NEARLY, OFF_ZERO = 8, OFF_END = 16 };
#define REAL_END 1e9    //  numbers beyond are whole

//  How many steps of a double it is off the nearest of so many parts, plus 8; finds the number of parts.
static inline uint64_t
steps_off (double value, double parts, uint64_t *number)
{
    *number = (uint64_t)(value * parts + 0.5);
    return bits_of (value) - bits_of ((double)*number / parts) + OFF_ZERO;
}

static inline uint8_t *
put_whole (uint8_t *next, double value)
{
    next = put_flagged (next, true, REAL_WHOLE);
    memcpy (next, &value, sizeof value);
    return next + sizeof value;
}

static inline uint8_t *
put_odd_real (uint8_t *next, double value)
{
    uint64_t thousandths, millionths, off;
    if (isnan (value))
        return put_flagged (next, true, REAL_NAN);
    if (!(value >= 0 && value < REAL_END) || signbit (value))
        return put_whole (next, value);
    off = steps_off (value, 1e3, &thousandths);
    if (steps_off (value, 1e6, &millionths) == OFF_ZERO)
        return put_flagged (next, true, millionths * 2 + REAL_MILLIONTHS);
    if (off < OFF_END)
        return put_flagged (next, true, (thousandths * OFF_END + off) * 2 + REAL_NEARLY);
    return put_whole (next, value);
}

static inline uint8_t *
put_real (uint8_t *next, double value)
{
    uint64_t thousandths;
    if (value > 0 && value < REAL_END && steps_off (value, 1e3, &thousandths) == OFF_ZERO)
        return put_flagged (next, false, thousandths);
    return put_odd_real (next, value);
}

static inline const uint8_t *
take_odd_real (const uint8_t *next, uint64_t number, double *value)
{
    if (number == REAL_NAN)
        *value = NAN;
    else if (number == REAL_WHOLE) {
        memcpy (value, next, sizeof *value);
        next += sizeof *value;
    } else if (number % 2 == 0)
        *value = (double)((number - REAL_MILLIONTHS) / 2) / 1e6;
    else {
        number = (number - REAL_NEARLY) / 2;
        *value = double_of (bits_of ((double)(number / OFF_END) / 1e3) + number % OFF_END - OFF_ZERO);
    }
    return next;
}

static inline const uint8_t *
take_real (const uint8_t *next, double *value)
{
    bool flag;
    uint64_t number;
    next = take_flagged (next, &flag, &number);
    if (flag)
        return take_odd_real (next, number, value);
    *value = (double)number / 1e3;
    return next;
}

//  ---- texts

static inline uint8_t *
put_bytes (uint8_t *next, const void *data, size_t size)
{
    if (size)
        memcpy (next, data, size);
    return next + size;
}

static inline uint8_t *
put_text (uint8_t *next, usher_str_t text)
{
    return put_bytes (put_flagged (next, false, text.size), text.data, text.size);
}

static inline const uint8_t *
take_text (const uint8_t *next, usher_str_t *text)
{
    bool flag;
    uint64_t size;
    next = take_flagged (next, &flag, &size);
    *text = usher_bytes (next, size);
    return next + size;
}

//  ---- any of them

static inline uint8_t *
put_field (uint8_t *next, uint64_t *instant_ms, usher_kind_t kind, const void *value)
{
    if (kind == USHER_STR)
        return put_text (next, *(const usher_str_t *)value);
    if (kind == USHER_F64)
        return put_real (next, *(const double *)value);
    if (kind == USHER_U64)
        return put_number (next, instant_ms, *(const uint64_t *)value);
    return put_flagged (next, false, *(const uint32_t *)value);
}

static inline const uint8_t *
take_field (const uint8_t *next, uint64_t *instant_ms, usher_kind_t kind, void *value)
{
    bool flag;
    uint64_t number;
    if (kind == USHER_STR)
        return take_text (next, value);
    if (kind == USHER_F64)
        return take_real (next, value);
    if (kind == USHER_U64)
        return take_number (next, instant_ms, value);
    next = take_flagged (next, &flag, &number);
    *(uint32_t *)value = (uint32_t)number;
    return next;
}

#endif
