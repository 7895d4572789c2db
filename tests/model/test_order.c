//  test_order - within the window arrival does not matter: any order, any duplicates, any split over partitions, and
//  whenever somebody looked at the clock in between, give the same profile, the same feed and the same history rows
//
//  test_any_order: all that is told fits into the window, so every order is allowed; up to 20 sessions, device clocks that
//  are a day off or step, requests that were sent twice. test_long_stories: an hour, in an order that is out by less than
//  the window; sessions are folded away on the way. test_recordings: the sessions that real trackers recorded.
//
//  Usage: test_order [FIRST_SEED [CASES]]. A failure prints its seed.

#include "chance.h"
#include "memory.h"
#include "seeds.h"
#include "snowplow/decode.h"
#include "viewer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CASES = 300,
    SHUFFLES = 8,
    BUSY_SESSIONS = 3,    //  with as many events as a window holds
    SESSIONS = 24,
    EVENTS_MAX = 512,
    PARTITIONS = 5,
    ROWS_MAX = 2 * EVENTS_MAX,
    DAY_MS = 24 * 60 * 60 * 1000
};

static const uint64_t START_MS = 1790000000000;
static config_t config;
static seeds_t seeds = { 1, CASES };

typedef struct {
    uint64_t random;
    size_t count;
    uint64_t end_ms;     //  of the source's clock when all is told
    bool keeps_label;    //  rows that have left the window keep the label they had
    usher_event_t events [EVENTS_MAX];
    char ids [EVENTS_MAX][16];
    char names [SESSIONS][16];
} story_t;

//  An event arrives: which, and how much later than the original the collector saw this copy.
typedef struct {
    size_t event;
    uint64_t copy_ms;
    uint64_t at_ms;    //  to sort by
} arrival_t;

//  What the store would hold: rows by key.
typedef struct {
    size_t count;
    struct {
        char key [192];
        uint8_t data [1024];
        size_t size;
    } rows [ROWS_MAX];
} table_t;

//  All that must be the same in the end.
typedef struct {
    uint8_t *profile;
    size_t profile_size;
    uint8_t feed [SESSIONS][4096];
    size_t sessions;
    size_t feed_size [SESSIONS];
    table_t *table;
} result_t;

static uint64_t
pick (story_t *self, uint64_t below)
{
    return chance_pick (&self->random, below);
}

static usher_str_t
text_of (const char *text)
{
    return usher_bytes (text, strlen (text));
}

static usher_str_t
one_of (story_t *self, const char *const *texts, size_t count)
{
    return text_of (texts [pick (self, count)]);
}

//  ---- a story

static void
entities_tell (story_t *self, usher_event_t *event)
{
    static const char *const labels [] = { "", "Film", "Film, part 2" }, *const names [] = { "a", "b", "",
                                                                                             "d" };
    event->has = (uint32_t)pick (self, 64) & (uint32_t)pick (self, 64);
    event->duration_s = event->rate = event->avg_rate = event->ad_duration_s = NAN;
    bool nameless = event->session_id.size == 0 || self->keeps_label;
    //  Some say nothing about anything.
    if (pick (self, 4) == 0) {
        event->has = 0;
        event->media_label = nameless ? text_of ("solo") : text_of ("");
        return;
    }
    event->media_label = nameless                        ? text_of ("solo")
                         : event->has & USHER_HAS_PLAYER ? one_of (self, labels, 3)
                                                         : text_of ("");
    event->duration_s = pick (self, 3) ? (double)pick (self, 500) : NAN;
    event->rate = 1 + (double)pick (self, 3) / 2;
    event->volume = (uint32_t)pick (self, 102);
    event->flags = (uint32_t)pick (self, 64);
    event->quality = one_of (self, names, 4);
    event->player_type = one_of (self, names, 4);
    event->ad_id = one_of (self, names, 4);
    event->ad_name = one_of (self, names, 4);
    event->break_id = one_of (self, names, 4);
    event->break_type = one_of (self, names, 4);
    event->bitrate = pick (self, 3000);
    event->fps = (uint32_t)pick (self, 60);
    event->error_text = one_of (self, names, 4);
    event->platform = one_of (self, names, 4);
    event->app_id = one_of (self, names, 4);
    static const char *const agents [] = { "", "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)",
                                           "Mozilla/5.0 (Windows NT 10.0; Win64; x64)" };
    event->user_agent = one_of (self, agents, 3);
    event->country = one_of (self, names, 4);
    event->city = one_of (self, names, 4);
    event->identified = (uint32_t)pick (self, 2);
    event->creative_id = one_of (self, names, 4);
    event->pod_position = (uint32_t)pick (self, 4);
    event->ad_duration_s = pick (self, 2) ? (double)pick (self, 30) : NAN;
    event->skippable = (uint32_t)pick (self, 3);
    event->avg_rate = 1 + (double)pick (self, 8) / 8;
}

