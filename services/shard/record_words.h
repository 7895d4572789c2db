//  record_words - the fields of a record of messages.def as words, in their order, and back
//
//  Of a string its size; its bytes are told apart, those of all strings of a record end to end. For a message NAME:
//      COUNT_NAME                               its fields
//      NAME_to_words (record, before, words)    COUNT_NAME words, as bits that differ from those before; returns a bit for each
//                                               that is not zero: records of WORDS_MAX fields at most
//      NAME_from_words (record, words, text)    reads words as they are; strings are views of text

#ifndef RECORD_WORDS_H
#define RECORD_WORDS_H

#include "bits.h"
#include "message.h"

//  What is unknown is NaN and common: it changes places with the bits 1, which are a number that nobody tells.
static inline uint64_t
word_swapped (uint64_t word)
{
    const uint64_t unknown = 0x7ff8000000000000;
    return word == unknown ? 1 : word == 1 ? unknown : word;
}

static inline uint64_t
word_of_real (double value)
{
    return word_swapped (bits_of (value));
}

static inline double
real_of_word (uint64_t word)
{
    return double_of (word_swapped (word));
}

static inline usher_str_t
text_of_word (uint64_t word, const char **text)
{
    usher_str_t value = { word ? *text : NULL, (uint32_t)word };
    if (word)
        *text += word;
    return value;
}

#define MESSAGE(message, id, link, direction, doc) enum { COUNT_##message = 0
#define FIELD(message, field, kind, limit, doc) +1
#define END(message)                                                                                         \
    }                                                                                                        \
    ;
#include "messages.def"

#define WORD_OF_U32(value) (value)
#define WORD_OF_ENUM(value) (uint64_t) (value)
#define WORD_OF_U64(value) (value)
#define WORD_OF_F64(value) word_of_real (value)
#define WORD_OF_STR(value) (value).size
#define MESSAGE(message, id, link, direction, doc)                                                           \
    static inline uint64_t message##_to_words (const usher_##message##_t *record, const uint64_t *before,    \
                                               uint64_t *words)                                              \
    {                                                                                                        \
        uint64_t mask = 0;                                                                                   \
        size_t at = 0;                                                                                       \
        (void)record, (void)before, (void)words, (void)at;
#define FIELD(message, field, kind, limit, doc)                                                              \
    words [at] = WORD_OF_##kind (record->field) ^ before [at];                                               \
    mask |= (uint64_t)(words [at] != 0) << at;                                                               \
    at++;
#define END(message)                                                                                         \
    return mask;                                                                                             \
    }
#include "messages.def"

#define FROM_WORD_U32(word, text, limit) (uint32_t) (word)
#define FROM_WORD_ENUM(word, text, limit) (usher_##limit##_t) (word)
#define FROM_WORD_U64(word, text, limit) (word)
#define FROM_WORD_F64(word, text, limit) real_of_word (word)
#define FROM_WORD_STR(word, text, limit) text_of_word (word, &(text))
#define MESSAGE(message, id, link, direction, doc)                                                           \
    static inline void message##_from_words (usher_##message##_t *record, const uint64_t *words,             \
                                             const char *text)                                               \
    {                                                                                                        \
        (void)record, (void)words, (void)text;
#define FIELD(message, field, kind, limit, doc) record->field = FROM_WORD_##kind (*words++, text, limit);
#define END(message) }
#include "messages.def"

#endif
