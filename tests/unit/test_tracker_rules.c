//  test_tracker_rules - every rule of the tracker protocol on its own: bad rows, fields, times, addresses
//
//  The cases are those that were measured on Enrich 3.8.0 (snowplow.md sections 3, 4 and 7).

#include "test_tracker.h"

#define PAYLOAD(version, items)                                                                              \
    "{\"schema\":\"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/" version                     \
    "\",\"data\":" items "}"
#define NEWEST(items) PAYLOAD ("1-0-4", items)

//  Where a request ends and what the reason must hold.
typedef struct {
    const char *name;
    const char *path, *query, *body, *content_type, *nuid;    //  NULL: as unit_request has it
    tracker_kind_t kind;
    const char *reason;
} request_case_t;

#define PV "{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\"}"
#define I "/i"

// clang-format off
static const request_case_t request_cases[] = {
    { "good post", NULL, NULL, NEWEST ("[" PV "]"), NULL, NULL, TRACKER_EVENT, "" },
    { "good get", I, "e=pv", NULL, NULL, NULL, TRACKER_EVENT, "" },
    { "get has no contract", I, "e=pv&nobody=knows", NULL, NULL, NULL, TRACKER_EVENT, "" },
    { "get on tp2", NULL, "e=pv", NULL, NULL, NULL, TRACKER_EVENT, "" },
    { "plain content type", NULL, NULL, NEWEST ("[" PV "]"), "application/json", NULL, TRACKER_EVENT, "" },
    { "bad escape", I, "e=pv&page=%zz", NULL, NULL, NULL, TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
      "percent-escape in page" },
    { "bad escape, unknown key", I, "e=pv&x=%4", NULL, NULL, NULL, TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
      "percent-escape in x" },
    { "bad cookie", I, "e=pv", NULL, NULL, "abc", TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
      "networkUserId: not a UUID: \"abc\"" },
    { "no query", I, "", NULL, NULL, NULL, TRACKER_ADAPTER_FAILURES, "querystring: empty" },
    { "no body", NULL, NULL, "", NULL, NULL, TRACKER_ADAPTER_FAILURES, "querystring: empty" },
    { "no adapter", "/com.acme/track", NULL, NEWEST ("[" PV "]"), NULL, NULL, TRACKER_ADAPTER_FAILURES,
      "no adapter for /com.acme/track" },
    { "not JSON", NULL, NULL, "garbage", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "not JSON: value expected at byte 0" },
    { "half", NULL, NULL, "{\"schema\":", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "ends too early at byte 10" },
    { "array", NULL, NULL, "[]", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body: not an object" },
    { "no schema", NULL, NULL, "{\"data\":[" PV "]}", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body.schema: missing" },
    { "unknown schema", NULL, NULL, PAYLOAD ("1-0-5", "[" PV "]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "body.schema: no version" },
    { "empty data", NULL, NULL, NEWEST ("[]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body.data: empty" },
    { "data no array", NULL, NULL, NEWEST ("{}"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body.data" },
    { "number", NULL, NULL, NEWEST ("[{\"e\":\"pv\",\"p\":\"web\",\"tv\":1}]"), NULL, NULL,
      TRACKER_PROTOCOL_VIOLATIONS, "body.data[0].\"tv\": not a string" },
    { "unknown key", NULL, NULL, NEWEST ("[" PV ",{\"zz\":\"1\"}]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "body.data[1].\"zz\": not a key" },
    { "cv in a post", NULL, NULL, NEWEST ("[{\"cv\":\"1\"}]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "\"cv\"" },
    { "item no object", NULL, NULL, NEWEST ("[1]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "body.data[0]: not an object" },
    { "required", NULL, NULL, NEWEST ("[{\"e\":\"pv\",\"tv\":\"t\"}]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "body.data[0].p: missing" },
    { "ttm is too new", NULL, NULL,
      PAYLOAD ("1-0-3", "[{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"ttm\":\"1\"}]"), NULL, NULL,
      TRACKER_PROTOCOL_VIOLATIONS, "not a key of payload_data 1-0-3" },
    { "stm since 1-0-3", NULL, NULL,
      PAYLOAD ("1-0-2", "[{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"stm\":\"1\"}]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "\"stm\"" },
    { "content type without blank", NULL, NULL, NEWEST ("[" PV "]"), "application/json;charset=utf-8", NULL,
      TRACKER_PROTOCOL_VIOLATIONS, "contentType: not application/json" },
    { "no content type", NULL, NULL, NEWEST ("[" PV "]"), "", NULL, TRACKER_PROTOCOL_VIOLATIONS, "contentType" },
    { "no e", I, "p=web", NULL, NULL, NULL, TRACKER_ENRICHMENT_FAILURES, "e: missing" },
    { "unknown e", I, "e=xx", NULL, NULL, NULL, TRACKER_ENRICHMENT_FAILURES, "e: not a known event code: \"xx\"" },
    { "last duplicate wins", I, "e=xx&e=pv", NULL, NULL, NULL, TRACKER_EVENT, "" },
    { "query overrides the body", NULL, "e=xx", NEWEST ("[" PV "]"), NULL, NULL, TRACKER_ENRICHMENT_FAILURES,
      "\"xx\"" },
};
// clang-format on

static void
test_requests (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof request_cases / sizeof request_cases [0]; index++) {
        const request_case_t *row = &request_cases [index];
        tracker_request_t request;
        unit_request (&request);
        request.query = span_of (row->query);
        request.body = span_of (row->body);
        request.path = row->path ? span_of (row->path) : request.path;
        request.content_type = row->content_type ? span_of (row->content_type) : request.content_type;
        request.network_userid = row->nuid ? span_of (row->nuid) : request.network_userid;
        tracker_outcomes_t *outcomes = tracker_read (&request);
        assert_int_equal (outcomes->count, 1);
        const tracker_outcome_t *outcome = &outcomes->items [0];
        if (outcome->kind != row->kind || !strstr (outcome->reason, row->reason))
            fail_msg ("%s: %s: %s", row->name, tracker_kind_name (outcome->kind), outcome->reason);
        assert_int_equal (strlen (outcome->body), outcome->size);
        tracker_outcomes_destroy (&outcomes);
        assert_null (outcomes);
    }
}

//  ---- One event by GET: parameters in, one column or a fault out

typedef struct {
    const char *query;
    tracker_column_t column;
    const char *value;    //  the column, or
    const char *fault;    //  a part of the enrichment failure's reason
} field_case_t;

#define LONG_10 "aaaaaaaaaa"
#define LONG_100 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10

// clang-format off
static const field_case_t field_cases[] = {
    { "aid=a%09b%01c%7Fd%0A", COL_app_id, "a    bcd", NULL },
    { "aid=%20a%20", COL_app_id, " a ", NULL },
    { "aid=a+b", COL_app_id, "a b", NULL },
    { "aid=%C2%85%E2%80%A8", COL_app_id, "\xC2\x85\xE2\x80\xA8", NULL },
    { "aid=%FF", COL_app_id, "\xEF\xBF\xBD", NULL },
    { "aid=", COL_app_id, "", NULL },
    { "tv=" LONG_100, COL_v_tracker, LONG_100, NULL },
    { "tv=" LONG_100 "a", COL_v_tracker, NULL, "v_tracker: 101 characters, at most 100" },
    { "cd=%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80", COL_br_colordepth,
      "\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80", NULL },
    { "cd=%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80a", COL_br_colordepth, NULL,
      "br_colordepth: 13 characters" },
    { "eid=7ADE561F-fd24-4e56-8a84-aa239b620730", COL_event_id, "7ade561f-fd24-4e56-8a84-aa239b620730", NULL },
    { "eid=7ade561f", COL_event_id, NULL, "eid: not a UUID" },
    { "eid=", COL_event_id, NULL, "eid: not a UUID: \"\"" },
    { "", COL_event_id, UNIT_UUID, NULL },
    { "sid=x", COL_domain_sessionid, NULL, "sid: not a UUID" },
    { "dtm=0", COL_dvce_created_tstamp, "1970-01-01 00:00:00.000", NULL },
    { "dtm=-1", COL_dvce_created_tstamp, "1969-12-31 23:59:59.999", NULL },
    { "dtm=-62167219200000", COL_dvce_created_tstamp, "0000-01-01 00:00:00.000", NULL },
    { "dtm=-62167219200001", COL_dvce_created_tstamp, NULL, "dtm: not a time" },
    { "dtm=253402300799999", COL_dvce_created_tstamp, "9999-12-31 23:59:59.999", NULL },
    { "dtm=253402300800000", COL_dvce_created_tstamp, NULL, "dtm: not a time" },
    { "dtm=99999999999999999999999", COL_dvce_created_tstamp, NULL, "dtm: not a time" },
    { "dtm=1709208000000", COL_dvce_created_tstamp, "2024-02-29 12:00:00.000", NULL },
    { "dtm=1.5", COL_dvce_created_tstamp, NULL, "dtm: not a time" },
    { "stm=", COL_dvce_sent_tstamp, NULL, "stm: not a time" },
    { "ttm=1700000000000", COL_derived_tstamp, "2023-11-14 22:13:20.000", NULL },
    { "vid=%2B7", COL_domain_sessionidx, "7", NULL },
    { "vid=-2147483648", COL_domain_sessionidx, "-2147483648", NULL },
    { "vid=2147483648", COL_domain_sessionidx, NULL, "vid: not a 32-bit integer" },
    { "vid=%207", COL_domain_sessionidx, NULL, "vid: not a 32-bit integer" },
    { "vid=null", COL_domain_sessionidx, "", NULL },
    { "vid=-", COL_domain_sessionidx, NULL, "vid" },
    { "cookie=1", COL_br_cookies, "1", NULL },
    { "cookie=true", COL_br_cookies, NULL, "cookie: neither 0 nor 1" },
    { "res=1280x720", COL_dvce_screenheight, "720", NULL },
    { "vp=1280x720", COL_br_viewwidth, "1280", NULL },
    { "ds=12.5x7", COL_doc_width, NULL, "ds: not WIDTHxHEIGHT" },
    { "ds=1280", COL_doc_width, NULL, "ds: not WIDTHxHEIGHT" },
    { "ds=x", COL_doc_width, NULL, "ds: not WIDTHxHEIGHT" },
    { "se_va=1.50", COL_se_value, "1.50", NULL },
    { "se_va=1e3", COL_se_value, "1000", NULL },
    { "se_va=-.5", COL_se_value, "-0.5", NULL },
    { "se_va=1.5e1", COL_se_value, "15", NULL },
    { "se_va=5e-3", COL_se_value, "0.005", NULL },
    { "se_va=007.10", COL_se_value, "7.10", NULL },
    { "se_va=-0.00", COL_se_value, "0.00", NULL },
    { "se_va=0e9", COL_se_value, "0", NULL },
    { "se_va=null", COL_se_value, "", NULL },
    { "se_va=1e999", COL_se_value, NULL, "se_va: not a decimal number" },
    { "se_va=1e", COL_se_value, NULL, "se_va: not a decimal number" },
    { "se_va=.", COL_se_value, NULL, "se_va: not a decimal number" },
    { "se_va=1,5", COL_se_value, NULL, "se_va: not a decimal number" },
    { "p=tv", COL_platform, "tv", NULL },
    { "p=headset", COL_platform, NULL, "p: not a known platform" },
    { "ip=1.2.3.4,%205.6.7.8", COL_user_ipaddress, "1.2.3.4", NULL },
    { "ip=a%20b", COL_user_ipaddress, "a", NULL },
    { "", COL_user_ipaddress, "127.0.0.1", NULL },
    { "", COL_network_userid, UNIT_NUID, NULL },
    { "nuid=n&tnuid=t", COL_network_userid, "t", NULL },
    { "nuid=n", COL_network_userid, "n", NULL },
    { "ua=mine", COL_useragent, "mine", NULL },
    { "cv=mine", COL_v_collector, "mine", NULL },
    { "e=se", COL_event_vendor, "com.google.analytics", NULL },
    { "e=ev", COL_event, "struct", NULL },
    { "e=pp", COL_event_name, "page_ping", NULL },
    { "e=tr", COL_event_name, "transaction", NULL },
    { "e=ue", COL_event_name, "", NULL },
    //  Addresses
    { "url=http://h/p?q=1%23f", COL_page_urlfragment, "f", NULL },
    { "url=http://h/p?q=1%23f", COL_page_urlquery, "q=1", NULL },
    { "url=https://h/p", COL_page_urlport, "443", NULL },
    { "url=ftp://h:2121/p", COL_page_urlport, "2121", NULL },
    { "url=ftp://u@h/p", COL_page_urlport, "80", NULL },
    { "url=http://u:p@h.example./p", COL_page_urlhost, "h.example.", NULL },
    { "url=http://[::1]:8080/p", COL_page_urlhost, "[::1]", NULL },
    { "url=http://[::1]:8080/p", COL_page_urlport, "8080", NULL },
    { "url=a%20b%3Fq%3D%C3%A9%7Cx", COL_page_url, "a%20b?q=%C3%A9%7Cx", NULL },
    { "url=a%20b%3Fq%3D%C3%A9%7Cx", COL_page_urlport, "80", NULL },
    { "url=a%20b%3Fq%3D%C3%A9%7Cx", COL_page_urlpath, "a%20b", NULL },
    { "url=::::", COL_page_urlpath, "%3A%3A%3A%3A", NULL },
    { "url=http://m%C3%BCnchen.de/", COL_page_urlhost, "", NULL },
    { "url=http://h/100%25", COL_page_urlpath, "/100%25", NULL },
    { "url=about:blank", COL_page_urlscheme, "about", NULL },
    { "url=about:blank", COL_page_urlpath, "", NULL },
    { "refr=http://h/a%20b", COL_page_referrer, "http://h/a b", NULL },
    { "refr=http://h/a%20b", COL_refr_urlpath, "/a%20b", NULL },
    { "url=http://h/?_sp=abc.1700000000000", COL_refr_domain_userid, "abc", NULL },
    { "url=http://h/?_sp=abc.1700000000000", COL_refr_device_tstamp, "2023-11-14 22:13:20.000", NULL },
    { "url=http://h/?_sp=abc", COL_refr_domain_userid, "abc", NULL },
    { "url=http://h/?_sp=abc.x", COL_refr_domain_userid, NULL, "_sp: not a time" },
    //  JSON
    { "co=%7B", COL_contexts, NULL, "co: not JSON: ends too early at byte 1" },
    { "cx=a", COL_contexts, NULL, "cx: not base64" },
    { "ue_px=e30=!", COL_unstruct_event, NULL, "ue_px: not base64" },
};
// clang-format on

//  The named column of one line.
static span_t
line_cell (const char *line, tracker_column_t column)
{
    for (tracker_column_t skip = 0; skip < column; skip++)
        line = strchr (line, '\t') + 1;
    return (span_t){ line, strcspn (line, "\t") };
}

//  Send a GET with these parameters; the caller destroys the answer, which is one outcome.
static tracker_outcomes_t *
get_event (const char *query, const char *first)
{
    tracker_request_t request;
    tracker_text_t text = { 0 };
    tracker_text_printf (&text, "%s&%s", first, query);
    unit_request (&request);
    request.path = span_of ("/i");
    request.query = tracker_text_span (&text);
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 1);
    tracker_text_free (&text);
    return outcomes;
}

static void
check_field (const field_case_t *row)
{
    tracker_outcomes_t *outcomes = get_event (row->query, "e=pv");
    const tracker_outcome_t *outcome = &outcomes->items [0];
    if (row->fault) {
        if (outcome->kind != TRACKER_ENRICHMENT_FAILURES || !strstr (outcome->reason, row->fault))
            fail_msg ("%s: %s: %s", row->query, tracker_kind_name (outcome->kind), outcome->reason);
    } else if (outcome->kind != TRACKER_EVENT)
        fail_msg ("%s: %s", row->query, outcome->reason);
    else if (!span_is (line_cell (outcome->body, row->column), row->value))
        fail_msg ("%s: want \"%s\", have \"%.*s\"", row->query, row->value,
                  TRACKER_SPAN (line_cell (outcome->body, row->column)));
    tracker_outcomes_destroy (&outcomes);
}

static void
test_fields (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof field_cases / sizeof field_cases [0]; index++)
        check_field (&field_cases [index]);
}

//  ---- derived_tstamp; the collector's time is 2026-11-23 06:47:00.000

// clang-format off
static const field_case_t time_cases[] = {
    { "", COL_derived_tstamp, "2026-11-23 06:47:00.000", NULL },
    { "dtm=1000&stm=3500", COL_derived_tstamp, "2026-11-23 06:46:57.500", NULL },
    { "dtm=3500&stm=1000", COL_derived_tstamp, "2026-11-23 06:47:00.000", NULL },
    { "dtm=3500", COL_derived_tstamp, "2026-11-23 06:47:00.000", NULL },
    //  2026-01-01 to 2026-04-01: three months, not ninety days.
    { "dtm=1767225600000&stm=1775001600000", COL_derived_tstamp, "2026-08-23 06:47:00.000", NULL },
    //  2024-02-29 to 2025-02-28: a year, by the calendar.
    { "dtm=1709164800000&stm=1740700800000", COL_derived_tstamp, "2025-11-23 06:47:00.000", NULL },
    //  2026-01-31 00:00 to 2026-02-28 00:00:01: a month and a second.
    { "dtm=1769817600000&stm=1772236801000", COL_derived_tstamp, "2026-10-23 06:46:59.000", NULL },
    //  A month short of a second is its days.
    { "dtm=1767225601000&stm=1769904000000", COL_derived_tstamp, "2026-10-23 06:47:01.000", NULL },
};
// clang-format on

static void
test_times (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof time_cases / sizeof time_cases [0]; index++)
        check_field (&time_cases [index]);
}

//  ---- JSON of events, by POST

#define SP "iglu:com.snowplowanalytics.snowplow/"
#define CONTEXTS(version, items) "{\"schema\":\"" SP "contexts/jsonschema/" version "\",\"data\":" items "}"
#define ENTITY(schema, data) CONTEXTS ("1-0-0", "[{\"schema\":\"" schema "\",\"data\":" data "}]")
#define UNSTRUCT(schema, data)                                                                               \
    "{\"schema\":\"" SP "unstruct_event/jsonschema/1-0-0\",\"data\":{\"schema\":\"" schema                   \
    "\",\"data\":" data "}}"
#define PLAYER SP "media_player/jsonschema/2-0-0"
#define MEDIA_SCHEMA(name) "iglu:com.snowplowanalytics.snowplow.media/" name "/jsonschema/1-0-0"
#define GOOD_PLAYER "\"currentTime\":1,\"paused\":true,\"ended\":false"

typedef struct {
    const char *contexts, *event;
    tracker_kind_t kind;
    const char *reason;    //  or, of a good event, a part of the line
} json_case_t;

// clang-format off
static const json_case_t json_cases[] = {
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("play_event"), "{}"), TRACKER_EVENT,
      "\tcom.snowplowanalytics.snowplow.media\tplay_event\tjsonschema\t1-0-0\t" },
    { ENTITY ("iglu:a/b/jsonschema/1-0-0", "{\"z\": 1.50e1, \"a\": [0.10, -0, 12345678901234567890]}"), NULL,
      TRACKER_EVENT,
      "\t" CONTEXTS ("1-0-1", "[{\"schema\":\"iglu:a/b/jsonschema/1-0-0\",\"data\":{\"z\":1.50e1,\"a\":[0.10,-0,"
                              "12345678901234567890]}}]") "\t" },
    { ENTITY ("iglu:a/b/jsonschema/1-0-0", "\"\\/\\u00e9\\n\\u0001\\u007f\\u0085\\ud83d\\ude00\\ud800x\\\"\\\\\""),
      NULL, TRACKER_EVENT, "\"data\":\"/\xC3\xA9\\n\\u0001\\u007f\\u0085\xF0\x9F\x98\x80?x\\\"\\\\\"}" },
    { CONTEXTS ("1-0-1", "[]"), NULL, TRACKER_EVENT, "page_view" },
    { CONTEXTS ("1-0-0", "[]"), NULL, TRACKER_SCHEMA_VIOLATIONS, "contexts.data: empty" },
    { CONTEXTS ("2-0-0", "[]"), NULL, TRACKER_SCHEMA_VIOLATIONS, "contexts/jsonschema/1-0-x" },
    { "{\"data\":[]}", NULL, TRACKER_SCHEMA_VIOLATIONS, "contexts: no schema" },
    { "{\"schema\":\"x\",\"data\":[]}", NULL, TRACKER_SCHEMA_VIOLATIONS, "contexts: schema is no iglu address: x" },
    { "[]", NULL, TRACKER_SCHEMA_VIOLATIONS, "contexts: not an object" },
    { CONTEXTS ("1-0-0", "[1]"), NULL, TRACKER_SCHEMA_VIOLATIONS, "contexts.data[0]: not an object" },
    { CONTEXTS ("1-0-0", "[{\"schema\":\"iglu:a/b/jsonschema/1-0-0\",\"data\":{},\"x\":1}]"), NULL,
      TRACKER_SCHEMA_VIOLATIONS, "contexts.data[0]: has other members" },
    { ENTITY ("iglu:a/b/jsonschema/01-0-0", "{}"), NULL, TRACKER_SCHEMA_VIOLATIONS, "no iglu address" },
    { ENTITY ("iglu:a/b/jsonschema/0-0-0", "{}"), NULL, TRACKER_SCHEMA_VIOLATIONS, "no iglu address" },
    { ENTITY ("iglu:a/b/jsonschema/1-0", "{}"), NULL, TRACKER_SCHEMA_VIOLATIONS, "no iglu address" },
    { "{\"schema\":1", NULL, TRACKER_ENRICHMENT_FAILURES, "co: not JSON" },
    { NULL, ENTITY ("iglu:a/b/jsonschema/1-0-0", "{}"), TRACKER_SCHEMA_VIOLATIONS, "unstruct_event" },
    { NULL, UNSTRUCT ("iglu:com.snowplowanalytics.snowplow.media/play_event/jsonschema/1-0-5", "{}"),
      TRACKER_SCHEMA_VIOLATIONS, "1-0-5: no such version" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("play_event"), "{\"x\":1}"), TRACKER_SCHEMA_VIOLATIONS,
      "\"x\": not a property of this schema" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("play_event"), "[]"), TRACKER_SCHEMA_VIOLATIONS, "data: not an object" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("ad_quartile_event"), "{}"), TRACKER_SCHEMA_VIOLATIONS,
      "percentProgress: missing" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("ad_quartile_event"), "{\"percentProgress\":null}"), TRACKER_SCHEMA_VIOLATIONS,
      "percentProgress: null" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("ad_click_event"), "{\"percentProgress\":null}"), TRACKER_EVENT, "ad_click_event" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("ad_click_event"), "{\"percentProgress\":40.0}"), TRACKER_SCHEMA_VIOLATIONS,
      "percentProgress: not an integer" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("ad_click_event"), "{\"percentProgress\":1e1}"), TRACKER_SCHEMA_VIOLATIONS,
      "percentProgress: not an integer" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("ad_click_event"), "{\"percentProgress\":101}"), TRACKER_SCHEMA_VIOLATIONS,
      "percentProgress: out of range" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("ad_click_event"), "{\"percentProgress\":100}"), TRACKER_EVENT, "ad_click_event" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("ad_click_event"), "{\"percentProgress\":1,\"percentProgress\":\"x\"}"),
      TRACKER_SCHEMA_VIOLATIONS, "not an integer" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("fullscreen_change_event"), "{\"fullscreen\":1}"), TRACKER_SCHEMA_VIOLATIONS,
      "fullscreen: not a boolean" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("playback_rate_change_event"), "{\"newRate\":16}"), TRACKER_EVENT, "playback_rate" },
    { NULL, UNSTRUCT (MEDIA_SCHEMA ("playback_rate_change_event"), "{\"newRate\":1e400}"), TRACKER_SCHEMA_VIOLATIONS,
      "newRate: out of range" },
    { ENTITY (PLAYER, "{" GOOD_PLAYER "}"), NULL, TRACKER_EVENT, "media_player" },
    { ENTITY (PLAYER, "{\"currentTime\":\"1\",\"paused\":true,\"ended\":false}"), NULL, TRACKER_SCHEMA_VIOLATIONS,
      "contexts.data[0]: \"" PLAYER "\": currentTime: not a number" },
    { ENTITY (PLAYER, "{" GOOD_PLAYER ",\"volume\":99.5}"), NULL, TRACKER_SCHEMA_VIOLATIONS,
      "volume: not an integer" },
    { ENTITY (PLAYER, "{" GOOD_PLAYER ",\"mediaType\":\"film\"}"), NULL, TRACKER_SCHEMA_VIOLATIONS,
      "mediaType: not one of the allowed words" },
    { ENTITY (PLAYER, "{" GOOD_PLAYER ",\"mediaType\":\"audio\"}"), NULL, TRACKER_EVENT, "media_player" },
    { ENTITY (MEDIA_SCHEMA ("session"), "{\"mediaSessionId\":\"1\",\"startedAt\":\"2024-11-16T13:33:23\"}"), NULL,
      TRACKER_SCHEMA_VIOLATIONS, "startedAt: not a date-time with a zone" },
    { ENTITY (MEDIA_SCHEMA ("session"), "{\"mediaSessionId\":\"1\",\"startedAt\":\"2024-02-29T13:33:23.5+01:00\"}"),
      NULL, TRACKER_EVENT, "session" },
    { ENTITY (MEDIA_SCHEMA ("session"), "{\"mediaSessionId\":\"1\",\"startedAt\":\"2023-02-29T13:33:23Z\"}"), NULL,
      TRACKER_SCHEMA_VIOLATIONS, "startedAt" },
    { ENTITY (MEDIA_SCHEMA ("ad"), "{\"adId\":288}"), NULL, TRACKER_SCHEMA_VIOLATIONS, "adId: not a string" },
    { ENTITY (MEDIA_SCHEMA ("ad"), "{\"adId\":\"" LONG_100 LONG_100 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}"), NULL,
      TRACKER_EVENT, "media/ad/" },
    { ENTITY (MEDIA_SCHEMA ("ad"), "{\"adId\":\"" LONG_100 LONG_100 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}"), NULL,
      TRACKER_SCHEMA_VIOLATIONS, "adId: too long" },
    { ENTITY (SP "web_page/jsonschema/1-0-0", "{\"id\":\"x\"}"), NULL, TRACKER_SCHEMA_VIOLATIONS, "id: not a UUID" },
};
// clang-format on