//  How far ahead the clock of a session's device is at an instant.
typedef struct {
    uint64_t ahead_ms, ahead_then_ms, step_ms;
    bool torn;    //  now the one, now the other
} gadget_t;

static gadget_t
gadget_pick (story_t *self, uint64_t from_ms, uint64_t span_ms)
{
    static const uint64_t leads [] = { 0, DAY_MS, 0 - (uint64_t)DAY_MS, 3600000 };
    gadget_t gadget = { .ahead_ms = pick (self, 2) ? 0 : leads [pick (self, 4)] };
    gadget.ahead_then_ms = pick (self, 2) ? gadget.ahead_ms : leads [pick (self, 4)];
    gadget.step_ms = from_ms + pick (self, span_ms);
    gadget.torn = pick (self, 8) == 0;
    return gadget;
}

static uint64_t
gadget_ahead (story_t *self, const gadget_t *gadget, uint64_t when_ms)
{
    bool then = gadget->torn ? pick (self, 2) : when_ms >= gadget->step_ms;
    return then ? gadget->ahead_then_ms : gadget->ahead_ms;
}

static void
event_tell (story_t *self, usher_str_t session_id, uint64_t when, uint64_t delay_ms, const gadget_t *gadget)
{
    size_t at = self->count++;
    usher_event_t *event = &self->events [at];
    snprintf (self->ids [at], sizeof self->ids [at], "e%llu-%zu", (unsigned long long)pick (self, 100), at);
    *event = (usher_event_t){
        .event_id = text_of (self->ids [at]),
        .session_id = session_id,
        .kind = (usher_event_kind_t)pick (self, USHER_EVENT_KINDS),
        .created_ms = pick (self, 4) ? when + gadget_ahead (self, gadget, when) : 0,
        .collected_ms = when + delay_ms,
        .video_s = pick (self, 8) ? (double)pick (self, 300) : NAN,
        .time_played_s = (double)pick (self, 3),
        .time_paused_s = (double)pick (self, 3) / 10,
        .time_buffering_s = (double)pick (self, 2),
        .time_ads_s = (double)pick (self, 3),
        .time_muted_s = (double)pick (self, 3),
        .content_s = (double)pick (self, 300),
        .ads = (uint32_t)pick (self, 4),
        .ad_breaks = (uint32_t)pick (self, 4),
        .ads_clicked = pick (self, 4) ? 0 : (uint32_t)pick (self, 6),
        .ads_skipped = pick (self, 4) ? 0 : (uint32_t)pick (self, 6),
        .percent = (uint32_t)pick (self, 101),
        .ping_s = pick (self, 5) ? 0 : (uint32_t)pick (self, 400),
    };
    entities_tell (self, event);
}

static void
story_begin (story_t *self, uint64_t seed)
{
    *self = (story_t){ .random = seed * 0x9e3779b97f4a7c15u };
    //  Names in no order; the second has none.
    for (size_t one = 0; one < SESSIONS; one++)
        snprintf (self->names [one], sizeof self->names [one], "%c-session",
                  (char)('a' + (char)(one * 7 % 26)));
    self->names [1][0] = 0;
}

static void
story_tell (story_t *self, uint64_t seed)
{
    static const uint64_t grains [] = { 1, 1000, 20000 };
    story_begin (self, seed);
    bool busy = pick (self, 2);
    size_t sessions = 1 + pick (self, busy ? BUSY_SESSIONS : 20);
    uint64_t grain_ms = grains [pick (self, 3)], span = SESSION_WINDOW_MS / grain_ms - 10;
    for (size_t one = 0; one < sessions; one++) {
        gadget_t gadget = gadget_pick (self, START_MS, SESSION_WINDOW_MS);
        for (size_t left = 1 + pick (self, busy ? SESSION_WINDOW_EVENTS : 8); left > 0; left--) {
            uint64_t when_ms = START_MS + pick (self, span) * grain_ms;
            uint64_t delay_ms = pick (self, 2) ? pick (self, 9) * grain_ms : 0;
            event_tell (self, text_of (self->names [one]), when_ms, delay_ms, &gadget);
        }
    }
    self->end_ms = START_MS + SESSION_WINDOW_MS + pick (self, 3000000);
}

