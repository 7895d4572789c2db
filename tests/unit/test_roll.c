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

static void
test_many_come_and_go (void **state)
{
    (void)state;
    roll_t *roll = roll_new ();
    assert_null (roll_find (roll, name_of (1)));
    for (int number = 0; number < MANY; number++)
        assert_true (usher_str_eq (roll_get (roll, name_of (number))->viewer.id, name_of (number)));
    assert_int_equal (roll_count (roll), MANY);
    for (int number = 0; number < MANY; number += 2)
        roll_drop (roll, roll_find (roll, name_of (number)));
    for (int number = 0; number < MANY; number++)
        assert_int_equal (roll_find (roll, name_of (number)) != NULL, number % 2);
    assert_ptr_equal (roll_get (roll, name_of (1)), roll_find (roll, name_of (1)));
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
    roll_t *roll = roll_new ();
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
    roll_t *roll = roll_new ();
    wheel_t *wheel = wheel_new ();
    wheel_put (wheel, &roll_get (roll, name_of (1))->seat->node, 1000);
    roll_drop (roll, roll_find (roll, name_of (1)));
    assert_null (wheel_due (wheel, 10000));
    wheel_destroy (&wheel);
    roll_destroy (&roll);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_many_come_and_go),
        cmocka_unit_test (test_one_place_used_often),
        cmocka_unit_test (test_drop_leaves_the_wheel),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
