//  test_media_data - entities and events of the media plugin, new, older and of schemas to come, each in both wrappers

#include "test_told.h"

//  ---- the media plugin's events

static void
test_every_event_of_the_plugin (void **state)
{
    for (usher_event_kind_t kind = USHER_event_kind_other + 1; kind < USHER_EVENT_KINDS; kind++) {
        char name [64];
        snprintf (name, sizeof name, "%s_event", usher_event_kind_names [kind]);
        assert_int_equal (decode_told (*state, (told_t){ MEDIA, name, "{}", { { 0 } } }).kind, kind);
        told_is_passed_by (*state, (told_t){ SNOWPLOW, name, "{}", { { 0 } } });
    }
    told_is_passed_by (*state, (told_t){ MEDIA, "other_event", "{}", { { 0 } } });
}

static void
test_other_events (void **state)
{
    told_is_passed_by (*state, (told_t){ SNOWPLOW, "page_view", "null", { PLAYER ("2-0-0", "{}") } });
    told_is_passed_by (*state, (told_t){ SNOWPLOW, "page_ping", "null", { { 0 } } });
    told_is_passed_by (*state, (told_t){ "com.google.analytics", "event", "null", { { 0 } } });
    told_is_passed_by (*state,
                       (told_t){ "com.acme", "media_player_event", "{\"type\":\"play\"}", { { 0 } } });
}

//  Of one kind the first counts.
static void
test_two_of_a_kind (void **state)
{
    usher_event_t event =
        decode_told (*state, (told_t){ PLAY,
                                       { AD ("1-0-0", "{\"adId\":\"a\"}"), AD ("1-0-0", "{\"adId\":\"b\"}"),
                                         AD ("1-0-0", "{\"adId\":\"c\"}") } });
    assert_text (event.ad_id, "a");
    //  The first that is an object.
    event =
        decode_told (*state, (told_t){ PLAY, { AD ("1-0-0", "null"), AD ("1-0-0", "{\"adId\":\"b\"}") } });
    assert_text (event.ad_id, "b");
}

//  ---- values

static void
test_nulls_and_empty_strings (void **state)
{
    usher_event_t event = decode_told (
        *state,
        (told_t){ PLAY,
                  { PLAYER ("2-0-0", "{\"currentTime\":null,\"label\":null,\"volume\":null,\"muted\":null,"
                                     "\"quality\":\"\",\"playbackRate\":null}"),
                    SESSION ("1-0-0", "{\"mediaSessionId\":null,\"timePlayed\":null,\"ads\":null}"),
                    AD ("1-0-0", "{\"adId\":\"\",\"skippable\":null,\"podPosition\":null}"),
                    BREAK ("1-0-0", "{\"breakId\":null,\"name\":\"\"}") } });
    assert_int_equal (event.has, USHER_HAS_PLAYER | USHER_HAS_SESSION | USHER_HAS_AD | USHER_HAS_BREAK);
    assert_true (isnan (event.video_s));
    assert_true (isnan (event.rate));
    assert_int_equal (event.volume, 0);
    assert_int_equal (event.flags, 0);
    assert_int_equal (event.session_id.size + event.ad_id.size + event.media_label.size + event.quality.size,
                      0);
    assert_int_equal (event.skippable, 0);
}

static void
test_numbers_as_strings (void **state)
{
    usher_event_t event = decode_told (
        *state, (told_t){ MEDIA,
                          "volume_change_event",
                          "{\"newVolume\":\"40\"}",
                          { PLAYER ("2-0-0", "{\"currentTime\":\"7.5\",\"duration\":\"NaN\"}"),
                            SESSION ("1-0-0", "{\"mediaSessionId\":17,\"timePlayed\":\"1e1\",\"ads\":\"2\","
                                              "\"adsClicked\":\"-1\",\"adsSkipped\":\"Infinity\"}"),
                            AD ("1-0-0", "{\"adId\":288,\"podPosition\":\"2\"}") } });
    assert_int_equal (event.volume, 41);
    assert_true (event.video_s == 7.5);
    assert_true (isnan (event.duration_s));
    assert_text (event.session_id, "17");
    assert_true (event.time_played_s == 10);
    assert_int_equal (event.ads, 2);
    assert_int_equal (event.ads_clicked + event.ads_skipped, 0);
    assert_text (event.ad_id, "288");
    assert_int_equal (event.pod_position, 2);
}

