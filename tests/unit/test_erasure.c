//  test_erasure - a wish on disk first, then the owner lets go, then tombstone and removal at once; and what stays refused

#include "persister_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHARD = BENCH_PEER, GATEWAY = 5 };

static const uint64_t NOW_MS = BENCH_NOW_S * 1000ull;

static int
setup (void **state)
{
    bench_t *bench = *state = calloc (1, sizeof *bench);
    bench_open (bench);
    return 0;
}

static int
teardown (void **state)
{
    bench_close (*state);
    free (*state);
    return 0;
}

static void
meet (bench_t *bench, uint32_t peer)
{
    persister_service.peer_up (bench->persister, USHER_LINK_store, peer, "somebody", bench->out);
}

static void
ask_erase (bench_t *bench, const char *viewer)
{
    usher_msg_t erase = { .id = USHER_MSG_erase, .erase = { 77, usher_str (viewer) } };
    bench_tell_as (bench, GATEWAY, &erase);
}

static void
tell_forgotten_of (bench_t *bench, const char *viewer, uint64_t wished_ms, uint64_t erased_ms)
{
    usher_msg_t forgotten = { .id = USHER_MSG_forgotten,
                              .forgotten = { usher_str (viewer), erased_ms, wished_ms, 0 } };
    bench_tell (bench, &forgotten);
    bench_turn (bench);
}

static void
tell_forgotten (bench_t *bench, const char *viewer, uint64_t erased_ms)
{
    tell_forgotten_of (bench, viewer, (uint64_t)bench->now.wall_ms, erased_ms);
}

//  A profile with two history rows.
static void
write_viewer (bench_t *bench, const char *viewer)
{
    usher_msg_t row = bench_history (viewer, "2026-01-01T00:00:00.000Z");
    usher_msg_t other = bench_history (viewer, "2026-01-01T00:00:01.000Z");
    usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
    bench_tell (bench, &row);
    bench_tell (bench, &other);
    assert_int_equal (bench_outcome (bench, &write), USHER_outcome_done);
}

//  The same with one row, by somebody who knows of the erasure.
static void
write_viewer_after (bench_t *bench, const char *viewer, uint64_t erased_ms)
{
    usher_msg_t row = bench_history (viewer, "2026-01-01T00:00:02.000Z");
    usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
    write.write.erased_ms = erased_ms;
    bench_tell (bench, &row);
    assert_int_equal (bench_outcome (bench, &write), USHER_outcome_done);
}

static void
test_both_tables_are_emptied_when_the_owner_has_let_go (void **state)
{
    bench_t *bench = *state;
    meet (bench, SHARD);
    meet (bench, GATEWAY);
    write_viewer (bench, "alice");
    write_viewer (bench, "bob");
    ask_erase (bench, "alice");
    bench_turn (bench);
    usher_msg_t forget = bench_answer_to (bench, SHARD, USHER_MSG_forget);
    assert_true (usher_str_eq (forget.forget.viewer_id, usher_str ("alice")));
    usher_msg_t noted = bench_answer_to (bench, GATEWAY, USHER_MSG_erasure);
    assert_int_equal (noted.erasure.outcome, USHER_outcome_done);
    assert_int_equal (noted.erasure.erased_ms, 0);
    bench_answer_to (bench, GATEWAY, USHER_MSG_forget);
    bench_no_answer (bench);
    //  Nothing is gone before the owner has let go: it might still write.
    assert_int_equal (bench_history_rows (bench, "alice"), 2);
    tell_forgotten (bench, "alice", NOW_MS + 5);
    usher_msg_t done = bench_answer_to (bench, GATEWAY, USHER_MSG_erasure);
    assert_int_equal (done.erasure.request, 77);
    assert_int_equal (done.erasure.erased_ms, NOW_MS + 5);
    assert_int_equal (done.erasure.profiles, 1);
    assert_int_equal (done.erasure.rows, 2);
    assert_int_equal (bench_history_rows (bench, "alice"), 0);
    assert_int_equal (bench_history_rows (bench, "bob"), 2);
    usher_msg_t loaded = bench_load (bench, "alice");
    assert_int_equal (loaded.loaded.epoch, 0);
    assert_int_equal (loaded.loaded.erased_ms, NOW_MS + 5);
    assert_int_equal (bench_load (bench, "bob").loaded.erased_ms, 0);
}

