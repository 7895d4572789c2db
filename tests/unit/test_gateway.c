//  test_gateway - JSON as browsers read it, what clients are sent, what the API answers

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "erase.h"
#include "json.h"
#include "memory.h"
#include "pages.h"
#include "view.h"
#include "walk.h"

//  ---- a gateway without sockets, fed with frames of our own

typedef struct {
    clients_t *clients;
    mirror_t *mirror;
    uint64_t seqs [USHER_SLOTS];
    int64_t now_ms;
} fixture_t;

static void
feed (fixture_t *self, uint32_t slot, const usher_msg_t *msg)
{
    char frame [16384];
    usher_msg_t head = { .id = USHER_MSG_numbered, .numbered = { 7, slot, ++self->seqs [slot] } };
    size_t size = usher_frame_begin (frame, sizeof frame);
    size += usher_encode (&head, frame + size, sizeof frame - size);
    size += usher_encode (msg, frame + size, sizeof frame - size);
    assert_true (mirror_frame (self->mirror, frame, size, self->now_ms));
}

static void
tide (fixture_t *self)
{
    char frame [10000], filling [128] = { 0 };
    usher_msg_t msg = { .id = USHER_MSG_tide,
                        .tide = { 7, 1, usher_bytes (self->seqs, sizeof self->seqs),
                                  usher_bytes (filling, sizeof filling) } };
    size_t size = usher_frame_begin (frame, sizeof frame);
    size += usher_encode (&msg, frame + size, sizeof frame - size);
    assert_true (mirror_frame (self->mirror, frame, size, self->now_ms));
}

static void
begin (fixture_t *self)
{
    *self = (fixture_t){ .clients = clients_new (), .now_ms = 1000 };
    self->mirror = clients_mirror (self->clients);
    usher_msg_t asked;
    tide (self);
    assert_true (mirror_wants (self->mirror, self->now_ms, &asked));
    for (uint32_t slot = 0; slot <= USHER_SLOTS; slot++) {
        usher_snapshot_slot_t head = { asked.snapshot_request.request, 7, slot % USHER_SLOTS, 0,
                                       slot == USHER_SLOTS };
        mirror_snapshot_slot (self->mirror, &head, self->now_ms);
    }
    assert_true (mirror_complete (self->mirror));
}

static void
end (fixture_t *self)
{
    clients_destroy (&self->clients);
}

static usher_session_t
session_of (const char *viewer, const char *session, uint64_t version, uint32_t state)
{
    return (usher_session_t){ .slot = usher_slot (usher_str (viewer)),
                              .viewer_id = usher_str (viewer),
                              .session_id = usher_str (session),
                              .epoch = 1,
                              .version = version,
                              .state = state,
                              .position_s = NAN,
                              .duration_s = INFINITY,
                              .media_label = usher_str ("Film") };
}

static void
put (fixture_t *self, usher_session_t session)
{
    usher_msg_t msg = { .id = USHER_MSG_session, .session = session };
    feed (self, session.slot, &msg);
    self->now_ms += 1000;
    clients_turn (self->clients, self->now_ms);
}

static void
announce (fixture_t *self, const char *viewer, const char *ad_id)
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
    feed (self, msg.announce.slot, &msg);
    clients_turn (self->clients, self->now_ms);
}

//  The next text of a client as JSON, NULL none.
static json_t *
next (fixture_t *self, client_t *client)
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
expect (fixture_t *self, client_t *client, const char *type, const char *key, const char *contains)
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
expect_nothing (fixture_t *self, client_t *client)
{
    assert_null (next (self, client));
}

static client_t *
greeted (fixture_t *self, const char *subscribe)
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
    fixture_t self;
    begin (&self);
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
    end (&self);
}

static void
test_a_viewer_shows_its_best_session (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    put (&self, session_of ("v", "paused", 1, USHER_state_paused));
    put (&self, session_of ("v", "playing", 2, USHER_state_watching));
    put (&self, session_of ("v", "ended", 3, USHER_state_ended));
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
    end (&self);
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
    fixture_t self;
    begin (&self);
    usher_session_t old = session_of ("v", "old", 1, USHER_state_paused);
    usher_session_t new = session_of ("v", "new", 2, USHER_state_watching);
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
    put (&self, old);
    put (&self, new);
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
    end (&self);
}

