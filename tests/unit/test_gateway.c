//  test_gateway - JSON as browsers read it, what clients are sent, static files

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway_bench.h"
#include "json.h"
#include "memory.h"
#include "pages.h"
#include "view.h"
#include "walk.h"

//  ---- a client that reads

static void
announce (gateway_bench_t *self, const char *viewer, const char *ad_id)
{
    usher_msg_t msg = { .id = USHER_MSG_announce,
                        .announce = { .slot = usher_slot (usher_str (viewer)),
                                      .viewer_id = usher_str (viewer),
                                      .collected_ms = 1700000000123u,
                                      .event_id = usher_str ("e1"),
                                      .kind = USHER_event_kind_ad_break_start,
                                      .video_s = 1.5,
                                      .ads_clicked = 2,
                                      .ads_skipped = 3,
                                      .ad_id = usher_str (ad_id),
                                      .status = USHER_status_watching_ad } };
    gateway_feed (self, msg.announce.slot, &msg);
    clients_turn (self->clients, self->now_ms);
}

//  The next text of a client as JSON, NULL none.
static json_t *
next (gateway_bench_t *self, client_t *client)
{
    buffer_t text = { 0 };
    json_t *json = NULL;
    if (clients_next (self->clients, client, 1700000000000, &text)) {
        json = json_loadb (text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null (json);
    }
    buffer_free (&text);
    return json;
}

static void
expect (gateway_bench_t *self, client_t *client, const char *type, const char *key, const char *contains)
{
    json_t *json = next (self, client);
    assert_non_null (json);
    assert_string_equal (json_string_value (json_object_get (json, "type")), type);
    char *text = json_dumps (json_object_get (json, key), JSON_ENCODE_ANY | JSON_COMPACT);
    assert_non_null (text);
    assert_non_null (strstr (text, contains));
    free (text);
    json_decref (json);
}

static void
expect_nothing (gateway_bench_t *self, client_t *client)
{
    assert_null (next (self, client));
}

static client_t *
greeted (gateway_bench_t *self, const char *subscribe)
{
    client_t *client = clients_add (self->clients, CLIENT_LIVE);
    if (subscribe)
        assert_null (clients_subscribe (self->clients, client, subscribe, strlen (subscribe)));
    expect (self, client, "hello", "epoch", "7");
    return client;
}

//  ---- JSON

static void
test_strings_are_escaped (void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } rows [] = {
        { "plain", "\"plain\"" },
        { "\"\\/\n\t\x01\x7f", "\"\\\"\\\\/\\n\\t\\u0001\\u007f\"" },
        { "caf\xc3\xa9 \xf0\x9f\x8e\xac", "\"caf\xc3\xa9 \xf0\x9f\x8e\xac\"" },
        { "\xff\xc3", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        buffer_t out = { 0 };
        json_text (&out, usher_str (rows [row].text));
        buffer_add (&out, "", 1);
        assert_string_equal (out.data, rows [row].json);
        buffer_free (&out);
    }
}

static void
test_numbers_are_json (void **state)
{
    (void)state;
    const struct {
        double number;
        const char *json;
    } rows [] = { { 0.1, "0.1" },        { NAN, "null" }, { INFINITY, "null" },
                  { -INFINITY, "null" }, { 12, "12" },    { 1e300, "1e+300" } };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        buffer_t out = { 0 };
        json_number (&out, rows [row].number);
        buffer_add (&out, "", 1);
        assert_string_equal (out.data, rows [row].json);
        buffer_free (&out);
    }
}

static void
test_ad_ids_are_numbers_where_they_can_be (void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } rows [] = { { "", "0" },
                  { "17", "17" },
                  { "-5", "-5" },
                  { "2147483647", "2147483647" },
                  { "2147483648", "\"2147483648\"" },
                  { "017", "\"017\"" },
                  { "1.5", "\"1.5\"" },
                  { "ad-1", "\"ad-1\"" },
                  { "+1", "\"+1\"" },
                  { "99999999999999999999999", "\"99999999999999999999999\"" } };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        buffer_t out = { 0 };
        json_ad_id (&out, usher_str (rows [row].text));
        buffer_add (&out, "", 1);
        assert_string_equal (out.data, rows [row].json);
        buffer_free (&out);
    }
}

