//  test_strip - whatever events are put into a strip come out as they were, and bytes that are damaged are refused

#include "chance.h"
#include "memory.h"
#include "strip.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 200000, EVENTS_MAX = 100 };

static uint64_t state_of_chance = 1;

static uint64_t
pick (uint64_t below)
{
    return chance_pick (&state_of_chance, below);
}

static double
some_position (void)
{
    static const double odd [] = { 0.0, -0.0, 1e9, 999999999.9999999, 5e-324, -1.5, 0.0005 };
    uint64_t way = pick (10);
    if (way < 7)
        return (double)pick (1u << 23) / 1e3;
    return way == 7 ? NAN : way == 8 ? odd [pick (7)] : (double)pick (1u << 30) / 7;
}

static window_event_t
some_event (void)
{
    static const char *const texts [] = { "", "x", "0190163A-5c1e-4c00-8000-00000000000a", "event 7" };
    window_event_t event = { .order_ms = 1790000000000 + pick (100000) - pick (2) * 86400000,
                             .order_total_us = pick (2) * pick (1u << 30),
                             .video_s = some_position (),
                             .kind = (uint8_t)pick (USHER_EVENT_KINDS),
                             .percent = (uint8_t)(pick (2) * pick (101)),
                             .groups = (uint8_t)pick (128),
                             .ads_clicked = (uint32_t)(pick (4) / 3 * pick (UINT32_MAX)),
                             .ads_skipped = (uint32_t)(pick (4) / 3 * pick (300)),
                             .bitrate = (uint32_t)(pick (4) / 3 * pick (UINT32_MAX)),
                             .ping_s = (uint16_t)(pick (2) * pick (65536)),
                             .has_row = (uint8_t)pick (3),
                             .row_wanted = pick (2) };
    event.collected_ms = pick (3) ? event.order_ms + 250 - pick (500) : event.order_ms;
    if (event.row_wanted) {
        event.row_state = (uint8_t)pick (USHER_state_ended + 1);
        event.row_status = (uint8_t)pick (USHER_status_completed_video + 1);
        event.row_clicked = (uint32_t)pick (200);
        event.row_skipped = (uint32_t)pick (UINT32_MAX);
    }
    if (pick (4))
        event.ad_id = usher_str (texts [pick (4)]);
    if ((event.has_uuid = pick (4)))
        for (size_t at = 0; at < UUID_BYTES; at++)
            event.uuid [at] = (uint8_t)pick (256);
    else
        event.text_id = usher_str (texts [pick (4)]);
    return event;
}

static bool
is_equal (const window_event_t *a, const window_event_t *b)
{
    window_event_t x = *a, y = *b;
    bool texts = usher_str_eq (x.text_id, y.text_id) && usher_str_eq (x.ad_id, y.ad_id);
    bool positions =
        (isnan (x.video_s) && isnan (y.video_s)) || memcmp (&x.video_s, &y.video_s, sizeof x.video_s) == 0;
    return texts && positions && x.order_ms == y.order_ms && x.collected_ms == y.collected_ms &&
           x.order_total_us == y.order_total_us && x.kind == y.kind && x.percent == y.percent &&
           x.groups == y.groups && x.ads_clicked == y.ads_clicked && x.ads_skipped == y.ads_skipped &&
           x.bitrate == y.bitrate && x.ping_s == y.ping_s && x.has_row == y.has_row &&
           x.row_wanted == y.row_wanted && x.row_state == y.row_state && x.row_status == y.row_status &&
           x.row_clicked == y.row_clicked && x.row_skipped == y.row_skipped && x.has_uuid == y.has_uuid &&
           memcmp (x.uuid, y.uuid, UUID_BYTES) == 0;
}

static void
assert_holds (const strip_t *strip, const window_event_t *events, size_t count)
{
    strip_reader_t reader = strip_open (strip);
    window_event_t event;
    assert_int_equal (strip->count, count);
    for (size_t at = 0; at < count; at++) {
        assert_true (strip_read (&reader, &event));
        assert_true (is_equal (&event, &events [at]));
        assert_true (strip_may_have (strip, strip_digest (&events [at])));
    }
    assert_false (strip_read (&reader, &event));
}

