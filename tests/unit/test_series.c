//  test_series - seconds and minutes: roll-over, gaps, clocks that step, and a store that comes and goes

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "picture.h"
#include "series.h"

#define BEGIN_S 1700000040u    //  a whole minute
#define ROWS 8000

typedef struct {
    uint64_t at_s, part;
    uint32_t step_s;
    tally_t *tally;
} row_t;

//  A store that keeps what it is sent, and answers when it works.
typedef struct {
    picture_t *picture;
    series_t *series;
    outbox_t *out;
    bool up;
    size_t count, sends;
    row_t rows [ROWS];
    uint64_t ads;
} fixture_t;

static void
keep (fixture_t *self, const usher_aggregate_put_t *put)
{
    usher_frame_t frame;
    usher_msg_t msg;
    usher_records_open (&frame, put->body.data, put->body.size);
    assert_int_equal (usher_decode (&frame, &msg), USHER_OK);
    size_t at = 0;
    while (at < self->count && !(self->rows [at].step_s == put->step_s && self->rows [at].at_s == put->at_s &&
                                 self->rows [at].part == put->part))
        at++;
    assert_true (at < ROWS);
    if (at == self->count)
        self->rows [self->count++] =
            (row_t){ put->at_s, put->part, put->step_s, memory_new (1, sizeof (tally_t)) };
    memset (self->rows [at].tally, 0, sizeof (tally_t));
    assert_true (tally_merge (self->rows [at].tally, &msg.aggregate));
    if (put->seq)
        series_kept (self->series, put->seq);
}

static void
on_send (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    fixture_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    (void)peer;
    assert_int_equal (link, USHER_LINK_store);
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    while (usher_decode (&frame, &msg) == USHER_OK) {
        self->sends++;
        if (self->up)
            keep (self, &msg.aggregate_put);
    }
}

static fixture_t *
begin (void)
{
    fixture_t *self = memory_new (1, sizeof *self);
    self->picture = picture_new ();
    self->series = series_new (1);
    self->out = outbox_new (on_send, self);
    self->up = true;
    return self;
}

static void
end (fixture_t *self)
{
    for (size_t at = 0; at < self->count; at++)
        free (self->rows [at].tally);
    picture_destroy (&self->picture);
    series_destroy (&self->series);
    outbox_destroy (&self->out);
    free (self);
}

static void
tick (fixture_t *self, uint64_t wall_ms, bool partial)
{
    series_tick (self->series, picture_aggregates (self->picture), wall_ms, partial);
    series_send (self->series, (int64_t)wall_ms, self->out);
    outbox_flush (self->out);
}

//  An ad begins.
static void
ad (fixture_t *self)
{
    usher_session_t session = { .viewer_id = usher_str ("a"),
                                .slot = usher_slot (usher_str ("a")),
                                .state = USHER_state_watching,
                                .ads = (uint32_t)++self->ads };
    picture_put (self->picture, &session, BEGIN_S * 1000ul);
}

//  All parts of a span together.
static tally_t
span_of (const fixture_t *self, uint32_t step_s, uint64_t at_s)
{
    tally_t sum = { 0 };
    for (size_t at = 0; at < self->count; at++)
        if (self->rows [at].step_s == step_s && self->rows [at].at_s == at_s)
            tally_add (&sum, self->rows [at].tally);
    return sum;
}

static void
test_seconds_make_minutes (void **state)
{
    (void)state;
    fixture_t *self = begin ();
    for (uint64_t ms = 0; ms <= 130000; ms += 100) {
        if (ms % 500 == 0)
            ad (self);
        tick (self, BEGIN_S * 1000ul + ms, ms < 2500);
    }
    for (uint64_t second = 0; second < 130; second++) {
        tally_t found = span_of (self, 1, BEGIN_S + second);
        assert_int_equal (found.sum.seconds, 1);
        assert_int_equal (found.sum.partial, second < 3);
        assert_int_equal (found.sum.sessions, 1);
    }
    assert_int_equal (span_of (self, 1, BEGIN_S + 130).sum.seconds, 0);
    uint64_t ads = 0;
    for (uint64_t minute = 0; minute < 3; minute++) {
        tally_t found = span_of (self, 60, BEGIN_S + 60 * minute);
        assert_int_equal (found.sum.seconds, minute < 2 ? 60 : 10);
        assert_int_equal (found.sum.partial, minute ? 0 : 3);
        assert_int_equal (found.sum.sessions_max, 1);
        ads += found.sum.ads;
    }
    assert_int_equal (ads, self->ads);
    assert_int_equal (series_waiting (self->series), 0);
    end (self);
}

