//  test_dynamo_trouble - a DynamoDB that throttles, is busy, or is gone: what is asked again, and what is never done twice

#include "dynamo_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_text(text, expected) assert_true (usher_str_eq (text, usher_str (expected)))

static int
count_rows (const dynamo_bench_t *self)
{
    char *rows = fake_dynamo_rows (self->dynamo);
    int lines = 0;
    for (const char *at = rows; (at = strchr (at, '\n')); at++)
        lines++;
    free (rows);
    return lines;
}

static void
test_trouble_of_every_kind_ends_well (void **state)
{
    enum { VIEWERS = 40, ROUNDS = 5 };
    dynamo_bench_t *self = *state;
    char viewer [16], key [32];
    fake_dynamo_trouble (self->dynamo, 60);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (int number = 0; number < VIEWERS; number++) {
            snprintf (viewer, sizeof viewer, "viewer-%d", number);
            snprintf (key, sizeof key, "2026-11-23T06:45:2%d.549Z", (int)round);
            usher_msg_t row = bench_history (viewer, key);
            usher_msg_t write = bench_write (viewer, round ? 3 : 0, round, 3, round + 1);
            bench_tell (&self->bench, &row);
            bench_tell (&self->bench, &write);
            bench_tell (&self->bench, &row);    //  asked again: the same write
            bench_tell (&self->bench, &write);
        }
        dynamo_run (self, VIEWERS);
        for (int number = 0; number < VIEWERS; number++)
            assert_int_equal (bench_answer (&self->bench, USHER_MSG_written).written.outcome,
                              USHER_outcome_done);
        bench_no_answer (&self->bench);
    }
    assert_int_equal (count_rows (self), VIEWERS * ROUNDS);
}

static void
test_only_what_was_throttled_is_asked_again (void **state)
{
    enum { VIEWERS = 25 };
    dynamo_bench_t *self = *state;
    char viewer [16];
    dynamo_load_one (self, "nobody");    //  the tables are there
    fake_dynamo_partly (self->dynamo);
    for (int number = 0; number < VIEWERS; number++) {
        snprintf (viewer, sizeof viewer, "viewer-%d", number);
        usher_msg_t row = bench_history (viewer, "2026-11-23T06:45:20.549Z");
        usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
        bench_tell (&self->bench, &row);
        bench_tell (&self->bench, &write);
    }
    dynamo_run (self, VIEWERS);
    for (int number = 0; number < VIEWERS; number++)
        assert_int_equal (bench_answer (&self->bench, USHER_MSG_written).written.outcome, USHER_outcome_done);
    //  Had one that was done been asked for again, its condition would have failed and its row been read.
    assert_int_equal (fake_dynamo_requests (self->dynamo, "BatchGetItem"), 1);
    assert_true (fake_dynamo_requests (self->dynamo, "BatchExecuteStatement") >= 2);
    assert_true (fake_dynamo_requests (self->dynamo, "BatchWriteItem") >= 2);
    assert_int_equal (count_rows (self), VIEWERS);
}

static void
test_a_store_that_is_gone_is_asked_less_and_less (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t write = bench_write ("alice", 0, 0, 1, 1);
    dynamo_load_one (self, "nobody");
    fake_dynamo_trouble (self->dynamo, 101);
    bench_tell (&self->bench, &write);
    for (int viewer = 0; viewer < 300; viewer++) {
        char id [16];
        snprintf (id, sizeof id, "v%d", viewer);
        usher_msg_t other = bench_write (id, 0, 0, 1, 1);
        bench_tell (&self->bench, &other);
    }
    dynamo_run (self, 1);    //  80 s; nothing is answered
    bench_no_answer (&self->bench);
    uint64_t asked = fake_dynamo_requests (self->dynamo, "BatchExecuteStatement");
    assert_in_range (asked, 20, 200);
    fake_dynamo_trouble (self->dynamo, 0);
    dynamo_run (self, 301);
    assert_int_equal (bench_answer (&self->bench, USHER_MSG_written).written.outcome, USHER_outcome_done);
}

static void
test_a_table_that_is_gone_is_made_again (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t write = bench_write ("alice", 0, 0, 1, 1), next = bench_write ("bob", 0, 0, 1, 1);
    assert_int_equal (dynamo_write_one (self, &write), USHER_outcome_done);
    fake_dynamo_forget (self->dynamo);
    assert_int_equal (dynamo_write_one (self, &next), USHER_outcome_done);
    assert_non_null (fake_dynamo_profile (self->dynamo, "bob"));
}

