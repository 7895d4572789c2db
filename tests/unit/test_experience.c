//  test_experience - what a session says of how it went: totals, start-up, exits, quality, and clocks that lie

#include "memory.h"
#include "test_one_session.h"

#include <math.h>
#include <stdlib.h>

static const uint64_t DAY_S = 86400;

static uint64_t ahead_s;    //  the device's clock

static int
setup (void **state)
{
    ahead_s = 0;
    return session_setup (state);
}

static session_effect_t
take_event (usher_event_t event, uint64_t at_s)
{
    const uint64_t collected_ms = START_MS + at_s * 1000;
    event.created_ms = collected_ms + ahead_s * 1000;
    return session_takes (event, at_s, collected_ms);
}

static session_effect_t
take (usher_event_kind_t kind, uint64_t at_s, double video_s)
{
    return take_event ((usher_event_t){ .kind = kind, .video_s = video_s }, at_s);
}

static usher_session_t
shown (void)
{
    usher_session_t out = { 0 };
    session_describe (&session, &out);
    return out;
}

static usher_state_t
time_passes (uint64_t at_s)
{
    if (session_deadline (&session, &config) <= START_MS + at_s * 1000)
        session_expire (&session, &config);
    return session_state (&session);
}

//  ---- totals

static void
test_times_are_counted_without_totals (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0);
    take (USHER_event_kind_ping, 30, 30);
    take (USHER_event_kind_pause, 40, 40);
    take (USHER_event_kind_play, 100, 40);
    take (USHER_event_kind_ad_break_start, 110, 50);
    take (USHER_event_kind_ad_break_end, 140, 50);
    take (USHER_event_kind_buffer_start, 150, 60);
    take (USHER_event_kind_buffer_end, 155, 60);
    take (USHER_event_kind_end, 165, 70);
    usher_session_t out = shown ();
    assert_true (out.time_played_s == 70 && out.time_paused_s == 60);
    assert_true (out.time_ads_s == 30 && out.time_buffering_s == 5 && out.content_s == 70);
}

static void
test_the_trackers_totals_win (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0);
    usher_event_t event = { .kind = USHER_event_kind_ping, .video_s = 25, .has = USHER_HAS_SESSION };
    event.time_played_s = 25.5;
    event.time_muted_s = 3;
    event.content_s = 25;
    event.avg_rate = 1.25;
    take_event (event, 30);
    usher_session_t out = shown ();
    assert_true (out.time_played_s == 25.5 && out.time_muted_s == 3 && out.content_s == 25);
    assert_true (out.avg_rate == 1.25);
    //  Totals never fall: what says less was said earlier. The rate is the newest.
    event.time_played_s = 20;
    event.avg_rate = 1;
    take_event (event, 40);
    assert_true (shown ().time_played_s == 25.5 && shown ().avg_rate == 1);
}

//  The laptop is closed, and opened the day after: silence is no time watched.
static void
test_a_closed_laptop (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0);
    take (USHER_event_kind_ping, 30, 30);
    assert_int_equal (time_passes (200), USHER_state_lost);
    assert_true (shown ().since_ms == START_MS + 115000);
    take (USHER_event_kind_ping, DAY_S, 31);
    assert_int_equal (session_state (&session), USHER_state_watching);
    assert_true (shown ().time_played_s == 30 + 85);
    assert_int_equal (time_passes (DAY_S + 85), USHER_state_lost);
}

static void
test_a_replay_after_the_end (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0);
    take (USHER_event_kind_end, 60, 60);
    session_effect_t effect = take (USHER_event_kind_play, 90, 0);
    assert_true (effect.announce && effect.hard);
    take (USHER_event_kind_end, 150, 60);
    usher_session_t out = shown ();
    assert_int_equal (out.state, USHER_state_ended);
    assert_true (out.time_played_s == 120);
}

