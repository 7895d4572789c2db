//  test_persister - conditions, receipts, replays and questions of the store link, on a real file

#include "persister_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_text(text, expected) assert_true (usher_str_eq (text, usher_str (expected)))

static int
setup (void **state)
{
    bench_t *bench = calloc (1, sizeof *bench);
    bench_open (bench);
    *state = bench;
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
test_write_replaces_only_what_it_names (void **state)
{
    bench_t *bench = *state;
    usher_msg_t first = bench_write ("alice", 0, 0, 5, 1);
    assert_int_equal (bench_outcome (bench, &first), USHER_outcome_done);
    usher_msg_t again = first;    //  the answer was lost
    assert_int_equal (bench_outcome (bench, &again), USHER_outcome_done);
    usher_msg_t rival = bench_write ("alice", 0, 0, 6, 1);
    assert_int_equal (bench_outcome (bench, &rival), USHER_outcome_refused);
    usher_msg_t next = bench_write ("alice", 5, 1, 5, 2);
    assert_int_equal (bench_outcome (bench, &next), USHER_outcome_done);
    assert_int_equal (bench_outcome (bench, &next), USHER_outcome_done);
    usher_msg_t stale = bench_write ("alice", 5, 1, 4, 9);
    assert_int_equal (bench_outcome (bench, &stale), USHER_outcome_refused);
    usher_msg_t nobody = bench_write ("bob", 5, 1, 5, 2);
    assert_int_equal (bench_outcome (bench, &nobody), USHER_outcome_refused);
    usher_msg_t loaded = bench_load (bench, "alice");
    assert_int_equal (loaded.loaded.epoch, 5);
    assert_int_equal (loaded.loaded.version, 2);
    assert_text (loaded.loaded.profile, "a profile");
    assert_int_equal (bench_load (bench, "bob").loaded.epoch, 0);
}

static uint64_t
told_row (bench_t *bench, const char *viewer, uint64_t version, uint64_t row)
{
    usher_msg_t write = bench_write (viewer, version > 1 ? 1 : 0, version - 1, 1, version);
    write.write.row = row;
    bench_tell (bench, &write);
    bench_turn (bench);
    usher_msg_t written = bench_answer (bench, USHER_MSG_written);
    assert_int_equal (written.written.outcome, USHER_outcome_done);
    return written.written.row;
}

static void
test_the_number_of_a_row_is_only_a_hint (void **state)
{
    bench_t *bench = *state;
    uint64_t alice = told_row (bench, "alice", 1, 0), bob = told_row (bench, "bob", 1, alice);
    assert_int_not_equal (alice, 0);
    assert_int_not_equal (bob, alice);
    assert_int_equal (told_row (bench, "alice", 2, alice), alice);
    assert_int_equal (told_row (bench, "alice", 3, bob), alice);
    assert_int_equal (told_row (bench, "alice", 4, 4711), alice);
    assert_int_equal (told_row (bench, "alice", 4, bob), alice);    //  sent again
    assert_int_equal (bench_load (bench, "alice").loaded.row, alice);
    assert_int_equal (bench_load (bench, "alice").loaded.version, 4);
    assert_int_equal (bench_load (bench, "bob").loaded.row, bob);
    assert_int_equal (bench_load (bench, "bob").loaded.version, 1);
    assert_int_equal (bench_load (bench, "carol").loaded.row, 0);
}

static void
test_nothing_is_answered_before_the_commit (void **state)
{
    bench_t *bench = *state;
    usher_msg_t write = bench_write ("alice", 0, 0, 1, 1);
    bench_tell (bench, &write);
    outbox_flush (bench->out);
    bench_no_answer (bench);
    bench_restart (bench);
    assert_int_equal (bench_load (bench, "alice").loaded.epoch, 0);
}

static void
test_history_follows_its_write (void **state)
{
    bench_t *bench = *state;
    usher_msg_t row = bench_history ("alice", "2026-11-23T06:45:20.549Z");
    usher_msg_t other = bench_history ("bob", "2026-11-23T06:45:20.549Z");
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1), second = bench_write ("bob", 0, 0, 2, 1);
    bench_tell (bench, &row);
    bench_tell (bench, &other);
    bench_tell (bench, &write);
    bench_tell (bench, &second);
    bench_turn (bench);
    assert_int_equal (bench_history_rows (bench, "alice"), 1);
    assert_int_equal (bench_history_rows (bench, "bob"), 1);
}

