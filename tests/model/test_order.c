//  test_order - within the window arrival does not matter: any order, any duplicates, any split over partitions give the
//  same profile, the same feed and the same history rows
//
//  Usage: test_order [FIRST_SEED [CASES]]. A failure prints its seed.

#include "viewer.h"
#include "memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CASES = 300,
    SHUFFLES = 8,
    SESSIONS = 3,
    EVENTS_MAX = SESSIONS * SESSION_WINDOW_EVENTS,
    PARTITIONS = 5,
    ROWS_MAX = 2 * EVENTS_MAX
};

static const uint64_t START_MS = 1790000000000;
static uint64_t first_seed = 1, case_count = CASES;

typedef struct {
    uint64_t random;
    size_t count;
    usher_event_t events [EVENTS_MAX];
    char ids [EVENTS_MAX][16];
} story_t;

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
    uint8_t feed [SESSIONS][2048];
    size_t feed_size [SESSIONS];
    table_t *table;
} result_t;

static uint64_t
pick (story_t *self, uint64_t below)
{
    self->random = self->random * 6364136223846793005u + 1442695040888963407u;
    return (self->random >> 33) % below;
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
    bool nameless = event->session_id.size == 0;
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
}

static void
event_tell (story_t *self, size_t at, usher_str_t session_id, uint64_t grain_ms)
{
    usher_event_t *event = &self->events [at];
    snprintf (self->ids [at], sizeof self->ids [at], "e%llu-%zu", (unsigned long long)pick (self, 100), at);
    uint64_t when = START_MS + pick (self, SESSION_WINDOW_MS / grain_ms - 10) * grain_ms;
    *event = (usher_event_t){
        .event_id = text_of (self->ids [at]),
        .session_id = session_id,
        .kind = (usher_event_kind_t)pick (self, USHER_EVENT_KINDS),
        .created_ms = pick (self, 4) ? when : 0,
        .collected_ms = when + (pick (self, 2) ? pick (self, 10) * grain_ms : 0),
        .video_s = pick (self, 8) ? (double)pick (self, 300) : NAN,
        .time_played_s = (double)pick (self, 3),
        .time_paused_s = (double)pick (self, 3) / 10,
        .time_ads_s = (double)pick (self, 3),
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
story_tell (story_t *self, uint64_t seed)
{
    static const char *const names [SESSIONS] = { "session-b", "", "session-a" };
    static const uint64_t grains [] = { 1, 1000, 20000 };
    *self = (story_t){ .random = seed * 0x9e3779b97f4a7c15u };
    size_t sessions = 1 + pick (self, SESSIONS);
    uint64_t grain_ms = grains [pick (self, 3)];
    for (size_t one = 0; one < sessions; one++)
        for (size_t left = 1 + pick (self, pick (self, 2) ? 8 : SESSION_WINDOW_EVENTS); left > 0; left--)
            event_tell (self, self->count++, text_of (names [one]), grain_ms);
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
    viewer->rows_used = 0;
}

static int
row_compare (const void *a, const void *b)
{
    return strcmp (a, b);    //  the key comes first
}

//  ---- one arrival

//  The shard writes and ends in peace; another one loads the profile.
static void
viewer_move (viewer_t *viewer, table_t *table)
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
    free (data);
}

static void
result_read (result_t *self, viewer_t *viewer)
{
    viewer->position_count = 0;
    self->profile = memory_new (viewer_store_bound (viewer), 1);
    self->profile_size = viewer_store (viewer, self->profile, viewer_store_bound (viewer));
    for (size_t at = 0; at < viewer->session_count; at++) {
        usher_msg_t msg = { .id = USHER_MSG_session };
        session_describe (&viewer->sessions [at], &msg.session);
        self->feed_size [at] = usher_encode (&msg, self->feed [at], sizeof self->feed [at]);
        assert_true (self->feed_size [at] > 0);
    }
    qsort (self->table->rows, self->table->count, sizeof *self->table->rows, row_compare);
}

//  order names events by number, some more than once.
static result_t
arrive (story_t *story, const size_t *order, size_t count, bool restless)
{
    result_t result = { .table = memory_new (1, sizeof (table_t)) };
    uint64_t offsets [PARTITIONS] = { 0 };
    viewer_t viewer;
    viewer_init (&viewer, text_of ("viewer"));
    for (size_t at = 0; at < count; at++) {
        usher_event_t event = story->events [order [at]];
        event.partition = restless ? (uint32_t)pick (story, PARTITIONS) : 0;
        event.offset = ++offsets [event.partition];
        viewer_take (&viewer, &event, 1);
        //  The same position once more, as after a restart.
        if (restless && pick (story, 8) == 0)
            assert_int_equal (viewer_take (&viewer, &event, 1).outcome, VIEWER_DUPLICATE);
        if (!restless || pick (story, 4) == 0)
            rows_write (&viewer, result.table);
        if (restless && pick (story, 16) == 0)
            viewer_move (&viewer, result.table);
    }
    rows_write (&viewer, result.table);
    result_read (&result, &viewer);
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
    for (size_t at = 0; at < SESSIONS; at++)
        if (a->feed_size [at] != b->feed_size [at] || memcmp (a->feed [at], b->feed [at], a->feed_size [at]))
            return "feed";
    if (a->profile_size != b->profile_size || memcmp (a->profile, b->profile, a->profile_size))
        return "profile";
    return NULL;
}

static size_t
order_shuffle (story_t *story, size_t *order)
{
    size_t count = story->count;
    for (size_t at = 0; at < count; at++)
        order [at] = at;
    for (size_t more = pick (story, story->count + 1); more > 0; more--)
        order [count++] = pick (story, story->count);
    for (size_t at = count; at > 1; at--) {
        size_t other = pick (story, at), kept = order [at - 1];
        order [at - 1] = order [other];
        order [other] = kept;
    }
    return count;
}

static void
test_any_order (void **state)
{
    (void)state;
    story_t *story = memory_new (1, sizeof *story);
    size_t order [2 * EVENTS_MAX];
    for (uint64_t seed = first_seed; seed < first_seed + case_count; seed++) {
        story_tell (story, seed);
        for (size_t at = 0; at < story->count; at++)
            order [at] = at;
        result_t told = arrive (story, order, story->count, false);
        for (int shuffle = 0; shuffle < SHUFFLES; shuffle++) {
            result_t other = arrive (story, order, order_shuffle (story, order), true);
            const char *what = difference (&told, &other);
            if (what)
                fail_msg ("seed %llu, shuffle %d: %s differ", (unsigned long long)seed, shuffle, what);
            result_free (&other);
        }
        result_free (&told);
    }
    free (story);
}

int
main (int argc, char **argv)
{
    if (argc > 1)
        first_seed = strtoull (argv [1], NULL, 10);
    if (argc > 2)
        case_count = strtoull (argv [2], NULL, 10);
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_any_order) };
    print_message ("seeds %llu to %llu\n", (unsigned long long)first_seed,
                   (unsigned long long)(first_seed + case_count - 1));
    return cmocka_run_group_tests (tests, NULL, NULL);
}
