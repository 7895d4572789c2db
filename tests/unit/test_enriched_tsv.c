//  test_enriched_tsv - enriched events: what real trackers' events say, and rows made up from parts

#include "test_decode.h"

//  ---- samples

typedef struct {
    const char *event_id;    //  looked for
    decoder_t *decoder;
    char *line;    //  found
} search_t;

static void
find_line (void *arg, int number, char *line)
{
    search_t *search = arg;
    (void)number;
    if (!search->line && strstr (line, search->event_id))
        search->line = strdup (line);
}

//  The sample row of that event.
static char *
sample (const char *event_id)
{
    search_t search = { .event_id = event_id };
    each_line ("enriched-browser-4.10.tsv", find_line, &search);
    each_line ("enriched-node-4.8.0.tsv", find_line, &search);
    if (!search.line)
        fail_msg ("no sample of event %s", event_id);
    return search.line;
}

static usher_event_t
decode_sample (decoder_t *decoder, const char *event_id)
{
    char *line = sample (event_id);
    usher_event_t event = decode_good (decoder, line);
    free (line);
    assert_text (event.event_id, event_id);
    return event;
}

static void
test_an_ad_click (void **state)
{
    usher_event_t event = decode_sample (*state, "f9538cc8-5ec0-4834-bec8-50605be647b4");
    assert_int_equal (event.kind, USHER_event_kind_ad_click);
    assert_int_equal (event.collected_ms, 1795416321112);
    assert_int_equal (event.created_ms, 1795416321038);
    assert_int_equal (event.has, USHER_HAS_PLAYER | USHER_HAS_SESSION | USHER_HAS_AD | USHER_HAS_BREAK);
    assert_text (event.viewer_id, "alice@example.com");
    assert_text (event.app_id, "live-viewer");
    assert_text (event.platform, "web");
    assert_int_equal (event.percent, 80);
    //  player
    assert_true (event.video_s == 0.112652);
    assert_true (event.duration_s == 596.474195);
    assert_true (event.rate == 1);
    assert_text (event.media_label, "Bugs Bunny");
    assert_text (event.media_type, "video");
    assert_text (event.player_type, "html5");
    assert_int_equal (event.volume, 101);
    assert_int_equal (event.flags, USHER_PLAYER_PAUSED);
    //  session
    assert_text (event.session_id, "e3a82b1d-e44e-4bbf-a797-672b4e879af3");
    assert_int_equal (event.ping_s, 1);
    assert_true (event.time_paused_s == 0.124);
    assert_true (event.time_played_s == 0.185);
    assert_true (event.time_ads_s == 0.256);
    assert_true (event.time_buffering_s == 0);
    assert_true (event.content_s == 1);
    assert_true (event.avg_rate == 1);
    assert_int_equal (event.ads, 1);
    assert_int_equal (event.ad_breaks, 1);
    assert_int_equal (event.ads_clicked, 1);
    assert_int_equal (event.ads_skipped, 0);
    //  ad and break
    assert_text (event.ad_id, "288");
    assert_text (event.ad_name, "Podcast Ad");
    assert_text (event.creative_id, "4321");
    assert_int_equal (event.pod_position, 1);
    assert_true (event.ad_duration_s == 15);
    assert_int_equal (event.skippable, 2);
    assert_text (event.break_id, "ab-1");
    assert_text (event.break_name, "pre-roll");
    assert_text (event.break_type, "linear");
}

static void
test_a_quality_change (void **state)
{
    usher_event_t event = decode_sample (*state, "ddf68000-94e4-4aae-a0ab-e2d0e2989938");
    assert_int_equal (event.has, USHER_HAS_PLAYER | USHER_HAS_SESSION | USHER_HAS_QUALITY);
    assert_text (event.quality, "1920x1080");
    assert_int_equal (event.bitrate, 3333);
    assert_int_equal (event.fps, 60);
    assert_int_equal (event.flags, 0);
}