//  ---- clients

static void
test_snapshot_then_changes (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    put (&self, session_of ("a", "s", 1, USHER_state_watching));
    client_t *client = greeted (&self, NULL);
    expect (&self, client, "snapshot", "viewers", "\"viewer_id\":\"a\"");
    expect_nothing (&self, client);
    put (&self, session_of ("a", "s", 2, USHER_state_paused));
    expect (&self, client, "viewer", "viewer", "\"state\":\"PAUSED\"");
    announce (&self, "a", "");
    expect (&self, client, "message", "message", "\"adId\":0");
    usher_session_t gone = { .slot = usher_slot (usher_str ("a")),
                             .viewer_id = usher_str ("a"),
                             .session_id = usher_str ("s"),
                             .epoch = 1,
                             .version = 3,
                             .gone = 1 };
    put (&self, gone);
    expect (&self, client, "gone", "viewer_id", "\"a\"");
    expect_nothing (&self, client);
    clients_tick (self.clients, self.now_ms, 1700000000000);
    expect (&self, client, "stats", "stats", "\"concurrent_sessions\":0");
    clients_remove (self.clients, &client);
    end (&self);
}

static void
test_slow_clients_get_the_latest_value (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    client_t *client = greeted (&self, NULL);
    expect (&self, client, "snapshot", "last", "true");
    for (uint64_t version = 1; version <= 500; version++)
        put (&self,
             session_of ("a", "s", version, version == 500 ? USHER_state_ended : USHER_state_watching));
    expect (&self, client, "viewer", "viewer", "\"state\":\"ENDED\"");
    expect_nothing (&self, client);
    clients_remove (self.clients, &client);
    end (&self);
}

static void
test_the_ring_runs_over_clients (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    put (&self, session_of ("a", "s", 1, USHER_state_watching));
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
    end (&self);
}

static void
test_filters (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    put (&self, session_of ("a", "s", 1, USHER_state_watching));
    put (&self, session_of ("b", "s", 1, USHER_state_watching));
    client_t *one = greeted (&self, "{\"subscribe\":[\"viewer:b\"]}");
    client_t *title = greeted (&self, "{\"subscribe\":[\"title:Other\"]}");
    expect (&self, one, "snapshot", "viewers", "\"viewer_id\":\"b\"");
    expect (&self, title, "snapshot", "viewers", "[]");
    put (&self, session_of ("a", "s", 2, USHER_state_paused));
    expect_nothing (&self, one);
    usher_session_t other = session_of ("a", "s", 3, USHER_state_watching);
    other.media_label = usher_str ("Other");
    put (&self, other);
    expect (&self, title, "viewer", "viewer", "Other");
    //  Who watches a title hears that it was left.
    put (&self, session_of ("a", "s", 4, USHER_state_watching));
    expect (&self, title, "viewer", "viewer", "Film");
    put (&self, session_of ("a", "s", 5, USHER_state_paused));
    expect_nothing (&self, title);
    static const char *const wrong [] = { "", "[]", "{\"subscribe\":\"all\"}", "{\"subscribe\":[7]}",
                                          "{\"subscribe\":[\"what\"]}" };
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++)
        assert_non_null (clients_subscribe (self.clients, one, wrong [at], strlen (wrong [at])));
    clients_remove (self.clients, &one);
    clients_remove (self.clients, &title);
    end (&self);
}

static void
test_stuck_clients_are_known (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    client_t *client = clients_add (self.clients, CLIENT_WS);
    assert_false (clients_is_stuck (client, 99999));
    clients_waits (client, 1000);
    clients_waits (client, 20000);
    assert_false (clients_is_stuck (client, 30999));
    assert_true (clients_is_stuck (client, 31000));
    clients_took (client);
    assert_false (clients_is_stuck (client, 99999));
    clients_remove (self.clients, &client);
    end (&self);
}

//  ---- the API