static void
test_unknown_members (void **state)
{
    usher_event_t event = decode_told (
        *state, (told_t){ MEDIA,
                          "seek_end_event",
                          "{\"from\":[1,{\"a\":null}]}",
                          { PLAYER ("2-0-0", "{\"mood\":{\"currentTime\":1},\"currentTime\":2,\"x\":[[]]}"),
                            { "com.acme", "session", "1-0-0", "{\"mediaSessionId\":\"not ours\"}" } } });
    assert_int_equal (event.has, USHER_HAS_PLAYER);
    assert_true (event.video_s == 2);
}

//  ---- schemas newer than ours

static void
test_newer_revisions_are_read (void **state)
{
    usher_event_t event = decode_told (
        *state,
        (told_t){ PLAY,
                  { PLAYER ("2-3-1", "{\"currentTime\":7}"), SESSION ("1-0-12", "{\"mediaSessionId\":\"s\"}"),
                    AD ("1-2-0", "{\"adId\":\"a\"}"), BREAK ("1-1-1", "{\"breakId\":\"b\"}") } });
    assert_true (event.video_s == 7);
    assert_text (event.session_id, "s");
    assert_text (event.ad_id, "a");
    assert_text (event.break_id, "b");
}

static void
test_newer_models_are_read_where_they_say_what_they_are_for (void **state)
{
    usher_event_t event = decode_told (
        *state, (told_t){ PLAY,
                          { PLAYER ("3-0-0", "{\"currentTime\":7,\"volume\":{\"left\":1}}"),
                            SESSION ("2-0-0", "{\"mediaSessionId\":\"s\"}"),
                            AD ("10-0-0", "{\"adId\":\"a\"}"), BREAK ("2-0-0", "{\"breakId\":\"b\"}") } });
    assert_int_equal (event.has, USHER_HAS_PLAYER | USHER_HAS_SESSION | USHER_HAS_AD | USHER_HAS_BREAK);
    assert_true (event.video_s == 7);
    assert_int_equal (event.volume, 0);
    told_is_bad (*state, (told_t){ PLAY, { PLAYER ("3-0-0", "{\"position\":7}") } },
                 "com.snowplowanalytics.snowplow/media_player/jsonschema/3: a newer model than is known, "
                 "without currentTime");
    told_is_bad (*state, (told_t){ PLAY, { SESSION ("2-0-0", "{\"id\":\"s\"}") } },
                 "media/session/jsonschema/2: a newer model than is known, without mediaSessionId");
    told_is_bad (*state, (told_t){ PLAY, { AD ("2-0-0", "{}") } }, "without adId");
    told_is_bad (*state, (told_t){ PLAY, { BREAK ("2-0-0", "{}") } }, "without breakId");
}

//  Whoever sends both during a change of trackers is understood by the one that is known.
static void
test_the_known_model_counts_beside_others (void **state)
{
    usher_event_t event =
        decode_told (*state, (told_t){ PLAY,
                                       { PLAYER ("1-0-0", "{\"currentTime\":1,\"muted\":true}"),
                                         PLAYER ("3-0-0", "{}"), PLAYER ("2-0-0", "{\"currentTime\":2}"),
                                         PLAYER ("4-0-0", "{\"currentTime\":4}") } });
    assert_true (event.video_s == 2);
    assert_int_equal (event.flags, 0);
}

//  ---- older events

