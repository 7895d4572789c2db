//  sample - one value of every message in a few shapes, made from the tables

#include "sample.h"

#include <float.h>
#include <math.h>
#include <string.h>

const char *const sample_shape_names [SAMPLE_SHAPES] = { "zero", "filled", "limits", "unknown" };

void *
sample_field (usher_msg_t *msg, const usher_field_t *field)
{
    //  All members of the union begin where the union begins.
    return (char *)&msg->hello + field->offset;
}

static uint64_t
at_most (uint64_t value, uint64_t max)
{
    return value < max ? value : max;
}

static void
fill_field (void *value, const usher_field_t *field, uint64_t place)
{
    switch (field->kind) {
    case USHER_U32:
    case USHER_ENUM:
        *(uint32_t *)value = (uint32_t)at_most (place, field->max);
        break;
    case USHER_U64:
        //  Far from the 32-bit numbers, so that a reader that cuts them is found out.
        *(uint64_t *)value = (uint64_t)1 << 40 | place;
        break;
    case USHER_F64:
        *(double *)value = (double)place + 0.5;
        break;
    case USHER_STR:
        *(usher_str_t *)value = usher_bytes (field->name, at_most (strlen (field->name), field->max));
        break;
    }
}

static void
limit_field (void *value, const usher_field_t *field, usher_str_t pool)
{
    switch (field->kind) {
    case USHER_U32:
    case USHER_ENUM:
        *(uint32_t *)value = (uint32_t)field->max;
        break;
    case USHER_U64:
        *(uint64_t *)value = field->max;
        break;
    case USHER_F64:
        *(double *)value = DBL_MAX;
        break;
    case USHER_STR:
        *(usher_str_t *)value = usher_bytes (pool.data, at_most (pool.size, field->max));
        break;
    }
}

bool
sample_make (const usher_layout_t *layout, sample_shape_t shape, usher_str_t pool, usher_msg_t *msg)
{
    memset (msg, 0, sizeof *msg);
    msg->id = (usher_msg_id_t)layout->id;
    bool news = shape == SAMPLE_ZERO;
    for (size_t col = 0; col < layout->field_count; col++) {
        const usher_field_t *field = &layout->fields [col];
        void *value = sample_field (msg, field);
        if (shape == SAMPLE_FILLED)
            fill_field (value, field, col + 1);
        else if (shape == SAMPLE_LIMITS)
            limit_field (value, field, pool);
        else if (shape == SAMPLE_UNKNOWN && field->kind == USHER_F64)
            *(double *)value = (double)NAN;
        news = news || shape != SAMPLE_UNKNOWN || field->kind == USHER_F64;
    }
    return news;
}
