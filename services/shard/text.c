//  text - the strings of a session's record: all of them in one block

#include "text.h"
#include "memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

//  Where the strings of each message are: offsets, with an end mark. All but a session's record are unused.
enum { NO_MORE = UINT16_MAX };
#define TEXT_U32(message, field)
#define TEXT_U64(message, field)
#define TEXT_F64(message, field)
#define TEXT_ENUM(message, field)
#define TEXT_STR(message, field) offsetof (usher_##message##_t, field),
#define MESSAGE(message, id, link, direction, doc)                                                           \
    __attribute__ ((unused)) static const uint16_t message##_texts [] = {
#define FIELD(message, field, kind, limit, doc) TEXT_##kind (message, field)
#define END(message)                                                                                         \
    NO_MORE                                                                                                  \
    }                                                                                                        \
    ;
#include "messages.def"

#define EACH(at)                                                                                             \
    const uint16_t *at = session_record_texts;                                                               \
    *at != NO_MORE;                                                                                          \
    at++

static usher_str_t *
text_at (usher_session_record_t *record, const uint16_t *at)
{
    return (usher_str_t *)(void *)((char *)record + *at);
}

//  The first string that is not empty begins the block.
usher_str_t
texts_all (const usher_session_record_t *record)
{
    usher_str_t all = { 0 };
    for (EACH (at)) {
        usher_str_t text = *text_at ((usher_session_record_t *)(uintptr_t)record, at);
        if (all.size == 0)
            all.data = text.data;
        all.size += text.size;
    }
    return all.size ? all : (usher_str_t){ 0 };
}

size_t
texts_own (usher_session_record_t *record)
{
    uint32_t size = texts_all (record).size;
    char *block = size ? memory_new (size, 1) : NULL;
    for (EACH (at)) {
        usher_str_t *text = text_at (record, at);
        if (text->size == 0) {
            *text = (usher_str_t){ 0 };
            continue;
        }
        memcpy (block, text->data, text->size);
        text->data = block;
        block += text->size;
    }
    return size;
}

void
texts_set (usher_session_record_t *record, usher_str_t *field, usher_str_t value)
{
    if (usher_str_eq (*field, value))
        return;
    char *block = (char *)(uintptr_t)texts_all (record).data;
    *field = value;
    texts_own (record);
    free (block);
}

void
texts_free (usher_session_record_t *record)
{
    free ((char *)(uintptr_t)texts_all (record).data);
    for (EACH (at))
        *text_at (record, at) = (usher_str_t){ 0 };
}
