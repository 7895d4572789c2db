//  pack - records of messages.def in as few bytes as they fit, for what stays in this process's memory

#include "pack.h"
#include "memory.h"
#include "uuid_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 10, MASK_MAX = 16, MASK_BITS = 7 };

//  Between these a number is taken for an instant in Unix ms: the years 1972 to 2527.
static const uint64_t INSTANT_MIN = 1ull << 36, INSTANT_END = 1ull << 44;

void
pack_begin (pack_t *self)
{
    self->used = 0;
    self->reading = false;
    self->instant_ms = 0;
}

void
pack_open (pack_t *self, void *data, size_t size)
{
    *self = (pack_t){ .data = data, .room = size, .reading = true };
}

static void
make_room (pack_t *self, size_t more)
{
    if (self->room - self->used >= more)
        return;
    self->room = (self->used + more) * 2;
    self->data = memory_resize (self->data, self->room, 1);
}

//  ---- numbers

//  A flag and a number: 6 bits of it beside the flag, then 7 a byte, the least first.
static void
put_flagged (pack_t *self, bool flag, uint64_t value)
{
    make_room (self, NUMBER_MAX);
    uint8_t *next = self->data + self->used;
    uint64_t rest = value >> 6;
    *next++ = (uint8_t)((rest ? 0x80 : 0) | (flag ? 0x40 : 0) | (value & 0x3f));
    for (; rest; rest >>= 7)
        *next++ = (uint8_t)((rest > 0x7f ? 0x80 : 0) | (rest & 0x7f));
    self->used = (size_t)(next - self->data);
}

static uint64_t
take_flagged (pack_t *self, bool *flag)
{
    uint8_t byte = self->data [self->used++];
    *flag = byte & 0x40;
    uint64_t value = byte & 0x3f;
    for (unsigned shift = 6; byte & 0x80; shift += 7) {
        byte = self->data [self->used++];
        value |= (uint64_t)(byte & 0x7f) << shift;
    }
    return value;
}

static bool
is_instant (uint64_t value)
{
    return value >= INSTANT_MIN && value < INSTANT_END;
}

//  An instant as its distance to the one before, flagged: twice as much, and one more where it goes back.
static void
put_number (pack_t *self, uint64_t value)
{
    if (!is_instant (value)) {
        put_flagged (self, false, value);
        return;
    }
    uint64_t ahead = value - self->instant_ms, behind = self->instant_ms - value;
    put_flagged (self, true, value >= self->instant_ms ? ahead * 2 : behind * 2 - 1);
    self->instant_ms = value;
}

static uint64_t
take_number (pack_t *self)
{
    bool instant;
    uint64_t value = take_flagged (self, &instant);
    if (!instant)
        return value;
    self->instant_ms += value & 1 ? 0 - (value + 1) / 2 : value / 2;
    return self->instant_ms;
}

void
pack_number (pack_t *self, uint64_t *value)
{
    if (self->reading)
        *value = take_number (self);
    else
        put_number (self, *value);
}

//  ---- decimal numbers

//  Not flagged: thousandths. Flagged: 0 is NaN, 1 the eight bytes behind it, an even number is twice the millionths and 2,
//  an odd one twice what nearly thousandths are and 3: 16 times those and how many steps of a double it is off, plus 8.
//  Sums of thousandths are off by a few.
enum { REAL_NAN, REAL_WHOLE, REAL_MILLIONTHS, REAL_NEARLY, OFF_ZERO = 8, OFF_END = 16 };

static double
double_of (uint64_t bits)
{
    double value;
    memcpy (&value, &bits, sizeof value);
    return value;
}

static uint64_t
bits_of (double value)
{
    uint64_t bits;
    memcpy (&bits, &value, sizeof bits);
    return bits;
}

//  How many steps of a double it is off the nearest of so many parts, plus 8; finds the number of parts.
static uint64_t
steps_off (double value, double parts, uint64_t *number)
{
    *number = (uint64_t)(value * parts + 0.5);
    return bits_of (value) - bits_of ((double)*number / parts) + OFF_ZERO;
}

static void
put_whole (pack_t *self, double value)
{
    put_flagged (self, true, REAL_WHOLE);
    make_room (self, sizeof value);
    memcpy (self->data + self->used, &value, sizeof value);
    self->used += sizeof value;
}

static void
put_real (pack_t *self, double value)
{
    uint64_t thousandths, millionths, off;
    if (isnan (value))
        put_flagged (self, true, REAL_NAN);
    else if (!(value >= 0 && value < 1e9) || signbit (value))
        put_whole (self, value);
    else if ((off = steps_off (value, 1e3, &thousandths)) == OFF_ZERO)
        put_flagged (self, false, thousandths);
    else if (steps_off (value, 1e6, &millionths) == OFF_ZERO)
        put_flagged (self, true, millionths * 2 + REAL_MILLIONTHS);
    else if (off < OFF_END)
        put_flagged (self, true, (thousandths * OFF_END + off) * 2 + REAL_NEARLY);
    else
        put_whole (self, value);
}

