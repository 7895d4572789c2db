//  test_audience - simulated viewers: determinism, protocol, totals and grammar of what they say
//
//  Every body that an audience of some dozens of viewers makes in two hours goes through a checker that parses
//  it with jansson and follows each media session as a reader of the protocol would, knowing nothing of audience.c.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "audience.h"

#define START_MS INT64_C (1795416320000)
#define HOUR_MS (3600 * 1000)
#define VIEWERS 40
#define MEDIA "iglu:com.snowplowanalytics.snowplow.media/"
#define SNOWPLOW "iglu:com.snowplowanalytics.snowplow/"

static const audience_options_t usual = { .start_ms = START_MS, .speed = 1, .ramp_up_ms = 60000 };

//  ---------------------------------------------------------------------------------------------------------
//  What is kept of a session between its events, as a JSON object per session

static const char *const totals [] = { "timePlayed",   "timePlayedMuted", "timePaused", "timeBuffering",
                                       "timeSpentAds", "contentWatched",  "ads",        "adBreaks",
                                       "adsSkipped",   "adsClicked" };

static void
s_check_totals (json_t *seen, json_t *session)
{
    for (size_t index = 0; index < sizeof totals / sizeof totals [0]; index++) {
        json_t *value = json_object_get (session, totals [index]);
        //  Zero is said by saying nothing.
        assert_true (!value || json_number_value (value) > 0);
        double before = json_number_value (json_object_get (seen, totals [index]));
        assert_true (json_number_value (value) >= before);
        json_object_set_new (seen, totals [index], json_real (json_number_value (value)));
    }
}

//  One row says in which states an event may come and which state follows; the states are letters:
//  0 not loaded, r ready, p playing, P paused, s seeking, b buffering, B in a break, A in an ad, a ad paused, e ended.
//  '=' keeps the state.
typedef struct {
    const char *event, *from;
    char to;
} grammar_t;

static const grammar_t grammar [] = {
    { "ready_event", "0", 'r' },
    { "play_event", "rPep", 'p' },
    { "pause_event", "p", 'P' },
    { "ping_event", "rpPbBAae", '=' },
    { "end_event", "p", 'e' },
    { "seek_start_event", "p", 's' },
    { "seek_end_event", "s", 'p' },
    { "buffer_start_event", "p", 'b' },
    { "buffer_end_event", "b", 'p' },
    { "percent_progress_event", "p", '=' },
    { "quality_change_event", "p", '=' },
    { "volume_change_event", "p", '=' },
    { "playback_rate_change_event", "p", '=' },
    { "fullscreen_change_event", "p", '=' },
    { "picture_in_picture_change_event", "p", '=' },
    { "error_event", "p", '=' },
    { "ad_break_start_event", "pe", 'B' },
    { "ad_start_event", "B", 'A' },
    { "ad_quartile_event", "A", '=' },
    { "ad_complete_event", "A", 'B' },
    { "ad_skip_event", "A", 'B' },
    { "ad_click_event", "A", '=' },
    { "ad_pause_event", "A", 'a' },
    { "ad_resume_event", "a", 'A' },
};

static char
s_next_state (const char *event, char state, bool ended)
{
    if (strcmp (event, "pause_event") == 0 && state == 'B')
        return 'B';
    if (strcmp (event, "ad_break_end_event") == 0) {
        assert_int_equal (state, 'B');
        return ended ? 'e' : 'p';
    }
    for (size_t index = 0; index < sizeof grammar / sizeof grammar [0]; index++)
        if (strcmp (grammar [index].event, event) == 0) {
            if (!strchr (grammar [index].from, state))
                fail_msg ("%s in state %c", event, state);
            return grammar [index].to == '=' ? state : grammar [index].to;
        }
    fail_msg ("unknown event %s", event);
    return 0;
}

typedef struct {
    json_t *sessions;    //  by mediaSessionId
    json_t *ids;         //  event ids
    json_t *users, *devices, *platforms, *zones;
    unsigned anonymous;
    uint64_t media_events, page_views;
} checker_t;