static json_t *
get (fixture_t *self, api_request_t request, unsigned status)
{
    const char **texts [] = { &request.status,      &request.title,     &request.q,
                              &request.limit,       &request.cursor,    &request.series.metric,
                              &request.series.from, &request.series.to, &request.series.resolution,
                              &request.series.by };
    for (size_t at = 0; at < sizeof texts / sizeof *texts; at++)
        *texts [at] = *texts [at] ? *texts [at] : "";
    const api_world_t world = { self->clients, self->mirror,   self->now_ms,
                                1700000000000, "usher_up 1\n", { 0 } };
    api_answer_t answer = { 0 };
    api_get (&world, &request, &answer);
    assert_int_equal (answer.status, status);
    json_t *json = json_loadb (answer.body.data ? answer.body.data : "", answer.body.size, 0, NULL);
    buffer_free (&answer.body);
    return json;
}

static void
get_only (fixture_t *self, const char *path, unsigned status)
{
    json_decref (get (self, (api_request_t){ .path = path }, status));
}

//  ---- erasures

typedef struct {
    unsigned status;
    char body [512];
    uint64_t asked;    //  requests that went to the store
    char viewer_id [1025];
} erasing_t;

static void
on_erased (void *asker, api_answer_t *answer)
{
    erasing_t *self = asker;
    self->status = answer->status;
    snprintf (self->body, sizeof self->body, "%.*s", (int)answer->body.size, (char *)answer->body.data);
    buffer_free (&answer->body);
}

static void
on_ask (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    erasing_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    (void)link, (void)peer;
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    while (usher_decode (&frame, &msg) == USHER_OK) {
        assert_int_equal (msg.id, USHER_MSG_erase);
        self->asked++;
    }
}

static void
test_an_erasure_is_answered_when_it_is_done (void **state)
{
    (void)state;
    erasing_t asker = { 0 };
    outbox_t *out = outbox_new (on_ask, &asker);
    erase_t *erase = erase_new (on_erased);
    uint64_t request = erase_ask (erase, &asker, usher_str ("alice"), 0, out);
    usher_erasure_t said = { .request = request, .outcome = USHER_outcome_done };
    erase_answer (erase, &said);
    assert_int_equal (asker.status, 0);
    //  The store was away: it is asked again.
    erase_store_up (erase, out);
    outbox_flush (out);
    assert_int_equal (asker.asked, 2);
    said = (usher_erasure_t){ request, USHER_outcome_done, 1767225600000, 1, 12, 3 };
    erase_answer (erase, &said);
    assert_int_equal (asker.status, 200);
    assert_string_equal (asker.body, "{\"viewer_id\":\"alice\",\"state\":\"erased\","
                                     "\"erased_up_to\":\"2026-01-01T00:00:00.000Z\","
                                     "\"removed\":{\"profiles\":1,\"history_rows\":12,\"bad_events\":3}}");
    //  Noted, but its owner is away; not even noted; refused; gone away.
    request = erase_ask (erase, &asker, usher_str ("alice"), 0, out);
    erase_answer (erase, &(usher_erasure_t){ .request = request, .outcome = USHER_outcome_done });
    erase_tick (erase, ERASE_MS);
    assert_int_equal (asker.status, 202);
    erase_ask (erase, &asker, usher_str ("alice"), 0, out);
    erase_tick (erase, ERASE_MS);
    assert_int_equal (asker.status, 504);
    request = erase_ask (erase, &asker, usher_str ("alice"), 0, out);
    erase_answer (erase, &(usher_erasure_t){ .request = request, .outcome = USHER_outcome_failed });
    assert_int_equal (asker.status, 503);
    asker.status = 0;
    erase_cancel (erase, erase_ask (erase, &asker, usher_str ("alice"), 0, out));
    erase_tick (erase, ERASE_MS);
    assert_int_equal (asker.status, 0);
    for (int at = 0; at < ERASE_WAITING; at++)
        assert_int_not_equal (erase_ask (erase, &asker, usher_str ("alice"), 0, out), 0);
    assert_int_equal (erase_ask (erase, &asker, usher_str ("alice"), 0, out), 0);
    erase_destroy (&erase);
    outbox_destroy (&out);
}