static void
test_the_reference_message (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    client_t *client = clients_add (self.clients, CLIENT_WS);
    announce (&self, "v", "42");
    buffer_t text = { 0 };
    assert_true (clients_next (self.clients, client, 0, &text));
    buffer_add (&text, "", 1);
    assert_string_equal (
        text.data,
        "{\"viewer_id\":\"v\",\"collector_tstamp\":\"2023-11-14T22:13:20.123Z\",\"event_id\":\"e1\","
        "\"event_name\":\"ad_break_start_event\",\"video_ts\":1.5,\"adsClicked\":2,\"adsSkipped\":3,"
        "\"adId\":42,\"status\":\"WATCHING_AD\"}");
    buffer_free (&text);
    clients_remove (self.clients, &client);
    gateway_end (&self);
}

static void
test_a_viewer_shows_its_best_session (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    gateway_put (&self, gateway_session ("v", "paused", 1, USHER_state_paused));
    gateway_put (&self, gateway_session ("v", "playing", 2, USHER_state_watching));
    gateway_put (&self, gateway_session ("v", "ended", 3, USHER_state_ended));
    view_viewer_t viewer;
    assert_true (
        view_read (&viewer, mirror_sessions (self.mirror), usher_slot (usher_str ("v")), usher_str ("v")));
    assert_int_equal (viewer.count, 3);
    buffer_t text = { 0 };
    view_write_viewer (&text, &viewer, false);
    json_t *json = json_loadb (text.data, text.size, 0, NULL);
    assert_string_equal (json_string_value (json_object_get (json, "state")), "WATCHING");
    json_t *first = json_array_get (json_object_get (json, "sessions"), 0);
    assert_string_equal (json_string_value (json_object_get (first, "session_id")), "playing");
    assert_true (json_is_null (json_object_get (first, "position")));
    assert_true (json_is_null (json_object_get (first, "duration")));
    assert_int_equal (json_object_size (first), 50);
    json_decref (json);
    buffer_free (&text);
    gateway_end (&self);
}

static double
member (const json_t *json, const char *name)
{
    return json_number_value (json_object_get (json, name));
}

//  Sums: the sessions shown, and what the newest of them says of those before.
static void
test_a_viewer_sums_its_sessions (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    usher_session_t old = gateway_session ("v", "old", 1, USHER_state_paused);
    usher_session_t new = gateway_session ("v", "new", 2, USHER_state_watching);
    old.earlier = 7;
    old.earlier_played_s = 1000;
    old.time_played_s = 10;
    old.ads_skipped = 2;
    new.earlier = 8;
    new.earlier_played_s = 2000;
    new.earlier_skipped = 5;
    new.time_played_s = 20;
    new.time_buffering_s = 5;
    new.identified = 1;
    new.device = USHER_device_class_tablet;
    new.os = usher_str ("ios");
    new.exited = 1;
    gateway_put (&self, old);
    gateway_put (&self, new);
    view_viewer_t viewer;
    assert_true (
        view_read (&viewer, mirror_sessions (self.mirror), usher_slot (usher_str ("v")), usher_str ("v")));
    buffer_t text = { 0 };
    view_write_viewer (&text, &viewer, false);
    json_t *json = json_loadb (text.data, text.size, 0, NULL), *totals = json_object_get (json, "totals");
    assert_true (member (totals, "sessions") == 10);
    assert_true (member (totals, "time_played") == 2030);
    assert_true (member (totals, "ads_skipped") == 7);
    assert_string_equal (json_string_value (json_object_get (json, "user_id")), "v");
    json_t *first = json_array_get (json_object_get (json, "sessions"), 0);
    assert_true (member (first, "rebuffering_ratio") == 0.25);
    assert_string_equal (json_string_value (json_object_get (first, "device")), "tablet");
    assert_string_equal (json_string_value (json_object_get (first, "os")), "ios");
    assert_true (json_is_true (json_object_get (first, "exit_before_start")));
    //  Nothing watched, no ratio.
    json_t *second = json_array_get (json_object_get (json, "sessions"), 1);
    assert_true (json_is_null (json_object_get (second, "bitrate")));
    json_decref (json);
    buffer_free (&text);
    gateway_end (&self);
}