static json_t *
s_parse (json_t *text)
{
    json_error_t error;
    json_t *value = json_loads (json_string_value (text), JSON_REJECT_DUPLICATES, &error);
    if (!value)
        fail_msg ("%s in %s", error.text, json_string_value (text));
    return value;
}

static json_t *
s_context (json_t *contexts, const char *schema)
{
    size_t index;
    json_t *context;
    json_array_foreach (json_object_get (contexts, "data"), index,
                        context) if (strcmp (json_string_value (json_object_get (context, "schema")),
                                             schema) == 0) return json_object_get (context, "data");
    return NULL;
}

static void
s_check_order (json_t *seen, json_t *item)
{
    int64_t dtm = strtoll (json_string_value (json_object_get (item, "dtm")), NULL, 10);
    int64_t stm = strtoll (json_string_value (json_object_get (item, "stm")), NULL, 10);
    assert_true (dtm >= json_integer_value (json_object_get (seen, "dtm")));
    assert_true (stm >= dtm);
    json_object_set_new (seen, "dtm", json_integer (dtm));
}

static void
s_check_pings (json_t *seen, const char *event, bool paused)
{
    json_int_t pings = json_integer_value (json_object_get (seen, "paused_pings"));
    if (!paused)
        pings = 0;
    else if (strcmp (event, "ping_event") == 0)
        pings++;
    assert_true (pings <= 1);
    json_object_set_new (seen, "paused_pings", json_integer (pings));
}

static void
s_check_media (checker_t *self, json_t *item)
{
    json_t *unstruct = s_parse (json_object_get (item, "ue_pr"));
    json_t *contexts = s_parse (json_object_get (item, "co"));
    const char *schema = json_string_value (json_object_get (json_object_get (unstruct, "data"), "schema"));
    assert_int_equal (strncmp (schema, MEDIA, strlen (MEDIA)), 0);
    char event [64] = "";
    memcpy (event, schema + strlen (MEDIA), strcspn (schema + strlen (MEDIA), "/"));

    json_t *player = s_context (contexts, SNOWPLOW "media_player/jsonschema/2-0-0");
    json_t *session = s_context (contexts, MEDIA "session/jsonschema/1-0-0");
    bool in_ad = s_context (contexts, MEDIA "ad/jsonschema/1-0-0") != NULL;
    bool in_break = s_context (contexts, MEDIA "ad_break/jsonschema/1-0-0") != NULL;
    assert_non_null (player);
    assert_non_null (session);
    assert_non_null (s_context (contexts, SNOWPLOW "web_page/jsonschema/1-0-0"));
    const char *id = json_string_value (json_object_get (session, "mediaSessionId"));
    json_t *seen = json_object_get (self->sessions, id);
    if (!seen) {
        seen = json_pack ("{s:s}", "state", "0");
        json_object_set_new (self->sessions, id, seen);
    }
    s_check_order (seen, item);
    s_check_totals (seen, session);
    s_check_pings (seen, event, json_is_true (json_object_get (player, "paused")));

    char state = json_string_value (json_object_get (seen, "state")) [0];
    char next = s_next_state (event, state, json_is_true (json_object_get (player, "ended")));
    //  The entity is on the event that ends an ad or a break too.
    assert_int_equal (in_ad, strchr ("Aa", state) || strchr ("Aa", next));
    assert_int_equal (in_break, strchr ("BAa", state) || strchr ("BAa", next));
    json_object_set_new (seen, "state", json_stringn (&next, 1));
    self->media_events++;
    json_decref (unstruct);
    json_decref (contexts);
}