static void
test_a_refused_write_leaves_no_history (void **state)
{
    bench_t *bench = *state;
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1), zombie = bench_write ("alice", 0, 0, 1, 7);
    usher_msg_t row = bench_history ("alice", "2026-11-23T06:45:20.549Z");
    bench_outcome (bench, &write);
    bench_tell (bench, &row);
    assert_int_equal (bench_outcome (bench, &zombie), USHER_outcome_refused);
    assert_int_equal (bench_history_rows (bench, "alice"), 0);
    //  Nor do its rows ride along with the next write, or with another peer's.
    usher_msg_t next = bench_write ("alice", 2, 1, 2, 2);
    bench_tell_as (bench, BENCH_PEER + 1, &row);
    bench_outcome (bench, &next);
    assert_int_equal (bench_history_rows (bench, "alice"), 0);
}

static void
test_history_reads_as_written_newest_first (void **state)
{
    bench_t *bench = *state;
    usher_msg_t old = bench_history ("alice", "2026-11-23T06:45:20.549Z");
    usher_msg_t same = bench_history ("alice", "2026-11-23T06:45:20.549Z#e2");
    usher_msg_t young = bench_history ("alice", "2026-11-23T06:45:21.000Z");
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1);
    same.history.ad_id = usher_str ("spot-7");
    young.history.ad_id = usher_str ("");
    young.history.video_s = NAN;
    bench_tell (bench, &old);
    bench_tell (bench, &young);
    bench_tell (bench, &same);
    bench_outcome (bench, &write);
    usher_msg_t get = { .id = USHER_MSG_history_get,
                        .history_get = { .request = 77, .viewer_id = usher_str ("alice"), .limit = 3 } };
    bench_tell (bench, &get);
    bench_turn (bench);
    usher_msg_t row = bench_answer (bench, USHER_MSG_history_row);
    assert_text (row.history_row.key_tstamp, "2026-11-23T06:45:21.000Z");
    assert_text (row.history_row.ad_id, "0");
    assert_true (isnan (row.history_row.video_s));
    row = bench_answer (bench, USHER_MSG_history_row);
    assert_text (row.history_row.ad_id, "spot-7");
    row = bench_answer (bench, USHER_MSG_history_row);
    assert_int_equal (row.history_row.request, 77);
    assert_text (row.history_row.event_name, "ad_break_start_event");
    assert_text (row.history_row.status, "WATCHING_AD");
    assert_text (row.history_row.state, "AD_PAUSED");
    assert_text (row.history_row.ad_id, "288");
    assert_text (row.history_row.session_id, "s1");
    assert_text (row.history_row.media_label, "Film");
    assert_int_equal (row.history_row.ads_clicked, 1);
    assert_int_equal (row.history_row.ads_skipped, 2);
    assert_true (row.history_row.video_s == 12.5);
    assert_int_equal (bench_answer (bench, USHER_MSG_history_row).history_row.last, 1);
    bench_no_answer (bench);
}

static void
test_history_can_be_taken_back (void **state)
{
    bench_t *bench = *state;
    usher_msg_t row = bench_history ("alice", "2026-11-23T06:45:20.549Z");
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1), next = bench_write ("alice", 2, 1, 2, 2);
    bench_tell (bench, &row);
    bench_outcome (bench, &write);
    row.history.remove = 1;
    bench_tell (bench, &row);
    bench_outcome (bench, &next);
    assert_int_equal (bench_history_rows (bench, "alice"), 0);
}

