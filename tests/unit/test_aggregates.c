//  test_aggregates - counts kept change by change against counting all anew; histograms

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "picture.h"

//  ---- histograms

static void
test_a_percentile_is_close (void **state)
{
    (void)state;
    for (uint64_t value = 0; value <= HISTOGRAM_MAX; value += 1 + value / 97) {
        histogram_t histogram = { 0 };
        histogram_add (&histogram, value, 1);
        uint64_t read = histogram_percentile (&histogram, 50);
        uint64_t off = read > value ? read - value : value - read;
        assert_true (off * 128 <= value);
    }
    histogram_t histogram = { 0 };
    histogram_add (&histogram, UINT64_MAX, 1);
    assert_true (histogram_percentile (&histogram, 99) > HISTOGRAM_MAX - HISTOGRAM_MAX / 128);
}

static void
test_percentiles_are_nearest_ranks (void **state)
{
    (void)state;
    histogram_t histogram = { 0 };
    assert_int_equal (histogram_percentile (&histogram, 50), 0);
    for (uint64_t value = 1; value <= 100; value++)
        histogram_add (&histogram, value, 1);
    const unsigned percents [] = { 1, 50, 75, 90, 95, 99, 100 };
    for (size_t at = 0; at < sizeof percents / sizeof *percents; at++)
        assert_int_equal (histogram_percentile (&histogram, percents [at]), percents [at]);
    histogram_add (&histogram, 7, -2);    //  a correction of what another one counted
    assert_int_equal (histogram_count (&histogram), 99);
}

static usher_str_t
written (const histogram_t *histogram, buffer_t *out)
{
    histogram_write (histogram, out);
    return usher_bytes (out->data, out->size);
}

static void
test_histograms_add_up (void **state)
{
    (void)state;
    histogram_t one = { 0 }, two = { 0 }, all = { 0 }, sum = { 0 };
    srand (7);
    for (int count = 0; count < 5000; count++) {
        uint64_t value = (uint64_t)rand () % (HISTOGRAM_MAX + 1) >> rand () % 22;
        int by = rand () % 3 - 1;
        histogram_add (count % 2 ? &one : &two, value, by);
        histogram_add (&all, value, by);
    }
    histogram_add (&one, 3, INT32_MAX / 2);
    histogram_add (&all, 3, INT32_MAX / 2);
    buffer_t bytes = { 0 };
    assert_true (histogram_merge (&sum, written (&one, &bytes)));
    buffer_free (&bytes);
    assert_true (histogram_merge (&sum, written (&two, &bytes)));
    assert_memory_equal (&sum, &all, sizeof all);
    //  Cut short it is damaged, or fewer cells; nothing of what is damaged is added.
    for (size_t size = 0; size < bytes.size; size++) {
        histogram_t cut = { 0 }, nothing = { 0 };
        if (!histogram_merge (&cut, usher_bytes (bytes.data, size)))
            assert_memory_equal (&cut, &nothing, sizeof cut);
    }
    buffer_free (&bytes);
    static const char *const wrong [] = { "\x80", "\x01", "\xff\xff\x01\x02",
                                          "\xff\xff\xff\xff\xff\xff\x01" };
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++)
        assert_false (histogram_merge (&sum, usher_str (wrong [at])));
}

//  ---- counts against counting anew

enum { VIEWERS = 40, SESSIONS = 3, STEPS = 6000 };

static const char *const labels [] = { "Film", "Other film", "", "A third" };

typedef struct {
    bool held;
    char viewer [8], id [8];
    usher_session_t session;
} naive_session_t;

typedef struct {
    picture_t *picture;
    naive_session_t sessions [VIEWERS][SESSIONS];
    uint64_t now_ms, version;
} world_t;