static void
leave (strip_t *strip, window_event_t *events, size_t *count, size_t gone)
{
    strip_reader_t reader = strip_open (strip);
    window_event_t event;
    while (reader.count < gone)
        assert_true (strip_read (&reader, &event));
    strip_leave (strip, &reader);
    *count -= gone;
    memmove (events, events + gone, *count * sizeof *events);
}

static void
test_events_come_and_leave (void **state)
{
    (void)state;
    window_event_t events [EVENTS_MAX];
    size_t count = 0;
    strip_t strip = { 0 };
    for (int step = 0; step < STEPS; step++) {
        if (count == EVENTS_MAX || (count && pick (100) < 48))
            leave (&strip, events, &count, pick (50) ? 1 : 1 + pick (count));
        else {
            events [count] = some_event ();
            strip_append (&strip, &events [count++]);
        }
        if (step % 16 == 0)
            assert_holds (&strip, events, count);
    }
    strip_free (&strip);
}

static void
test_a_strip_as_a_whole (void **state)
{
    (void)state;
    for (size_t count = 0; count < 20; count++) {
        window_event_t events [20] = { { 0 } };
        strip_t strip = { .before_ms = 1789000000000, .last_ms = 1789000000000 }, copy;
        for (size_t at = 0; at < count; at++) {
            events [at] = some_event ();
            strip_append (&strip, &events [at]);
        }
        strip_set (&copy, strip.count, strip.before_ms, strip.last_ms, strip_bytes (&strip),
                   strip_digests (&strip));
        assert_holds (&copy, events, count);
        strip_free (&copy);
        assert_true (strip_restore (&copy, strip.count, strip.before_ms, strip_bytes (&strip)));
        assert_holds (&copy, events, count);
        assert_int_equal (copy.last_ms, strip.last_ms);
        strip_append (&copy, &events [0]);
        strip_free (&copy);
        strip_free (&strip);
    }
}

//  A strip whose last byte is missing, or that is said to hold another number of events, is none; one with a bit turned over
//  is either refused or one of so many events: nothing is read beyond it (the sanitizers look).
static void
test_damage (void **state)
{
    (void)state;
    for (int again = 0; again < 300; again++) {
        strip_t strip = { 0 }, copy;
        for (size_t at = 0; at < 5; at++) {
            window_event_t event = some_event ();
            strip_append (&strip, &event);
        }
        usher_str_t whole = strip_bytes (&strip);
        for (uint32_t size = 0; size < whole.size; size++) {
            char *cut = size ? memory_copy (whole.data, size) : NULL;
            assert_false (strip_restore (&copy, 5, 0, usher_bytes (cut, size)));
            free (cut);
        }
        assert_false (strip_restore (&copy, 4, 0, whole));
        assert_false (strip_restore (&copy, 6, 0, whole));
        assert_false (strip_restore (&copy, UINT32_MAX, 0, whole));
        uint8_t *bytes = memory_copy (whole.data, whole.size);
        bytes [pick (whole.size)] ^= (uint8_t)(1u << pick (8));
        if (strip_restore (&copy, 5, 0, usher_bytes (bytes, whole.size)))
            assert_int_equal (copy.count, 5);
        strip_free (&copy);
        free (bytes);
        strip_free (&strip);
    }
}

//  A ping after a ping: its id, and little else.
static void
test_a_ping_is_small (void **state)
{
    (void)state;
    window_event_t ping = { .order_ms = 1790000000000,
                            .collected_ms = 1790000000250,
                            .kind = USHER_event_kind_ping,
                            .has_uuid = true,
                            .video_s = 30.5,
                            .groups = 97 };
    strip_t strip = { 0 };
    strip_append (&strip, &ping);
    uint32_t first = strip_bytes (&strip).size;
    ping.order_ms += 30000;
    ping.collected_ms += 30010;
    ping.video_s += 30;
    strip_append (&strip, &ping);
    assert_in_range (strip_bytes (&strip).size - first, 0, 26);
    strip_free (&strip);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_events_come_and_leave),
        cmocka_unit_test (test_a_strip_as_a_whole),
        cmocka_unit_test (test_damage),
        cmocka_unit_test (test_a_ping_is_small),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
