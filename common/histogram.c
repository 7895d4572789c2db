//  histogram - counts of values in cells that are alike everywhere, so that histograms add up exactly

#include "histogram.h"

#define CELLS_BITS 6    //  cells of a power of two

static size_t
cell_of (uint64_t value)
{
    if (value > HISTOGRAM_MAX)
        value = HISTOGRAM_MAX;
    if (value < 1u << CELLS_BITS)
        return (size_t)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll (value) - CELLS_BITS;
    return ((size_t)shift << CELLS_BITS) + (size_t)(value >> shift);
}

static uint64_t
middle_of (size_t cell)
{
    if (cell < 1u << (CELLS_BITS + 1))
        return cell;
    unsigned shift = (unsigned)(cell >> CELLS_BITS) - 1;
    uint64_t low = (cell - ((size_t)shift << CELLS_BITS)) << shift;
    return low + ((1u << shift) - 1) / 2;
}

//  Wraps: a damaged row may claim any count.
static void
cell_add (histogram_t *self, size_t cell, int32_t by)
{
    self->cells [cell] = (int32_t)((uint32_t)self->cells [cell] + (uint32_t)by);
}

void
histogram_add (histogram_t *self, uint64_t value, int by)
{
    cell_add (self, cell_of (value), by);
}

void
histogram_sum (histogram_t *self, const histogram_t *other)
{
    for (size_t cell = 0; cell < HISTOGRAM_CELLS; cell++)
        cell_add (self, cell, other->cells [cell]);
}

//  ---- as bytes

static void
number_write (buffer_t *out, uint32_t number)
{
    uint8_t bytes [5];
    size_t size = 0;
    for (; number > 127; number >>= 7)
        bytes [size++] = (uint8_t)(number | 128);
    bytes [size++] = (uint8_t)number;
    buffer_add (out, bytes, size);
}

static bool
number_read (usher_str_t bytes, size_t *at, uint32_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 35 && *at < bytes.size; shift += 7) {
        uint8_t byte = (uint8_t)bytes.data [(*at)++];
        *number |= (uint32_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

//  Small counts of either sign become small numbers: 0, -1, 1, -2 are 0, 1, 2, 3.
static uint32_t
fold_sign (int32_t count)
{
    return count < 0 ? ((uint32_t) - (count + 1) << 1) + 1 : (uint32_t)count << 1;
}

static int32_t
unfold_sign (uint32_t number)
{
    return number & 1 ? -(int32_t)(number >> 1) - 1 : (int32_t)(number >> 1);
}

void
histogram_write (const histogram_t *self, buffer_t *out)
{
    size_t last = 0;
    for (size_t cell = 0; cell < HISTOGRAM_CELLS; cell++) {
        if (!self->cells [cell])
            continue;
        number_write (out, (uint32_t)(cell - last));
        number_write (out, fold_sign (self->cells [cell]));
        last = cell;
    }
}

//  Reads the next cell and its count. False: the end, where *sound says whether it is a good one.
static bool
cell_read (usher_str_t bytes, size_t *at, size_t *cell, int32_t *count, bool *sound)
{
    uint32_t distance, folded;
    if (*at == bytes.size)
        return false;
    *sound = number_read (bytes, at, &distance) && number_read (bytes, at, &folded) &&
             distance < HISTOGRAM_CELLS && *cell + distance < HISTOGRAM_CELLS;
    if (!*sound)
        return false;
    *cell += distance;
    *count = unfold_sign (folded);
    return true;
}

bool
histogram_merge (histogram_t *self, usher_str_t bytes)
{
    size_t at = 0, cell = 0;
    int32_t count;
    bool sound = true;
    while (cell_read (bytes, &at, &cell, &count, &sound))
        ;
    if (!sound)
        return false;
    for (at = cell = 0; cell_read (bytes, &at, &cell, &count, &sound);)
        cell_add (self, cell, count);
    return true;
}

//  ---- questions

uint64_t
histogram_count (const histogram_t *self)
{
    uint64_t count = 0;
    for (size_t cell = 0; cell < HISTOGRAM_CELLS; cell++)
        count += self->cells [cell] > 0 ? (uint64_t)self->cells [cell] : 0;
    return count;
}

uint64_t
histogram_percentile (const histogram_t *self, unsigned percent)
{
    //  The nearest rank, rounded up.
    uint64_t rank = (histogram_count (self) * percent + 99) / 100, seen = 0;
    if (!rank)
        return 0;
    size_t cell = 0;
    for (; cell < HISTOGRAM_CELLS; cell++) {
        seen += self->cells [cell] > 0 ? (uint64_t)self->cells [cell] : 0;
        if (seen >= rank)
            break;
    }
    return middle_of (cell);
}