static void
test_a_replay_changes_nothing (void **state)
{
    bench_t *bench = *state;
    usher_msg_t row = bench_history ("alice", "2026-11-23T06:45:20.549Z");
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1);
    for (int replay = 0; replay < 3; replay++) {
        bench_tell (bench, &row);
        assert_int_equal (bench_outcome (bench, &write), USHER_outcome_done);
        assert_int_equal (bench_history_rows (bench, "alice"), 1);
        bench_restart (bench);
    }
}

static void
test_expired_rows_read_as_absent (void **state)
{
    bench_t *bench = *state;
    usher_msg_t row = bench_history ("alice", "2026-11-23T06:45:20.549Z");
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1);
    bench_tell (bench, &row);
    bench_outcome (bench, &write);
    bench->now.wall_ms = BENCH_EXPIRES_S * 1000LL;
    assert_int_equal (bench_load (bench, "alice").loaded.epoch, 0);
    assert_int_equal (bench_history_rows (bench, "alice"), 0);
    usher_msg_t anew = bench_write ("alice", 0, 0, 3, 1);
    anew.write.expires_s = BENCH_EXPIRES_S + 1000;
    assert_int_equal (bench_outcome (bench, &anew), USHER_outcome_done);
    assert_int_equal (bench_load (bench, "alice").loaded.epoch, 3);
}

static void
test_the_sweep_deletes_expired_rows_only (void **state)
{
    bench_t *bench = *state;
    usher_msg_t row = bench_history ("alice", "2026-11-23T06:45:20.549Z");
    usher_msg_t dies = bench_write ("alice", 0, 0, 2, 1), lives = bench_write ("bob", 0, 0, 2, 1);
    lives.write.expires_s = UINT64_MAX;
    bench_tell (bench, &row);
    bench_outcome (bench, &dies);
    bench_outcome (bench, &lives);
    bench->now.wall_ms = BENCH_EXPIRES_S * 1000LL;
    persister_service.tick (bench->persister, bench->now, bench->out);
    //  Back in time the deleted ones do not come back.
    bench->now.wall_ms = BENCH_NOW_S * 1000LL;
    assert_int_equal (bench_load (bench, "alice").loaded.epoch, 0);
    assert_int_equal (bench_history_rows (bench, "alice"), 0);
    assert_int_equal (bench_load (bench, "bob").loaded.epoch, 2);
}

//  A row that is written again and again keeps its place in the index that the sweep goes by. The sweep, which comes when the
//  first of these writes would have expired, leaves it alone, and comes again when the last one has.
static void
test_the_sweep_follows_later_writes (void **state)
{
    bench_t *bench = *state;
    usher_msg_t first = bench_write ("alice", 0, 0, 2, 1), next = bench_write ("alice", 2, 1, 2, 2);
    next.write.expires_s = BENCH_EXPIRES_S + 1000;
    bench_outcome (bench, &first);
    assert_int_equal (bench_outcome (bench, &next), USHER_outcome_done);
    for (int at_s = 0; at_s <= 1000; at_s += 500) {
        bench->now.wall_ms = (BENCH_EXPIRES_S + at_s) * 1000LL;
        persister_service.tick (bench->persister, bench->now, bench->out);
        bench->now.wall_ms = BENCH_NOW_S * 1000LL;
        assert_int_equal (bench_load (bench, "alice").loaded.epoch, at_s < 1000 ? 2 : 0);
    }
}

