//  test_sdk_json - enriched events as the Analytics SDK writes them: the recorded ones, and how they could come

#include "test_decode.h"
#include "test_event.h"

#define NAMES "\"event_vendor\":\"com.snowplowanalytics.snowplow.media\",\"event_name\":\"play_event\""
#define TSTAMP "\"collector_tstamp\":\"2026-11-23T06:45:20.549Z\""
#define USER "\"user_id\":\"alice\""
#define WHOLE NAMES "," TSTAMP "," USER
#define PLAYER "\"contexts_com_snowplowanalytics_snowplow_media_player_2\""
#define SESSION "\"contexts_com_snowplowanalytics_snowplow_media_session_1\""

//  ---- the recording

typedef struct {
    decoder_t *decoder;
    const char *rows;
    char *id, *row;
    int events, passed_by;
} search_t;

static void
find_row (void *arg, int number, char *line)
{
    search_t *search = arg;
    (void)number;
    if (strstr (line, search->id))
        search->row = strdup (line);
}

//  The row of the same event in the TSV that Snowbridge was given.
static void
compare_line (void *arg, int number, char *line)
{
    search_t *search = arg;
    usher_event_t event, other;
    const char *reason = "";
    (void)number;
    search->id = strndup (strstr (line, "\"event_id\":\"") + 12, 36);
    each_line (search->rows, find_row, search);
    assert_non_null (search->row);
    decode_result_t result = decode_bytes (search->decoder, line, strlen (line), &event, &reason);
    decoder_t *decoder = decoder_new ();
    assert_int_equal (decode_event (decoder, search->row, strlen (search->row), &other, &reason), result);
    assert_int_not_equal (result, DECODE_BAD);
    search->events += result == DECODE_EVENT;
    search->passed_by += result == DECODE_PASSED_BY;
    if (result == DECODE_EVENT)
        assert_same_event (&event, &other);
    decoder_destroy (&decoder);
    free (search->id);
    free (search->row);
}

static void
test_each_recorded_event_is_as_in_its_row (void **state)
{
    search_t browser = { .decoder = *state, .rows = "enriched-browser-4.10.tsv" };
    search_t node = { .decoder = *state, .rows = "enriched-node-4.8.0.tsv" };
    each_line ("snowbridge-sdk-json-browser-4.10.ndjson", compare_line, &browser);
    each_line ("snowbridge-sdk-json-node-4.8.0.ndjson", compare_line, &node);
    assert_int_equal (browser.events, 43);
    assert_int_equal (browser.passed_by, 7);
    assert_int_equal (node.events, 1);
    assert_int_equal (node.passed_by, 2);
}

static void
test_every_truncation_of_the_samples (void **state)
{
    each_line ("snowbridge-sdk-json-node-4.8.0.ndjson", truncate_line, *state);
}

//  ---- which form it is

//  One member is enough, wherever it stands; a viewer_id says nothing then.
static void
test_which_json_it_is (void **state)
{
    static const char *const telling [] = { NAMES,
                                            "\"etl_tstamp\":null",
                                            "\"v_etl\":\"x\"",
                                            "\"v_collector\":\"x\"",
                                            SESSION ":[]",
                                            "\"unstruct_event_com_acme_x_1\":{}" };
    char text [1024];
    for (size_t at = 0; at < sizeof telling / sizeof *telling; at++) {
        snprintf (text, sizeof text, "{\"event_name\":\"play_event\"," TSTAMP ",\"viewer_id\":\"bob\",%s}",
                  telling [at]);
        if (at == 0)
            decode_bad (*state, text, "no_identity");
        else
            decode_passed_by (*state, text);    //  no vendor
    }
    assert_text (
        decode_good (*state, "{\"event_name\":\"play_event\"," TSTAMP ",\"viewer_id\":\"bob\"}").viewer_id,
        "bob");
}

