//  codec_bench - what the codec's tests share: all samples, exact buffers, messages packed by hand

#ifndef CODEC_BENCH_H
#define CODEC_BENCH_H

#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack.h>

//  Runs the block that follows with msg as each sample of each message.
#define for_each_sample(msg, pool)                                                                           \
    for (size_t row_ = 0; row_ < usher_layout_count; row_++)                                                 \
        for (unsigned shape_ = 0; shape_ < SAMPLE_SHAPES; shape_++)                                          \
            for (usher_msg_t msg, *once_ = &msg;                                                             \
                 once_ && sample_make (&usher_layouts [row_], shape_, pool, &msg); once_ = NULL)

//  Runs the block that follows for each field of each message.
#define for_each_field(layout, field)                                                                        \
    for (const usher_layout_t *layout = usher_layouts; layout < usher_layouts + usher_layout_count;          \
         layout++)                                                                                           \
        for (const usher_field_t *field = layout->fields; field < layout->fields + layout->field_count;      \
             field++)

//  The longest string that any field may hold, by the tables.
size_t bench_longest (void);

//  The same size bytes at each call, without a pattern that a length could hide in; one more than bench_longest at most.
usher_str_t bench_pool (size_t size);

//  Encodes into a block of exactly the size that it took; free it. Fails the test when the bound was too small.
size_t bench_encode (const usher_msg_t *msg, uint8_t **data);

//  A copy in a block of exactly that size, so that one byte beyond it is seen; free it.
uint8_t *bench_exact (const void *data, size_t size);

//  Reads the first message in such a copy. Fails the test unless an error left msg without an id.
usher_error_t bench_decode_exact (const void *data, size_t size);

//  Packs [id, zero, zero, ...] up to but without field (all fields where it is NULL); the array's head counts more
//  items than were packed, for the caller to add.
void bench_pack_zeros (msgpack_sbuffer *out, const usher_layout_t *layout, const usher_field_t *field,
                       size_t more);

void bench_zero_field (usher_msg_t *msg, const usher_field_t *field);

//  The array's count, by its head.
size_t bench_array_size (const uint8_t *data);

#endif