static void
test_what_can_be_deleted (void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned status;
        const char *viewer_id;
    } cases [] = {
        { "/v1/viewers/alice", 0, "alice" }, { "/v1/viewers/alice/history", 405, NULL },
        { "/v1/viewers", 405, NULL },        { "/v1/stats", 405, NULL },
        { "/v1/nothing", 404, NULL },
    };
    api_world_t world = { 0 };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        api_answer_t answer = { 0 };
        api_delete (&world, cases [at].path, &answer);
        assert_int_equal (answer.status, cases [at].status);
        if (cases [at].viewer_id)
            assert_string_equal (answer.viewer_id, cases [at].viewer_id);
        buffer_free (&answer.body);
    }
    //  With the key, a raw id becomes a pseudonym, and a pseudonym stays one.
    world.raw_id_key = usher_str ("a key of sixteen bytes or more");
    api_answer_t raw = { 0 }, same = { 0 };
    char path [sizeof raw.viewer_id + 16];
    api_delete (&world, "/v1/viewers/alice", &raw);
    assert_int_equal (strspn (raw.viewer_id, "0123456789abcdef"), 64);
    snprintf (path, sizeof path, "/v1/viewers/%s", raw.viewer_id);
    api_delete (&world, path, &same);
    assert_string_equal (same.viewer_id, raw.viewer_id);
}

static void
test_paths (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    put (&self, session_of ("a/b", "s", 1, USHER_state_watching));
    get_only (&self, "/v1/viewers/a/b", 200);
    get_only (&self, "/v1/viewers/nobody", 404);
    get_only (&self, "/v1/viewers/a/b/history", 0);
    get_only (&self, "/v1/viewers/", 404);
    get_only (&self, "/nowhere", 404);
    get_only (&self, "/healthz", 200);
    get_only (&self, "/readyz", 200);
    get_only (&self, "/metrics", 200);
    get_only (&self, "/v1/stats", 200);
    get_only (&self, "/v1/stats/series", 0);
    get_only (&self, "/v1/titles", 200);
    get_only (&self, "/v1/titles/Film: part 1/2/count", 200);
    get_only (&self, "/ws", 426);
    json_decref (get (&self, (api_request_t){ .path = "/v1/viewers", .limit = "0" }, 400));
    json_decref (get (&self, (api_request_t){ .path = "/v1/viewers", .cursor = "zz" }, 400));
    assert_true (api_knows ("/v1/stats"));
    assert_false (api_knows ("/index.html"));
    end (&self);
}

static void
test_pages_meet_everybody_once (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    char name [16];
    for (int at = 0; at < 3000; at++) {
        snprintf (name, sizeof name, "v%d", at);
        put (&self, session_of (name, "s", 1, at % 3 ? USHER_state_watching : USHER_state_paused));
    }
    put (&self, session_of ("v1", "second", 2, USHER_state_watching));
    size_t met = 0;
    char cursor [25] = "";
    for (bool more = true; more;) {
        json_t *json =
            get (&self, (api_request_t){ .path = "/v1/viewers", .limit = "77", .cursor = cursor }, 200);
        met += json_array_size (json_object_get (json, "viewers"));
        const char *next_cursor = json_string_value (json_object_get (json, "next_cursor"));
        more = next_cursor != NULL;
        snprintf (cursor, sizeof cursor, "%s", more ? next_cursor : "");
        json_decref (json);
    }
    assert_int_equal (met, 3000);
    json_t *found = get (&self, (api_request_t){ .path = "/v1/viewers", .q = "V2999" }, 200);
    assert_int_equal (json_array_size (json_object_get (found, "viewers")), 1);
    json_decref (found);
    found = get (
        &self, (api_request_t){ .path = "/v1/viewers", .status = "paused", .title = "Film", .limit = "500" },
        200);
    assert_int_equal (json_array_size (json_object_get (found, "viewers")), 500);
    json_decref (found);
    end (&self);
}

//  ---- stats and series

static void
say (buffer_t *frame, const char *key, usher_dimension_t which, bool other, uint64_t sessions)
{
    usher_msg_t msg = { .id = USHER_MSG_aggregate_key,
                        .aggregate_key = { which, usher_str (key), other, sessions, sessions - 1 } };
    tally_write_message (&msg, frame);
}

static int64_t
integer_at (const json_t *json, const char *member, const char *inner)
{
    json = json_object_get (json, member);
    return json_integer_value (inner ? json_object_get (json, inner) : json);
}

