//  test_roll - actors are found, dropped and walked over, whatever came and went before

#include "roll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 5000 };

static usher_str_t
name_of (int number)
{
    static char text [32];
    snprintf (text, sizeof text, "viewer-%d", number);
    return usher_bytes (text, strlen (text));
}

static roll_due_t
never (const void *arg, const actor_t *actor)
{
    (void)arg, (void)actor;
    return (roll_due_t){ ROLL_NEVER, ROLL_NEVER, 0 };
}

static void
test_many_come_and_go (void **state)
{
    (void)state;
    roll_t *roll = roll_new (never, NULL);
    assert_null (roll_find (roll, name_of (1)));
    for (int number = 0; number < MANY; number++)
        assert_true (usher_str_eq (roll_get (roll, name_of (number))->viewer.id, name_of (number)));
    assert_int_equal (roll_count (roll), MANY);
    for (int number = 0; number < MANY; number += 2)
        roll_drop (roll, roll_find (roll, name_of (number))->actor);
    for (int number = 0; number < MANY; number++)
        assert_int_equal (roll_find (roll, name_of (number)) != NULL, number % 2);
    assert_ptr_equal (roll_get (roll, name_of (1)), roll_find (roll, name_of (1))->actor);
    assert_int_equal (roll_count (roll), MANY / 2);
    size_t cursor = 0, seen = 0;
    while (roll_next (roll, &cursor))
        seen++;
    assert_int_equal (seen, MANY / 2);
    roll_destroy (&roll);
    assert_null (roll);
}

//  Places once used must not fill the table until a search has no end.
static void
test_one_place_used_often (void **state)
{
    (void)state;
    roll_t *roll = roll_new (never, NULL);
    for (int number = 0; number < 20 * MANY; number++)
        roll_drop (roll, roll_get (roll, name_of (number)));
    assert_int_equal (roll_count (roll), 0);
    assert_null (roll_find (roll, name_of (7)));
    roll_destroy (&roll);
}

static void
test_drop_leaves_the_wheel (void **state)
{
    (void)state;
    roll_t *roll = roll_new (never, NULL);
    wheel_t *wheel = wheel_new ();
    wheel_put (wheel, &roll_get (roll, name_of (1))->seat->node, 1000);
    roll_drop (roll, roll_find (roll, name_of (1))->actor);
    assert_null (wheel_due (wheel, 10000));
    wheel_destroy (&wheel);
    roll_destroy (&roll);
}

//  An actor for whom something is under way, and one for whom nothing is.
static actor_t *
actor_busy (roll_t *roll, int number, bool busy)
{
    actor_t *actor = roll_get (roll, name_of (number));
    actor->loaded = true;
    actor->hard = busy;
    return actor;
}

static void
test_who_was_answered_goes_to_sleep (void **state)
{
    (void)state;
    enum { BUSY = 6, AWAKE_MAX = 2 };
    roll_t *roll = roll_new (never, NULL);
    roll_doze (roll, 1, AWAKE_MAX);
    for (int number = 0; number < BUSY; number++)
        actor_busy (roll, number, true);
    roll_doze (roll, 2, AWAKE_MAX);
    assert_int_equal (roll_awake (roll), BUSY);
    for (int number = 0; number < BUSY; number++)
        roll_rest (roll, actor_busy (roll, number, false));
    roll_doze (roll, 3, AWAKE_MAX);
    assert_in_range (roll_awake (roll), 1, AWAKE_MAX);
    assert_int_equal (roll_count (roll), BUSY);
    roll_destroy (&roll);
}

//  Many who wait for the store are not all looked at in each turn.
static void
test_a_turn_looks_at_some (void **state)
{
    (void)state;
    enum { LOOKS = 128, LATER_MS = 1 };
    roll_t *roll = roll_new (never, NULL);
    roll_doze (roll, 0, 1);
    for (int number = 0; number < MANY; number++)
        actor_busy (roll, number, true);
    roll_doze (roll, LATER_MS, 1);
    size_t looked = 0;
    for (actor_t *actor = NULL; (actor = roll_next_awake (roll, actor));)
        looked += actor->listed_ms == LATER_MS;
    assert_in_range (looked, 1, LOOKS);
    assert_int_equal (roll_awake (roll), MANY);
    roll_destroy (&roll);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_many_come_and_go),      cmocka_unit_test (test_one_place_used_often),
        cmocka_unit_test (test_drop_leaves_the_wheel), cmocka_unit_test (test_who_was_answered_goes_to_sleep),
        cmocka_unit_test (test_a_turn_looks_at_some),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