//  Many rows that were written since are not for ever in front of one that has expired.
static void
test_the_sweep_gets_past_what_lives (void **state)
{
    bench_t *bench = *state;
    char viewer [32];
    for (int number = 0; number < 250; number++) {
        snprintf (viewer, sizeof viewer, "viewer-%d", number);
        usher_msg_t first = bench_write (viewer, 0, 0, 2, 1), next = bench_write (viewer, 2, 1, 2, 2);
        next.write.expires_s = BENCH_EXPIRES_S + 1000;
        bench_tell (bench, &first);
        bench_tell (bench, &next);
    }
    bench_turn (bench);
    usher_msg_t dies = bench_write ("alice", 0, 0, 2, 1);
    dies.write.expires_s = BENCH_EXPIRES_S + 1;
    assert_int_equal (bench_outcome (bench, &dies), USHER_outcome_done);
    bench->now.wall_ms = (BENCH_EXPIRES_S + 1) * 1000LL;
    for (int tick = 0; tick < 3; tick++)
        persister_service.tick (bench->persister, bench->now, bench->out);
    bench->now.wall_ms = BENCH_NOW_S * 1000LL;
    assert_int_equal (bench_load (bench, "alice").loaded.epoch, 0);
    assert_int_equal (bench_load (bench, "viewer-0").loaded.version, 2);
}

//  Who keeps profiles for less time than before has them swept after that time.
static void
test_the_sweep_follows_a_write_that_expires_sooner (void **state)
{
    bench_t *bench = *state;
    usher_msg_t first = bench_write ("alice", 0, 0, 2, 1), next = bench_write ("alice", 2, 1, 2, 2);
    next.write.expires_s = BENCH_EXPIRES_S - 500;
    bench_outcome (bench, &first);
    assert_int_equal (bench_outcome (bench, &next), USHER_outcome_done);
    bench->now.wall_ms = (BENCH_EXPIRES_S - 500) * 1000LL;
    persister_service.tick (bench->persister, bench->now, bench->out);
    bench->now.wall_ms = BENCH_NOW_S * 1000LL;
    assert_int_equal (bench_load (bench, "alice").loaded.epoch, 0);
}

//  How many profiles load_live gives for the shard that owns all slots.
static int
live_profiles (bench_t *bench)
{
    static const char owners [USHER_SLOTS];
    usher_msg_t ask = { .id = USHER_MSG_load_live,
                        .load_live = { .owners = usher_bytes (owners, sizeof owners) } };
    bench_tell (bench, &ask);
    bench_turn (bench);
    int count = 0;
    usher_msg_t msg;
    uint32_t peer;
    for (size_t at = 0; parcel_next (&bench->answers, &at, &peer, &msg);)
        count += msg.id == USHER_MSG_loaded;
    return count;
}

//  A write in place leaves the index of live profiles alone, one that begins or ends a life does not.
static void
test_a_profile_is_live_as_its_last_write_says (void **state)
{
    bench_t *bench = *state;
    static const uint8_t lives [] = { 1, 1, 0, 0, 1, 1 };
    for (uint64_t version = 0; version < sizeof lives; version++) {
        usher_msg_t write = bench_write ("alice", version ? 2 : 0, version, 2, version + 1);
        write.write.live = lives [version];
        assert_int_equal (bench_outcome (bench, &write), USHER_outcome_done);
        assert_int_equal (live_profiles (bench), lives [version]);
    }
}

static void
test_epochs_are_never_given_twice (void **state)
{
    bench_t *bench = *state;
    usher_msg_t claim = { .id = USHER_MSG_claim };
    uint64_t last = 0;
    for (int round = 0; round < 3; round++) {
        bench_tell (bench, &claim);
        bench_tell_as (bench, 8, &claim);
        bench_turn (bench);
        uint64_t one = bench_answer (bench, USHER_MSG_granted).granted.epoch;
        uint64_t two = bench_answer_to (bench, 8, USHER_MSG_granted).granted.epoch;
        assert_true (one > last && two > one);
        last = two;
        bench_restart (bench);
    }
}