static void
test_an_error (void **state)
{
    usher_event_t event = decode_sample (*state, "1344c74f-3f4c-4f4e-85f5-4707310a983b");
    assert_int_equal (event.has, USHER_HAS_PLAYER | USHER_HAS_SESSION | USHER_HAS_ERROR);
    assert_text (event.error_text, "forbidden");
    assert_int_equal (event.flags, USHER_FULLSCREEN | USHER_PICTURE_IN_PICTURE);
}

static void
test_volume_rate_and_progress (void **state)
{
    assert_int_equal (decode_sample (*state, "615b67e1-7102-48a0-adb4-75aedf5fd92c").volume, 41);
    assert_true (decode_sample (*state, "be791045-3fd7-4303-a2db-fcb0476a29a9").rate == 1.5);
    assert_int_equal (decode_sample (*state, "1f590557-9ea4-4868-b271-bd7803625e9e").percent, 23);
    usher_event_t end = decode_sample (*state, "3e761ba3-1b73-4d7e-a7ba-be4a95431be0");
    assert_int_equal (end.kind, USHER_event_kind_end);
    assert_true (end.flags & USHER_PLAYER_ENDED);
    assert_true (end.content_s == 302);
}

//  No clock of the device, no session: what a server's tracker sends.
static void
test_a_node_event (void **state)
{
    usher_event_t event = decode_sample (*state, "6b926c31-da0d-40ae-b2db-30baa0c038a5");
    assert_text (event.viewer_id, "dave");
    assert_text (event.platform, "srv");
    assert_text (event.user_agent, "node");
    assert_int_equal (event.has, USHER_HAS_PLAYER);
    assert_int_equal (event.created_ms, 0);
    assert_true (event.video_s == 5);
    assert_true (isnan (event.duration_s));
    assert_true (isnan (event.rate));
    assert_int_equal (event.volume, 0);
}

typedef struct {
    decoder_t *decoder;
    int events, passed_by;
} tally_t;

static void
tally_line (void *arg, int number, char *line)
{
    tally_t *tally = arg;
    usher_event_t event;
    const char *reason = "";
    decode_result_t result = decode_bytes (tally->decoder, line, strlen (line), &event, &reason);
    if (result == DECODE_BAD)
        fail_msg ("line %d: %s", number, reason);
    if (result == DECODE_PASSED_BY) {
        tally->passed_by++;
        return;
    }
    tally->events++;
    usher_msg_t msg = { .id = USHER_MSG_event, .event = event };
    uint8_t frame [65536];
    assert_true (usher_encode (&msg, frame, sizeof frame) > 0);
}

//  Page views, page pings and structured events are not ours.
static void
test_every_sample_is_understood (void **state)
{
    tally_t browser = { .decoder = *state }, node = browser;
    each_line ("enriched-browser-4.10.tsv", tally_line, &browser);
    each_line ("enriched-node-4.8.0.tsv", tally_line, &node);
    assert_int_equal (browser.events, 43);
    assert_int_equal (browser.passed_by, 7);
    assert_int_equal (node.events, 1);
    assert_int_equal (node.passed_by, 2);
}

static void
compare_line (void *arg, int number, char *line)
{
    decoder_t *other = decoder_new ();
    usher_event_t flat = decode_good (other, line);
    char event_id [64];
    (void)number;
    snprintf (event_id, sizeof event_id, "%.*s", (int)flat.event_id.size, flat.event_id.data);
    char *row = sample (event_id);
    usher_event_t rich;
    const char *reason;
    assert_int_equal (decode_event (arg, row, strlen (row), &rich, &reason), DECODE_EVENT);
    assert_int_equal (flat.collected_ms, rich.collected_ms);
    assert_true (usher_str_eq (flat.viewer_id, rich.viewer_id));
    assert_int_equal (flat.kind, rich.kind);
    assert_true (flat.video_s == rich.video_s);
    assert_int_equal (flat.ads_clicked, rich.ads_clicked);
    assert_int_equal (flat.ads_skipped, rich.ads_skipped);
    assert_true (usher_str_eq (flat.ad_id, rich.ad_id));
    free (row);
    decoder_destroy (&other);
}

