//  text - strings that a record owns

#include "text.h"
#include "memory.h"

#include <stdlib.h>

void
text_set (usher_str_t *field, usher_str_t value)
{
    if (usher_str_eq (*field, value))
        return;
    free ((void *)(uintptr_t)field->data);
    *field = value.size ? usher_bytes (memory_copy (value.data, value.size), value.size) : (usher_str_t){ 0 };
}

static usher_str_t *
text_at (void *record, const usher_field_t *field)
{
    return field->kind == USHER_STR ? (usher_str_t *)(void *)((char *)record + field->offset) : NULL;
}

void
texts_own (void *record, usher_msg_id_t id)
{
    const usher_layout_t *layout = usher_layout (id);
    for (size_t col = 0; col < layout->field_count; col++) {
        usher_str_t *text = text_at (record, &layout->fields [col]), view = text ? *text : (usher_str_t){ 0 };
        if (!text)
            continue;
        *text = (usher_str_t){ 0 };
        text_set (text, view);
    }
}

void
texts_free (void *record, usher_msg_id_t id)
{
    const usher_layout_t *layout = usher_layout (id);
    for (size_t col = 0; col < layout->field_count; col++) {
        usher_str_t *text = text_at (record, &layout->fields [col]);
        if (text)
            text_set (text, (usher_str_t){ 0 });
    }
}