static double
take_real (pack_t *self)
{
    bool flag;
    uint64_t number = take_flagged (self, &flag);
    if (!flag)
        return (double)number / 1e3;
    if (number == REAL_NAN)
        return NAN;
    if (number != REAL_WHOLE && number % 2 == 0)
        return (double)((number - REAL_MILLIONTHS) / 2) / 1e6;
    if (number != REAL_WHOLE) {
        number = (number - REAL_NEARLY) / 2;
        return double_of (bits_of ((double)(number / OFF_END) / 1e3) + number % OFF_END - OFF_ZERO);
    }
    uint64_t bits;
    memcpy (&bits, self->data + self->used, sizeof bits);
    self->used += sizeof bits;
    return double_of (bits);
}

//  ---- texts

static void
put_bytes (pack_t *self, const void *data, size_t size)
{
    make_room (self, size);
    if (size)
        memcpy (self->data + self->used, data, size);
    self->used += size;
}

static void
put_text (pack_t *self, usher_str_t text)
{
    uint8_t uuid [UUID_BYTES];
    if (self->uuid_count < PACK_UUIDS && uuid_read (text, uuid)) {
        self->uuid_count++;
        put_flagged (self, true, 0);
        put_bytes (self, uuid, sizeof uuid);
        return;
    }
    put_flagged (self, false, text.size);
    put_bytes (self, text.data, text.size);
}

static usher_str_t
take_text (pack_t *self)
{
    bool uuid;
    size_t size = take_flagged (self, &uuid);
    const uint8_t *data = self->data + self->used;
    if (!uuid) {
        self->used += size;
        return usher_bytes (data, size);
    }
    char *text = self->uuids [self->uuid_count++];
    self->used += UUID_BYTES;
    return uuid_write (data, text);
}

void
pack_text (pack_t *self, usher_str_t *text)
{
    self->uuid_count = PACK_UUIDS;
    if (self->reading)
        *text = take_text (self);
    else
        put_text (self, *text);
}

//  ---- records

static void
put_field (pack_t *self, usher_kind_t kind, const void *value)
{
    if (kind == USHER_STR)
        put_text (self, *(const usher_str_t *)value);
    else if (kind == USHER_F64)
        put_real (self, *(const double *)value);
    else if (kind == USHER_U64)
        put_number (self, *(const uint64_t *)value);
    else
        put_flagged (self, false, *(const uint32_t *)value);
}

static void
take_field (pack_t *self, usher_kind_t kind, void *value)
{
    bool flag;
    if (kind == USHER_STR)
        *(usher_str_t *)value = take_text (self);
    else if (kind == USHER_F64)
        *(double *)value = take_real (self);
    else if (kind == USHER_U64)
        *(uint64_t *)value = take_number (self);
    else
        *(uint32_t *)value = (uint32_t)take_flagged (self, &flag);
}

static bool
is_same (usher_kind_t kind, const void *value, const void *other)
{
    uint64_t bits, others;
    if (kind == USHER_U32 || kind == USHER_ENUM)
        return *(const uint32_t *)value == *(const uint32_t *)other;
    if (kind == USHER_STR)
        return usher_str_eq (*(const usher_str_t *)value, *(const usher_str_t *)other);
    memcpy (&bits, value, sizeof bits);
    memcpy (&others, other, sizeof others);
    return bits == others;
}

//  Seven bits a byte; the eighth says that there is another byte. The last fields of a record are the rare ones.
static void
put_record (pack_t *self, const usher_layout_t *layout, const char *record, const char *before)
{
    uint8_t mask [MASK_MAX] = { 0 };
    size_t last = 0;
    for (size_t col = 0; col < layout->field_count; col++) {
        size_t offset = layout->fields [col].offset;
        if (is_same (layout->fields [col].kind, record + offset, before + offset))
            continue;
        for (; last < col / MASK_BITS; last++)
            mask [last] |= 0x80;
        mask [last] |= (uint8_t)(1u << col % MASK_BITS);
    }
    put_bytes (self, mask, last + 1);
    for (size_t col = 0; col < layout->field_count; col++)
        if (mask [col / MASK_BITS] >> col % MASK_BITS & 1)
            put_field (self, layout->fields [col].kind, record + layout->fields [col].offset);
}

static void
take_record (pack_t *self, const usher_layout_t *layout, char *record, const char *before)
{
    const uint8_t *mask = self->data + self->used;
    while (self->data [self->used++] & 0x80)
        continue;
    memcpy (record, before, layout->size);
    const usher_field_t *fields = layout->fields;
    for (bool more = true; more; mask++, fields += MASK_BITS) {
        more = *mask & 0x80;
        for (unsigned bits = *mask & 0x7f, col = 0; bits; bits >>= 1, col++)
            if (bits & 1)
                take_field (self, fields [col].kind, record + fields [col].offset);
    }
}

void
pack_record (pack_t *self, usher_msg_id_t id, void *record, const void *before)
{
    static const usher_msg_t zeros;
    const usher_layout_t *layout = usher_layout (id);
    if (layout->field_count > MASK_MAX * MASK_BITS)
        abort ();    //  the table outgrew MASK_MAX
    self->uuid_count = self->plain ? PACK_UUIDS : 0;
    if (self->reading)
        take_record (self, layout, record, before ? before : &zeros.hello);
    else
        put_record (self, layout, record, before ? before : &zeros.hello);
}