//  Positions that jump over an hour were sought, not watched; unknown ones say nothing.
static void
test_seeks_and_unknown_positions (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0);
    take (USHER_event_kind_ping, 10, 10);
    take (USHER_event_kind_ping, 20, 4000);
    take (USHER_event_kind_ping, 30, NAN);
    take (USHER_event_kind_ping, 40, 4020);
    usher_session_t out = shown ();
    assert_true (out.content_s == 10 + 20);
    assert_true (out.time_played_s == 40 && out.position_s == 4020);
    take (USHER_event_kind_ping, 50, 5);
    assert_true (shown ().content_s == 30 && shown ().position_s == 5);
}

//  ---- start-up and exits

static void
test_start_up (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 10, 0);
    //  Pre-roll counts.
    take (USHER_event_kind_ad_break_start, 11, 0);
    take (USHER_event_kind_ad_break_end, 26, 0);
    assert_int_equal (shown ().startup_ms, 0);
    take (USHER_event_kind_ping, 30, 3);
    assert_int_equal (shown ().startup_ms, 1 + 17000);
}

static void
test_a_seek_is_no_start (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0);
    take (USHER_event_kind_seek_end, 2, 3700);
    assert_int_equal (shown ().startup_ms, 0);
    take (USHER_event_kind_ping, 10, 3703);
    assert_int_equal (shown ().startup_ms, 1 + 7000);
}

static void
test_exit_before_start (void **state)
{
    (void)state;
    static const struct {
        usher_event_kind_t second;
        double video_s;
        uint64_t at_s;
        usher_event_kind_t last;
        uint32_t exited;
    } rows [] = {
        { USHER_event_kind_ping, 0, 3, USHER_event_kind_end, 1 },
        { USHER_event_kind_ping, 0, 0, USHER_event_kind_end, 0 },      //  below the floor
        { USHER_event_kind_ping, 1, 3, USHER_event_kind_end, 0 },      //  it started
        { USHER_event_kind_error, 0, 3, USHER_event_kind_end, 0 },     //  an error is no exit
        { USHER_event_kind_ping, 0, 3, USHER_event_kind_other, 0 },    //  nobody left yet
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        take (USHER_event_kind_play, 0, 0);
        take (rows [row].second, rows [row].at_s, rows [row].video_s);
        take (rows [row].last, rows [row].at_s, rows [row].video_s);
        assert_int_equal (shown ().exited, rows [row].exited);
        session_clear (&session);
        session_init (&session, usher_bytes ("s", 1));
    }
    //  A tab that is closed says no end.
    take (USHER_event_kind_play, 0, 0);
    assert_int_equal (time_passes (85), USHER_state_lost);
    assert_int_equal (shown ().exited, 1);
}

//  ---- quality, devices, ads

static void
test_quality_changes (void **state)
{
    (void)state;
    static const uint64_t bitrates [] = { 1000, 2000, 2000, 0, 500 };
    take (USHER_event_kind_play, 0, 0);
    for (size_t at = 0; at < 5; at++)
        take_event ((usher_event_t){ .kind = USHER_event_kind_quality_change,
                                     .video_s = NAN,
                                     .has = USHER_HAS_QUALITY,
                                     .bitrate = bitrates [at],
                                     .fps = 25 },
                    at + 1);
    usher_session_t out = shown ();
    assert_int_equal (out.bitrate_changes, 3);
    assert_true (out.bitrate == 500 && out.fps == 25);
}