//  ---- clients

static void
test_snapshot_then_changes (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    gateway_put (&self, gateway_session ("a", "s", 1, USHER_state_watching));
    client_t *client = greeted (&self, NULL);
    expect (&self, client, "snapshot", "viewers", "\"viewer_id\":\"a\"");
    expect_nothing (&self, client);
    gateway_put (&self, gateway_session ("a", "s", 2, USHER_state_paused));
    expect (&self, client, "viewer", "viewer", "\"state\":\"PAUSED\"");
    announce (&self, "a", "");
    expect (&self, client, "message", "message", "\"adId\":0");
    usher_session_t gone = { .slot = usher_slot (usher_str ("a")),
                             .viewer_id = usher_str ("a"),
                             .session_id = usher_str ("s"),
                             .epoch = 1,
                             .version = 3,
                             .gone = 1 };
    gateway_put (&self, gone);
    expect (&self, client, "gone", "viewer_id", "\"a\"");
    expect_nothing (&self, client);
    clients_tick (self.clients, self.now_ms, 1700000000000);
    expect (&self, client, "stats", "stats", "\"concurrent_sessions\":0");
    clients_remove (self.clients, &client);
    gateway_end (&self);
}

static void
test_slow_clients_get_the_latest_value (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    client_t *client = greeted (&self, NULL);
    expect (&self, client, "snapshot", "last", "true");
    for (uint64_t version = 1; version <= 500; version++)
        gateway_put (&self, gateway_session ("a", "s", version,
                                             version == 500 ? USHER_state_ended : USHER_state_watching));
    expect (&self, client, "viewer", "viewer", "\"state\":\"ENDED\"");
    expect_nothing (&self, client);
    clients_remove (self.clients, &client);
    gateway_end (&self);
}

static void
test_the_ring_runs_over_clients (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    gateway_put (&self, gateway_session ("a", "s", 1, USHER_state_watching));
    client_t *live = greeted (&self, NULL), *ws = clients_add (self.clients, CLIENT_WS);
    expect (&self, live, "snapshot", "last", "true");
    for (int count = 0; count < CLIENTS_TEXTS + 10; count++)
        announce (&self, "a", "1");
    expect (&self, live, "snapshot", "viewers", "\"viewer_id\":\"a\"");
    expect_nothing (&self, live);
    json_t *json = next (&self, ws);
    assert_non_null (json);
    json_decref (json);
    assert_int_equal (clients_counts (self.clients)->skipped, 10);
    assert_int_equal (clients_counts (self.clients)->resets, 1);
    clients_remove (self.clients, &live);
    clients_remove (self.clients, &ws);
    gateway_end (&self);
}

