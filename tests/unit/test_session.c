//  test_session - when silence makes a session LOST or FAILED, what brings it back, and profiles that come back damaged

#include "memory.h"
#include "test_one_session.h"
#include "viewer.h"

#include <math.h>
#include <stdlib.h>

static uint64_t clock_ms;    //  the source's

static int
setup (void **state)
{
    clock_ms = 0;
    return session_setup (state);
}

static session_effect_t
take (usher_event_kind_t kind, uint64_t at_s, double video_s, uint32_t ping_s)
{
    return session_takes ((usher_event_t){ .kind = kind, .video_s = video_s, .ping_s = ping_s }, at_s,
                          clock_ms);
}

//  The source's clock comes to at_s; silence does what it does.
static usher_state_t
time_passes (uint64_t at_s)
{
    clock_ms = START_MS + at_s * 1000;
    if (session_deadline (&session, &config) <= clock_ms)
        session_expire (&session, &config);
    return session_state (&session);
}

//  The deadline in seconds after START_MS, once it is known to be for that state.
static uint64_t
deadline_s (usher_state_t expected)
{
    uint64_t deadline = session_deadline (&session, &config);
    assert_int_not_equal (deadline, UINT64_MAX);
    session_t copy = session;
    assert_int_equal (session_expire (&copy, &config), expected);
    return (deadline - START_MS) / 1000;
}

static void
assert_no_deadline (void)
{
    assert_true (session_deadline (&session, &config) == UINT64_MAX);
}

static void
test_timeouts_by_state (void **state)
{
    (void)state;
    static const struct {
        usher_event_kind_t kinds [3];
        uint64_t timeout_s;
    } rows [] = {
        { { USHER_event_kind_play }, 85 },
        { { USHER_event_kind_play, USHER_event_kind_buffer_start }, 85 },
        { { USHER_event_kind_play, USHER_event_kind_seek_start }, 85 },
        { { USHER_event_kind_ad_break_start }, 85 },
        { { USHER_event_kind_ready }, 1800 },
        { { USHER_event_kind_play, USHER_event_kind_pause }, 1800 },
        { { USHER_event_kind_ad_break_start, USHER_event_kind_ad_pause }, 1800 },
        { { USHER_event_kind_play, USHER_event_kind_end }, 0 },
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        uint64_t at_s = 0;
        for (; at_s < 3 && rows [row].kinds [at_s]; at_s++)
            take (rows [row].kinds [at_s], at_s, NAN, 0);
        if (rows [row].timeout_s)
            assert_int_equal (deadline_s (USHER_state_lost), at_s - 1 + rows [row].timeout_s);
        else
            assert_no_deadline ();
        session_clear (&session);
        session_init (&session, usher_bytes ("s", 1));
    }
}

static void
test_own_ping_interval (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0, 10);
    assert_int_equal (deadline_s (USHER_state_lost), 35);
    take (USHER_event_kind_ping, 1, 1, 60000);
    assert_int_equal (deadline_s (USHER_state_lost), 1 + 760);
    take (USHER_event_kind_ping, 2, 2, 1);
    //  2.5 s and 10 s, in whole seconds.
    assert_int_equal (deadline_s (USHER_state_lost), 2 + 12);
    //  An event that names none leaves it.
    take (USHER_event_kind_ping, 3, 3, 0);
    assert_int_equal (deadline_s (USHER_state_lost), 3 + 12);
}

static void
test_lost_and_back (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0, 0);
    take (USHER_event_kind_pause, 10, 10, 0);
    assert_int_equal (time_passes (1809), USHER_state_paused);
    assert_int_equal (time_passes (1900), USHER_state_lost);
    assert_int_equal (session_status (&session), USHER_status_paused_video);
    assert_no_deadline ();
    assert_true (session_forget_at (&session, &config) == START_MS + 1810000 + 3600000);
    //  What was told before the silence is no evidence against it.
    take (USHER_event_kind_ping, 5, 5, 0);
    assert_int_equal (session_state (&session), USHER_state_lost);
    //  Evidence of before the deadline that comes after it takes LOST back, where it is enough.
    assert_true (take (USHER_event_kind_ping, 99, 10, 0).hard);
    assert_int_equal (session_state (&session), USHER_state_lost);
    assert_true (session.known.expired_ms == START_MS + 1899000);
    assert_true (take (USHER_event_kind_ping, 101, 10, 0).hard);
    assert_int_equal (session_state (&session), USHER_state_paused);
    assert_int_equal (deadline_s (USHER_state_lost), 1901);
    assert_true (session_forget_at (&session, &config) == UINT64_MAX);
}

