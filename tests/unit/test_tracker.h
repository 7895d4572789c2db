//  test_tracker - what the tests of the tracker protocol share: a plain request, and the data folder

#ifndef TEST_TRACKER_H_INCLUDED
#define TEST_TRACKER_H_INCLUDED

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

#include "snowplow/tracker.h"
#include "snowplow/json_text.h"

//  Tests run in the root of the source tree unless the build says otherwise.
#ifndef TEST_DATA_DIR
#define TEST_DATA_DIR "tests/data"
#endif

#define UNIT_NUID "11111111-2222-4333-8444-555555555555"
#define UNIT_UUID "99999999-9999-4999-8999-999999999999"
#define UNIT_TIME_MS 1795416420000LL    //  2026-11-23 06:47:00.000

static inline void
unit_uuid (void *arg, char uuid [37])
{
    (void)arg;
    memcpy (uuid, UNIT_UUID, 37);
}

//  A POST to tp2 without a body.
static inline void
unit_request (tracker_request_t *self)
{
    *self = (tracker_request_t){ .method = span_of ("POST"),
                                 .path = span_of ("/com.snowplowanalytics.snowplow/tp2"),
                                 .query = span_of (""),
                                 .body = span_of (""),
                                 .content_type = span_of ("application/json; charset=UTF-8"),
                                 .user_agent = span_of ("agent"),
                                 .referer = span_of (""),
                                 .ip = span_of ("127.0.0.1"),
                                 .network_userid = span_of (UNIT_NUID),
                                 .collector_ms = UNIT_TIME_MS,
                                 .etl_ms = UNIT_TIME_MS,
                                 .collector = "collector",
                                 .etl = "etl",
                                 .uuid_new = unit_uuid };
}

//  The whole file of the data folder, terminated; the caller frees it.
static inline char *
unit_read_file (const char *name)
{
    char path [512];
    snprintf (path, sizeof path, "%s/%s", TEST_DATA_DIR, name);
    FILE *file = fopen (path, "rb");
    if (!file)
        fail_msg ("cannot open %s: run the test in the root of the source tree", path);
    tracker_text_t text = { 0 };
    char chunk [65536];
    size_t size;
    while ((size = fread (chunk, 1, sizeof chunk, file)) > 0)
        tracker_text_put (&text, chunk, size);
    fclose (file);
    return tracker_text_take (&text);
}

#endif