static void
session_draw (world_t *self, naive_session_t *of, int viewer, int number)
{
    snprintf (of->viewer, sizeof of->viewer, "v%d", viewer);
    snprintf (of->id, sizeof of->id, "s%d", number);
    usher_session_t drawn = { .viewer_id = usher_str (of->viewer),
                              .session_id = usher_str (of->id),
                              .slot = usher_slot (usher_str (of->viewer)),
                              .epoch = 1,
                              .version = ++self->version,
                              .state = (uint32_t)rand () % USHER_STATES,
                              .status = (uint32_t)rand () % USHER_STATUSES,
                              .since_ms = self->now_ms - (uint64_t)(rand () % 400) * 1000,
                              .media_label = usher_str (labels [rand () % 4]),
                              .country = usher_str (rand () % 2 ? "NL" : "DE"),
                              .app_id = usher_str ("app"),
                              .device = (uint32_t)rand () % USHER_DEVICE_CLASSES,
                              .ads = (uint32_t)rand () % 5,
                              .errors = (uint32_t)rand () % 3,
                              .startup_ms = (uint64_t)rand () % 3 ? (uint64_t)rand () % 5000 : 0,
                              .time_played_s = rand () % 100,
                              .time_buffering_s = rand () % 50 };
    //  A state begins after the one before; only a stall may be corrected to have begun earlier.
    bool stalls = drawn.state == USHER_state_rebuffering && of->session.state == USHER_state_rebuffering;
    if (drawn.since_ms < of->session.since_ms && !stalls)
        drawn.since_ms = of->session.since_ms;
    of->session = drawn;
    of->held = true;
}

//  Written from the words of 02-profile, not from the C under test.
static bool
naive_concurrent (const usher_session_t *session, uint64_t now_ms)
{
    switch (session->state) {
    case USHER_state_watching:
    case USHER_state_seeking:
    case USHER_state_ad:
        return true;
    case USHER_state_rebuffering:
        return now_ms < session->since_ms + 5 * 60 * 1000;
    default:
        return false;
    }
}

static bool
naive_counts (const usher_session_t *session, usher_dimension_t which, const char *key, uint64_t now_ms)
{
    bool over = session->state == USHER_state_ended || session->state == USHER_state_failed ||
                session->state == USHER_state_lost;
    bool concurrent = naive_concurrent (session, now_ms);
    switch (which) {
    case USHER_dimension_concurrent:
        return concurrent;
    case USHER_dimension_live:
        return !over;
    case USHER_dimension_state:
        return strcmp (usher_state_names [session->state], key) == 0;
    case USHER_dimension_status:
        return strcmp (usher_status_names [session->status], key) == 0 &&
               session->state != USHER_state_failed && session->state != USHER_state_lost;
    case USHER_dimension_medium:
        return concurrent && usher_str_eq (session->media_label, usher_str (key));
    case USHER_dimension_country:
        return concurrent && usher_str_eq (session->country, usher_str (key));
    case USHER_dimension_device:
        return concurrent && strcmp (usher_device_class_names [session->device], key) == 0;
    default:
        return concurrent && usher_str_eq (session->app_id, usher_str (key));
    }
}

static void
check_key (const world_t *self, usher_dimension_t which, const char *key)
{
    uint64_t sessions = 0, viewers = 0;
    for (int viewer = 0; viewer < VIEWERS; viewer++) {
        uint64_t before = sessions;
        for (int number = 0; number < SESSIONS; number++) {
            const naive_session_t *of = &self->sessions [viewer][number];
            sessions += of->held && naive_counts (&of->session, which, key, self->now_ms);
        }
        viewers += sessions > before;
    }
    dimension_count_t count = aggregates_count (picture_aggregates (self->picture), which, usher_str (key));
    assert_int_equal (count.sessions, sessions);
    assert_int_equal (count.viewers, viewers);
}

static void
check_sums (const world_t *self)
{
    uint64_t ads = 0, errors = 0;
    histogram_t startup = { 0 };
    for (int at = 0; at < VIEWERS * SESSIONS; at++) {
        const naive_session_t *of = &self->sessions [at / SESSIONS][at % SESSIONS];
        if (!of->held)
            continue;
        errors += of->session.errors;
        if (naive_counts (&of->session, USHER_dimension_live, "", self->now_ms))
            ads += of->session.ads;
        if (of->session.startup_ms)
            histogram_add (&startup, of->session.startup_ms - 1, 1);
    }
    const tally_t *now = aggregates_now (picture_aggregates (self->picture));
    assert_int_equal (now->sum.ads, ads);
    assert_int_equal (now->sum.errors, errors);
    assert_memory_equal (&now->startup_ms, &startup, sizeof startup);
}