static void
test_end_ends_the_lost (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0, 0);
    assert_int_equal (time_passes (85), USHER_state_lost);
    take (USHER_event_kind_end, 90, 50, 0);
    assert_int_equal (session_state (&session), USHER_state_ended);
    assert_no_deadline ();
    assert_true (session_forget_at (&session, &config) == START_MS + 90000 + 3600000);
}

static void
test_failed (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0, 0);
    take (USHER_event_kind_error, 10, 0, 0);
    assert_int_equal (deadline_s (USHER_state_failed), 95);
    //  Signs of life that move nothing do not help; it wins over LOST.
    take (USHER_event_kind_ping, 40, 0, 0);
    assert_int_equal (deadline_s (USHER_state_failed), 95);
    //  Progress does.
    take (USHER_event_kind_ping, 50, 5, 0);
    assert_int_equal (deadline_s (USHER_state_lost), 135);
    assert_int_equal (session.now.errors, 1);
}

static void
test_failed_and_back (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0, 0);
    take (USHER_event_kind_error, 10, 0, 0);
    assert_int_equal (time_passes (95), USHER_state_failed);
    take (USHER_event_kind_ping, 100, 0, 0);
    assert_int_equal (session_state (&session), USHER_state_watching);
    //  That error is forgiven, the next one is not.
    assert_int_equal (deadline_s (USHER_state_lost), 185);
    take (USHER_event_kind_error, 110, 0, 0);
    assert_int_equal (deadline_s (USHER_state_failed), 195);
}

static void
test_not_failed_from_rest (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0, 0);
    take (USHER_event_kind_pause, 5, 5, 0);
    take (USHER_event_kind_error, 10, 5, 0);
    assert_int_equal (deadline_s (USHER_state_lost), 1810);
    take (USHER_event_kind_end, 20, 5, 0);
    take (USHER_event_kind_error, 30, 5, 0);
    assert_no_deadline ();
}

static void
test_grace_after_load (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0, 0);
    session.grace_ms = START_MS + 500000;
    assert_int_equal (deadline_s (USHER_state_lost), 585);
    take (USHER_event_kind_ping, 600, 600, 0);
    assert_int_equal (deadline_s (USHER_state_lost), 685);
}

static void
test_late_merges_totals_only (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 400, 0, 0);
    usher_event_t event = { .event_id = usher_bytes ("late", 4),
                            .kind = USHER_event_kind_end,
                            .collected_ms = START_MS,
                            .time_played_s = 9 };
    assert_int_equal (session_take (&session, &event).outcome, SESSION_LATE);
    assert_int_equal (session_state (&session), USHER_state_watching);
    assert_true (session.known.time_played_s == 9);
}

//  An instant that has left the window has left it whole: a duplicate of it is not counted again.
static void
test_the_edge_of_the_window (void **state)
{
    (void)state;
    char id [16];
    usher_event_t event = { .kind = USHER_event_kind_ad_click, .collected_ms = START_MS, .video_s = NAN };
    for (int at = 0; at < 2 * SESSION_WINDOW_EVENTS; at++) {
        snprintf (id, sizeof id, "c%d", at);
        event.event_id = usher_bytes (id, strlen (id));
        event.collected_ms = START_MS + (uint64_t)(at / 3) * 1000;
        assert_int_equal (session_take (&session, &event).outcome, SESSION_APPLIED);
    }
    assert_true (session.strip.count >= SESSION_WINDOW_EVENTS &&
                 session.strip.count < SESSION_WINDOW_EVENTS + 3);
    for (int at = 0; at < 2 * SESSION_WINDOW_EVENTS; at++) {
        snprintf (id, sizeof id, "c%d", at);
        event.event_id = usher_bytes (id, strlen (id));
        event.collected_ms = START_MS + (uint64_t)(at / 3) * 1000;
        assert_int_not_equal (session_take (&session, &event).outcome, SESSION_APPLIED);
    }
    assert_int_equal (session.now.ads_clicked, 2 * SESSION_WINDOW_EVENTS);
}