//  The first write of somebody who did not hear of it: the row that it replaces, none, is just what is there.
static void
test_who_missed_it_cannot_bring_the_viewer_back (void **state)
{
    bench_t *bench = *state;
    ask_erase (bench, "alice");
    bench_turn (bench);
    tell_forgotten (bench, "alice", NOW_MS);
    usher_msg_t row = bench_history ("alice", "2026-01-01T00:00:00.000Z");
    usher_msg_t write = bench_write ("alice", 0, 0, 1, 1);
    bench_tell (bench, &row);
    assert_int_equal (bench_outcome (bench, &write), USHER_outcome_refused);
    assert_int_equal (bench_history_rows (bench, "alice"), 0);
    bench_restart (bench);
    assert_int_equal (bench_outcome (bench, &write), USHER_outcome_refused);
    write.write.erased_ms = NOW_MS;
    assert_int_equal (bench_outcome (bench, &write), USHER_outcome_done);
    assert_int_equal (bench_load (bench, "alice").loaded.erased_ms, NOW_MS);
}

static void
test_a_wish_outlives_the_persister (void **state)
{
    bench_t *bench = *state;
    ask_erase (bench, "alice");
    bench_turn (bench);
    bench_restart (bench);
    meet (bench, SHARD);
    bench_turn (bench);
    usher_msg_t forget = bench_answer (bench, USHER_MSG_forget);
    assert_int_equal (forget.forget.wished_ms, NOW_MS);
    //  A shard that starts hears of it once it knows what it owns.
    char owners [USHER_SLOTS] = { 0 };
    usher_msg_t claim = { .id = USHER_MSG_claim, .claim = { 0, usher_bytes (owners, sizeof owners) } };
    bench_tell (bench, &claim);
    bench_turn (bench);
    bench_answer (bench, USHER_MSG_granted);
    bench_answer (bench, USHER_MSG_forget);
    tell_forgotten (bench, "alice", NOW_MS);
    meet (bench, SHARD);
    bench_turn (bench);
    bench_no_answer (bench);
}

//  An owner that died, or let the viewer leave memory, is asked again and answers again. What it holds then was loaded since.
static void
test_whoever_held_nothing_adds_nothing_to_what_was_granted (void **state)
{
    bench_t *bench = *state;
    usher_msg_t again = { .id = USHER_MSG_forgotten,
                          .forgotten = { usher_str ("alice"), NOW_MS + 50, NOW_MS, 1 } };
    meet (bench, GATEWAY);
    ask_erase (bench, "alice");
    tell_forgotten (bench, "alice", NOW_MS + 5);
    write_viewer_after (bench, "alice", NOW_MS + 5);
    bench_tell (bench, &again);
    bench_turn (bench);
    assert_int_equal (bench_history_rows (bench, "alice"), 1);
    assert_int_equal (bench_load (bench, "alice").loaded.erased_ms, NOW_MS + 5);
    //  Where nothing was granted it counts like any other.
    ask_erase (bench, "alice");
    bench_tell (bench, &again);
    bench_turn (bench);
    assert_int_equal (bench_history_rows (bench, "alice"), 0);
    assert_int_equal (bench_load (bench, "alice").loaded.erased_ms, NOW_MS + 50);
}

static void
test_an_earlier_answer_does_not_grant_a_later_wish (void **state)
{
    bench_t *bench = *state;
    meet (bench, GATEWAY);
    bench->now.wall_ms += 50;
    bench_turn (bench);
    ask_erase (bench, "alice");
    bench_turn (bench);
    //  However late its instant is.
    tell_forgotten_of (bench, "alice", NOW_MS, NOW_MS + 60);
    bench_no_answer (bench);
    tell_forgotten_of (bench, "alice", NOW_MS + 50, NOW_MS + 70);
    assert_int_equal (bench_answer_to (bench, GATEWAY, USHER_MSG_erasure).erasure.erased_ms, NOW_MS + 70);
}

