//  event_draft - an event while it is put together from JSON members and columns

#include "snowplow/event_draft.h"
#include "snowplow/instant.h"
#include "snowplow/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

//  Memory beyond this is given back after an unusual message.
#define KEEP_BYTES 65536

static void
make_room (draft_t *self, size_t size)
{
    if (size <= self->arena_size && self->arena_size <= KEEP_BYTES)
        return;
    self->arena_size = size > KEEP_BYTES ? size : KEEP_BYTES;
    free (self->arena);
    self->arena = malloc (self->arena_size);
    if (!self->arena)
        abort ();
}

void
draft_open (draft_t *self, size_t size)
{
    make_room (self, size);
    //  Behind all fields stand those that outlive an event, and the reason, which is written where there is one.
    memset (self, 0, offsetof (draft_t, arena));
    self->arena_used = 0;
    self->event.video_s = self->event.duration_s = self->event.rate = NAN;
    self->event.ad_duration_s = self->event.avg_rate = NAN;
}

void
draft_close (draft_t *self)
{
    free (self->arena);
    self->arena = NULL;
}

decode_result_t
draft_fail (draft_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    vsnprintf (self->reason, sizeof self->reason, format, args);
    va_end (args);
    return DECODE_BAD;
}

//  ---- values

bool
draft_fill_text (draft_t *self, const char *name, usher_str_t *field, size_t limit, const char *data,
                 size_t size)
{
    if (!utf8_is_valid (data, size)) {
        draft_fail (self, "%s: not UTF-8", name);
        return false;
    }
    *field = usher_bytes (data, utf8_cut (data, size, limit));
    return true;
}

static bool
fill_unusual_text (draft_t *self, const member_t *member, usher_str_t *field, const json_value_t *value)
{
    const char *data = value->data;
    size_t size = value->size;
    *field = (usher_str_t){ 0 };
    if (value->type == 'n' || value->type == '{' || value->type == '[')
        return true;
    if (value->escaped) {
        if (self->arena_size - self->arena_used < size) {
            draft_fail (self, "%s: escaped too often", member->key);
            return false;
        }
        char *plain = self->arena + self->arena_used;
        size = json_value_unescape (value, plain);
        self->arena_used += size;
        data = plain;
    }
    return draft_fill_text (self, member->key, field, member->limit, data, size);
}

static inline bool
fill_text (draft_t *self, const member_t *member, usher_str_t *field, const json_value_t *value)
{
    if (value->type != '"' || value->escaped || !value->ascii)
        return fill_unusual_text (self, member, field, value);
    *field = usher_bytes (value->data, value->size < member->limit ? value->size : member->limit);
    return true;
}

static bool
fill_ad_id (draft_t *self, const member_t *member, usher_str_t *field, const json_value_t *value)
{
    bool none = value->type == '0' && json_value_number (value) == 0;
    return fill_text (self, member, field, none ? &(json_value_t){ .type = 'n' } : value);
}

static void
fill_media_type (usher_str_t *field, const json_value_t *value)
{
    *field = json_value_is (value, "VIDEO")   ? usher_str ("video")
             : json_value_is (value, "AUDIO") ? usher_str ("audio")
                                              : (usher_str_t){ 0 };
}

static bool
fill_error (draft_t *self, const member_t *member, usher_str_t *field, const json_value_t *value)
{
    if (value->type != '{')
        return fill_text (self, member, field, value);
    json_scan_t scan;
    json_value_t key, inner, message = { .type = 'n' }, code = message;
    json_scan_open (&scan, value->data, value->size);
    json_scan_enter (&scan);
    while (json_scan_member (&scan, &key) && json_scan_value (&scan, &inner)) {
        if (json_value_is (&key, "message"))
            message = inner;
        if (json_value_is (&key, "code"))
            code = inner;
    }
    bool says = message.type == '"' && message.size;
    return fill_text (self, member, field, says ? &message : &code);
}

