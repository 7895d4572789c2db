//  test_flattened - the reference's messages: as Snowbridge writes them, as they could come, as they must not

#include "test_decode.h"

#define TSTAMP "\"collector_tstamp\":\"2026-11-23T06:45:20.549Z\""
#define PLAY "\"event_name\":\"play_event\""
#define VIEWER "\"viewer_id\":\"alice\""
#define WHOLE TSTAMP "," PLAY "," VIEWER

//  2026-11-23T06:45:20.549Z
#define TSTAMP_MS 1795416320549u

static void
test_a_message_as_it_comes (void **state)
{
    usher_event_t event = decode_good (
        *state, "{\"collector_tstamp\":\"2024-11-16T13:33:30.146Z\",\"event_id\":\"e-1\",\"event_name\":"
                "\"pause_event\",\"viewer_id\":\"143f\",\"adsClicked\":3,\"adsSkipped\":4,\"adId\":\"288\","
                "\"video_ts\":0.112652}");
    assert_int_equal (event.collected_ms, 1731764010146);
    assert_text (event.event_id, "e-1");
    assert_int_equal (event.kind, USHER_event_kind_pause);
    assert_text (event.viewer_id, "143f");
    assert_int_equal (event.ads_clicked, 3);
    assert_int_equal (event.ads_skipped, 4);
    assert_text (event.ad_id, "288");
    assert_int_equal (event.has, USHER_HAS_AD);
    assert_true (event.video_s == 0.112652);
    assert_text (event.session_id, "");
    assert_true (isnan (event.duration_s));
}

//  The decoder remembers which member stood where: another order, fewer members and strange ones are read all the same.
static void
test_members_in_any_order (void **state)
{
    static const char *const members [] = { TSTAMP,
                                            PLAY,
                                            VIEWER,
                                            "\"event_id\":\"e-1\"",
                                            "\"adsClicked\":3",
                                            "\"adsSkipped\":4",
                                            "\"strange_1\":\"x\"",
                                            "\"adId\":\"288\"" };
    enum { MEMBERS = sizeof members / sizeof *members };
    for (size_t step = 1; step < MEMBERS; step += 2)
        for (size_t first = 0; first < MEMBERS; first++) {
            char text [512] = "{";
            for (size_t at = 0; at < MEMBERS; at++)
                sprintf (text + strlen (text), "%s%s", at ? "," : "",
                         members [(first + at * step) % MEMBERS]);
            usher_event_t event = decode_good (*state, strcat (text, "}"));
            assert_int_equal (event.collected_ms, TSTAMP_MS);
            assert_int_equal (event.kind, USHER_event_kind_play);
            assert_text (event.viewer_id, "alice");
            assert_text (event.event_id, "e-1");
            assert_int_equal (event.ads_clicked, 3);
            assert_int_equal (event.ads_skipped, 4);
            assert_text (event.ad_id, "288");
            event = decode_good (*state, "{" WHOLE "}");
            assert_text (event.event_id, "");
        }
}

static void
test_absent_and_null_members (void **state)
{
    usher_event_t event = decode_good (*state, "{" WHOLE "}");
    assert_true (isnan (event.video_s));
    assert_int_equal (event.ads_clicked, 0);
    assert_text (event.ad_id, "");
    assert_int_equal (event.has, 0);
    event = decode_good (*state,
                         "{" WHOLE ",\"video_ts\":null,\"adsClicked\":null,\"adId\":null,\"event_id\":null}");
    assert_true (isnan (event.video_s));
    assert_text (event.event_id, "");
    assert_text (event.ad_id, "");
}

static void
test_ad_ids (void **state)
{
    static const char *const cases [][2] = {
        { "0", "" },         { "0.0", "" },
        { "\"0\"", "0" },    { "288", "288" },
        { "-7", "-7" },      { "\"spot\"", "spot" },
        { "\"\"", "" },      { "[1]", "" },
        { "{\"a\":1}", "" }, { "99999999999999999999", "99999999999999999999" },
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char text [256];
        snprintf (text, sizeof text, "{" WHOLE ",\"adId\":%s}", cases [at][0]);
        assert_text (decode_good (*state, text).ad_id, cases [at][1]);
    }
}

static void
test_numbers (void **state)
{
    static const struct {
        const char *json;
        double seconds;
        uint32_t count;
    } cases [] = {
        { "1", 1, 1 },
        { "\"2\"", 2, 2 },
        { "0.5", 0.5, 0 },
        { "\"0.1\"", 0.1, 0 },
        { "1e1", 10, 10 },
        { "-1", NAN, 0 },
        { "1e999", NAN, 0 },
        { "\"NaN\"", NAN, 0 },
        { "\"Infinity\"", NAN, 0 },
        { "\"0x10\"", NAN, 0 },
        { "\"\"", NAN, 0 },
        { "true", NAN, 0 },
        { "[]", NAN, 0 },
        { "4294967295", 4294967295., 4294967295 },
        { "4294967296", 4294967296., 0 },
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char text [256];
        snprintf (text, sizeof text, "{" WHOLE ",\"video_ts\":%s,\"adsSkipped\":%s}", cases [at].json,
                  cases [at].json);
        usher_event_t event = decode_good (*state, text);
        assert_true (isnan (cases [at].seconds) ? isnan (event.video_s)
                                                : event.video_s == cases [at].seconds);
        assert_int_equal (event.ads_skipped, cases [at].count);
    }
}