static void
test_a_full_disk_notes_nothing_and_asks_nobody (void **state)
{
    bench_t *bench = *state;
    meet (bench, SHARD);
    meet (bench, GATEWAY);
    store_limit_pages (persister_store (bench->persister), 1);
    for (int at = 0; at < 200; at++) {
        char viewer [900];
        snprintf (viewer, sizeof viewer, "%0890d", at);
        ask_erase (bench, viewer);
        bench_turn (bench);
        usher_msg_t noted = bench_answer_to (bench, GATEWAY, USHER_MSG_erasure);
        if (noted.erasure.outcome == USHER_outcome_done)
            continue;
        bench_no_answer (bench);
        return;
    }
    fail_msg ("the disk is never full");
}

static void
put_bad (bench_t *bench, uint64_t offset, const char *payload)
{
    usher_msg_t bad = { .id = USHER_MSG_quarantine,
                        .quarantine = { .seq = offset + 1,
                                        .generation = 7,
                                        .offset = offset,
                                        .reason = usher_str ("event_name: missing"),
                                        .payload = usher_str (payload) } };
    bench_tell (bench, &bad);
}

//  More than one piece of the quarantine, so that the search goes on at ticks.
static void
test_bad_events_that_name_the_viewer_go_too (void **state)
{
    bench_t *bench = *state;
    meet (bench, GATEWAY);
    for (uint64_t offset = 0; offset < 500; offset++)
        put_bad (bench, offset, offset % 100 ? "{\"viewer_id\":\"bob\"}" : "{\"viewer_id\":\"alice\"}");
    ask_erase (bench, "alice");
    bench_turn (bench);
    tell_forgotten (bench, "alice", NOW_MS);
    bench_no_answer (bench);
    uint64_t removed = 0;
    for (int ticks = 0; !removed && ticks < 10; ticks++) {
        parcel_empty (&bench->answers);
        bench->next = 0;
        persister_service.tick (bench->persister, bench->now, bench->out);
        outbox_flush (bench->out);
        if (bench->answers.used)
            removed = bench_answer_to (bench, GATEWAY, USHER_MSG_erasure).erasure.bad;
    }
    assert_int_equal (removed, 5);
}

static void
test_tombstones_end (void **state)
{
    bench_t *bench = *state;
    ask_erase (bench, "alice");
    bench_turn (bench);
    tell_forgotten (bench, "alice", NOW_MS);
    bench->now.wall_ms += 30 * 86400000LL - 1000;
    bench_turn (bench);
    assert_int_equal (bench_load (bench, "alice").loaded.erased_ms, NOW_MS);
    //  It reads as absent whether the sweep has been there or not.
    bench->now.wall_ms += 1000;
    bench_turn (bench);
    assert_int_equal (bench_load (bench, "alice").loaded.erased_ms, 0);
    tombstones_t *tombstones = store_tombstones (persister_store (bench->persister));
    assert_int_equal (tombstones_sweep (tombstones, (uint64_t)bench->now.wall_ms / 1000, 10), 1);
    assert_int_equal (tombstones_sweep (tombstones, (uint64_t)bench->now.wall_ms / 1000, 10), 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
        TEST (test_both_tables_are_emptied_when_the_owner_has_let_go),
        TEST (test_who_missed_it_cannot_bring_the_viewer_back),
        TEST (test_a_wish_outlives_the_persister),
        TEST (test_whoever_held_nothing_adds_nothing_to_what_was_granted),
        TEST (test_an_earlier_answer_does_not_grant_a_later_wish),
        TEST (test_a_full_disk_notes_nothing_and_asks_nobody),
        TEST (test_bad_events_that_name_the_viewer_go_too),
        TEST (test_tombstones_end),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