//  A whole number from 0 to limit, else 0.
static uint64_t
count_of (double number, uint64_t limit)
{
    //  Beyond 2^53 a double is no count any more.
    double max = limit > 1ull << 53 ? (double)(1ull << 53) : (double)limit;
    return number >= 0 && number <= max && (double)(uint64_t)number == number ? (uint64_t)number : 0;
}

static uint32_t
plus_one (double number, uint64_t limit)
{
    return number >= 0 && number <= (double)(limit - 1) ? (uint32_t)lround (number) + 1 : 0;
}

bool
draft_fill_member (draft_t *self, const member_t *member, const json_value_t *value)
{
    void *field = (char *)self + member->offset;
    double number;
    switch (member->as) {
    case AS_TEXT:
        return fill_text (self, member, field, value);
    case AS_MEDIA_TYPE:
        fill_media_type (field, value);
        break;
    case AS_AD_ID:
        return fill_ad_id (self, member, field, value);
    case AS_ERROR:
        return fill_error (self, member, field, value);
    case AS_SECONDS:
        number = json_value_number (value);
        *(double *)field = number >= 0 ? number : NAN;
        break;
    case AS_TOTAL:
        number = json_value_number (value);
        *(double *)field = number >= 0 ? number : 0;
        break;
    case AS_COUNT:
        *(uint32_t *)field = (uint32_t)count_of (json_value_number (value), member->limit);
        break;
    case AS_BIG_COUNT:
        *(uint64_t *)field = count_of (json_value_number (value), member->limit);
        break;
    case AS_PLUS_ONE:
        *(uint32_t *)field = plus_one (json_value_number (value), member->limit);
        break;
    case AS_FLAG:
        *(uint32_t *)field &= ~(uint32_t)member->limit;
        *(uint32_t *)field |= value->type == 't' ? (uint32_t)member->limit : 0;
        break;
    case AS_YES_OR_NO:
        *(uint32_t *)field = value->type == 't' ? 2 : value->type == 'f' ? 1 : 0;
        break;
    }
    return true;
}

//  Asked of every key, most of which have no row: a look at its size is enough for those.
const member_t *
draft_member (const member_t *members, size_t count, const json_value_t *key)
{
    for (const member_t *member = members; member < members + count; member++)
        if (member->key_size == key->size && memcmp (member->key, key->data, key->size) == 0)
            return member;
    for (size_t row = 0; key->escaped && row < count; row++)
        if (json_value_is (key, members [row].key))
            return &members [row];
    return NULL;
}

const member_t *
draft_member_note (draft_t *self, size_t at, const member_t *members, size_t count, const json_value_t *key)
{
    const member_t *member = draft_member (members, count, key);
    if (at < DRAFT_ORDER_MAX)
        self->order [at] = member;
    return member;
}

bool
draft_fill (draft_t *self, const member_t *members, size_t count, const json_value_t *key,
            const json_value_t *value)
{
    const member_t *member = draft_member (members, count, key);
    return !member || draft_fill_member (self, member, value);
}

//  ---- the whole

decode_result_t
draft_finish (draft_t *self)
{
    usher_event_t *event = &self->event;
    if (!self->collected.size)
        return draft_fail (self, "collector_tstamp is missing");
    if (!instant_read (self->collected.data, self->collected.size, &event->collected_ms))
        return draft_fail (self, "collector_tstamp: not an instant: %.*s",
                           (int)utf8_cut (self->collected.data, self->collected.size, 40),
                           self->collected.data);
    //  A device may have no clock, or one that is before 1970.
    instant_read (self->created.data, self->created.size, &event->created_ms);
    if (!event->viewer_id.size)
        return draft_fail (self, "no_identity");
    if (event->viewer_id.size > LIMIT_event_viewer_id)
        return draft_fail (self, "viewer id is longer than %u bytes", (unsigned)LIMIT_event_viewer_id);
    return DECODE_EVENT;
}