static void
test_json (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof json_cases / sizeof json_cases [0]; index++) {
        const json_case_t *row = &json_cases [index];
        tracker_request_t request;
        tracker_text_t body = { 0 };
        unit_request (&request);
        tracker_text_puts (&body,
                           "{\"schema\":\"" SP
                           "payload_data/jsonschema/1-0-4\",\"data\":[{\"p\":\"web\",\"tv\":\"t\",\"e\":");
        tracker_text_puts (&body, row->event ? "\"ue\",\"ue_pr\":" : "\"pv\",\"co\":");
        json_text_encode (span_of (row->event ? row->event : row->contexts), &body);
        tracker_text_puts (&body, "}]}");
        request.body = tracker_text_span (&body);
        tracker_outcomes_t *outcomes = tracker_read (&request);
        assert_int_equal (outcomes->count, 1);
        const tracker_outcome_t *outcome = &outcomes->items [0];
        const char *where = row->kind == TRACKER_EVENT ? outcome->body : outcome->reason;
        if (outcome->kind != row->kind || !strstr (where, row->reason))
            fail_msg ("case %zu, %s: %s\n%s", index, row->event ? row->event : row->contexts,
                      tracker_kind_name (outcome->kind), where);
        tracker_outcomes_destroy (&outcomes);
        tracker_text_free (&body);
    }
}