//  Sessions one after the other, one of them an hour long.
static void
long_story_tell (story_t *self, uint64_t seed)
{
    story_begin (self, seed);
    self->keeps_label = true;
    for (size_t one = 0; one < SESSIONS; one++) {
        uint64_t from_ms = START_MS + one * 600000, span_ms = one ? 240000 : SESSIONS * 600000;
        gadget_t gadget = gadget_pick (self, from_ms, span_ms);
        gadget.torn = false;
        size_t count = one ? 1 + pick (self, 12) : 200;
        for (size_t at = 0; at < count; at++)
            event_tell (self, text_of (self->names [one]), from_ms + at * (span_ms / count),
                        pick (self, 2) ? pick (self, 4000) : 0, &gadget);
    }
    self->end_ms = START_MS + SESSIONS * 600000 + pick (self, 3000000);
}

//  ---- the store

static void
table_apply (table_t *self, const usher_history_t *row)
{
    char key [192];
    snprintf (key, sizeof key, "%.*s", (int)row->key_tstamp.size, row->key_tstamp.data);
    size_t at = 0;
    while (at < self->count && strcmp (self->rows [at].key, key))
        at++;
    if (row->remove) {
        if (at < self->count)
            self->rows [at] = self->rows [--self->count];
        return;
    }
    if (at == self->count)
        self->count++;
    memcpy (self->rows [at].key, key, sizeof key);
    usher_msg_t msg = { .id = USHER_MSG_history, .history = *row };
    self->rows [at].size = usher_encode (&msg, self->rows [at].data, sizeof self->rows [at].data);
}

static void
rows_write (viewer_t *viewer, table_t *table)
{
    usher_frame_t frame;
    usher_msg_t msg;
    usher_records_open (&frame, viewer->rows, viewer->rows_used);
    while (viewer->rows_used && usher_decode (&frame, &msg) == USHER_OK && msg.id == USHER_MSG_history)
        table_apply (table, &msg.history);
    viewer_rows_forget (viewer);
}

static int
row_compare (const void *a, const void *b)
{
    return strcmp (a, b);    //  the key comes first
}

//  ---- one arrival

//  The shard writes and ends in peace; another one loads the profile, and gives it grace.
static void
viewer_move (viewer_t *viewer, table_t *table, uint64_t clock_ms)
{
    rows_write (viewer, table);
    size_t size = viewer_store_bound (viewer);
    uint8_t *data = memory_new (size, 1);
    size = viewer_store (viewer, data, size);
    assert_true (size > 0);
    viewer_t other;
    viewer_init (&other, viewer->id);
    assert_true (viewer_restore (&other, data, size));
    viewer_clear (viewer);
    *viewer = other;
    for (size_t at = 0; at < viewer->session_count; at++)
        viewer->sessions [at].grace_ms = clock_ms;
    free (data);
}

//  Somebody looks at the clock.
static void
time_passes (viewer_t *viewer, uint64_t clock_ms)
{
    for (size_t at = 0; at < viewer->session_count; at++)
        if (session_deadline (&viewer->sessions [at], &config) <= clock_ms)
            session_expire (&viewer->sessions [at], &config);
}

static void
result_read (result_t *self, viewer_t *viewer, uint64_t end_ms)
{
    for (size_t at = 0; at < viewer->session_count; at++)
        viewer->sessions [at].grace_ms = 0;
    time_passes (viewer, end_ms);
    viewer->position_count = 0;
    self->profile = memory_new (viewer_store_bound (viewer), 1);
    self->profile_size = viewer_store (viewer, self->profile, viewer_store_bound (viewer));
    self->sessions = viewer->session_count;
    for (size_t at = 0; at < viewer->session_count; at++) {
        usher_msg_t msg = { .id = USHER_MSG_session };
        session_describe (&viewer->sessions [at], &msg.session);
        viewer_describe_earlier (viewer, &msg.session);
        self->feed_size [at] = usher_encode (&msg, self->feed [at], sizeof self->feed [at]);
        assert_true (self->feed_size [at] > 0);
    }
    qsort (self->table->rows, self->table->count, sizeof *self->table->rows, row_compare);
}