static void
test_a_successor_leaves_a_gap (void **state)
{
    (void)state;
    fixture_t *self = begin ();
    uint64_t ms = 0;
    for (; ms < 20050; ms += 50)
        tick (self, BEGIN_S * 1000ul + ms, false);
    //  Killed in its 21st second; the next one comes 5 s later.
    series_destroy (&self->series);
    self->series = series_new (2);
    for (ms = 25500; ms <= 60000; ms += 50)
        tick (self, BEGIN_S * 1000ul + ms, ms < 26000);
    assert_int_equal (span_of (self, 1, BEGIN_S + 19).sum.seconds, 1);
    for (uint64_t second = 20; second < 25; second++)
        assert_int_equal (span_of (self, 1, BEGIN_S + second).sum.seconds, 0);
    assert_int_equal (span_of (self, 1, BEGIN_S + 25).sum.partial, 1);
    assert_int_equal (span_of (self, 1, BEGIN_S + 26).sum.partial, 0);
    tally_t minute = span_of (self, 60, BEGIN_S);
    assert_int_equal (minute.sum.seconds, 55);
    assert_int_equal (minute.sum.partial, 2);    //  the first of each
    end (self);
}

static void
test_what_the_store_did_not_take_is_sent_again (void **state)
{
    (void)state;
    fixture_t *self = begin ();
    self->up = false;
    for (uint64_t ms = 0; ms <= 90000; ms += 500) {
        ad (self);
        tick (self, BEGIN_S * 1000ul + ms, false);
    }
    assert_int_equal (series_waiting (self->series), 91);
    assert_true (self->sends > 91);
    self->up = true;
    series_store_up (self->series);
    for (uint64_t ms = 90100; ms <= 90500; ms += 100)
        tick (self, BEGIN_S * 1000ul + ms, false);
    assert_int_equal (series_waiting (self->series), 0);
    assert_int_equal (series_dropped (self->series), 0);
    uint64_t ads = 0;
    for (uint64_t second = 0; second < 90; second++)
        ads += span_of (self, 1, BEGIN_S + second).sum.ads;
    assert_int_equal (ads, self->ads);
    assert_int_equal (span_of (self, 60, BEGIN_S).sum.seconds, 60);
    end (self);
}

static void
test_what_waits_is_bounded (void **state)
{
    (void)state;
    fixture_t *self = begin ();
    self->up = false;
    for (uint64_t second = 0; second <= 4000; second++)
        series_tick (self->series, picture_aggregates (self->picture), (BEGIN_S + second) * 1000, false);
    assert_int_equal (series_waiting (self->series), SERIES_WAITING);
    assert_int_equal (series_dropped (self->series), 4000 + 66 - SERIES_WAITING);
    end (self);
}

static void
test_a_clock_that_steps (void **state)
{
    (void)state;
    fixture_t *self = begin ();
    tick (self, BEGIN_S * 1000ul, false);
    tick (self, (BEGIN_S + 1) * 1000ul, false);
    //  A little back is waited for.
    tick (self, (BEGIN_S - 2) * 1000ul, false);
    assert_int_equal (self->count, 2);
    tick (self, (BEGIN_S + 2) * 1000ul, false);
    //  Far back begins a part of its own: what was kept of these seconds stays.
    tick (self, (BEGIN_S - 3600) * 1000ul, false);
    tick (self, (BEGIN_S - 3599) * 1000ul, false);
    for (uint64_t second = BEGIN_S - 3599; second <= BEGIN_S + 1; second++)
        tick (self, second * 1000ul, false);
    assert_int_equal (span_of (self, 1, BEGIN_S).sum.seconds, 2);
    //  Far ahead leaves a gap.
    tick (self, (BEGIN_S + 50) * 1000ul, false);
    tick (self, (BEGIN_S + 51) * 1000ul, false);
    assert_int_equal (span_of (self, 1, BEGIN_S + 10).sum.seconds, 0);
    assert_int_equal (span_of (self, 1, BEGIN_S + 50).sum.seconds, 1);
    end (self);
}

static void
test_an_end_loses_nothing (void **state)
{
    (void)state;
    fixture_t *self = begin ();
    tick (self, BEGIN_S * 1000ul, false);
    ad (self);
    series_end (self->series, picture_aggregates (self->picture));
    series_send (self->series, 0, self->out);
    outbox_flush (self->out);
    assert_int_equal (series_waiting (self->series), 0);
    assert_int_equal (span_of (self, 1, BEGIN_S).sum.ads, 1);
    assert_int_equal (span_of (self, 1, BEGIN_S).sum.partial, 1);
    assert_int_equal (span_of (self, 60, BEGIN_S).sum.ads, 1);
    end (self);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_seconds_make_minutes),
        cmocka_unit_test (test_a_successor_leaves_a_gap),
        cmocka_unit_test (test_what_the_store_did_not_take_is_sent_again),
        cmocka_unit_test (test_what_waits_is_bounded),
        cmocka_unit_test (test_a_clock_that_steps),
        cmocka_unit_test (test_an_end_loses_nothing),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
