//  test_wheel - nobody comes up too early, nobody is forgotten

#include "wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void
test_comes_up_when_due (void **state)
{
    (void)state;
    wheel_t *wheel = wheel_new ();
    wheel_node_t node = { 0 };
    wheel_put (wheel, &node, 5500);
    assert_null (wheel_due (wheel, 5000));
    assert_ptr_equal (wheel_due (wheel, 6000), &node);
    assert_null (wheel_due (wheel, 6000));
    assert_null (node.prev);
    wheel_destroy (&wheel);
    assert_null (wheel);
}

static void
test_earlier_wins (void **state)
{
    (void)state;
    wheel_t *wheel = wheel_new ();
    wheel_node_t node = { 0 };
    wheel_put (wheel, &node, 9000);
    wheel_put (wheel, &node, 20000);
    wheel_put (wheel, &node, 3000);
    assert_null (wheel_due (wheel, 2999));
    assert_ptr_equal (wheel_due (wheel, 3000), &node);
    assert_null (wheel_due (wheel, 60000));
    wheel_destroy (&wheel);
}

static void
test_never_is_never (void **state)
{
    (void)state;
    wheel_t *wheel = wheel_new ();
    wheel_node_t node = { 0 };
    wheel_put (wheel, &node, UINT64_MAX);
    for (uint64_t now_ms = 0; now_ms < 20000000; now_ms += 1000)
        assert_null (wheel_due (wheel, now_ms));
    wheel_put (wheel, &node, 1);
    assert_ptr_equal (wheel_due (wheel, 20000000), &node);
    wheel_destroy (&wheel);
}

static void
test_beyond_the_ring_and_stand_still (void **state)
{
    (void)state;
    wheel_t *wheel = wheel_new ();
    wheel_node_t far = { 0 }, near = { 0 };
    const uint64_t start_ms = 1790000000000;
    assert_null (wheel_due (wheel, start_ms));
    wheel_put (wheel, &far, start_ms + 100000000);
    wheel_put (wheel, &near, start_ms + 2000);
    assert_ptr_equal (wheel_due (wheel, start_ms + 50000000), &near);
    assert_null (wheel_due (wheel, start_ms + 50000000));
    assert_ptr_equal (wheel_due (wheel, start_ms + 100000000), &far);
    wheel_destroy (&wheel);
}

static void
test_remove_from_anywhere (void **state)
{
    (void)state;
    wheel_t *wheel = wheel_new ();
    wheel_node_t nodes [3] = { 0 };
    for (int at = 0; at < 3; at++)
        wheel_put (wheel, &nodes [at], 4000);
    wheel_remove (&nodes [1]);
    wheel_remove (&nodes [1]);
    wheel_remove (&nodes [2]);
    assert_ptr_equal (wheel_due (wheel, 4000), &nodes [0]);
    assert_null (wheel_due (wheel, 4000));
    wheel_destroy (&wheel);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_comes_up_when_due),    cmocka_unit_test (test_earlier_wins),
        cmocka_unit_test (test_never_is_never),       cmocka_unit_test (test_beyond_the_ring_and_stand_still),
        cmocka_unit_test (test_remove_from_anywhere),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