//  Of three events the middle one is bad: it is lost alone, and its bad row tells of it.
static void
test_lost_alone (void **state)
{
    (void)state;
    tracker_request_t request;
    unit_request (&request);
    request.body =
        span_of (NEWEST ("[" PV ",{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"vid\":\"x\\ty\"}," PV "]"));
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 3);
    assert_int_equal (outcomes->items [0].kind, TRACKER_EVENT);
    assert_int_equal (outcomes->items [1].kind, TRACKER_ENRICHMENT_FAILURES);
    assert_int_equal (outcomes->items [2].kind, TRACKER_EVENT);
    assert_string_equal (outcomes->items [1].reason, "vid: not a 32-bit integer: \"x?y\"");
    assert_non_null (strstr (outcomes->items [1].body,
                             "\"event\":{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"vid\":\"x\\ty\"}"));
    tracker_outcomes_destroy (&outcomes);
}

//  More events than the limit, or JSON nested without end, lose the request and no memory.
static void
test_bounds (void **state)
{
    (void)state;
    tracker_request_t request;
    tracker_text_t body = { 0 };
    unit_request (&request);
    tracker_text_puts (&body, "{\"schema\":\"" SP "payload_data/jsonschema/1-0-4\",\"data\":[" PV);
    for (int index = 0; index < TRACKER_ITEMS_MAX; index++)
        tracker_text_puts (&body, "," PV);
    tracker_text_puts (&body, "]}");
    request.body = tracker_text_span (&body);
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 1);
    assert_int_equal (outcomes->items [0].kind, TRACKER_PROTOCOL_VIOLATIONS);
    tracker_outcomes_destroy (&outcomes);
    tracker_text_reset (&body);
    for (int index = 0; index < 100000; index++)
        tracker_text_putc (&body, '[');
    request.body = tracker_text_span (&body);
    outcomes = tracker_read (&request);
    assert_string_equal (outcomes->items [0].reason, "body: not JSON: nested too deeply at byte 128");
    tracker_outcomes_destroy (&outcomes);
    tracker_text_free (&body);
}