//  What Snowbridge and the reference's script made of a row, and what we make of it.
static void
test_both_forms_of_an_event_agree (void **state)
{
    assert_int_equal (each_line ("snowbridge-flattened-browser-4.10.ndjson", compare_line, *state), 19);
    assert_int_equal (each_line ("snowbridge-flattened-node-4.8.0.ndjson", compare_line, *state), 1);
}

static void
test_every_truncation_of_the_samples (void **state)
{
    each_line ("enriched-browser-4.10.tsv", truncate_line, *state);
    each_line ("enriched-node-4.8.0.tsv", truncate_line, *state);
}

//  ---- rows made up

#define MEDIA "com.snowplowanalytics.snowplow.media"
#define PLAYER(model, data)                                                                                  \
    "{\"schema\":\"iglu:com.snowplowanalytics.snowplow/media_player/jsonschema/" model "\",\"data\":" data "}"
#define SESSION(data) "{\"schema\":\"iglu:" MEDIA "/session/jsonschema/1-0-0\",\"data\":" data "}"
#define CONTEXTS(list) "{\"schema\":\"iglu:x/contexts/jsonschema/1-0-1\",\"data\":[" list "]}"

typedef struct {
    const char *vendor, *name, *collected, *created, *user, *domain_user, *contexts, *unstruct, *derived;
} row_t;

static const row_t plain = { MEDIA, "play_event", "2026-11-23 06:45:20.549", "", "alice", "d-1", "", "", "" };

//  The row as text; valid until the next call.
static const char *
row_text (const row_t *row)
{
    static char text [65536];
    const struct {
        int column;
        const char *text;
    } filled [] = {
        { 4, row->collected },    { 5, row->created },   { 13, row->user },
        { 16, row->domain_user }, { 53, row->contexts }, { 59, row->unstruct },
        { 123, row->derived },    { 126, row->vendor },  { 127, row->name },
    };
    size_t next = 0, size = 0;
    for (int column = 1; column <= 131; column++) {
        if (next < sizeof filled / sizeof *filled && filled [next].column == column)
            size += (size_t)snprintf (text + size, sizeof text - size, "%s", filled [next++].text);
        if (column < 131)
            text [size++] = '\t';
    }
    text [size] = 0;
    return text;
}

static usher_event_t
decode_contexts (decoder_t *decoder, const char *contexts)
{
    row_t row = plain;
    row.contexts = contexts;
    return decode_good (decoder, row_text (&row));
}

static void
test_who_the_viewer_is (void **state)
{
    row_t row = plain;
    assert_text (decode_good (*state, row_text (&row)).viewer_id, "alice");
    row.user = "PoC user";    //  somebody's name here
    assert_text (decode_good (*state, row_text (&row)).viewer_id, "PoC user");
    row.user = "";
    assert_text (decode_good (*state, row_text (&row)).viewer_id, "d-1");
    row.domain_user = "";
    decode_bad (*state, row_text (&row), "no_identity");
    row.user = "\xfe";
    decode_bad (*state, row_text (&row), "user_id: not UTF-8");
}

static void
test_only_media_events_of_the_vendor (void **state)
{
    row_t row = plain;
    row.vendor = "com.acme";
    decode_passed_by (*state, row_text (&row));
    row = plain;
    row.name = "page_view";
    decode_passed_by (*state, row_text (&row));
    row.name = "dance_event";
    decode_passed_by (*state, row_text (&row));
    row.name = "";
    decode_passed_by (*state, row_text (&row));
}

