//  test_turn - how long a transaction of the persister is left open for more

#include "persister_bench.h"
#include "turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void
write_one (bench_t *self)
{
    const usher_msg_t write = bench_write ("writer", 0, 0, 1, 1);
    bench_tell (self, &write);
}

static void
ask_one (bench_t *self)
{
    const usher_msg_t load = { .id = USHER_MSG_load, .load = { .viewer_id = usher_str ("asker") } };
    bench_tell (self, &load);
}

//  For how long nobody needs to ask again; -1: the transaction is to end.
static int
gathers_ms (bench_t *self, int64_t mono_ms)
{
    self->now.mono_ms = mono_ms;
    return persister_gathers (self->persister, self->now) ? persister_gather_ms (self->persister) : -1;
}

static void
test_nothing_waits_for_nothing (void **state)
{
    (void)state;
    bench_t self;
    bench_open (&self);
    assert_int_equal (gathers_ms (&self, 1000), -1);
    bench_close (&self);
}

static void
test_waits_though_nothing_more_comes (void **state)
{
    (void)state;
    bench_t self;
    bench_open (&self);
    write_one (&self);
    assert_int_equal (gathers_ms (&self, 1000), TURN_WAIT_MS);
    assert_int_equal (gathers_ms (&self, 1000 + 3), TURN_WAIT_MS - 3);
    assert_int_equal (gathers_ms (&self, 1000 + TURN_WAIT_MS - 1), 1);
    assert_int_equal (gathers_ms (&self, 1000 + TURN_WAIT_MS), -1);
    bench_close (&self);
}

static void
test_goes_on_while_each_turn_brings_more (void **state)
{
    (void)state;
    bench_t self;
    bench_open (&self);
    for (int64_t waited_ms = 0; waited_ms < TURN_GATHER_MS; waited_ms++) {
        write_one (&self);
        int64_t left_ms = waited_ms < TURN_WAIT_MS ? TURN_WAIT_MS - waited_ms : 0;
        assert_int_equal (gathers_ms (&self, 1000 + waited_ms), left_ms);
    }
    write_one (&self);
    assert_int_equal (gathers_ms (&self, 1000 + TURN_GATHER_MS), -1);
    bench_close (&self);
}

static void
test_a_turn_without_more_ends_it (void **state)
{
    (void)state;
    bench_t self;
    bench_open (&self);
    write_one (&self);
    assert_int_equal (gathers_ms (&self, 1000), TURN_WAIT_MS);
    write_one (&self);
    assert_int_equal (gathers_ms (&self, 1000 + TURN_WAIT_MS), 0);
    assert_int_equal (gathers_ms (&self, 1000 + TURN_WAIT_MS), -1);
    bench_close (&self);
}

//  Somebody waits for the answer, a viewer's events for their profile: a turn of the loop that brings nothing ends it.
static void
test_a_question_does_not_wait_for_more (void **state)
{
    (void)state;
    bench_t self;
    bench_open (&self);
    write_one (&self);
    assert_int_equal (gathers_ms (&self, 1000), TURN_WAIT_MS);
    ask_one (&self);
    assert_int_equal (gathers_ms (&self, 1001), 0);
    assert_int_equal (gathers_ms (&self, 1001), -1);
    bench_close (&self);
}

//  Neither a question of the one before nor how long that one took is held against it.
static void
test_each_transaction_waits_anew (void **state)
{
    (void)state;
    bench_t self;
    bench_open (&self);
    write_one (&self);
    ask_one (&self);
    assert_int_equal (gathers_ms (&self, 1000), 0);
    assert_int_equal (gathers_ms (&self, 1000), -1);
    bench_turn (&self);
    bench_answer (&self, USHER_MSG_written);
    bench_answer (&self, USHER_MSG_loaded);
    assert_int_equal (gathers_ms (&self, 1000), -1);
    assert_int_equal (persister_gather_ms (self.persister), -1);
    write_one (&self);
    assert_int_equal (gathers_ms (&self, 1000 + TURN_GATHER_MS), TURN_WAIT_MS);
    bench_close (&self);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_nothing_waits_for_nothing),
        cmocka_unit_test (test_waits_though_nothing_more_comes),
        cmocka_unit_test (test_goes_on_while_each_turn_brings_more),
        cmocka_unit_test (test_a_turn_without_more_ends_it),
        cmocka_unit_test (test_a_question_does_not_wait_for_more),
        cmocka_unit_test (test_each_transaction_waits_anew),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