//  Anonymous requests leave no trace of who sent them, not even in a bad row.
static void
test_anonymous (void **state)
{
    (void)state;
    tracker_request_t request;
    unit_request (&request);
    request.anonymous = true;
    request.body = span_of (NEWEST ("[" PV ",{\"e\":\"x\",\"p\":\"web\",\"tv\":\"t\"}]"));
    request.user_agent = span_of ("a\tb\r\nc");
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 2);
    const char *line = outcomes->items [0].body;
    assert_true (span_is (line_cell (line, COL_user_ipaddress), "unknown"));
    assert_true (span_is (line_cell (line, COL_network_userid), "00000000-0000-0000-0000-000000000000"));
    assert_true (span_is (line_cell (line, COL_useragent), "a    bc"));
    assert_null (strstr (outcomes->items [1].body, "127.0.0.1"));
    assert_null (strstr (outcomes->items [1].body, UNIT_NUID));
    tracker_outcomes_destroy (&outcomes);
}

//  Where both forms of a JSON come, the base64 one wins; padding and alphabet don't matter.
static void
test_base64 (void **state)
{
    (void)state;
    static const char *const same [] = {
        "eyJzY2hlbWEiOiJpZ2x1OmNvbS5zbm93cGxvd2FuYWx5dGljcy5zbm93cGxvdy91bnN0cnVjdF9ldmVudC9qc29uc2NoZW1hLzEt"
        "MC0w"
        "IiwiZGF0YSI6eyJzY2hlbWEiOiJpZ2x1OmEvYi9qc29uc2NoZW1hLzEtMC0wIiwiZGF0YSI6Ij8_PyJ9fQ",
        "eyJzY2hlbWEiOiJpZ2x1OmNvbS5zbm93cGxvd2FuYWx5dGljcy5zbm93cGxvdy91bnN0cnVjdF9ldmVudC9qc29uc2NoZW1hLzEt"
        "MC0w"
        "IiwiZGF0YSI6eyJzY2hlbWEiOiJpZ2x1OmEvYi9qc29uc2NoZW1hLzEtMC0wIiwiZGF0YSI6Ij8%2FPyJ9fQ==",
    };
    for (size_t index = 0; index < 2; index++) {
        tracker_text_t query = { 0 };
        tracker_text_printf (&query, "ue_pr=garbage&ue_px=%s", same [index]);
        tracker_text_putc (&query, 0);
        tracker_outcomes_t *outcomes = get_event (query.data, "e=ue");
        assert_int_equal (outcomes->items [0].kind, TRACKER_EVENT);
        assert_true (span_is (line_cell (outcomes->items [0].body, COL_unstruct_event),
                              UNSTRUCT ("iglu:a/b/jsonschema/1-0-0", "\"???\"")));
        tracker_outcomes_destroy (&outcomes);
        tracker_text_free (&query);
    }
}