static void
test_what_is_too_much_is_answered_failed (void **state)
{
    dynamo_bench_t *self = *state;
    char viewer [32];
    fake_dynamo_trouble (self->dynamo, 101);
    for (int number = 0; number <= DYNAMO_JOBS_MAX; number++) {
        snprintf (viewer, sizeof viewer, "viewer-%d", number);
        usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
        bench_tell (&self->bench, &write);
    }
    dynamo_run (self, 1);
    usher_msg_t written = bench_answer (&self->bench, USHER_MSG_written);
    assert_text (written.written.viewer_id, viewer);
    assert_int_equal (written.written.outcome, USHER_outcome_failed);
    bench_no_answer (&self->bench);
}

//  However many writes keep the store busy, a question does not wait for a full request of its kind.
static void
test_a_busy_store_still_answers_questions (void **state)
{
    dynamo_bench_t *self = *state;
    bench_t *bench = &self->bench;
    usher_msg_t load = { .id = USHER_MSG_load, .load = { .viewer_id = usher_str ("nobody") } }, msg;
    uint32_t peer;
    char viewer [32];
    bool answered = false;
    dynamo_load_one (self, "nobody");
    fake_dynamo_slow (self->dynamo);
    for (int turn = 0; turn < 100 && !answered; turn++) {
        for (int number = 0; number < 50; number++) {
            snprintf (viewer, sizeof viewer, "viewer-%d-%d", turn, number);
            usher_msg_t row = bench_history (viewer, "2026-11-23T06:45:20.549Z");
            usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
            bench_tell (bench, &row);
            bench_tell (bench, &write);
        }
        if (turn == 10)
            bench_tell (bench, &load);
        bench->now.mono_ms += DYNAMO_TURN_MS;
        parcel_empty (&bench->answers);
        persister_service.turn (bench->persister, bench->now, bench->out);
        outbox_flush (bench->out);
        for (size_t at = 0; parcel_next (&bench->answers, &at, &peer, &msg);)
            answered = answered || msg.id == USHER_MSG_loaded;
    }
    assert_true (answered);
}

//  ---- peers, epochs, who is live

static void
test_a_new_shard_reads_behind_the_old_one_s_writes (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t write = bench_write ("alice", 0, 0, 1, 1);
    usher_msg_t load = { .id = USHER_MSG_load, .load = { .viewer_id = usher_str ("alice") } };
    dynamo_load_one (self, "nobody");
    bench_tell (&self->bench, &write);
    //  The request is on its way when the shard dies.
    persister_service.turn (self->bench.persister, self->bench.now, self->bench.out);
    persister_service.peer_up (self->bench.persister, USHER_LINK_store, BENCH_PEER, "shard-0",
                               self->bench.out);
    bench_tell (&self->bench, &load);
    dynamo_run (self, 1);
    usher_msg_t loaded = bench_answer (&self->bench, USHER_MSG_loaded);
    assert_int_equal (loaded.loaded.version, 1);
    bench_no_answer (&self->bench);
}

static void
test_epochs_are_never_given_twice (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t claim = { .id = USHER_MSG_claim };
    uint64_t last = 0;
    fake_dynamo_trouble (self->dynamo, 50);
    for (int round = 0; round < 5; round++) {
        bench_tell (&self->bench, &claim);
        bench_tell (&self->bench, &claim);    //  asked again before the answer
        dynamo_run (self, 1);
        uint64_t epoch = bench_answer (&self->bench, USHER_MSG_granted).granted.epoch;
        bench_no_answer (&self->bench);
        assert_true (epoch > last);
        last = epoch;
        bench_restart (&self->bench);
        dynamo_connect (self);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, dynamo_setup, dynamo_teardown)
        TEST (test_trouble_of_every_kind_ends_well),
        TEST (test_only_what_was_throttled_is_asked_again),
        TEST (test_a_store_that_is_gone_is_asked_less_and_less),
        TEST (test_a_table_that_is_gone_is_made_again),
        TEST (test_what_is_too_much_is_answered_failed),
        TEST (test_a_busy_store_still_answers_questions),
        TEST (test_a_new_shard_reads_behind_the_old_one_s_writes),
        TEST (test_epochs_are_never_given_twice),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
