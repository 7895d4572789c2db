//  test_api - what the API answers: viewers, erasures, stats and series

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "erase.h"
#include "gateway_bench.h"
#include "memory.h"
#include "records.h"

//  ---- the API

static json_t *
get (gateway_bench_t *self, api_request_t request, unsigned status)
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
get_only (gateway_bench_t *self, const char *path, unsigned status)
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
    assert_string_equal (api_methods ("/v1/viewers/alice"), "GET, HEAD, DELETE");
    assert_string_equal (api_methods ("/v1/viewers/alice/history"), "GET, HEAD");
    assert_string_equal (api_methods ("/"), "GET, HEAD");
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
    gateway_bench_t self;
    gateway_begin (&self);
    gateway_put (&self, gateway_session ("a/b", "s", 1, USHER_state_watching));
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
    json_decref (get (&self, (api_request_t){ .path = "/v1/viewers", .status = "watching" }, 200));
    json_decref (get (&self, (api_request_t){ .path = "/v1/viewers", .status = "WATCHING_VIDEO" }, 200));
    json_decref (get (&self, (api_request_t){ .path = "/v1/viewers", .status = "WATCHNG" }, 400));
    assert_true (api_knows ("/v1/stats"));
    assert_false (api_knows ("/index.html"));
    gateway_end (&self);
}

static void
test_pages_meet_everybody_once (void **state)
{
    (void)state;
    gateway_bench_t self;
    gateway_begin (&self);
    char name [16];
    for (int at = 0; at < 3000; at++) {
        snprintf (name, sizeof name, "v%d", at);
        gateway_put (&self,
                     gateway_session (name, "s", 1, at % 3 ? USHER_state_watching : USHER_state_paused));
    }
    gateway_put (&self, gateway_session ("v1", "second", 2, USHER_state_watching));
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
    gateway_end (&self);
}

//  ---- stats and series

static void
say (buffer_t *frame, const char *key, usher_dimension_t which, bool other, uint64_t sessions)
{
    usher_msg_t msg = { .id = USHER_MSG_aggregate_key,
                        .aggregate_key = { which, usher_str (key), other, sessions, sessions - 1 } };
    records_add (frame, &msg);
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
    gateway_bench_t self;
    gateway_begin (&self);
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
    gateway_end (&self);
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
    char wrong [SERIES_WRONG];
    assert_true (series_read_query (&query, &words, 1700000000 + 3600, wrong));
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

static bool
ask_series (series_query_t *query, series_words_t words, uint64_t now_s)
{
    char wrong [SERIES_WRONG] = "";
    bool good = series_read_query (query, &words, now_s, wrong);
    assert_int_equal (good, *wrong == 0);
    return good;
}

static void
test_what_is_asked_of_a_series (void **state)
{
    (void)state;
    series_query_t query;
    const uint64_t now_s = 1700000042;
    assert_true (ask_series (&query, (series_words_t){ "1s", "", "", "", "" }, now_s));
    assert_int_equal (query.to_s - query.from_s, 3600);
    assert_int_equal (query.to_s, now_s - 3);
    assert_false (query.by);
    assert_true (ask_series (&query, (series_words_t){ "", "0", "99999999999", "", "app" }, now_s));
    assert_int_equal (query.step_s, 60);
    assert_int_equal (query.to_s - query.from_s, 86400);
    assert_int_equal (query.dimension, USHER_dimension_app);
    assert_true (ask_series (&query, (series_words_t){ "1s", "99999999999", "5", "", "" }, now_s));
    assert_int_equal (query.to_s, query.from_s);
}

//  What is wrong is named, and what would be right.
static void
test_what_cannot_be_asked_of_a_series (void **state)
{
    (void)state;
    static const struct {
        series_words_t words;
        const char *begin, *end;
    } cases [] = {
        { { "2s", "", "", "", "" }, "resolution: expected 1s", "(the last day)" },
        { { "1s", "-5", "", "", "" }, "from, to: ", "Unix seconds" },
        { { "1s", "", "soon", "", "" }, "from, to: ", "Unix seconds" },
        { { "1s", "", "", "errors,wrong,ad_breaks", "" },
          "metric: 'wrong' is none of concurrent_sessions, ",
          ", rebuffering_ratio_p99" },
        { { "1s", "", "", "errors,", "live" }, "by: expected state, ", "or app" },
    };
    series_query_t query;
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char wrong [SERIES_WRONG];
        assert_false (series_read_query (&query, &cases [at].words, 1700000042, wrong));
        assert_ptr_equal (strstr (wrong, cases [at].begin), wrong);
        assert_string_equal (strstr (wrong, cases [at].end), cases [at].end);
    }
    //  A stranger's name cannot break the JSON around it.
    char name [200] = "\"\xff";
    memset (name + 2, 'x', sizeof name - 3);
    api_world_t world = { .wall_ms = 1700000042000 };
    api_request_t request = { "/v1/stats/series", "", "", "", "", "", { "1s", "", "", name, "" } };
    api_answer_t answer = { 0 };
    api_get (&world, &request, &answer);
    assert_int_equal (answer.status, 400);
    json_t *json = json_loadb (answer.body.data, answer.body.size, 0, NULL);
    assert_non_null (
        strstr (json_string_value (json_object_get (json, "error")), "metric: '\"\xEF\xBF\xBDxx"));
    json_decref (json);
    buffer_free (&answer.body);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_an_erasure_is_answered_when_it_is_done),
        cmocka_unit_test (test_what_can_be_deleted),
        cmocka_unit_test (test_paths),
        cmocka_unit_test (test_pages_meet_everybody_once),
        cmocka_unit_test (test_stats_are_what_the_publisher_says),
        cmocka_unit_test (test_a_series_adds_up_parts_and_shows_gaps),
        cmocka_unit_test (test_what_is_asked_of_a_series),
        cmocka_unit_test (test_what_cannot_be_asked_of_a_series),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