static viewer_outcome_t
event_arrive (viewer_t *viewer, const usher_event_t *event, uint64_t clock_ms)
{
    viewer_effect_t effect = viewer_take (viewer, event, 1);
    assert_int_not_equal (effect.outcome, VIEWER_LATE);
    if (effect.session)
        session_reconsider (effect.session, &config, clock_ms);
    for (session_t *session; (session = viewer_excess (viewer));)
        viewer_fold (viewer, session);
    return effect.outcome;
}

//  restless: over several partitions, with restarts, and with looks at the clock at any time.
static result_t
arrive (story_t *story, const arrival_t *arrivals, size_t count, bool restless)
{
    result_t result = { .table = memory_new (1, sizeof (table_t)) };
    uint64_t offsets [PARTITIONS] = { 0 }, clock_ms = 0;
    size_t applied = 0;
    viewer_t viewer;
    viewer_init (&viewer, text_of ("viewer"));
    for (size_t at = 0; at < count; at++) {
        usher_event_t event = story->events [arrivals [at].event];
        event.collected_ms += arrivals [at].copy_ms;
        event.partition = restless ? (uint32_t)pick (story, PARTITIONS) : 0;
        event.offset = ++offsets [event.partition];
        if (event.collected_ms > clock_ms)
            clock_ms = event.collected_ms;
        applied += event_arrive (&viewer, &event, clock_ms) == VIEWER_APPLIED;
        //  The same position once more, as after a restart.
        if (restless && pick (story, 8) == 0)
            assert_int_equal (viewer_take (&viewer, &event, 1).outcome, VIEWER_DUPLICATE);
        if (!restless || pick (story, 4) == 0)
            rows_write (&viewer, result.table);
        if (restless && pick (story, 16) == 0)
            viewer_move (&viewer, result.table, clock_ms);
        if (restless && pick (story, 8) == 0)
            clock_ms += pick (story, story->end_ms - clock_ms);
        if (restless && pick (story, 4) == 0)
            time_passes (&viewer, clock_ms);
    }
    //  Each event once, whatever came how often.
    assert_int_equal (applied, story->count);
    rows_write (&viewer, result.table);
    result_read (&result, &viewer, story->end_ms);
    viewer_clear (&viewer);
    return result;
}

static void
result_free (result_t *self)
{
    free (self->profile);
    free (self->table);
}

static const char *
difference (const result_t *a, const result_t *b)
{
    if (a->table->count != b->table->count)
        return "number of history rows";
    for (size_t at = 0; at < a->table->count; at++)
        if (strcmp (a->table->rows [at].key, b->table->rows [at].key) ||
            a->table->rows [at].size != b->table->rows [at].size ||
            memcmp (a->table->rows [at].data, b->table->rows [at].data, a->table->rows [at].size))
            return "history rows";
    if (a->sessions != b->sessions)
        return "number of sessions";
    for (size_t at = 0; at < a->sessions; at++)
        if (a->feed_size [at] != b->feed_size [at] || memcmp (a->feed [at], b->feed [at], a->feed_size [at]))
            return "feed";
    if (a->profile_size != b->profile_size || memcmp (a->profile, b->profile, a->profile_size))
        return "profile";
    return NULL;
}

//  A tracker sends a request again: the collector sees it later. What it says of the player and so on is not looked at
//  here, for of that the copy that came first is taken.
static uint64_t
copy_pick (story_t *story, const usher_event_t *event)
{
    bool plain = event->has == 0 && !event->ad_id.size && !event->platform.size && !event->app_id.size &&
                 !event->country.size && !event->user_agent.size;
    return plain && pick (story, 2) ? 1 + pick (story, 10) : 0;
}