//  Every prefix of a good body, and every body with one byte changed, gets an answer and no crash.
static void
test_hostile (void **state)
{
    (void)state;
    char body [] = NEWEST (
        "[{\"e\":\"ue\",\"p\":\"web\",\"tv\":\"t\",\"url\":\"http://h:1/"
        "p?_sp=a.1#f\",\"ue_pr\":\"{\\\"schema\\\":"
        "\\\"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0\\\",\\\"data\\\":{"
        "\\\"schema\\\":\\\"iglu:a/b/jsonschema/1-0-0\\\",\\\"data\\\":[1.5e3,\\\"\\\\u00e9\\\"]}}\"}]");
    static const char bytes [] = { 0,   '"', '\\', '{', '}',  '[',        ']',       ',',
                                   ':', '%', '1',  'u', '\n', (char)0xC3, (char)0xFF };
    tracker_request_t request;
    unit_request (&request);
    for (size_t at = 0; at < sizeof body - 1; at++) {
        char *copy = malloc (at + 1);
        memcpy (copy, body, at);
        request.body = (span_t){ copy, at };
        tracker_outcomes_t *outcomes = tracker_read (&request);
        assert_int_equal (outcomes->count, 1);
        assert_int_not_equal (outcomes->items [0].kind, TRACKER_EVENT);
        tracker_outcomes_destroy (&outcomes);
        free (copy);
        for (size_t byte = 0; byte < sizeof bytes; byte++) {
            char before = body [at];
            body [at] = bytes [byte];
            request.body = (span_t){ body, sizeof body - 1 };
            outcomes = tracker_read (&request);
            assert_int_equal (outcomes->count, 1);
            tracker_outcomes_destroy (&outcomes);
            body [at] = before;
        }
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_requests),   cmocka_unit_test (test_fields),
        cmocka_unit_test (test_times),      cmocka_unit_test (test_json),
        cmocka_unit_test (test_lost_alone), cmocka_unit_test (test_bounds),
        cmocka_unit_test (test_anonymous),  cmocka_unit_test (test_base64),
        cmocka_unit_test (test_hostile),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
