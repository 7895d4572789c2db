//  test_tracker_fields - each parameter of the tracker protocol: its rule, its column, its limit
//
//  The cases are those that were measured on Enrich 3.8.0. All of them are one event by GET:
//  parameters in, one column or a fault out.

#include "test_tracker.h"

typedef struct {
    const char *query;
    tracker_column_t column;
    const char *value;    //  the column, or
    const char *fault;    //  a part of the enrichment failure's reason
} field_case_t;

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
    { "dtm=00000000000000000001709208000000", COL_dvce_created_tstamp, "2024-02-29 12:00:00.000", NULL },
    { "dtm=%2B0", COL_dvce_created_tstamp, "1970-01-01 00:00:00.000", NULL },
    { "dtm=-", COL_dvce_created_tstamp, NULL, "dtm: not a time" },
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
    { "p=headset", COL_platform, "headset", NULL },
    { "p=vr", COL_platform, NULL, "p: not a known platform" },
    { "ip=1.2.3.4,%205.6.7.8", COL_user_ipaddress, "1.2.3.4", NULL },
    { "ip=a%20b", COL_user_ipaddress, "a", NULL },
    { "", COL_user_ipaddress, "127.0.0.1", NULL },
    { "", COL_network_userid, UNIT_NUID, NULL },
    { "nuid=n&tnuid=t", COL_network_userid, "t", NULL },
    { "nuid=n", COL_network_userid, "n", NULL },
    { "tnuid=t&nuid=n", COL_network_userid, "t", NULL },
    { "duid=d", COL_domain_userid, "d", NULL },
    { "ua=mine", COL_useragent, "mine", NULL },
    { "cv=mine", COL_v_collector, "mine", NULL },
    { "e=se", COL_event_vendor, "com.google.analytics", NULL },
    { "e=ev", COL_event, "struct", NULL },
    { "e=pp", COL_event_name, "page_ping", NULL },
    { "e=pp", COL_event_vendor, "com.snowplowanalytics.snowplow", NULL },
    { "e=pp", COL_event_format, "jsonschema", NULL },
    { "e=pp", COL_event_version, "1-0-0", NULL },
    { "e=se", COL_event_name, "event", NULL },
    { "e=ti", COL_event, "transaction_item", NULL },
    { "e=ad", COL_event, "ad_impression", NULL },
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

//  ---- What the request's headers say

typedef struct {
    const char *query, *user_agent, *referer;
    tracker_column_t column;
    const char *value;    //  NULL: the event is lost for this column
} header_case_t;

static const header_case_t header_cases [] = {
    { "e=pv", "", "http://from/a b?c", COL_page_url, "http://from/a%20b?c" },
    { "e=pv", "", "http://from/a b?c", COL_page_urlpath, "/a%20b" },
    { "e=pv&url=", "", "http://from/", COL_page_url, "http://from/" },
    { "e=pv&url=http://here/", "", "http://from/", COL_page_urlhost, "here" },
    { "e=pv", "", "http://from/", COL_page_referrer, "" },
    { "e=pv", "a\tb\r\nc\x01", "", COL_useragent, "a    bc\x01" },
    { "e=pv&ua=mine", "theirs", "", COL_useragent, "mine" },
    { "e=pv", LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 "a",
      "", COL_useragent, NULL },
};

static void
test_headers (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof header_cases / sizeof header_cases [0]; index++) {
        const header_case_t *row = &header_cases [index];
        tracker_request_t request;
        unit_request (&request);
        request.method = span_of ("GET");
        request.query = span_of (row->query);
        request.user_agent = span_of (row->user_agent);
        request.referer = span_of (row->referer);
        tracker_outcomes_t *outcomes = tracker_read (&request);
        const tracker_outcome_t *outcome = &outcomes->items [0];
        if (!row->value) {
            assert_int_equal (outcome->kind, TRACKER_ENRICHMENT_FAILURES);
            assert_non_null (strstr (outcome->reason, tracker_column_name (row->column)));
        } else if (!span_is (line_cell (outcome->body, row->column), row->value))
            fail_msg ("case %zu: %.*s", index, TRACKER_SPAN (line_cell (outcome->body, row->column)));
        tracker_outcomes_destroy (&outcomes);
    }
}

//  ---- Limits of columns: a parameter, and how many characters its column holds