static void
test_stats_are_what_the_publisher_says (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    json_t *stats = get (&self, (api_request_t){ .path = "/v1/stats" }, 200);
    assert_true (json_is_true (json_object_get (stats, "partial")));
    json_decref (stats);
    tally_t now = { .sum = { .ads = 4, .ads_completed = 3, .ads_skipped = (uint64_t)-1, .errors = 2 } };
    histogram_add (&now.startup_ms, 100, 1);
    histogram_add (&now.stalled_ppm, 0, 1);
    buffer_t frame = { 0 };
    usher_frame_begin (buffer_reserve (&frame, USHER_FRAME_HEAD), USHER_FRAME_HEAD);
    frame.size = USHER_FRAME_HEAD;
    tally_write (&now, &frame);
    say (&frame, "", USHER_dimension_concurrent, false, 9);
    say (&frame, "rebuffering", USHER_dimension_state, false, 2);
    say (&frame, "Film", USHER_dimension_medium, false, 6);
    say (&frame, "Other", USHER_dimension_medium, false, 2);
    say (&frame, "", USHER_dimension_medium, true, 1);
    assert_false (stats_take (clients_stats (self.clients), frame.data, frame.size - 1));
    assert_true (stats_take (clients_stats (self.clients), frame.data, frame.size));
    buffer_free (&frame);
    stats = get (&self, (api_request_t){ .path = "/v1/stats" }, 200);
    assert_true (json_is_false (json_object_get (stats, "partial")));
    assert_int_equal (integer_at (stats, "concurrent_sessions", NULL), 9);
    assert_int_equal (integer_at (stats, "concurrent_viewers", NULL), 8);
    assert_int_equal (integer_at (stats, "rebuffering", NULL), 2);
    assert_int_equal (integer_at (stats, "sessions_by_state", "REBUFFERING"), 2);
    assert_int_equal (integer_at (stats, "startup_ms", "p99"), 100);
    assert_int_equal (integer_at (stats, "ads", "skipped"), 0);
    assert_true (json_real_value (json_object_get (json_object_get (stats, "ads"), "completion_rate")) ==
                 0.75);
    json_decref (stats);
    json_t *titles = get (&self, (api_request_t){ .path = "/v1/titles", .limit = "1" }, 200);
    assert_int_equal (json_array_size (json_object_get (titles, "titles")), 1);
    assert_int_equal (integer_at (titles, "other_sessions", NULL), 3);
    json_decref (titles);
    json_t *title = get (&self, (api_request_t){ .path = "/v1/titles/Other/count" }, 200);
    assert_int_equal (integer_at (title, "sessions", NULL), 2);
    json_decref (title);
    title = get (&self, (api_request_t){ .path = "/v1/titles/Unknown/count" }, 200);
    assert_true (json_is_false (json_object_get (title, "exact")));
    json_decref (title);
    end (&self);
}

static void
add_row (series_t *series, uint64_t at_s, uint32_t seconds, uint32_t partial, uint64_t sessions,
         uint64_t startup_ms, const char *title)
{
    tally_t tally = { .sum = { .step_s = 60,
                               .at_s = at_s,
                               .seconds = seconds,
                               .partial = partial,
                               .sessions = sessions,
                               .sessions_max = sessions / seconds,
                               .ads = 1 } };
    histogram_add (&tally.startup_ms, startup_ms, 1);
    buffer_t body = { 0 };
    tally_write (&tally, &body);
    say (&body, title, USHER_dimension_medium, !*title, 3);
    say (&body, "usher", USHER_dimension_app, false, 5);
    series_add (series, usher_bytes (body.data, body.size));
    buffer_free (&body);
}

static double
point_of (const json_t *json, const char *column, size_t at)
{
    const json_t *value = json_array_get (json_object_get (json_object_get (json, "columns"), column), at);
    return json_is_null (value) ? -1 : json_number_value (value);
}