static void
test_any_order_of_the_members (void **state)
{
    static const char *const members [] = {
        "\"event_vendor\":\"com.snowplowanalytics.snowplow.media\"",
        "\"event_name\":\"volume_change_event\"",
        TSTAMP,
        USER,
        PLAYER ":[{\"volume\":10,\"currentTime\":3}]",
        "\"unstruct_event_com_snowplowanalytics_snowplow_media_volume_change_event_1\":{\"newVolume\":40}",
    };
    const size_t count = sizeof members / sizeof *members;
    for (size_t first = 0; first < count; first++)
        for (size_t step = 1; step <= 5; step += 4) {    //  forwards and backwards
            char text [1024] = "{";
            for (size_t at = 0; at < count; at++)
                sprintf (text + strlen (text), "%s%s", at ? "," : "", members [(first + at * step) % count]);
            strcat (text, "}");
            usher_event_t event = decode_good (*state, text);
            assert_int_equal (event.kind, USHER_event_kind_volume_change);
            assert_text (event.viewer_id, "alice");
            assert_true (event.video_s == 3);
            assert_int_equal (event.volume, 41);
        }
}

//  Its name says what it is, and its members say what they say.
static void
test_an_event_of_a_newer_model (void **state)
{
    usher_event_t event = decode_good (
        *state,
        "{\"event_vendor\":\"com.snowplowanalytics.snowplow.media\",\"event_name\":\"volume_change_"
        "event\",\"event_version\":\"7-0-0\"," TSTAMP "," USER
        ",\"unstruct_event_com_snowplowanalytics_snowplow_media_volume_change_event_7\":{\"newVolume\":"
        "40,\"loudness\":{}}}");
    assert_int_equal (event.kind, USHER_event_kind_volume_change);
    assert_int_equal (event.volume, 41);
}

//  ---- values

static void
test_timestamps_without_trailing_zeros (void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } cases [] = {
        { "2026-11-23T06:45:20Z", 1795416320000 },
        { "2026-11-23T06:45:20.5Z", 1795416320500 },
        { "2026-11-23T06:45:20.17Z", 1795416320170 },
        { "2026-11-23T06:45:20.123456Z", 1795416320123 },
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char text [512];
        snprintf (text, sizeof text,
                  "{" NAMES "," USER ",\"collector_tstamp\":\"%s\",\"dvce_created_tstamp\":\"%s\"}",
                  cases [at].text, cases [at].text);
        usher_event_t event = decode_good (*state, text);
        assert_int_equal (event.collected_ms, cases [at].ms);
        assert_int_equal (event.created_ms, cases [at].ms);
    }
    assert_int_equal (
        decode_good (*state, "{" WHOLE ",\"dvce_created_tstamp\":\"1900-01-01T00:00:00Z\"}").created_ms, 0);
    decode_bad (*state, "{" NAMES "," USER "}", "collector_tstamp is missing");
    decode_bad (*state, "{" NAMES "," USER ",\"collector_tstamp\":5}", "collector_tstamp: not an instant");
}

static void
test_numbers_as_go_prints_them (void **state)
{
    static const struct {
        const char *json;
        double seconds;
    } cases [] = { { "15", 15 },  { "1e-07", 1e-7 }, { "1e+21", 1e21 },  { "-0", 0 },
                   { "-1", NAN }, { "null", NAN },   { "\"2.5\"", 2.5 }, { "\"NaN\"", NAN } };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char text [512];
        snprintf (text, sizeof text, "{" WHOLE "," PLAYER ":[{\"currentTime\":%s}]}", cases [at].json);
        double seconds = decode_good (*state, text).video_s;
        assert_true (isnan (cases [at].seconds) ? isnan (seconds) : seconds == cases [at].seconds);
    }
    decode_bad (*state, "{" WHOLE "," PLAYER ":[{\"currentTime\":NaN}]}", "JSON: ");
}