static void
test_columns_are_counted (void **state)
{
    char text [1024];
    decode_bad (*state, "no tab at all", "1 columns instead of 131");
    snprintf (text, sizeof text, "%s\t", row_text (&plain));
    decode_bad (*state, text, "132 columns");
    *strrchr (text, '\t') = 0;
    *strrchr (text, '\t') = 0;
    decode_bad (*state, text, "130 columns");
    snprintf (text, sizeof text, "%s\r\n", row_text (&plain));
    decode_good (*state, text);
}

static void
test_clocks (void **state)
{
    row_t row = plain;
    row.created = "2026-11-23 06:45:19.000";
    assert_int_equal (decode_good (*state, row_text (&row)).created_ms, 1795416319000);
    row.created = "1900-01-01 00:00:00.000";
    assert_int_equal (decode_good (*state, row_text (&row)).created_ms, 0);
    row.collected = "";
    decode_bad (*state, row_text (&row), "collector_tstamp is missing");
    row.collected = "soon";
    decode_bad (*state, row_text (&row), "collector_tstamp");
}

static void
test_schemas_and_their_models (void **state)
{
    assert_true (decode_contexts (*state, CONTEXTS (PLAYER ("2-0-0", "{\"currentTime\":7}"))).video_s == 7);
    usher_event_t old =
        decode_contexts (*state, CONTEXTS (PLAYER ("1-0-3", "{\"currentTime\":7,\"isLive\":true}")));
    assert_true (old.video_s == 7);
    assert_int_equal (old.flags, USHER_LIVE);
    assert_int_equal (decode_contexts (*state, CONTEXTS (PLAYER ("0-0-0", "{\"currentTime\":7}"))).has, 0);
    assert_int_equal (decode_contexts (*state, CONTEXTS (PLAYER ("2", "{\"currentTime\":7}"))).has, 0);
    assert_int_equal (decode_contexts (*state, CONTEXTS ("1,null,[],{},{\"schema\":3,\"data\":{}}")).has, 0);
    assert_int_equal (decode_contexts (*state, CONTEXTS (PLAYER ("2-0-0", "[1]"))).has, 0);
}

static void
test_the_first_of_a_kind_counts (void **state)
{
    usher_event_t event = decode_contexts (
        *state,
        CONTEXTS (PLAYER ("2-0-0", "{\"currentTime\":1}") "," PLAYER ("2-0-0", "{\"currentTime\":2}")));
    assert_true (event.video_s == 1);
    row_t row = plain;
    row.contexts = CONTEXTS (PLAYER ("2-0-0", "{\"currentTime\":1}"));
    row.derived = CONTEXTS (PLAYER ("2-0-0", "{\"currentTime\":3}"));
    assert_true (decode_good (*state, row_text (&row)).video_s == 3);
}

static void
test_data_before_its_schema (void **state)
{
    usher_event_t event = decode_contexts (
        *state,
        "{\"data\":[{\"data\":{\"currentTime\":4,\"label\":\"\\u00e9\"},\"schema\":"
        "\"iglu:com.snowplowanalytics.snowplow\\/media_player/jsonschema/2-0-0\"}],\"schema\":\"x\"}");
    assert_true (event.video_s == 4);
    assert_text (event.media_label, "\xc3\xa9");
}

static void
test_totals_that_cannot_be (void **state)
{
    usher_event_t event = decode_contexts (
        *state,
        CONTEXTS (SESSION ("{\"mediaSessionId\":\"s\",\"timePlayed\":-1,\"timePaused\":1e999,"
                           "\"timeBuffering\":null,\"ads\":1.5,\"adsClicked\":-1,\"adsSkipped\":\"2\","
                           "\"pingInterval\":70000,\"avgPlaybackRate\":\"x\",\"timeSpentAds\":1.5e1}")));
    assert_int_equal (event.has, USHER_HAS_SESSION);
    assert_true (event.time_played_s == 0);
    assert_true (event.time_paused_s == 0);
    assert_true (event.time_buffering_s == 0);
    assert_true (event.time_ads_s == 15);
    assert_int_equal (event.ads, 0);
    assert_int_equal (event.ads_clicked, 0);
    assert_int_equal (event.ads_skipped, 2);
    assert_int_equal (event.ping_s, 0);
    assert_true (isnan (event.avg_rate));
}

