//  test_child - the automaton of one process

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "child.h"

static child_t
ready_child (int64_t now_ms)
{
    child_t child = child_init (true);
    child.wanted = true;
    assert_int_equal (child_event (&child, CHILD_START, now_ms, 0), CHILD_DO_SPAWN);
    assert_int_equal (child.state, CHILD_STARTING);
    assert_int_equal (child_event (&child, CHILD_TOLD_READY, now_ms, 0), CHILD_DO_NOTHING);
    assert_int_equal (child.state, CHILD_READY);
    return child;
}

static void
starts_when_it_may (void **state)
{
    (void)state;
    child_t child = child_init (true);
    assert_int_equal (child_due (&child, 0, true), CHILD_NOTHING);
    child.wanted = true;
    assert_int_equal (child_due (&child, 0, false), CHILD_NOTHING);
    assert_int_equal (child_due (&child, 0, true), CHILD_START);
}

static void
drains (void **state)
{
    (void)state;
    child_t child = ready_child (1000);
    child.wanted = false;
    assert_int_equal (child_due (&child, 1000, true), CHILD_STOP);
    assert_int_equal (child_event (&child, CHILD_STOP, 1000, 0), CHILD_DO_DRAIN);
    assert_int_equal (child.state, CHILD_DRAINING);
    assert_int_equal (child_due (&child, 1000 + CHILD_DRAIN_DEADLINE_MS - 1, true), CHILD_NOTHING);
    assert_int_equal (child_due (&child, 1000 + CHILD_DRAIN_DEADLINE_MS, true), CHILD_TIMEOUT);
    child_event (&child, CHILD_EXIT_DRAINED, 2000, 0);
    assert_int_equal (child.state, CHILD_DOWN);
    assert_int_equal (child.restarts, 0);
}

//  A restart that was asked for is a drain of a child that stays wanted.
static void
restarts_on_request (void **state)
{
    (void)state;
    child_t child = ready_child (1000);
    assert_int_equal (child_event (&child, CHILD_STOP, 1000, 0), CHILD_DO_DRAIN);
    child_event (&child, CHILD_EXIT_DRAINED, 2000, 0);
    assert_int_equal (child_due (&child, 2000, true), CHILD_START);
    assert_int_equal (child.restarts, 0);
}

static void
is_killed_without_beats (void **state)
{
    (void)state;
    child_t child = ready_child (1000);
    child_event (&child, CHILD_BEAT, 5000, 0);
    assert_int_equal (child_due (&child, 5000 + CHILD_BEAT_DEADLINE_MS - 1, true), CHILD_NOTHING);
    assert_int_equal (child_due (&child, 5000 + CHILD_BEAT_DEADLINE_MS, true), CHILD_TIMEOUT);
    assert_int_equal (child_event (&child, CHILD_TIMEOUT, 15000, 0), CHILD_DO_KILL);
    assert_int_equal (child_due (&child, 15001, true), CHILD_NOTHING);
    child_event (&child, CHILD_EXIT_BUG, 15001, 0);
    assert_int_equal (child.state, CHILD_RESTING);
    assert_int_equal (child.restarts, 1);
}

static void
is_killed_when_never_ready (void **state)
{
    (void)state;
    child_t child = child_init (true);
    child.wanted = true;
    child_event (&child, CHILD_START, 0, 0);
    child_event (&child, CHILD_BEAT, 30000, 0);
    assert_int_equal (child_due (&child, CHILD_START_DEADLINE_MS, true), CHILD_TIMEOUT);
    assert_int_equal (child_event (&child, CHILD_TIMEOUT, CHILD_START_DEADLINE_MS, 0), CHILD_DO_KILL);
}

//  Doubling from 0.1 s to 30 s, each between a half and the whole; back at the start after a stable minute.
static void
backs_off (void **state)
{
    (void)state;
    child_t child = child_init (true);
    child.wanted = true;
    int64_t now_ms = 0, whole = CHILD_BACKOFF_FIRST_MS;
    for (uint32_t i = 0; i < 20; i++) {
        child_event (&child, CHILD_START, now_ms, 0);
        child_event (&child, CHILD_EXIT_LATER, now_ms, i * 7919);
        assert_int_equal (child.state, CHILD_RESTING);
        assert_in_range (child.due_ms - now_ms, whole / 2, whole);
        now_ms = child.due_ms;
        assert_int_equal (child_due (&child, now_ms, true), CHILD_TIMEOUT);
        child_event (&child, CHILD_TIMEOUT, now_ms, 0);
        assert_int_equal (child.state, CHILD_DOWN);
        whole = whole * 2 > CHILD_BACKOFF_MOST_MS ? CHILD_BACKOFF_MOST_MS : whole * 2;
    }
    child_event (&child, CHILD_START, now_ms, 0);
    child_event (&child, CHILD_TOLD_READY, now_ms, 0);
    now_ms += CHILD_STABLE_MS;
    child_event (&child, CHILD_EXIT_BUG, now_ms, UINT32_MAX);
    assert_in_range (child.due_ms - now_ms, CHILD_BACKOFF_FIRST_MS / 2, CHILD_BACKOFF_FIRST_MS);
}