//  A crowd at one instant does not grow the window for ever.
static void
test_a_crowd_at_one_instant (void **state)
{
    (void)state;
    for (int at = 0; at < 1000; at++)
        take (USHER_event_kind_ad_click, 0, NAN, 0);
    assert_true (session.strip.count <= 2 * SESSION_WINDOW_EVENTS);
}

//  ---- damaged profiles

static size_t
profile_make (uint8_t **data)
{
    viewer_t viewer;
    viewer_init (&viewer, usher_bytes ("viewer", 6));
    static const char *const names [] = { "one", "two" };
    for (uint64_t at = 0; at < 8; at++) {
        usher_event_t event = {
            .kind = (usher_event_kind_t)(at * 3), .collected_ms = START_MS + at, .offset = at + 1, .has = 63
        };
        event.event_id = usher_bytes ("abcdefgh" + at, 1);
        event.session_id = usher_bytes (names [at % 2], 3);
        event.media_label = usher_bytes ("Film", 4);
        event.error_text = usher_bytes ("broken", 6);
        viewer_take (&viewer, &event, 1);
    }
    *data = memory_new (viewer_store_bound (&viewer), 1);
    size_t size = viewer_store (&viewer, *data, viewer_store_bound (&viewer));
    viewer_clear (&viewer);
    return size;
}

//  False and empty, or a viewer that can go on: take an event, be stored, and say what it is.
static void
restore_and_use (const uint8_t *data, size_t size)
{
    viewer_t viewer;
    viewer_init (&viewer, usher_bytes ("viewer", 6));
    //  An own copy of that size, so that reading past it is seen.
    uint8_t *copy = memory_new (size ? size : 1, 1);
    memcpy (copy, data, size);
    if (!viewer_restore (&viewer, copy, size)) {
        assert_int_equal (viewer.session_count, 0);
        assert_int_equal (viewer.position_count, 0);
    }
    free (copy);
    usher_event_t event = {
        .kind = USHER_event_kind_play, .collected_ms = START_MS + 60000, .offset = 100, .partition = 9
    };
    event.session_id = usher_bytes ("one", 3);
    event.event_id = usher_bytes ("fresh", 5);
    viewer_take (&viewer, &event, 1);
    for (size_t at = 0; at < viewer.session_count; at++) {
        usher_session_t out = { 0 };
        session_describe (&viewer.sessions [at], &out);
    }
    viewer_clear (&viewer);
}

static void
test_damaged_profiles (void **state)
{
    (void)state;
    uint8_t *data;
    size_t size = profile_make (&data);
    viewer_t viewer;
    viewer_init (&viewer, usher_bytes ("viewer", 6));
    assert_true (viewer_restore (&viewer, data, size));
    assert_int_equal (viewer.session_count, 2);
    viewer_clear (&viewer);
    for (size_t cut = 0; cut < size; cut++)
        restore_and_use (data, cut);
    for (size_t bit = 0; bit < size * 8; bit++) {
        data [bit / 8] ^= (uint8_t)(1u << bit % 8);
        restore_and_use (data, size);
        data [bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free (data);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_setup_teardown (test_timeouts_by_state, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_own_ping_interval, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_lost_and_back, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_end_ends_the_lost, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_failed, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_failed_and_back, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_not_failed_from_rest, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_grace_after_load, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_late_merges_totals_only, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_the_edge_of_the_window, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_a_crowd_at_one_instant, setup, session_teardown),
        cmocka_unit_test (test_damaged_profiles),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
