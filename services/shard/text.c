//  text - strings that a record owns

#include "text.h"
#include "memory.h"

#include <stddef.h>
#include <stdlib.h>

void
text_set (usher_str_t *field, usher_str_t value)
{
    if (usher_str_eq (*field, value))
        return;
    free ((void *)(uintptr_t)field->data);
    *field = value.size ? usher_bytes (memory_copy (value.data, value.size), value.size) : (usher_str_t){ 0 };
}

//  Where the strings of each message are: offsets, with an end mark.
enum { NO_MORE = UINT16_MAX };
#define TEXT_U32(message, field)
#define TEXT_U64(message, field)
#define TEXT_F64(message, field)
#define TEXT_ENUM(message, field)
#define TEXT_STR(message, field) offsetof (usher_##message##_t, field),
#define MESSAGE(message, id, link, direction, doc) static const uint16_t message##_texts [] = {
#define FIELD(message, field, kind, limit, doc) TEXT_##kind (message, field)
#define END(message)                                                                                         \
    NO_MORE                                                                                                  \
    }                                                                                                        \
    ;
#include "messages.def"

static const uint16_t *const texts [] = {
#define MESSAGE(message, id, link, direction, doc) [id] = message##_texts,
#include "messages.def"
};

void
texts_own (void *record, usher_msg_id_t id)
{
    for (const uint16_t *at = texts [id]; *at != NO_MORE; at++) {
        usher_str_t *text = (usher_str_t *)(void *)((char *)record + *at), view = *text;
        *text = (usher_str_t){ 0 };
        text_set (text, view);
    }
}

void
texts_free (void *record, usher_msg_id_t id)
{
    for (const uint16_t *at = texts [id]; *at != NO_MORE; at++)
        text_set ((usher_str_t *)(void *)((char *)record + *at), (usher_str_t){ 0 });
}
