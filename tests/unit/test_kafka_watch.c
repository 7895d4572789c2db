//  test_kafka_watch - a partition that stands still is begun anew, and no other one

#include "kafka_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { PATIENCE_MS = 30000 };

static void
test_two_looks_that_find_something (void **state)
{
    (void)state;
    kafka_watch_t watch;
    kafka_watch_moved (&watch, 1000);
    assert_false (kafka_watch_due (&watch, 1000 + PATIENCE_MS - 1, PATIENCE_MS));
    assert_true (kafka_watch_due (&watch, 1000 + PATIENCE_MS, PATIENCE_MS));
    assert_false (kafka_watch_look (&watch, 31000, 7, 9));
    assert_false (kafka_watch_due (&watch, 60999, PATIENCE_MS));
    assert_true (kafka_watch_due (&watch, 61000, PATIENCE_MS));
    assert_true (kafka_watch_look (&watch, 61000, 7, 9));
}

static void
test_nobody_else (void **state)
{
    (void)state;
    kafka_watch_t watch;
    kafka_watch_moved (&watch, 0);
    //  A topic in which nothing happens, for an hour.
    for (int look = 0; look < 120; look++)
        assert_false (kafka_watch_look (&watch, look * PATIENCE_MS, 9, 9));
    //  One that has something now and then, and is read in between.
    for (int look = 0; look < 120; look++) {
        assert_false (kafka_watch_look (&watch, look * PATIENCE_MS, look, look + 1));
        kafka_watch_moved (&watch, look * PATIENCE_MS + 1);
    }
    //  Nobody answers: that says nothing about it.
    assert_false (kafka_watch_look (&watch, 0, 7, 9));
    for (int look = 0; look < 120; look++)
        assert_false (kafka_watch_look (&watch, look * PATIENCE_MS, 7, -1));
    assert_true (kafka_watch_look (&watch, 120 * PATIENCE_MS, 7, 9));
}

static void
test_more_and_more_patience (void **state)
{
    (void)state;
    kafka_watch_t watch;
    kafka_watch_moved (&watch, 0);
    int64_t now_ms = 0, longest_ms = 0;
    for (int begun = 0; begun < 8; begun++)
        for (int look = 0; look < 2; look++) {
            int64_t from_ms = now_ms;
            while (!kafka_watch_due (&watch, now_ms, PATIENCE_MS))
                now_ms += 1000;
            longest_ms = now_ms - from_ms;
            assert_int_equal (kafka_watch_look (&watch, now_ms, 7, 9), look == 1);
        }
    assert_int_equal (longest_ms, 32 * PATIENCE_MS);
    kafka_watch_moved (&watch, now_ms);
    assert_true (kafka_watch_due (&watch, now_ms + PATIENCE_MS, PATIENCE_MS));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_two_looks_that_find_something),
        cmocka_unit_test (test_nobody_else),
        cmocka_unit_test (test_more_and_more_patience),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