static void
crash_at (child_t *child, int64_t now_ms)
{
    if (child->state == CHILD_RESTING)
        child_event (child, CHILD_TIMEOUT, now_ms, 0);
    child_event (child, CHILD_START, now_ms, 0);
    child_event (child, CHILD_EXIT_BUG, now_ms, 0);
}

static void
fails_after_too_many_crashes (void **state)
{
    (void)state;
    child_t fast = child_init (true), slow = child_init (true);
    fast.wanted = slow.wanted = true;
    for (int i = 0; i < CHILD_CRASHES; i++) {
        assert_int_not_equal (fast.state, CHILD_FAILED);
        crash_at (&fast, i * 1000);
    }
    assert_int_equal (fast.state, CHILD_FAILED);
    assert_int_equal (child_due (&fast, INT64_MAX - 1, true), CHILD_NOTHING);
    for (int i = 0; i < 5 * CHILD_CRASHES; i++)
        crash_at (&slow, (int64_t)i * CHILD_CRASH_WINDOW_MS / (CHILD_CRASHES - 1));
    assert_int_equal (slow.state, CHILD_RESTING);

    //  Somebody asks for it: a fresh count.
    assert_int_equal (child_event (&fast, CHILD_START, 20000, 0), CHILD_DO_SPAWN);
    child_event (&fast, CHILD_EXIT_BUG, 20000, 0);
    assert_int_equal (fast.state, CHILD_RESTING);
}

static void
never_restarts_what_is_misconfigured (void **state)
{
    (void)state;
    child_t child = child_init (true);
    child.wanted = true;
    child_event (&child, CHILD_START, 0, 0);
    child_event (&child, CHILD_EXIT_NEVER, 0, 0);
    assert_int_equal (child.state, CHILD_FAILED);
}

static void
an_unwatched_one_is_ready_at_once (void **state)
{
    (void)state;
    child_t child = child_init (false);
    child.wanted = true;
    assert_int_equal (child_event (&child, CHILD_START, 0, 0), CHILD_DO_SPAWN);
    assert_int_equal (child.state, CHILD_READY);
    assert_int_equal (child_due (&child, INT64_MAX - 1, true), CHILD_NOTHING);
}

static void
exit_codes (void **state)
{
    (void)state;
    //  Status words as Linux makes them: the code in the second byte, a signal in the first.
    assert_int_equal (child_exit (0), CHILD_EXIT_DRAINED);
    assert_int_equal (child_exit (100 << 8), CHILD_EXIT_NEVER);
    assert_int_equal (child_exit (101 << 8), CHILD_EXIT_BUG);
    assert_int_equal (child_exit (111 << 8), CHILD_EXIT_LATER);
    assert_int_equal (child_exit (1 << 8), CHILD_EXIT_BUG);
    assert_int_equal (child_exit (9), CHILD_EXIT_BUG);
}

//  Every sequence of four events: what is not wanted never starts, a process that ended is not said to run, no
//  state without a way out but FAILED.
static void
all_short_sequences (void **state)
{
    (void)state;
    enum { LENGTH = 5 };
    unsigned total = 1;
    for (int i = 0; i < LENGTH; i++)
        total *= CHILD_EVENTS;
    for (unsigned n = 0; n < total; n++) {
        child_t child = child_init (true);
        child.wanted = true;
        bool runs = false;
        unsigned rest = n;
        for (int i = 0; i < LENGTH; i++, rest /= CHILD_EVENTS) {
            child_event_t event = (child_event_t)(rest % CHILD_EVENTS);
            if (event >= CHILD_EXIT_DRAINED && !runs)
                continue;
            child_action_t action = child_event (&child, event, i, 0);
            if (event >= CHILD_EXIT_DRAINED)
                runs = false;
            if (action == CHILD_DO_SPAWN) {
                assert_false (runs);
                runs = true;
            }
            if (action == CHILD_DO_KILL || action == CHILD_DO_DRAIN)
                assert_true (runs);
            assert_int_equal (child_runs (&child), runs);
            if (child.state != CHILD_FAILED && child.state != CHILD_DOWN)
                assert_true (child.due_ms < INT64_MAX);
        }
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (starts_when_it_may),
        cmocka_unit_test (drains),
        cmocka_unit_test (restarts_on_request),
        cmocka_unit_test (is_killed_without_beats),
        cmocka_unit_test (is_killed_when_never_ready),
        cmocka_unit_test (backs_off),
        cmocka_unit_test (fails_after_too_many_crashes),
        cmocka_unit_test (never_restarts_what_is_misconfigured),
        cmocka_unit_test (an_unwatched_one_is_ready_at_once),
        cmocka_unit_test (exit_codes),
        cmocka_unit_test (all_short_sequences),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