static void
test_flags_and_volume (void **state)
{
    usher_event_t event = decode_contexts (
        *state, CONTEXTS (PLAYER ("2-0-0",
                                  "{\"livestream\":true,\"muted\":true,\"fullscreen\":true,"
                                  "\"pictureInPicture\":true,\"paused\":true,\"ended\":true,\"volume\":0}")));
    assert_int_equal (event.flags, 63);
    assert_int_equal (event.volume, 1);
    assert_int_equal (decode_contexts (*state, CONTEXTS (PLAYER ("2-0-0", "{\"volume\":101}"))).volume, 0);
    assert_int_equal (decode_contexts (*state, CONTEXTS (PLAYER ("2-0-0", "{\"volume\":null}"))).volume, 0);
    assert_int_equal (decode_contexts (*state, CONTEXTS (PLAYER ("2-0-0", "{\"volume\":33.4}"))).volume, 34);
}

#define UNSTRUCT(data)                                                                                       \
    "{\"schema\":\"iglu:x/unstruct_event/jsonschema/1-0-0\",\"data\":{\"schema\":\"iglu:y\",\"data\":" data  \
    "}}"

static void
test_the_event_itself (void **state)
{
    row_t row = plain;
    row.contexts = CONTEXTS (PLAYER ("2-0-0", "{\"volume\":100,\"quality\":\"low\",\"fullscreen\":true}"));
    row.unstruct = UNSTRUCT ("{\"newVolume\":null,\"newQuality\":null,\"fullscreen\":false}");
    usher_event_t event = decode_good (*state, row_text (&row));
    assert_int_equal (event.volume, 101);
    assert_text (event.quality, "low");
    assert_int_equal (event.flags, 0);
    row.name = "error_event";
    row.unstruct = UNSTRUCT ("{\"errorCode\":\"500\",\"errorDescription\":\"a \\\"b\\\"\"}");
    assert_text (decode_good (*state, row_text (&row)).error_text, "a \"b\"");
    row.unstruct = UNSTRUCT ("{\"errorCode\":\"500\"}");
    assert_text (decode_good (*state, row_text (&row)).error_text, "500");
}

static void
test_broken_json_is_named (void **state)
{
    row_t row = plain;
    row.contexts = "{\"data\":[{]}";
    decode_bad (*state, row_text (&row), "contexts: JSON: ");
    row = plain;
    row.unstruct = "[]";
    decode_bad (*state, row_text (&row), "unstruct_event: JSON: ");
    row = plain;
    row.derived = "{\"data\":[]} x";
    decode_bad (*state, row_text (&row), "derived_contexts: JSON: more after the end");
    row = plain;
    row.contexts = CONTEXTS (PLAYER ("2-0-0", "{\"label\":\"\xc0\"}"));
    decode_bad (*state, row_text (&row), "label: not UTF-8");
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, decode_setup, decode_teardown)
        TEST (test_an_ad_click),
        TEST (test_a_quality_change),
        TEST (test_an_error),
        TEST (test_volume_rate_and_progress),
        TEST (test_a_node_event),
        TEST (test_every_sample_is_understood),
        TEST (test_both_forms_of_an_event_agree),
        TEST (test_every_truncation_of_the_samples),
        TEST (test_who_the_viewer_is),
        TEST (test_only_media_events_of_the_vendor),
        TEST (test_columns_are_counted),
        TEST (test_clocks),
        TEST (test_schemas_and_their_models),
        TEST (test_the_first_of_a_kind_counts),
        TEST (test_data_before_its_schema),
        TEST (test_totals_that_cannot_be),
        TEST (test_flags_and_volume),
        TEST (test_the_event_itself),
        TEST (test_broken_json_is_named),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
