//  sample - one value of every message in a few shapes, made from the tables
//
//  Golden vectors, fuzz seeds and the protocol's tests all start from these, so a new row in messages.def is covered
//  by all of them without a line of code.

#ifndef SAMPLE_H
#define SAMPLE_H

#include "message.h"

typedef enum {
    SAMPLE_ZERO,       //  every field zero: nothing but the id travels
    SAMPLE_FILLED,     //  every field has a value of its own: a string its field's name, a number its place
    SAMPLE_LIMITS,     //  every field at its limit
    SAMPLE_UNKNOWN,    //  every F64 is NaN, the rest zero
    SAMPLE_SHAPES
} sample_shape_t;

//  "zero", "filled", ...
extern const char *const sample_shape_names [SAMPLE_SHAPES];

//  Makes one message. Strings at their limit are the first bytes of pool: as many as the limit allows, pool_size at
//  most; pool must outlive msg. Returns false where the shape says nothing new (no F64 to be unknown, no field at all).
bool sample_make (const usher_layout_t *layout, sample_shape_t shape, usher_str_t pool, usher_msg_t *msg);

//  Where msg keeps that field.
void *sample_field (usher_msg_t *msg, const usher_field_t *field);

#endif