static void
test_device_and_ad (void **state)
{
    (void)state;
    usher_event_t event = { .kind = USHER_event_kind_ad_start, .video_s = 1, .has = USHER_HAS_AD };
    event.user_agent =
        usher_str ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0 Mobile Safari/537.36");
    event.country = usher_str ("DE");
    event.city = usher_str ("Halle");
    event.identified = 1;
    event.ad_id = usher_str ("ad");
    event.creative_id = usher_str ("c-1");
    event.pod_position = 2;
    event.ad_duration_s = 15;
    event.skippable = 2;
    take_event (event, 1);
    usher_session_t out = shown ();
    assert_int_equal (out.device, USHER_device_class_phone);
    assert_true (usher_str_eq (out.os, usher_str ("android")));
    assert_true (usher_str_eq (out.country, usher_str ("DE")) &&
                 usher_str_eq (out.city, usher_str ("Halle")));
    assert_true (out.identified == 1 && out.pod_position == 2 && out.ad_duration_s == 15 &&
                 out.skippable == 2);
    assert_true (usher_str_eq (out.creative_id, usher_str ("c-1")));
    //  Another one, on another device.
    event.user_agent = usher_str ("Roku/DVP-12.5");
    take_event (event, 2);
    assert_int_equal (shown ().device, USHER_device_class_tv);
}

//  ---- the device's clock

//  A clock that is a day off all the time matters to nobody.
static void
test_a_clock_that_is_off (void **state)
{
    (void)state;
    ahead_s = 0 - DAY_S;
    take (USHER_event_kind_play, 0, 0);
    take (USHER_event_kind_ping, 30, 29);
    take (USHER_event_kind_pause, 40, 39);
    usher_session_t out = shown ();
    assert_int_equal (out.state, USHER_state_paused);
    assert_true (out.since_ms == START_MS + 40000 && out.time_played_s == 40);
    assert_int_equal (out.startup_ms, 1 + 1000);
}

//  Set right in the middle, it starts another run: nothing is late, nothing falls out of the window, no time is made up.
static void
test_a_clock_that_steps (void **state)
{
    (void)state;
    static const uint64_t ways [] = { 86400, 0 - (uint64_t)86400, 301 };
    for (size_t way = 0; way < 3; way++) {
        take (USHER_event_kind_play, 0, 0);
        take (USHER_event_kind_ping, 30, 0);
        ahead_s = ways [way];
        assert_int_equal (take (USHER_event_kind_ping, 50, 15).outcome, SESSION_APPLIED);
        assert_int_equal (take (USHER_event_kind_pause, 60, 25).outcome, SESSION_APPLIED);
        ahead_s = 0;
        assert_int_equal (take (USHER_event_kind_play, 80, 25).outcome, SESSION_APPLIED);
        assert_int_equal (take (USHER_event_kind_end, 90, 35).outcome, SESSION_APPLIED);
        usher_session_t out = shown ();
        assert_int_equal (out.state, USHER_state_ended);
        assert_int_equal (session.strip.count, 6);
        assert_true (out.time_played_s == 70 && out.time_paused_s == 20);
        assert_int_equal (out.startup_ms, 1 + 35000);
        session_clear (&session);
        session_init (&session, usher_bytes ("s", 1));
    }
}

//  Events that waited on a device without a network come in one request, old ones first: they keep their order.
static void
test_a_queue_that_waited (void **state)
{
    (void)state;
    take (USHER_event_kind_play, 0, 0);
    for (uint64_t at_s = 600; at_s > 0; at_s -= 60) {
        ahead_s = 0 - at_s;
        take (at_s == 300 ? USHER_event_kind_pause : USHER_event_kind_ping, 700, 0);
    }
    ahead_s = 0;
    take (USHER_event_kind_play, 701, 0);
    assert_int_equal (session.now.state, USHER_state_watching);
    strip_reader_t reader = strip_open (&session.strip);
    uint64_t before_ms = 0;
    for (window_event_t event; strip_read (&reader, &event); before_ms = event.order_ms)
        assert_true (before_ms <= event.order_ms);
    assert_int_equal (reader.count, 5);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_setup_teardown (test_times_are_counted_without_totals, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_the_trackers_totals_win, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_a_closed_laptop, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_a_replay_after_the_end, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_seeks_and_unknown_positions, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_start_up, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_a_seek_is_no_start, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_exit_before_start, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_quality_changes, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_device_and_ad, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_a_clock_that_is_off, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_a_clock_that_steps, setup, session_teardown),
        cmocka_unit_test_setup_teardown (test_a_queue_that_waited, setup, session_teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