static void
s_check_item (checker_t *self, json_t *item)
{
    const char *name;
    json_t *value;
    json_object_foreach (item, name, value) assert_true (json_is_string (value));
    const char *id = json_string_value (json_object_get (item, "eid"));
    assert_int_equal (strlen (id), 36);
    assert_null (json_object_get (self->ids, id));
    json_object_set_new (self->ids, id, json_true ());
    json_t *user = json_object_get (item, "uid");
    if (user)
        json_object_set (self->users, json_string_value (user), user);
    else
        self->anonymous++;
    const char *key [] = { "duid", "p", "tz" };
    json_t *sets [] = { self->devices, self->platforms, self->zones };
    for (size_t index = 0; index < 3; index++)
        json_object_set_new (sets [index], json_string_value (json_object_get (item, key [index])),
                             json_true ());
    if (strcmp (json_string_value (json_object_get (item, "e")), "ue") == 0)
        s_check_media (self, item);
    else
        self->page_views++;
}

static void
s_check_body (checker_t *self, const char *body, size_t length)
{
    json_error_t error;
    assert_int_equal (strlen (body), length);
    json_t *root = json_loadb (body, length, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        fail_msg ("%s in %s", error.text, body);
    assert_string_equal (json_string_value (json_object_get (root, "schema")),
                         SNOWPLOW "payload_data/jsonschema/1-0-4");
    assert_true (json_array_size (json_object_get (root, "data")) > 0);
    size_t index;
    json_t *item;
    json_array_foreach (json_object_get (root, "data"), index, item) s_check_item (self, item);
    json_decref (root);
}

static checker_t
s_checker_new (void)
{
    return (checker_t){ .sessions = json_object (),
                        .ids = json_object (),
                        .users = json_object (),
                        .devices = json_object (),
                        .platforms = json_object (),
                        .zones = json_object () };
}

static void
s_checker_end (checker_t *self)
{
    json_t *all [] = { self->sessions, self->ids, self->users, self->devices, self->platforms, self->zones };
    for (size_t index = 0; index < sizeof all / sizeof all [0]; index++)
        json_decref (all [index]);
}

//  ---------------------------------------------------------------------------------------------------------
//  Tests

static void
test_says_what_a_tracker_says (void **unused)
{
    (void)unused;
    static char body [AUDIENCE_BODY_MAX];
    size_t length;
    checker_t checker = s_checker_new ();
    audience_t *audience = audience_new (VIEWERS, 7, &usual);
    while (audience_step (audience, START_MS + 2 * HOUR_MS, body, sizeof body, &length))
        s_check_body (&checker, body, length);
    assert_true (audience_next_ms (audience) > START_MS + 2 * HOUR_MS);

    const audience_counters_t *counters = audience_counters (audience);
    for (int event = 0; event < EVENT_COUNT; event++)
        if (counters->events [event] == 0)
            fail_msg ("no %s in two hours", media_event_name ((media_event_t)event));
    assert_int_equal (checker.media_events + checker.page_views, counters->events_total);
    assert_int_equal (checker.page_views, counters->page_views);
    assert_int_equal (json_object_size (checker.sessions), counters->sessions);
    assert_int_equal (json_object_size (checker.devices), VIEWERS);
    assert_true (json_object_size (checker.users) > VIEWERS / 4 &&
                 json_object_size (checker.users) < VIEWERS);
    assert_true (checker.anonymous > 0);
    assert_int_equal (json_object_size (checker.platforms), 4);
    assert_true (json_object_size (checker.zones) > 3);
    assert_true (counters->tabs > VIEWERS && counters->left > VIEWERS);
    audience_destroy (&audience);
    assert_null (audience);
    s_checker_end (&checker);
}

//  FNV-1a over everything said, called at a pace of its own: the pace must not matter.
static uint64_t
s_digest (uint64_t seed, const audience_options_t *options, int64_t pace_ms)
{
    static char body [AUDIENCE_BODY_MAX];
    size_t length;
    uint64_t digest = UINT64_C (14695981039346656037);
    audience_t *audience = audience_new (VIEWERS, seed, options);
    for (int64_t now_ms = START_MS; now_ms <= START_MS + HOUR_MS / 6; now_ms += pace_ms)
        while (audience_step (audience, now_ms, body, sizeof body, &length))
            for (size_t index = 0; index < length; index++)
                digest = (digest ^ (unsigned char)body [index]) * UINT64_C (1099511628211);
    audience_destroy (&audience);
    return digest;
}

static void
test_same_seed_same_bytes (void **unused)
{
    (void)unused;
    uint64_t digest = s_digest (1, &usual, 1000);
    assert_true (digest == s_digest (1, &usual, 1000));
    assert_true (digest == s_digest (1, &usual, 60000));
    assert_true (digest != s_digest (2, &usual, 1000));
}

//  Ten times as fast: the device's clock advances a tenth, totals go on as lived.
static void
test_speed_is_in_the_stamps (void **unused)
{
    (void)unused;
    audience_options_t fast = usual;
    fast.speed = 10;
    fast.ping_s = 5;
    static char body [AUDIENCE_BODY_MAX];
    size_t length;
    int64_t last_ms = 0;
    checker_t checker = s_checker_new ();
    audience_t *audience = audience_new (VIEWERS, 3, &fast);
    while (audience_step (audience, START_MS + HOUR_MS / 2, body, sizeof body, &length)) {
        s_check_body (&checker, body, length);
        assert_non_null (strstr (body, "\"dtm\":\""));
        last_ms = strtoll (strstr (body, "\"dtm\":\"") + 7, NULL, 10);
        assert_true (last_ms >= START_MS && last_ms <= START_MS + HOUR_MS / 20 + 10);
        if (strstr (body, "mediaSessionId"))
            assert_non_null (strstr (body, "\\\"pingInterval\\\":5"));
    }
    assert_true (last_ms > START_MS + HOUR_MS / 20 - 5000);
    audience_destroy (&audience);
    s_checker_end (&checker);
}

static void
test_refuses_options_out_of_range (void **unused)
{
    (void)unused;
    audience_options_t still = usual, slow_ping = usual, backwards = usual;
    still.speed = 0;
    slow_ping.ping_s = 301;
    backwards.ramp_up_ms = -1;
    assert_null (audience_new (0, 1, &usual));
    assert_null (audience_new (AUDIENCE_VIEWERS_MAX + 1, 1, &usual));
    assert_null (audience_new (1, 1, &still));
    assert_null (audience_new (1, 1, &slow_ping));
    assert_null (audience_new (1, 1, &backwards));
}

//  A body that does not fit is refused whole, never cut.
static void
test_a_body_that_does_not_fit_is_refused (void **unused)
{
    (void)unused;
    static tracker_t tracker;
    tracker_identity_t who = { .duid = "d",
                               .platform = "web",
                               .time_zone = "Europe/Lisbon",
                               .language = "pt",
                               .resolution = "1x1",
                               .app_id = "a",
                               .page_root = "http://p" };
    tracker.who = &who;
    tracker.slug = "s";
    tracker.player = (tracker_player_t){ .label = "a \"b\" \\ \n é",
                                         .media_type = "video",
                                         .player_type = "html5",
                                         .rate_permille = 1000,
                                         .fullscreen = -1,
                                         .picture_in_picture = -1 };
    char body [4096];
    bool fitted = false;
    for (size_t size = 0; size <= sizeof body; size++) {
        tracker_body_t writer;
        tracker_begin (&tracker, "m", START_MS);
        tracker_body_open (&writer, body, size, START_MS + 1);
        tracker_event (&tracker, &writer, EVENT_PLAY, "e", START_MS, START_MS, "{}");
        bool fits = tracker_body_close (&writer);
        assert_true (fits || !fitted);
        assert_true (!fits || strlen (body) < size);
        fitted = fits;
    }
    assert_true (fitted);
    assert_non_null (strstr (body, "a \\\\\\\"b\\\\\\\" \\\\\\\\ \\\\u000a é"));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_says_what_a_tracker_says),
        cmocka_unit_test (test_same_seed_same_bytes),
        cmocka_unit_test (test_speed_is_in_the_stamps),
        cmocka_unit_test (test_refuses_options_out_of_range),
        cmocka_unit_test (test_a_body_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