static void
check (const world_t *self)
{
    check_key (self, USHER_dimension_concurrent, "");
    check_key (self, USHER_dimension_live, "");
    for (size_t at = 0; at < USHER_STATES; at++)
        check_key (self, USHER_dimension_state, usher_state_names [at]);
    for (size_t at = 0; at < USHER_STATUSES; at++)
        check_key (self, USHER_dimension_status, usher_status_names [at]);
    for (size_t at = 0; at < 4; at++)
        check_key (self, USHER_dimension_medium, labels [at]);
    for (size_t at = 0; at < USHER_DEVICE_CLASSES; at++)
        check_key (self, USHER_dimension_device, usher_device_class_names [at]);
    check_key (self, USHER_dimension_country, "NL");
    check_key (self, USHER_dimension_country, "DE");
    check_key (self, USHER_dimension_app, "app");
    check_sums (self);
}

static void
step (world_t *self)
{
    int viewer = rand () % VIEWERS, number = rand () % SESSIONS;
    naive_session_t *of = &self->sessions [viewer][number];
    if (of->held && rand () % 4 == 0) {
        usher_session_t gone = { .viewer_id = of->session.viewer_id,
                                 .session_id = of->session.session_id,
                                 .slot = of->session.slot,
                                 .gone = 1 };
        assert_true (picture_put (self->picture, &gone, self->now_ms));
        of->held = false;
        return;
    }
    session_draw (self, of, viewer, number);
    assert_true (picture_put (self->picture, &of->session, self->now_ms));
}

static void
test_counts_are_those_of_counting_anew (void **state)
{
    (void)state;
    srand (11);
    world_t *self = memory_new (1, sizeof *self);
    self->picture = picture_new ();
    self->now_ms = 1700000000000;
    for (int count = 0; count < STEPS; count++) {
        step (self);
        if (rand () % 20 == 0) {
            //  Whole seconds: a stall ends to the second.
            self->now_ms += (uint64_t)(rand () % 200) * 1000;
            picture_tick (self->picture, self->now_ms);
        }
        if (count % 10 == 0)
            check (self);
    }
    picture_destroy (&self->picture);
    free (self);
}

static usher_session_t
watching (const char *viewer, const char *label)
{
    return (usher_session_t){ .viewer_id = usher_str (viewer),
                              .session_id = usher_str ("s"),
                              .slot = usher_slot (usher_str (viewer)),
                              .state = USHER_state_watching,
                              .media_label = usher_str (label) };
}

static void
test_keys_beyond_the_limit_are_other (void **state)
{
    (void)state;
    picture_t *picture = picture_new ();
    const aggregates_t *aggregates = picture_aggregates (picture);
    char name [16];
    for (int at = 0; at < DIMENSION_KEYS + 3; at++) {
        snprintf (name, sizeof name, "%d", at);
        usher_session_t session = watching (name, name);
        picture_put (picture, &session, 1000);
    }
    assert_int_equal (aggregates_other (aggregates, USHER_dimension_medium).sessions, 3);
    //  A place comes free. Who went to other stays there, until it changes.
    usher_session_t first = watching ("0", "0"), last = watching (name, name);
    first.gone = 1;
    picture_put (picture, &first, 1000);
    assert_int_equal (aggregates_other (aggregates, USHER_dimension_medium).sessions, 3);
    picture_put (picture, &last, 1000);
    assert_int_equal (aggregates_other (aggregates, USHER_dimension_medium).sessions, 2);
    assert_int_equal (aggregates_count (aggregates, USHER_dimension_medium, usher_str (name)).viewers, 1);
    buffer_t text = { 0 };
    aggregates_write_keys (aggregates, 5, &text);
    usher_frame_t frame;
    usher_msg_t msg;
    uint64_t shown = 0, sum = 0;
    usher_records_open (&frame, text.data, text.size);
    while (usher_decode (&frame, &msg) == USHER_OK)
        if (msg.aggregate_key.dimension == USHER_dimension_medium) {
            shown++;
            sum += msg.aggregate_key.sessions;
        }
    assert_int_equal (shown, 6);
    assert_int_equal (sum, DIMENSION_KEYS + 2);
    buffer_free (&text);
    picture_destroy (&picture);
}