static void
test_instants (void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } cases [] = {
        { "2026-11-23T06:45:20.549Z", TSTAMP_MS },
        { "2026-11-23T06:45:20Z", TSTAMP_MS - 549 },
        { "2026-11-23T06:45:20.5Z", TSTAMP_MS - 49 },
        { "2026-11-23T06:45:20.549999999Z", TSTAMP_MS },
        { "2026-11-23 06:45:20.549", TSTAMP_MS },
        { "2026-11-23T06:45:20.549", TSTAMP_MS },
        { "2026-11-23T07:45:20.549+01:00", TSTAMP_MS },
        { "2026-11-23T07:45:20.549+0100", TSTAMP_MS },
        { "2026-11-23T07:45:20.549+01", TSTAMP_MS },
        { "2026-11-22T23:15:20.549-07:30", TSTAMP_MS },
        { "1970-01-01T00:00:00Z", 0 },
        { "1969-12-31T23:30:00-01:00", 1800000 },
        { "2000-02-29T00:00:00Z", 951782400000 },
        { "2000-02-29T00:00:00.000Z", 951782400000 },
        { "2026-01-31T23:59:59.999Z", 1769903999999 },
        { "9999-12-31T23:59:59.999Z", 253402300799999 },
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char text [256];
        snprintf (text, sizeof text, "{\"collector_tstamp\":\"%s\"," PLAY "," VIEWER "}", cases [at].text);
        assert_int_equal (decode_good (*state, text).collected_ms, cases [at].ms);
    }
}

static void
test_no_instants (void **state)
{
    static const char *const cases [] = {
        "yesterday",
        "2026-11-23",
        "2026-13-23T06:45:20Z",
        "2026-02-29T06:45:20Z",
        "2026-11-31T06:45:20Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T06:45:20.Z",
        "2026-11-23T06:45:20ZZ",
        "2026-11-23T06:45:20+1",
        "2026-11-23T06:45Z",
        "1969-12-31T23:59:59Z",
        "1795416320549",
        "2026-11-23T06:45:20+01:",
        " 2026-11-23T06:45:20Z",
        "2026-02-29T06:45:20.549Z",
        "2026-11-31T06:45:20.549Z",
        "2026-13-23T06:45:20.549Z",
        "2026-11-23T24:45:20.549Z",
        "2026-11-23T06:4x:20.549Z",
        "2026-11-23T06:45:20.54xZ",
        "2026-11-23T06:45:20,549+",
        "1969-12-31T23:59:59.999Z",
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char text [256];
        snprintf (text, sizeof text, "{\"collector_tstamp\":\"%s\"," PLAY "," VIEWER "}", cases [at]);
        decode_bad (*state, text, "collector_tstamp");
    }
}

static void
test_what_is_missing_is_named (void **state)
{
    decode_bad (*state, "{" PLAY "," VIEWER "}", "collector_tstamp is missing");
    decode_bad (*state, "{" PLAY "," VIEWER ",\"collector_tstamp\":null}", "collector_tstamp is missing");
    decode_bad (*state, "{" TSTAMP "," VIEWER "}", "event_name is missing");
    decode_bad (*state, "{" TSTAMP "," PLAY "}", "no_identity");
    decode_bad (*state, "{" TSTAMP "," PLAY ",\"viewer_id\":\"\"}", "no_identity");
    decode_bad (*state, "{" TSTAMP "," PLAY ",\"viewer_id\":\"PoC user\"}", "no_identity");
    decode_bad (*state, "{" WHOLE ",\"viewer_id\":null}", "no_identity");
    decode_bad (*state, "{}", "event_name");
    decode_bad (*state, "", "empty");
    decode_bad (*state, "\r\n", "empty");
}

static void
test_other_events_are_passed_by (void **state)
{
    static const char *const names [] = { "page_view", "ready_event", "ad_breakXX_event", "other_event",
                                          "play",      "_event",      "playevent",        "PLAY_EVENT" };
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        char text [256];
        snprintf (text, sizeof text, "{" TSTAMP "," VIEWER ",\"event_name\":\"%s\"}", names [at]);
        decode_passed_by (*state, text);
    }
}

