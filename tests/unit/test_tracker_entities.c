//  test_tracker_entities - contexts and self-describing events: their envelopes, their schemas, their text
//
//  The cases are those that were measured on Enrich 3.8.0.

#include "test_tracker.h"

#define CONTEXTS(version, items) "{\"schema\":\"" SP "contexts/jsonschema/" version "\",\"data\":" items "}"
#define ENTITY(schema, data) CONTEXTS ("1-0-0", "[{\"schema\":\"" schema "\",\"data\":" data "}]")
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

//  An event's JSON stays in its column whatever `e` says; the name follows `e`.
static void
test_name_follows_code (void **state)
{
    (void)state;
    static const char query [] = "ue_pr=" UNSTRUCT ("iglu:a/b/jsonschema/1-0-0", "{}");
    tracker_outcomes_t *outcomes = get_event (query, "e=pv");
    const char *line = outcomes->items [0].body;
    assert_int_equal (outcomes->items [0].kind, TRACKER_EVENT);
    assert_true (span_is (line_cell (line, COL_event_name), "page_view"));
    assert_true (span_is (line_cell (line, COL_unstruct_event), query + 6));
    tracker_outcomes_destroy (&outcomes);
}

//  A field's fault comes before a schema's, and that before a column's length.
static void
test_order_of_stages (void **state)
{
    (void)state;
    static const struct {
        const char *query;
        tracker_kind_t kind;
    } cases [] = {
        { "vid=x&co={}", TRACKER_ENRICHMENT_FAILURES },
        { "co={&ue_pr={}", TRACKER_ENRICHMENT_FAILURES },
        { "tv=" LONG_100 "a&co={}", TRACKER_SCHEMA_VIOLATIONS },
    };
    for (size_t index = 0; index < sizeof cases / sizeof cases [0]; index++) {
        tracker_outcomes_t *outcomes = get_event (cases [index].query, "e=ue");
        assert_int_equal (outcomes->items [0].kind, cases [index].kind);
        tracker_outcomes_destroy (&outcomes);
    }
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

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_json),
        cmocka_unit_test (test_name_follows_code),
        cmocka_unit_test (test_order_of_stages),
        cmocka_unit_test (test_base64),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