static void
test_live_profiles_come_in_pages_to_their_owner (void **state)
{
    enum { VIEWERS = 700 };
    bench_t *bench = *state;
    char owners [USHER_SLOTS], viewer [32];
    int expected = 0, got = 0;
    for (int slot = 0; slot < USHER_SLOTS; slot++)
        owners [slot] = (char)(slot % 2);
    for (int number = 0; number < VIEWERS; number++) {
        snprintf (viewer, sizeof viewer, "viewer-%d", number);
        usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
        write.write.live = number % 5 != 0;
        expected += number % 5 != 0 && write.write.slot % 2 == 1;
        bench_tell (bench, &write);
    }
    bench_turn (bench);
    char after [32] = "";
    bool last = false;
    for (int page = 0; !last; page++) {
        usher_msg_t load = { .id = USHER_MSG_load_live,
                             .load_live = { .owners = usher_bytes (owners, sizeof owners),
                                            .shard = 1,
                                            .after = usher_str (after) } };
        bench_tell (bench, &load);
        bench_turn (bench);
        usher_msg_t msg;
        uint32_t peer;
        while (parcel_next (&bench->answers, &bench->next, &peer, &msg) && msg.id == USHER_MSG_loaded) {
            assert_int_equal (usher_slot (msg.loaded.viewer_id) % 2, 1);
            got++;
        }
        assert_int_equal (msg.id, USHER_MSG_live_page);
        assert_true (got <= (page + 1) * STORE_LIVE_PAGE);
        snprintf (after, sizeof after, "%.*s", (int)msg.live_page.after.size, msg.live_page.after.data);
        last = msg.live_page.last;
    }
    assert_int_equal (got, expected);
    assert_true (expected > STORE_LIVE_PAGE);
}

static usher_msg_t
commit_of (uint64_t generation, uint32_t partition, uint64_t next)
{
    return (usher_msg_t){ .id = USHER_MSG_commit,
                          .commit = { .source = USHER_SOURCE_FILE,
                                      .name = usher_str ("/a/file"),
                                      .generation = generation,
                                      .partition = partition,
                                      .next = next } };
}

static uint64_t
commit_position (bench_t *bench, uint64_t generation, uint32_t partition, uint64_t next)
{
    usher_msg_t commit = commit_of (generation, partition, next);
    bench_tell (bench, &commit);
    bench_turn (bench);
    return bench_answer (bench, USHER_MSG_position).position.next;
}

static void
test_positions_only_go_forward (void **state)
{
    bench_t *bench = *state;
    usher_msg_t ask = { .id = USHER_MSG_positions,
                        .positions = { .source = USHER_SOURCE_FILE, .name = usher_str ("/a/file") } };
    bench_tell (bench, &ask);
    bench_turn (bench);
    assert_int_equal (bench_answer (bench, USHER_MSG_position).position.generation, 0);
    bench_no_answer (bench);
    assert_int_equal (commit_position (bench, UINT64_MAX, 0, 10), 10);
    assert_int_equal (commit_position (bench, UINT64_MAX, 0, 7), 10);
    assert_int_equal (commit_position (bench, UINT64_MAX, 1, 3), 3);
    bench_restart (bench);
    bench_tell (bench, &ask);
    bench_turn (bench);
    usher_msg_t msg = bench_answer (bench, USHER_MSG_position);
    assert_true (msg.position.generation == UINT64_MAX);
    assert_int_equal (msg.position.next, 10);
    assert_text (msg.position.name, "/a/file");
    assert_int_equal (bench_answer (bench, USHER_MSG_position).position.partition, 1);
    bench_no_answer (bench);
    assert_int_equal (commit_position (bench, 4, 0, 2), 2);    //  the file is another one now
}

static void
test_quarantine_keeps_once (void **state)
{
    bench_t *bench = *state;
    usher_msg_t bad = { .id = USHER_MSG_quarantine,
                        .quarantine = { .seq = 5,
                                        .source = USHER_SOURCE_JOURNAL,
                                        .generation = 8,
                                        .offset = 12,
                                        .reason = usher_str ("no_identity"),
                                        .payload = usher_str ("{\"a\":1}") } };
    for (uint64_t seq = 5; seq < 8; seq++) {
        bad.quarantine.seq = seq;
        bench_tell (bench, &bad);
        bench_turn (bench);
        assert_int_equal (bench_answer (bench, USHER_MSG_quarantined).quarantined.seq, seq);
    }
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream (&text, &size);
    persister_service.metrics (bench->persister, out);
    fclose (out);
    assert_non_null (strstr (text, "\nusher_store_quarantined_total 1\n"));
    assert_non_null (strstr (text, "\nusher_store_transactions_total 3\n"));
    free (text);
}

