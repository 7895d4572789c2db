//  test_unwritten - while the store is gone a shard keeps so much and no more, the source pauses, and all of it goes on by
//  itself afterwards

#include "shard_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

enum { LIMIT = 64 * 1024, FRAMES = 400, VIEWERS = 50, PER_FRAME = 5 };

//  The number of a viewer's event decides which it is: every second one is a change of status.
static void
frame_send (shard_bench_t *bench, uint64_t seq)
{
    shard_bench_batch (bench, seq, SHARD_BENCH_START_MS + seq * 100);
    for (uint64_t at = 0; at < PER_FRAME; at++) {
        uint64_t number = seq * PER_FRAME + at;
        char viewer_id [32];
        snprintf (viewer_id, sizeof viewer_id, "viewer-%d", (int)(number % VIEWERS));
        shard_bench_event (bench, viewer_id,
                           number / VIEWERS % 2 ? USHER_event_kind_pause : USHER_event_kind_play,
                           seq * 100 + at, number);
    }
}

//  The count is exact. Returns what it is.
static size_t
counted (const shard_bench_t *bench)
{
    assert_int_equal (bench->shard->unwritten, shard_bench_unwritten (bench));
    return bench->shard->unwritten;
}

//  What one frame may bring: so many viewers, each with an event and a profile.
static size_t
frame_brings (void)
{
    return PER_FRAME * 5000;
}

//  Sends frames with a store that says nothing. Returns how many there have to be until the shard takes no more.
static uint64_t
fill (shard_bench_t *bench)
{
    for (uint64_t seq = 1; seq <= FRAMES; seq++) {
        frame_send (bench, seq);
        shard_bench_turn (bench, 1);
        assert_true (counted (bench) < LIMIT + frame_brings ());
    }
    assert_true (bench->applied < FRAMES);
    return bench->applied;
}

static void
answer_all (shard_bench_t *bench)
{
    do {
        shard_bench_turn (bench, 10);
        assert_true (counted (bench) < LIMIT + frame_brings ());
    } while (shard_bench_answer (bench));
}

static void
test_a_store_that_is_gone (void **state)
{
    (void)state;
    shard_bench_t bench;
    shard_bench_begin (&bench, LIMIT);
    uint64_t stopped = fill (&bench);
    assert_true (stopped > 1);
    assert_int_equal (bench.shard->pauses, 1);
    assert_true (bench.shard->paused && bench.shard->backlog.bytes > 0);
    //  However long it takes, no credit comes back, and nothing grows.
    for (int second = 0; second < 100; second++)
        shard_bench_turn (&bench, 1000);
    assert_int_equal (bench.applied, stopped);
    assert_int_equal (bench.durable, 0);
    //  By itself, to the last event, once each.
    answer_all (&bench);
    assert_int_equal (bench.applied, FRAMES);
    assert_int_equal (bench.durable, FRAMES);
    assert_int_equal (counted (&bench), 0);
    assert_int_equal (bench.shard->backlog.bytes, 0);
    assert_false (bench.shard->paused);
    assert_int_equal (shard_counters (bench.shard)->applied, FRAMES * PER_FRAME);
    assert_int_equal (shard_counters (bench.shard)->held, 0);
    shard_bench_end (&bench);
}

//  Writes that are under way, and history behind them, count as events that are held do.
static void
test_a_store_that_goes (void **state)
{
    (void)state;
    shard_bench_t bench;
    shard_bench_begin (&bench, LIMIT);
    shard_bench_batch (&bench, 1, SHARD_BENCH_START_MS);
    shard_bench_event (&bench, "somebody", USHER_event_kind_play, 0, 1);
    answer_all (&bench);
    assert_int_equal (bench.durable, 1);
    uint64_t seq = 2;
    for (; bench.applied == seq - 1; seq++) {
        shard_bench_batch (&bench, seq, SHARD_BENCH_START_MS + seq * 1000);
        shard_bench_event (&bench, "somebody", seq % 2 ? USHER_event_kind_play : USHER_event_kind_pause,
                           seq * 1000, seq);
        shard_bench_turn (&bench, 1);
        assert_true (counted (&bench) < LIMIT + 1000);
    }
    assert_true (seq > 100);
    assert_true (bench.shard->paused);
    assert_int_equal (bench.shard->writes_in_flight, 1);
    answer_all (&bench);
    assert_int_equal (bench.durable, seq - 1);
    assert_int_equal (bench.rows, seq - 1);
    shard_bench_end (&bench);
}

//  An ingester that comes anew sends all again: what was outside is not worked in twice.
static void
test_an_ingester_that_comes_anew (void **state)
{
    (void)state;
    shard_bench_t bench;
    shard_bench_begin (&bench, LIMIT);
    fill (&bench);
    shard_peer_down (bench.shard, USHER_LINK_events, 0);
    assert_int_equal (bench.shard->backlog.bytes, 0);
    shard_peer_up (bench.shard, USHER_LINK_events, 0, "ingester", bench.out);
    for (uint64_t seq = 1; seq <= FRAMES; seq++)
        frame_send (&bench, seq);
    answer_all (&bench);
    assert_int_equal (bench.durable, FRAMES);
    assert_int_equal (shard_counters (bench.shard)->applied, FRAMES * PER_FRAME);
    shard_bench_end (&bench);
}

//  A shard that is to end waits for what it has taken, not for what is outside.
static void
test_a_drain_in_a_pause (void **state)
{
    (void)state;
    shard_bench_t bench;
    shard_bench_begin (&bench, LIMIT);
    fill (&bench);
    assert_int_equal (shard_bench_answer (&bench), bench.shard->counters.loads);
    assert_false (shard_drained (bench.shard, bench.now, bench.out));
    outbox_flush (bench.out);
    while (shard_bench_answer (&bench))
        continue;
    assert_true (shard_drained (bench.shard, bench.now, bench.out));
    outbox_flush (bench.out);
    assert_int_equal (bench.durable, bench.applied);
    assert_true (bench.shard->backlog.bytes > 0);
    shard_bench_end (&bench);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_a_store_that_is_gone),
        cmocka_unit_test (test_a_store_that_goes),
        cmocka_unit_test (test_an_ingester_that_comes_anew),
        cmocka_unit_test (test_a_drain_in_a_pause),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
