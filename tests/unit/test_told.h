//  test_told - an event told by its parts and written in both wrappers: as enriched TSV, and as SDK JSON with its members
//  the other way round

#ifndef TEST_TOLD_H
#define TEST_TOLD_H

#include "test_decode.h"
#include "test_event.h"

#define SNOWPLOW "com.snowplowanalytics.snowplow"
#define MEDIA SNOWPLOW ".media"
#define BODIES 4

typedef struct {
    const char *vendor, *name, *version, *data;
} body_t;

typedef struct {
    const char *vendor, *name, *own;
    body_t bodies [BODIES];
} told_t;

#define PLAYER(version, data)                                                                                \
    {                                                                                                        \
        SNOWPLOW, "media_player", version, data                                                              \
    }
#define SESSION(version, data)                                                                               \
    {                                                                                                        \
        MEDIA, "session", version, data                                                                      \
    }
#define AD(version, data)                                                                                    \
    {                                                                                                        \
        MEDIA, "ad", version, data                                                                           \
    }
#define BREAK(version, data)                                                                                 \
    {                                                                                                        \
        MEDIA, "ad_break", version, data                                                                     \
    }
#define HTML(data)                                                                                           \
    {                                                                                                        \
        "org.whatwg", "media_element", "1-0-0", data                                                         \
    }
#define VIDEO(data)                                                                                          \
    {                                                                                                        \
        "org.whatwg", "video_element", "1-0-0", data                                                         \
    }
#define YOUTUBE(data)                                                                                        \
    {                                                                                                        \
        "com.youtube", "youtube", "1-0-0", data                                                              \
    }
#define PLAY MEDIA, "play_event", "{}"
#define OLDER(own) SNOWPLOW, "media_player_event", own

//  ---- the two wrappers

typedef struct {
    char text [16384];
    size_t size;
} page_t;

static inline void __attribute__ ((format (printf, 2, 3))) put (page_t *page, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    page->size += (size_t)vsnprintf (page->text + page->size, sizeof page->text - page->size, format, args);
    va_end (args);
    assert_true (page->size < sizeof page->text);
}

static inline size_t
body_count (const told_t *told)
{
    size_t count = 0;
    while (count < BODIES && told->bodies [count].name)
        count++;
    return count;
}

static inline void
put_contexts (page_t *page, const told_t *told)
{
    put (page, "{\"schema\":\"iglu:x/contexts/jsonschema/1-0-1\",\"data\":[");
    for (size_t at = 0; at < body_count (told); at++)
        put (page, "%s{\"schema\":\"iglu:%s/%s/jsonschema/%s\",\"data\":%s}", at ? "," : "",
             told->bodies [at].vendor, told->bodies [at].name, told->bodies [at].version,
             told->bodies [at].data);
    put (page, "]}");
}

static inline void
tsv_write (page_t *page, const told_t *told)
{
    *page = (page_t){ .size = 0 };
    for (int column = 1; column <= 131; column++) {
        if (column == 4)
            put (page, "2026-11-23 06:45:20.549");
        if (column == 13)
            put (page, "alice");
        if (column == 53)
            put_contexts (page, told);
        if (column == 59)
            put (page, "{\"schema\":\"x\",\"data\":{\"schema\":\"iglu:y\",\"data\":%s}}", told->own);
        if (column == 126)
            put (page, "%s", told->vendor);
        if (column == 127)
            put (page, "%s", told->name);
        if (column < 131)
            put (page, "\t");
    }
}

//  Vendor and name with underscores, and the model.
static inline void
put_key (page_t *page, const char *head, const char *vendor, const char *name, const char *version)
{
    size_t from = page->size;
    put (page, "\"%s%s_%s_%.*s\":", head, vendor, name, (int)strcspn (version, "-"), version);
    for (char *at = page->text + from; *at; at++)
        if (*at == '.')
            *at = '_';
}

static inline bool
same_key (const body_t *a, const body_t *b)
{
    return strcmp (a->vendor, b->vendor) == 0 && strcmp (a->name, b->name) == 0 &&
           a->version [0] == b->version [0];
}

//  All bodies of the last one's key, unless it is not the first of them: those before it will bring it along.
static inline void
put_array (page_t *page, const told_t *told, size_t last)
{
    const body_t *body = &told->bodies [last];
    for (size_t at = 0; at < last; at++)
        if (same_key (&told->bodies [at], body))
            return;
    put_key (page, "contexts_", body->vendor, body->name, body->version);
    put (page, "[%s", body->data);
    for (size_t at = last + 1; at < body_count (told); at++)
        if (same_key (&told->bodies [at], body))
            put (page, ",%s", told->bodies [at].data);
    put (page, "],");
}

static inline void
sdk_write (page_t *page, const told_t *told)
{
    *page = (page_t){ .size = 0 };
    put (page, "{");
    put_key (page, "unstruct_event_", told->vendor, told->name, "1-0-0");
    put (page, "%s,", told->own);
    for (size_t left = body_count (told); left-- > 0;)
        put_array (page, told, left);
    put (page, "\"event_name\":\"%s\",\"event_vendor\":\"%s\",", told->name, told->vendor);
    put (page, "\"collector_tstamp\":\"2026-11-23T06:45:20.549Z\",\"user_id\":\"alice\"}");
}

//  Both say the same. The event lives until the next call.
static inline usher_event_t
decode_told (decoder_t *decoder, told_t told)
{
    static page_t tsv, sdk;
    static decoder_t *other;
    const char *reason = "passed by";
    usher_event_t event;
    tsv_write (&tsv, &told);
    sdk_write (&sdk, &told);
    decoder_destroy (&other);
    other = decoder_new ();
    if (decode_event (other, tsv.text, tsv.size, &event, &reason) != DECODE_EVENT)
        fail_msg ("%s: %s", reason, sdk.text);
    usher_event_t again = decode_good (decoder, sdk.text);
    assert_same_event (&event, &again);
    return again;
}

static inline void
told_is_bad (decoder_t *decoder, told_t told, const char *words)
{
    static page_t page;
    tsv_write (&page, &told);
    decode_bad (decoder, page.text, words);
    sdk_write (&page, &told);
    decode_bad (decoder, page.text, words);
}

static inline void
told_is_passed_by (decoder_t *decoder, told_t told)
{
    static page_t page;
    tsv_write (&page, &told);
    decode_passed_by (decoder, page.text);
    sdk_write (&page, &told);
    decode_passed_by (decoder, page.text);
}

#endif