static void
put_span (bench_t *bench, uint64_t seq, uint32_t step_s, uint64_t at_s, uint64_t part, const char *body)
{
    usher_msg_t put = { .id = USHER_MSG_aggregate_put,
                        .aggregate_put = { seq, step_s, at_s, part, usher_str (body) } };
    bench_tell (bench, &put);
}

//  The bodies of all seconds or minutes, as one text.
static void
expect_spans (bench_t *bench, uint32_t step_s, const char *expected)
{
    usher_msg_t ask = { .id = USHER_MSG_aggregate_get,
                        .aggregate_get = { 9, step_s, BENCH_NOW_S - 100000, BENCH_NOW_S + 60 } };
    bench_tell (bench, &ask);
    bench_turn (bench);
    char text [64] = "";
    for (;;) {
        usher_msg_t msg = bench_answer (bench, USHER_MSG_aggregate_row);
        assert_int_equal (msg.aggregate_row.request, 9);
        if (msg.aggregate_row.last)
            break;
        strncat (text, msg.aggregate_row.body.data, msg.aggregate_row.body.size);
    }
    assert_string_equal (text, expected);
    bench_no_answer (bench);
}

static void
test_spans_are_kept_by_part_and_swept_by_age (void **state)
{
    bench_t *bench = *state;
    put_span (bench, 1, 1, BENCH_NOW_S - 5, 7, "b");
    put_span (bench, 2, 1, BENCH_NOW_S - 6, 7, "a");
    put_span (bench, 3, 60, BENCH_NOW_S - 60, 8, "D");
    put_span (bench, 0, 60, BENCH_NOW_S - 60, 7, "x");
    put_span (bench, 0, 60, BENCH_NOW_S - 60, 7, "C");
    put_span (bench, 4, 60, BENCH_NOW_S - 86401, 7, "B");
    put_span (bench, 5, 60, BENCH_NOW_S - 86520, 7, "A");
    put_span (bench, 6, 1, BENCH_NOW_S - 3700, 7, "0");
    bench_turn (bench);
    //  The two that run on want no receipt.
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_int_equal (bench_answer (bench, USHER_MSG_aggregate_kept).aggregate_kept.seq, seq);
    bench_no_answer (bench);
    bench_restart (bench);
    expect_spans (bench, 1, "0ab");
    expect_spans (bench, 60, "ABCD");
    persister_service.tick (bench->persister, bench->now, bench->out);
    expect_spans (bench, 1, "ab");
    expect_spans (bench, 60, "BCD");
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
        TEST (test_write_replaces_only_what_it_names),
        TEST (test_the_number_of_a_row_is_only_a_hint),
        TEST (test_nothing_is_answered_before_the_commit),
        TEST (test_history_follows_its_write),
        TEST (test_a_refused_write_leaves_no_history),
        TEST (test_history_reads_as_written_newest_first),
        TEST (test_history_can_be_taken_back),
        TEST (test_a_replay_changes_nothing),
        TEST (test_expired_rows_read_as_absent),
        TEST (test_the_sweep_deletes_expired_rows_only),
        TEST (test_the_sweep_follows_later_writes),
        TEST (test_the_sweep_gets_past_what_lives),
        TEST (test_the_sweep_follows_a_write_that_expires_sooner),
        TEST (test_a_profile_is_live_as_its_last_write_says),
        TEST (test_epochs_are_never_given_twice),
        TEST (test_live_profiles_come_in_pages_to_their_owner),
        TEST (test_positions_only_go_forward),
        TEST (test_quarantine_keeps_once),
        TEST (test_spans_are_kept_by_part_and_swept_by_age),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