static int
arrival_compare (const void *a, const void *b)
{
    const arrival_t *x = a, *y = b;
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

//  All events, and some of them more than once, at any time from when the collector saw them until disorder_ms later.
static size_t
arrivals_shuffle (story_t *story, arrival_t *arrivals, uint64_t disorder_ms)
{
    size_t count = 0;
    for (; count < story->count; count++)
        arrivals [count] = (arrival_t){ .event = count };
    for (size_t more = pick (story, story->count + 1); more > 0; more--) {
        size_t event = pick (story, story->count);
        arrivals [count++] = (arrival_t){ event, copy_pick (story, &story->events [event]), 0 };
    }
    for (size_t at = 0; at < count; at++)
        arrivals [at].at_ms =
            story->events [arrivals [at].event].collected_ms + pick (story, disorder_ms) * 16 + at % 16;
    qsort (arrivals, count, sizeof *arrivals, arrival_compare);
    return count;
}

//  Told in order, then in others.
static void
compare_orders (story_t *story, uint64_t seed, uint64_t disorder_ms)
{
    arrival_t arrivals [2 * EVENTS_MAX];
    for (size_t at = 0; at < story->count; at++)
        arrivals [at] = (arrival_t){ .event = at, .at_ms = story->events [at].collected_ms };
    qsort (arrivals, story->count, sizeof *arrivals, arrival_compare);
    result_t told = arrive (story, arrivals, story->count, false);
    for (int shuffle = 0; shuffle < SHUFFLES; shuffle++) {
        size_t count = arrivals_shuffle (story, arrivals, disorder_ms);
        result_t other = arrive (story, arrivals, count, true);
        const char *what = difference (&told, &other);
        if (what)
            fail_msg ("seed %llu, shuffle %d: %s differ", (unsigned long long)seed, shuffle, what);
        result_free (&other);
    }
    result_free (&told);
}

static void
test_any_order (void **state)
{
    (void)state;
    story_t *story = memory_new (1, sizeof *story);
    for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        story_tell (story, seed);
        compare_orders (story, seed, SESSION_WINDOW_MS * 4);
    }
    free (story);
}

static void
test_long_stories (void **state)
{
    (void)state;
    story_t *story = memory_new (1, sizeof *story);
    for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count / 4; seed++) {
        long_story_tell (story, seed);
        compare_orders (story, seed, SESSION_WINDOW_MS / 64);
    }
    free (story);
}

//  ---- recorded sessions

typedef struct {
    size_t count;
    decoder_t *decoders [EVENTS_MAX];    //  one a line: the strings of an event are in it or in its line
    char *lines [EVENTS_MAX];
    usher_event_t events [EVENTS_MAX];
} recording_t;

static void
recording_read (recording_t *self, const char *path)
{
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    char *line = NULL;
    size_t room = 0;
    for (ssize_t size; (size = getline (&line, &room, file)) > 0; line = NULL, room = 0) {
        const char *reason;
        size_t at = self->count;
        self->lines [at] = line;
        self->decoders [at] = decoder_new ();
        size -= line [size - 1] == '\n';
        if (decode_event (self->decoders [at], line, (size_t)size, &self->events [at], &reason) ==
            DECODE_EVENT)
            self->count++;
        else {
            decoder_destroy (&self->decoders [at]);
            free (line);
        }
    }
    free (line);
    fclose (file);
}

static void
recording_clear (recording_t *self)
{
    for (size_t at = 0; at < self->count; at++) {
        decoder_destroy (&self->decoders [at]);
        free (self->lines [at]);
    }
    self->count = 0;
}

//  All that one viewer of a recording did.
static void
recorded_tell (story_t *self, const recording_t *recording, usher_str_t viewer_id)
{
    *self = (story_t){ .random = seeds.first };
    for (size_t at = 0; at < recording->count; at++) {
        const usher_event_t *event = &recording->events [at];
        if (!usher_str_eq (event->viewer_id, viewer_id))
            continue;
        self->events [self->count++] = *event;
        if (event->collected_ms > self->end_ms)
            self->end_ms = event->collected_ms;
    }
    self->end_ms += SESSION_WINDOW_MS;
}

static void
test_recordings (void **state)
{
    static const char *const paths [] = { "tests/data/enriched-browser-4.10.tsv",
                                          "tests/data/enriched-node-4.8.0.tsv" };
    (void)state;
    story_t *story = memory_new (1, sizeof *story);
    recording_t *recording = memory_new (1, sizeof *recording);
    for (size_t path = 0; path < sizeof paths / sizeof *paths; path++) {
        recording_read (recording, paths [path]);
        assert_true (recording->count > 0);
        for (size_t at = 0; at < recording->count; at++) {
            recorded_tell (story, recording, recording->events [at].viewer_id);
            compare_orders (story, seeds.first, SESSION_WINDOW_MS);
        }
        recording_clear (recording);
    }
    free (recording);
    free (story);
}

int
main (int argc, char **argv)
{
    seeds_read (&seeds, argc, argv);
    config.shard.paused_timeout_s = 1800;
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_any_order),
                                         cmocka_unit_test (test_long_stories),
                                         cmocka_unit_test (test_recordings) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