static void
test_an_older_event_of_html (void **state)
{
    usher_event_t event = decode_told (
        *state, (told_t){ OLDER ("{\"type\":\"percentprogress\",\"label\":\"Film\"}"),
                          { HTML ("{\"htmlId\":\"v\",\"mediaType\":\"VIDEO\",\"buffered\":[{\"start\":0,"
                                  "\"end\":5}],\"error\":null,\"fullscreen\":true,\"pictureInPicture\":"
                                  "false,\"seeking\":false}"),
                            PLAYER ("1-0-0", "{\"currentTime\":60.5,\"duration\":600,\"ended\":false,"
                                             "\"isLive\":true,\"loop\":false,\"muted\":true,\"paused\":false,"
                                             "\"percentProgress\":10,\"playbackRate\":1.5,\"volume\":80}"),
                            VIDEO ("{\"videoHeight\":1080,\"videoWidth\":1920}") } });
    assert_int_equal (event.kind, USHER_event_kind_percent_progress);
    assert_int_equal (event.has, USHER_HAS_PLAYER);
    assert_text (event.viewer_id, "alice");
    assert_text (event.media_label, "Film");
    assert_text (event.media_type, "video");
    assert_text (event.player_type, "org.whatwg-media_element");
    assert_true (event.video_s == 60.5);
    assert_true (event.duration_s == 600);
    assert_int_equal (event.percent, 10);
    assert_true (event.rate == 1.5);
    assert_int_equal (event.volume, 81);
    assert_int_equal (event.flags, USHER_LIVE | USHER_MUTED | USHER_FULLSCREEN);
    assert_text (event.session_id, "");
}

static void
test_an_older_event_of_youtube (void **state)
{
    usher_event_t event = decode_told (
        *state,
        (told_t){
            OLDER ("{\"type\":\"playbackqualitychange\",\"label\":null}"),
            { YOUTUBE ("{\"playerId\":\"y\",\"playbackQuality\":\"hd720\",\"error\":null,\"loaded\":4}"),
              PLAYER ("1-0-0", "{\"currentTime\":3,\"playbackRate\":-1}") } });
    assert_int_equal (event.kind, USHER_event_kind_quality_change);
    assert_int_equal (event.has, USHER_HAS_PLAYER | USHER_HAS_QUALITY);
    assert_text (event.quality, "hd720");
    assert_text (event.player_type, "com.youtube-youtube");
    assert_text (event.media_label, "");
    assert_true (isnan (event.rate));
}

static void
test_older_errors (void **state)
{
    static const struct {
        body_t body;
        const char *text;
    } cases [] = {
        { YOUTUBE ("{\"error\":\"NOT_FOUND\"}"), "NOT_FOUND" },
        { HTML ("{\"error\":{\"code\":4,\"message\":\"no \\\"codec\\\"\"}}"), "no \"codec\"" },
        { HTML ("{\"error\":{\"message\":\"\",\"code\":3}}"), "3" },
        { HTML ("{\"error\":{}}"), "" },
        { HTML ("{\"error\":null}"), "" },
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        usher_event_t event =
            decode_told (*state, (told_t){ OLDER ("{\"type\":\"error\"}"), { cases [at].body } });
        assert_int_equal (event.has, USHER_HAS_PLAYER | USHER_HAS_ERROR);
        assert_text (event.error_text, cases [at].text);
    }
}

//  The row of the document's table that has the type must name the kind.
static void
assert_documented (const char *type, const char *kind)
{
    static char text [65536];
    char words [64];
    FILE *file = fopen ("docs/inputs.md", "r");
    assert_non_null (file);
    text [fread (text, 1, sizeof text - 1, file)] = 0;
    fclose (file);
    char *table = strstr (text, "| `type` of the older event |");
    assert_non_null (table);
    snprintf (words, sizeof words, "`%s`", type);
    char *row = strstr (table, words);
    snprintf (words, sizeof words, "| %s", kind);
    char *told = row ? strstr (row, words) : NULL;
    if (!told || memchr (row, '\n', (size_t)(told - row)))
        fail_msg ("docs/inputs.md does not say that %s is %s", type, kind);
}