static void
test_filters (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    gateway_put (&self, gateway_session ("a", "s", 1, USHER_state_watching));
    gateway_put (&self, gateway_session ("b", "s", 1, USHER_state_watching));
    client_t *one = greeted (&self, "{\"subscribe\":[\"viewer:b\"]}");
    client_t *title = greeted (&self, "{\"subscribe\":[\"title:Other\"]}");
    expect (&self, one, "snapshot", "viewers", "\"viewer_id\":\"b\"");
    expect (&self, title, "snapshot", "viewers", "[]");
    gateway_put (&self, gateway_session ("a", "s", 2, USHER_state_paused));
    expect_nothing (&self, one);
    usher_session_t other = gateway_session ("a", "s", 3, USHER_state_watching);
    other.media_label = usher_str ("Other");
    gateway_put (&self, other);
    expect (&self, title, "viewer", "viewer", "Other");
    //  Who watches a title hears that it was left.
    gateway_put (&self, gateway_session ("a", "s", 4, USHER_state_watching));
    expect (&self, title, "viewer", "viewer", "Film");
    gateway_put (&self, gateway_session ("a", "s", 5, USHER_state_paused));
    expect_nothing (&self, title);
    static const char *const wrong [] = { "", "[]", "{\"subscribe\":\"all\"}", "{\"subscribe\":[7]}",
                                          "{\"subscribe\":[\"what\"]}" };
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++)
        assert_non_null (clients_subscribe (self.clients, one, wrong [at], strlen (wrong [at])));
    clients_remove (self.clients, &one);
    clients_remove (self.clients, &title);
    gateway_end (&self);
}

static void
test_stuck_clients_are_known (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    client_t *client = clients_add (self.clients, CLIENT_WS);
    assert_false (clients_is_stuck (client, 99999));
    clients_waits (client, 1000);
    clients_waits (client, 20000);
    assert_false (clients_is_stuck (client, 30999));
    assert_true (clients_is_stuck (client, 31000));
    clients_took (client);
    assert_false (clients_is_stuck (client, 99999));
    clients_remove (self.clients, &client);
    gateway_end (&self);
}

//  ---- static files

static void
test_ranges (void **state)
{
    (void)state;
    static const struct {
        const char *range;
        unsigned status;
        uint64_t from, size;
    } rows [] = {
        { "", 200, 0, 100 },
        { "bytes=0-", 206, 0, 100 },
        { "bytes=10-19", 206, 10, 10 },
        { "bytes=90-500", 206, 90, 10 },
        { "bytes=-5", 206, 95, 5 },
        { "bytes=-500", 206, 0, 100 },
        { "bytes=100-", 416, 0, 0 },
        { "bytes=-0", 416, 0, 0 },
        { "bytes=9-3", 200, 0, 100 },
        { "bytes=a-b", 200, 0, 100 },
        { "bytes=1-2,4-5", 200, 0, 100 },
        { "items=1-2", 200, 0, 100 },
        { "bytes=0-18446744073709551615", 206, 0, 100 },
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        uint64_t from, size;
        assert_int_equal (pages_range (rows [row].range, 100, &from, &size), rows [row].status);
        if (rows [row].status == 416)
            continue;
        assert_int_equal (from, rows [row].from);
        assert_int_equal (size, rows [row].size);
    }
}

static void
test_paths_stay_inside (void **state)
{
    (void)state;
    assert_true (pages_is_clean ("/"));
    assert_true (pages_is_clean ("/assets/a.b.js"));
    static const char *const wrong [] = { "/../x", "/a/../x", "/.git/config", "//etc", "x", "/a\\..\\b" };
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++)
        assert_false (pages_is_clean (wrong [at]));
    pages_file_t file;
    pages_find (NULL, "/", "", "", &file);
    assert_int_equal (file.status, 404);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_strings_are_escaped),
        cmocka_unit_test (test_numbers_are_json),
        cmocka_unit_test (test_ad_ids_are_numbers_where_they_can_be),
        cmocka_unit_test (test_the_reference_message),
        cmocka_unit_test (test_a_viewer_shows_its_best_session),
        cmocka_unit_test (test_a_viewer_sums_its_sessions),
        cmocka_unit_test (test_snapshot_then_changes),
        cmocka_unit_test (test_slow_clients_get_the_latest_value),
        cmocka_unit_test (test_the_ring_runs_over_clients),
        cmocka_unit_test (test_filters),
        cmocka_unit_test (test_stuck_clients_are_known),
        cmocka_unit_test (test_ranges),
        cmocka_unit_test (test_paths_stay_inside),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