static void
test_a_series_adds_up_parts_and_shows_gaps (void **state)
{
    (void)state;
    series_query_t query;
    const series_words_t words = { "1m", "1700000100", "1700000280",
                                   "concurrent_sessions,ads_started,startup_ms_p50", "medium" };
    assert_null (series_read_query (&query, &words, 1700000000 + 3600));
    assert_int_equal (query.from_s, 1700000100);
    assert_int_equal (query.to_s, 1700000280);
    series_t *series = series_new (&query);
    add_row (series, 1700000100, 60, 0, 600, 10, "Film");
    //  Two publishers saw one minute, and nobody some seconds of it.
    add_row (series, 1700000220, 20, 0, 100, 20, "Film");
    add_row (series, 1700000220, 30, 5, 400, 40, "Other");
    add_row (series, 1700000280, 1, 0, 1, 1, "");    //  behind the range
    series_add (series, usher_str ("damaged"));
    buffer_t text = { 0 };
    series_write (series, &text);
    json_t *json = json_loadb (text.data, text.size, 0, NULL);
    assert_non_null (json);
    assert_int_equal (json_integer_value (json_array_get (json_object_get (json, "seconds"), 1)), 0);
    assert_int_equal (json_integer_value (json_array_get (json_object_get (json, "seconds"), 2)), 50);
    assert_int_equal (json_integer_value (json_array_get (json_object_get (json, "partial_seconds"), 2)), 5);
    assert_true (point_of (json, "concurrent_sessions", 0) == 10);
    assert_true (point_of (json, "concurrent_sessions", 1) == -1);
    assert_true (point_of (json, "concurrent_sessions", 2) == 10);
    assert_true (point_of (json, "ads_started", 2) == 2);
    assert_true (point_of (json, "startup_ms_p50", 2) == 20);
    assert_int_equal (json_object_size (json_object_get (json, "columns")), 3);
    //  Of keys a span tells what they had at its end: nothing is 0, a gap is null.
    const json_t *keys = json_object_get (json, "keys"), *film = json_array_get (keys, 0);
    const json_t *sessions = json_object_get (film, "sessions");
    assert_int_equal (json_array_size (keys), 2);
    assert_string_equal (json_string_value (json_object_get (film, "key")), "Film");
    assert_int_equal (json_integer_value (json_array_get (sessions, 0)), 3);
    assert_true (json_is_null (json_array_get (sessions, 1)));
    assert_int_equal (json_integer_value (json_array_get (sessions, 2)), 0);
    assert_true (json_is_integer (json_array_get (sessions, 2)));
    const json_t *total = json_object_get (json, "total");
    assert_int_equal (integer_at (total, "seconds", NULL), 110);
    assert_int_equal (integer_at (total, "ads", "started"), 3);
    assert_int_equal (integer_at (total, "startup_ms", "sessions"), 3);
    json_decref (json);
    buffer_free (&text);
    series_destroy (&series);
}

static void
test_what_is_asked_of_a_series (void **state)
{
    (void)state;
    series_query_t query;
    const uint64_t now_s = 1700000042;
    assert_null (series_read_query (&query, &(series_words_t){ "1s", "", "", "", "" }, now_s));
    assert_int_equal (query.to_s - query.from_s, 3600);
    assert_int_equal (query.to_s, now_s - 3);
    assert_false (query.by);
    assert_null (series_read_query (&query, &(series_words_t){ "", "0", "99999999999", "", "app" }, now_s));
    assert_int_equal (query.step_s, 60);
    assert_int_equal (query.to_s - query.from_s, 86400);
    assert_int_equal (query.dimension, USHER_dimension_app);
    assert_null (series_read_query (&query, &(series_words_t){ "1s", "99999999999", "5", "", "" }, now_s));
    assert_int_equal (query.to_s, query.from_s);
    static const series_words_t wrong [] = { { "2s", "", "", "", "" },
                                             { "1s", "-5", "", "", "" },
                                             { "1s", "", "soon", "", "" },
                                             { "1s", "", "", "errors,wrong", "" },
                                             { "1s", "", "", "", "live" } };
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++)
        assert_non_null (series_read_query (&query, &wrong [at], now_s));
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
        cmocka_unit_test (test_an_erasure_is_answered_when_it_is_done),
        cmocka_unit_test (test_what_can_be_deleted),
        cmocka_unit_test (test_paths),
        cmocka_unit_test (test_pages_meet_everybody_once),
        cmocka_unit_test (test_stats_are_what_the_publisher_says),
        cmocka_unit_test (test_a_series_adds_up_parts_and_shows_gaps),
        cmocka_unit_test (test_what_is_asked_of_a_series),
        cmocka_unit_test (test_ranges),
        cmocka_unit_test (test_paths_stay_inside),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
