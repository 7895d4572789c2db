//  text - strings that a record owns: all of them in one block

#include "text.h"
#include "memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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

static usher_str_t *
text_at (void *record, const uint16_t *at)
{
    return (usher_str_t *)(void *)((char *)record + *at);
}

void
texts_own (void *record, usher_msg_id_t id)
{
    size_t size = 0;
    for (const uint16_t *at = texts [id]; *at != NO_MORE; at++)
        size += text_at (record, at)->size;
    char *block = size ? memory_new (size, 1) : NULL;
    for (const uint16_t *at = texts [id]; *at != NO_MORE; at++) {
        usher_str_t *text = text_at (record, at);
        if (text->size == 0) {
            *text = (usher_str_t){ 0 };
            continue;
        }
        memcpy (block, text->data, text->size);
        text->data = block;
        block += text->size;
    }
}

//  The first string that is not empty begins the block.
static char *
block_of (void *record, usher_msg_id_t id)
{
    const uint16_t *at = texts [id];
    while (*at != NO_MORE && text_at (record, at)->size == 0)
        at++;
    return *at == NO_MORE ? NULL : (char *)(uintptr_t)text_at (record, at)->data;
}

void
texts_set (void *record, usher_msg_id_t id, usher_str_t *field, usher_str_t value)
{
    if (usher_str_eq (*field, value))
        return;
    char *block = block_of (record, id);
    *field = value;
    texts_own (record, id);
    free (block);
}

void
texts_free (void *record, usher_msg_id_t id)
{
    free (block_of (record, id));
    for (const uint16_t *at = texts [id]; *at != NO_MORE; at++)
        *text_at (record, at) = (usher_str_t){ 0 };
}