static void
test_strings (void **state)
{
    usher_event_t event =
        decode_good (*state, "{" TSTAMP "," PLAY ",\"viewer_\\u0069d\":\"\\u00e9\\ud83d\\ude00\\\"\\/\\n\","
                             "\"event_id\":\"\\ud83dx\\u0000\",\"adId\":\"\xc3\xa9\"}");
    assert_text (event.viewer_id, "\xc3\xa9\xf0\x9f\x98\x80\"/\n");
    assert_text (event.event_id, "\xef\xbf\xbdx\xef\xbf\xbd");
    assert_text (event.ad_id, "\xc3\xa9");
    decode_bad (*state, "{" TSTAMP "," PLAY ",\"viewer_id\":\"\xff\"}", "viewer_id: not UTF-8");
    decode_bad (*state, "{" WHOLE ",\"adId\":\"\xed\xa0\x80\"}", "adId: not UTF-8");
}

static void
test_the_last_of_two_members_wins (void **state)
{
    usher_event_t event =
        decode_good (*state, "{" WHOLE ",\"viewer_id\":\"bob\",\"video_ts\":1,\"video_ts\":2}");
    assert_text (event.viewer_id, "bob");
    assert_true (event.video_s == 2);
}

static void
test_long_strings (void **state)
{
    char text [4096], id [1100];
    memset (id, 'x', sizeof id);
    //  The 128th byte lies within a code point of two: it goes as a whole.
    memcpy (id + 127, "\xc3\xa9", 2);
    snprintf (text, sizeof text, "{" WHOLE ",\"event_id\":\"%.*s\"}", 200, id);
    assert_int_equal (decode_good (*state, text).event_id.size, 127);
    snprintf (text, sizeof text, "{" TSTAMP "," PLAY ",\"viewer_id\":\"%.*s\"}", 1024, id);
    assert_int_equal (decode_good (*state, text).viewer_id.size, 1024);
    snprintf (text, sizeof text, "{" TSTAMP "," PLAY ",\"viewer_id\":\"%.*s\"}", 1025, id);
    decode_bad (*state, text, "longer than 1024");
}

static void
test_what_is_no_json (void **state)
{
    static const char *const cases [] = {
        "{",
        "{]",
        "{" WHOLE ",}",
        "{" WHOLE "}x",
        "{" WHOLE,
        "{\"a\" 1," WHOLE "}",
        "{\"a\":}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":NaN}",
        "{\"a\":tru}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":[}]}",
        "{\"a\":{\"b\"}}",
        "{\"a\":\"",
        "{\"a\":1}{}",
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++)
        decode_bad (*state, cases [at], "JSON: ");
}

static void
test_depth_is_bounded (void **state)
{
    char text [70000] = "{" WHOLE ",\"x\":", *at = text + strlen (text);
    const int inner = 31;
    memset (at, '[', (size_t)inner);
    memset (at + inner, ']', (size_t)inner);
    strcpy (at + 2 * inner, "}");
    decode_good (*state, text);
    memset (at, '[', 60000);
    at [60000] = 0;
    decode_bad (*state, text, "nested too deep");
}

static void
test_a_zero_byte_is_no_json (void **state)
{
    const char text [] = "{" WHOLE "}\0{";
    usher_event_t event;
    const char *reason = "";
    assert_int_equal (decode_bytes (*state, text, sizeof text - 1, &event, &reason), DECODE_BAD);
    assert_non_null (strstr (reason, "zero byte"));
}

static void
sample_line (void *arg, int number, char *line)
{
    (void)number;
    usher_event_t event = decode_good (arg, line);
    assert_int_equal (event.event_id.size, 36);
    assert_true (event.video_s >= 0);
    assert_int_equal (event.has, 0);
}

static void
test_the_samples (void **state)
{
    assert_int_equal (each_line ("snowbridge-flattened-browser-4.10.ndjson", sample_line, *state), 19);
    assert_int_equal (each_line ("snowbridge-flattened-node-4.8.0.ndjson", sample_line, *state), 1);
}

static void
test_every_truncation_of_the_samples (void **state)
{
    each_line ("snowbridge-flattened-browser-4.10.ndjson", truncate_line, *state);
    each_line ("snowbridge-flattened-node-4.8.0.ndjson", truncate_line, *state);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, decode_setup, decode_teardown)
        TEST (test_a_message_as_it_comes),
        TEST (test_members_in_any_order),
        TEST (test_absent_and_null_members),
        TEST (test_ad_ids),
        TEST (test_numbers),
        TEST (test_instants),
        TEST (test_no_instants),
        TEST (test_what_is_missing_is_named),
        TEST (test_other_events_are_passed_by),
        TEST (test_strings),
        TEST (test_the_last_of_two_members_wins),
        TEST (test_long_strings),
        TEST (test_what_is_no_json),
        TEST (test_depth_is_bounded),
        TEST (test_a_zero_byte_is_no_json),
        TEST (test_the_samples),
        TEST (test_every_truncation_of_the_samples),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
