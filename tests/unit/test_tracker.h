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

//  ---- Bodies

#define SP "iglu:com.snowplowanalytics.snowplow/"
#define PAYLOAD(version, items)                                                                              \
    "{\"schema\":\"" SP "payload_data/jsonschema/" version "\",\"data\":" items "}"
#define NEWEST(items) PAYLOAD ("1-0-4", items)
#define PV "{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\"}"
#define UNSTRUCT(schema, data)                                                                               \
    "{\"schema\":\"" SP "unstruct_event/jsonschema/1-0-0\",\"data\":{\"schema\":\"" schema                   \
    "\",\"data\":" data "}}"

#define LONG_10 "aaaaaaaaaa"
#define LONG_100 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10

//  ---- Requests and answers

//  The named column of one line.
static inline span_t
line_cell (const char *line, tracker_column_t column)
{
    for (tracker_column_t skip = 0; skip < column; skip++)
        line = strchr (line, '\t') + 1;
    return (span_t){ line, strcspn (line, "\t") };
}

//  Send a GET with these parameters; the caller destroys the answer, which is one outcome.
static inline tracker_outcomes_t *
get_event (const char *query, const char *first)
{
    tracker_request_t request;
    tracker_text_t text = { 0 };
    tracker_text_printf (&text, "%s&%s", first, query);
    unit_request (&request);
    request.method = span_of ("GET");
    request.path = span_of ("/i");
    request.query = tracker_text_span (&text);
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 1);
    tracker_text_free (&text);
    return outcomes;
}

//  ---- Files

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