static const struct {
    const char *param;
    int max;
} limits [] = {
    { "aid", 255 },    { "tna", 128 },    { "tv", 100 },    { "cv", 100 },     { "uid", 255 },
    { "ip", 128 },     { "fp", 128 },     { "duid", 128 },  { "nuid", 128 },   { "tnuid", 128 },
    { "url", 4096 },   { "page", 2000 },  { "refr", 4096 }, { "se_ca", 1000 }, { "se_ac", 1000 },
    { "se_la", 4096 }, { "se_pr", 1000 }, { "tr_id", 255 }, { "tr_af", 255 },  { "tr_ci", 255 },
    { "tr_st", 255 },  { "tr_co", 255 },  { "ti_id", 255 }, { "ti_sk", 255 },  { "ti_nm", 255 },
    { "ti_na", 255 },  { "ti_ca", 255 },  { "ua", 1000 },   { "lang", 255 },   { "cd", 12 },
    { "tz", 255 },     { "cs", 128 },     { "tr_cu", 3 },   { "ti_cu", 3 },
};

static tracker_kind_t
kind_of_length (const char *param, int length)
{
    tracker_text_t query = { 0 };
    //  As a path of two segments an address keeps within page_urlpath.
    bool address = strcmp (param, "url") == 0 || strcmp (param, "refr") == 0;
    tracker_text_puts (&query, param);
    tracker_text_puts (&query, address ? "=http://h/?" : "=");
    for (int index = address ? 10 : 0; index < length; index++)
        tracker_text_putc (&query, 'a');
    tracker_text_putc (&query, 0);
    tracker_outcomes_t *outcomes = get_event (query.data, "e=pv");
    tracker_kind_t kind = outcomes->items [0].kind;
    tracker_outcomes_destroy (&outcomes);
    tracker_text_free (&query);
    return kind;
}

//  Too long is never cut: the event is lost.
static void
test_limits (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof limits / sizeof limits [0]; index++) {
        if (kind_of_length (limits [index].param, limits [index].max) != TRACKER_EVENT)
            fail_msg ("%s of %d characters is refused", limits [index].param, limits [index].max);
        if (kind_of_length (limits [index].param, limits [index].max + 1) != TRACKER_ENRICHMENT_FAILURES)
            fail_msg ("%s of %d characters is taken", limits [index].param, limits [index].max + 1);
    }
}

//  ---- Addresses with a mask

static const struct {
    const char *ip;
    tracker_ip_mask_t mask;
    const char *masked;
} masks [] = {
    { "94.15.223.151", { 0, 0 }, "94.15.223.151" },
    { "94.15.223.151", { 1, 0 }, "94.15.223.x" },
    { "94.15.223.151", { 3, 8 }, "94.x.x.x" },
    { "94.15.223.151", { 4, 0 }, "x.x.x.x" },
    { "94.15.x.x", { 2, 2 }, "94.15.x.x" },
    { "94.15.223.151", { 0, 4 }, "94.15.223.151" },
    { "777.2.23", { 2, 0 }, "777.2.x" },
    { "2605:2700:0:3::4713:93e3", { 1, 0 }, "2605:2700:0:3::4713:93e3" },
    { "2605:2700:0:3::4713:93e3", { 0, 4 }, "2605:2700:0:3:x:x:x:x" },
    { "2605:2700:0:3:x:x:x:x", { 0, 4 }, "2605:2700:0:3:x:x:x:x" },
    { "2001:DB8::1", { 0, 1 }, "2001:db8:0:0:0:0:0:x" },
    { "::1", { 0, 8 }, "x:x:x:x:x:x:x:x" },
    { "::ffff:94.15.223.151", { 1, 1 }, "::ffff:94.15.223.x" },
    { "fe80::1%eth0", { 0, 7 }, "fe80:x:x:x:x:x:x:x" },
    { "unknown", { 4, 8 }, "unknown" },
    { "", { 4, 8 }, "" },
};

static void
test_masks (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof masks / sizeof masks [0]; index++) {
        tracker_text_t out = { 0 };
        tracker_ip_put (span_of (masks [index].ip), masks [index].mask, &out);
        if (!span_is (tracker_text_span (&out), masks [index].masked))
            fail_msg ("%s: want %s, have %.*s", masks [index].ip, masks [index].masked, (int)out.size,
                      out.data);
        tracker_text_free (&out);
    }
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

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_fields), cmocka_unit_test (test_headers), cmocka_unit_test (test_limits),
        cmocka_unit_test (test_masks),  cmocka_unit_test (test_times),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