//  ---- what happened in a second

static tally_t
second_of (picture_t *picture)
{
    tally_t second;
    aggregates_take_second (picture_aggregates (picture), &second);
    return second;
}

static void
test_only_changes_happen (void **state)
{
    (void)state;
    picture_t *picture = picture_new ();
    usher_session_t session = watching ("a", "Film");
    session.ads = 3;
    session.startup_ms = 501;
    session.restored = 1;    //  it is no news
    picture_put (picture, &session, 1000);
    tally_t second = second_of (picture);
    assert_int_equal (second.sum.ads, 0);
    assert_int_equal (histogram_count (&second.startup_ms), 0);
    assert_int_equal (second.sum.sessions, 1);
    assert_int_equal (aggregates_now (picture_aggregates (picture))->sum.ads, 3);
    session.ads = 4;    //  said again, and known: the difference counts
    picture_put (picture, &session, 1000);
    usher_session_t fresh = watching ("b", "Film");
    fresh.ads = 2;
    fresh.startup_ms = 101;
    picture_put (picture, &fresh, 1000);
    second = second_of (picture);
    assert_int_equal (second.sum.ads, 3);
    assert_int_equal (histogram_percentile (&second.startup_ms, 50), 100);
    //  Corrections: of a counter that shrinks, of a start-up that was another.
    fresh.ads = 1;
    fresh.startup_ms = 61;
    picture_put (picture, &fresh, 1000);
    second = second_of (picture);
    assert_int_equal ((int64_t)second.sum.ads, -1);
    assert_int_equal (histogram_count (&second.startup_ms), 1);
    assert_int_equal (histogram_percentile (&second.startup_ms, 50), 60);
    //  What leaves takes nothing back.
    fresh.gone = 1;
    picture_put (picture, &fresh, 1000);
    second = second_of (picture);
    assert_int_equal (second.sum.ads, 0);
    assert_int_equal (second.sum.sessions, 1);
    picture_destroy (&picture);
}

static void
test_stalls_count_when_a_session_is_over (void **state)
{
    (void)state;
    picture_t *picture = picture_new ();
    usher_session_t session = watching ("a", "Film");
    session.time_played_s = 80;
    session.time_buffering_s = 8;
    picture_put (picture, &session, 1000);
    tally_t second = second_of (picture), sum = { 0 };
    assert_int_equal (histogram_count (&second.stalled_ppm), 0);
    session.state = USHER_state_lost;
    picture_put (picture, &session, 1000);
    second = second_of (picture);
    assert_in_range (histogram_percentile (&second.stalled_ppm, 50), 99300, 100700);
    tally_add (&sum, &second);
    session.state = USHER_state_watching;    //  it was not over after all
    picture_put (picture, &session, 1000);
    second = second_of (picture);
    tally_add (&sum, &second);
    assert_int_equal (histogram_count (&sum.stalled_ppm), 0);
    picture_destroy (&picture);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_a_percentile_is_close),
        cmocka_unit_test (test_percentiles_are_nearest_ranks),
        cmocka_unit_test (test_histograms_add_up),
        cmocka_unit_test (test_counts_are_those_of_counting_anew),
        cmocka_unit_test (test_keys_beyond_the_limit_are_other),
        cmocka_unit_test (test_only_changes_happen),
        cmocka_unit_test (test_stalls_count_when_a_session_is_over),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
