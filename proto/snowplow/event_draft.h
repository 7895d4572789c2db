//  event_draft - an event while it is put together from JSON members and columns
//
//  Which member fills which field is a table of rows in the decoders; how a value becomes a field's value, and what
//  is done with one that cannot be right, is decided here once.

#ifndef EVENT_DRAFT_H
#define EVENT_DRAFT_H

#include "snowplow/decode.h"
#include "snowplow/json_scan.h"

//  How a value fills a field. What is not of the kind, is beyond its limit, NaN, infinite or negative is taken as
//  absent, and so is null.
typedef enum {
    AS_TEXT,          //  string, cut to limit; the text of a number or boolean
    AS_MEDIA_TYPE,    //  VIDEO and AUDIO as HTML5 spells them, in small letters; all else is absent
    AS_AD_ID,         //  text, but the number 0 means that there is none
    AS_ERROR,         //  text; of an object its message, else its code
    AS_SECONDS,       //  number, NaN if absent
    AS_TOTAL,         //  number, 0 if absent
    AS_COUNT,         //  whole number up to limit
    AS_BIG_COUNT,     //  the same for 64 bits
    AS_PLUS_ONE,      //  rounded number up to limit - 1, plus 1; 0 if absent
    AS_FLAG,          //  true sets the bits in limit, all else clears them
    AS_YES_OR_NO      //  1 no, 2 yes, 0 absent
} as_t;

typedef struct {
    const char *key;
    uint32_t key_size;
    as_t as;
    size_t offset;    //  in draft_t
    uint64_t limit;
} member_t;

#define DRAFT_ORDER_MAX 8

typedef struct {
    usher_event_t event;
    //  What the event is made from and does not hold itself.
    usher_str_t collected, created, event_vendor, event_name, event_type;
    usher_str_t user_id, domain_userid;
    usher_str_t error_name, error_description, error_code;
    bool enriched;    //  the JSON has a member that only an enriched event has
    //  Up to here all is cleared for each event.
    char *arena;    //  unescaped strings: together no longer than the message
    size_t arena_used, arena_size;
    const member_t *order [DRAFT_ORDER_MAX];    //  of the first members of the last message that knew them
    char reason [256];
} draft_t;

//  Limits of messages.def by name: LIMIT_event_viewer_id and so on.
#define LIMIT_OF_U32(limit) limit
#define LIMIT_OF_U64(limit) limit
#define LIMIT_OF_F64(limit) limit
#define LIMIT_OF_STR(limit) limit
#define LIMIT_OF_ENUM(limit) 0
enum {
#define FIELD(message, field, kind, limit, doc) LIMIT_##message##_##field = LIMIT_OF_##kind (limit),
#include "messages.def"
};
#undef LIMIT_OF_U32
#undef LIMIT_OF_U64
#undef LIMIT_OF_F64
#undef LIMIT_OF_STR
#undef LIMIT_OF_ENUM

//  A row that fills a text of the draft, which is never cut: two people must not become one.
#define DRAFT_TEXT(key, field)                                                                               \
    {                                                                                                        \
        key, sizeof key - 1, AS_TEXT, offsetof (draft_t, field), SIZE_MAX                                    \
    }

//  A row that fills a field of the event within its own limit.
#define MEMBER(key, as, field)                                                                               \
    {                                                                                                        \
        key, sizeof key - 1, as, offsetof (draft_t, event.field), LIMIT_event_##field                        \
    }

//  Begins a message of size bytes. Ends the draft's life.
void draft_open (draft_t *self, size_t size);
void draft_close (draft_t *self);

//  Says why; returns DECODE_BAD.
decode_result_t draft_fail (draft_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

//  The row of a key; NULL if it has none.
const member_t *draft_member (const member_t *members, size_t count, const json_value_t *key);

//  The row of member number at in the message before, or NULL.
static inline const member_t *
draft_member_expected (const draft_t *self, size_t at)
{
    return at < DRAFT_ORDER_MAX ? self->order [at] : NULL;
}

//  The row of a key which is member number at, and is expected there next time.
const member_t *draft_member_note (draft_t *self, size_t at, const member_t *members, size_t count,
                                   const json_value_t *key);

//  Fills what the row names. Returns false after draft_fail.
bool draft_fill_member (draft_t *self, const member_t *member, const json_value_t *value);

//  Fills what the key names; a key that has no row is no concern. Returns false after draft_fail.
bool draft_fill (draft_t *self, const member_t *members, size_t count, const json_value_t *key,
                 const json_value_t *value);

//  Fills a text field from a column, cut to limit. Returns false after draft_fail.
bool draft_fill_text (draft_t *self, const char *name, usher_str_t *field, size_t limit, const char *data,
                      size_t size);

//  Ends a message: is there a viewer and an instant? Fills collected_ms and created_ms.
decode_result_t draft_finish (draft_t *self);

#endif