static void
test_every_older_type (void **state)
{
    static const struct {
        const char *type, *kind;
    } types [] = {
        { "play", "play" },
        { "pause", "pause" },
        { "ended", "end" },
        { "error", "error" },
        { "ready", "ready" },
        { "loadedmetadata", "ready" },
        { "percentprogress", "percent_progress" },
        { "timeupdate", "ping" },
        { "waiting", "buffer_start" },
        { "buffering", "buffer_start" },
        { "playing", "buffer_end" },
        { "seeking", "seek_start" },
        { "seeked", "seek_end" },
        { "seek", "seek_end" },
        { "ratechange", "playback_rate_change" },
        { "playbackratechange", "playback_rate_change" },
        { "volumechange", "volume_change" },
        { "fullscreenchange", "fullscreen_change" },
        { "enterpictureinpicture", "picture_in_picture_change" },
        { "leavepictureinpicture", "picture_in_picture_change" },
        { "playbackqualitychange", "quality_change" },
        //  loading, the element, the player's page, somebody's own
        { "abort", NULL },
        { "canplay", NULL },
        { "canplaythrough", NULL },
        { "durationchange", NULL },
        { "emptied", NULL },
        { "loadstart", NULL },
        { "progress", NULL },
        { "resize", NULL },
        { "stalled", NULL },
        { "suspend", NULL },
        { "change", NULL },
        { "cued", NULL },
        { "unstarted", NULL },
        { "apichange", NULL },
        { "Play", NULL },
        { "dance", NULL },
    };
    for (size_t at = 0; at < sizeof types / sizeof *types; at++) {
        char own [64];
        snprintf (own, sizeof own, "{\"type\":\"%s\"}", types [at].type);
        told_t told = { OLDER (own), { PLAYER ("1-0-0", "{\"currentTime\":1}") } };
        if (!types [at].kind) {
            told_is_passed_by (*state, told);
            continue;
        }
        assert_string_equal (usher_event_kind_names [decode_told (*state, told).kind], types [at].kind);
        assert_documented (types [at].type, types [at].kind);
    }
}

static void
test_older_picture_in_picture (void **state)
{
    told_t enter = { OLDER ("{\"type\":\"enterpictureinpicture\"}"), { HTML ("{\"fullscreen\":true}") } };
    told_t leave = { OLDER ("{\"type\":\"leavepictureinpicture\"}"),
                     { HTML ("{\"pictureInPicture\":true}") } };
    assert_int_equal (decode_told (*state, enter).flags, USHER_PICTURE_IN_PICTURE | USHER_FULLSCREEN);
    assert_int_equal (decode_told (*state, leave).flags, 0);
}

static void
test_an_older_event_without_a_type (void **state)
{
    static const char *const own [] = {
        "{}", "{\"label\":\"x\"}", "{\"type\":null}", "{\"type\":\"\"}", "[]", "null"
    };
    for (size_t at = 0; at < sizeof own / sizeof *own; at++)
        told_is_bad (*state, (told_t){ OLDER (own [at]), { { 0 } } }, "media_player_event: type is missing");
}

//  New trackers send the element's entities beside a player of model 2, which says all of it itself.
static void
test_older_entities_beside_a_new_player (void **state)
{
    usher_event_t event = decode_told (
        *state,
        (told_t){ PLAY,
                  { HTML ("{\"mediaType\":\"AUDIO\",\"fullscreen\":true}"),
                    PLAYER ("2-0-0", "{\"currentTime\":2,\"mediaType\":\"video\",\"playerType\":\"html5\"}"),
                    YOUTUBE ("{\"playbackQuality\":\"small\"}") } });
    assert_text (event.media_type, "video");
    assert_text (event.player_type, "html5");
    assert_text (event.quality, "");
    assert_int_equal (event.flags, 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, decode_setup, decode_teardown)
        TEST (test_every_event_of_the_plugin),
        TEST (test_other_events),
        TEST (test_two_of_a_kind),
        TEST (test_nulls_and_empty_strings),
        TEST (test_numbers_as_strings),
        TEST (test_unknown_members),
        TEST (test_newer_revisions_are_read),
        TEST (test_newer_models_are_read_where_they_say_what_they_are_for),
        TEST (test_the_known_model_counts_beside_others),
        TEST (test_an_older_event_of_html),
        TEST (test_an_older_event_of_youtube),
        TEST (test_older_errors),
        TEST (test_every_older_type),
        TEST (test_older_picture_in_picture),
        TEST (test_an_older_event_without_a_type),
        TEST (test_older_entities_beside_a_new_player),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
