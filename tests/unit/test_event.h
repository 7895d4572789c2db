//  test_event - what the tests of several forms share: two events compared, field by field

#ifndef TEST_EVENT_H
#define TEST_EVENT_H

#include "message.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static inline bool
event_field_is_same (const usher_event_t *a, const usher_event_t *b, const usher_field_t *field)
{
    const void *one = (const char *)a + field->offset, *other = (const char *)b + field->offset;
    switch (field->kind) {
    case USHER_STR:
        return usher_str_eq (*(const usher_str_t *)one, *(const usher_str_t *)other);
    case USHER_F64:
        return *(const double *)one == *(const double *)other ||
               (isnan (*(const double *)one) && isnan (*(const double *)other));
    case USHER_U64:
        return *(const uint64_t *)one == *(const uint64_t *)other;
    default:
        return *(const uint32_t *)one == *(const uint32_t *)other;
    }
}

static inline void
assert_same_event (const usher_event_t *a, const usher_event_t *b)
{
    const usher_layout_t *layout = usher_layout (USHER_MSG_event);
    for (size_t col = 0; col < layout->field_count; col++)
        if (!event_field_is_same (a, b, &layout->fields [col]))
            fail_msg ("%.*s: %s differs", (int)a->event_id.size, a->event_id.data, layout->fields [col].name);
}

#endif