static void
test_who_the_viewer_is (void **state)
{
    assert_text (decode_good (*state, "{" WHOLE ",\"domain_userid\":\"d-1\"}").viewer_id, "alice");
    assert_text (decode_good (*state, "{" NAMES "," TSTAMP ",\"domain_userid\":\"d-1\"}").viewer_id, "d-1");
    assert_text (
        decode_good (*state, "{" NAMES "," TSTAMP ",\"domain_userid\":\"d-1\",\"user_id\":null}").viewer_id,
        "d-1");
    assert_text (
        decode_good (*state, "{" NAMES "," TSTAMP ",\"domain_userid\":\"d-1\",\"user_id\":\"\"}").viewer_id,
        "d-1");
    decode_bad (*state, "{" NAMES "," TSTAMP "}", "no_identity");
    //  somebody's name here
    assert_text (decode_good (*state, "{" NAMES "," TSTAMP ",\"user_id\":\"PoC user\"}").viewer_id,
                 "PoC user");
}

static void
test_contexts_of_other_shapes (void **state)
{
    static const char *const cases [] = { "null", "[]", "[null]", "{}", "\"x\"", "[[]]", "[5,\"x\"]" };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char text [512];
        snprintf (text, sizeof text,
                  "{" WHOLE "," PLAYER ":%s,\"unstruct_event_com_snowplowanalytics_snowplow_media_play_"
                  "event_1\":%s}",
                  cases [at], cases [at]);
        assert_int_equal (decode_good (*state, text).has, 0);
    }
    usher_event_t event =
        decode_good (*state, "{" WHOLE "," PLAYER ":[null,{\"currentTime\":1},{\"currentTime\":2}]}");
    assert_true (event.video_s == 1);
    event = decode_good (*state, "{" WHOLE ",\"\\u0063ontexts_x_1\":[1],\"contexts_\":[1],\"contexts_com_"
                                 "snowplowanalytics_snowplow_media_player_2x\":[{\"currentTime\":1}]}");
    assert_int_equal (event.has, 0);
}

//  ---- what is passed by, what is bad

static void
test_other_events_are_passed_by (void **state)
{
    static const char *const names [] = {
        "\"event_vendor\":\"com.snowplowanalytics.snowplow\",\"event_name\":\"page_view\"",
        "\"event_vendor\":\"com.snowplowanalytics.snowplow\",\"event_name\":\"page_ping\"",
        "\"event_vendor\":\"com.google.analytics\",\"event_name\":\"event\"",
        "\"event_vendor\":\"com.acme\",\"event_name\":\"play_event\"",
        "\"event_vendor\":\"com.snowplowanalytics.snowplow.media\",\"event_name\":\"dance_event\"",
        "\"event_vendor\":\"com.snowplowanalytics.snowplow.media\"",
        "\"v_etl\":\"an event without data has neither\"",
    };
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        char text [512];
        //  What is in them is no concern.
        snprintf (text, sizeof text, "{%s,\"event_id\":\"\xff\"," PLAYER ":[{\"label\":\"\xff\"}]}",
                  names [at]);
        decode_passed_by (*state, text);
    }
}

static void
test_what_is_bad_is_named (void **state)
{
    decode_bad (*state, "{" WHOLE ",}", "JSON: a key is missing at byte ");
    decode_bad (*state, "{" WHOLE "," PLAYER ":[{]}", "JSON: ");
    decode_bad (*state, "{" WHOLE "," PLAYER ":[{\"label\":\"\xff\"}]}", "label: not UTF-8");
    decode_bad (*state, "{" NAMES "," TSTAMP ",\"user_id\":\"\xff\"}", "user_id: not UTF-8");
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, decode_setup, decode_teardown)
        TEST (test_each_recorded_event_is_as_in_its_row),
        TEST (test_every_truncation_of_the_samples),
        TEST (test_which_json_it_is),
        TEST (test_any_order_of_the_members),
        TEST (test_an_event_of_a_newer_model),
        TEST (test_timestamps_without_trailing_zeros),
        TEST (test_numbers_as_go_prints_them),
        TEST (test_who_the_viewer_is),
        TEST (test_contexts_of_other_shapes),
        TEST (test_other_events_are_passed_by),
        TEST (test_what_is_bad_is_named),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
