//  test_roster - the order of starts and drains, the slot map, and metrics of many made one

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "exposition.h"
#include "roster.h"
#include "slot_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 512

//  Does one round of what is due, in which each process gets ready or drains at once, and appends who was told so.
static void
round_of (roster_t *roster, char *told)
{
    bool due [ROSTER_MOST];
    for (size_t i = 0; i < roster->count; i++)
        due [i] = child_due (&roster->entries [i].child, 0,
                             roster_may_start (roster, &roster->entries [i])) != CHILD_NOTHING;
    for (size_t i = 0; i < roster->count; i++) {
        roster_entry_t *entry = &roster->entries [i];
        if (!due [i])
            continue;
        bool start = entry->child.wanted;
        child_event (&entry->child, start ? CHILD_START : CHILD_STOP, 0, 0);
        child_event (&entry->child, start ? CHILD_TOLD_READY : CHILD_EXIT_DRAINED, 0, 0);
        snprintf (told + strlen (told), TEXT_BYTES - strlen (told), "%s ", entry->name);
    }
    snprintf (told + strlen (told), TEXT_BYTES - strlen (told), "| ");
}

static void
consumers_start_first (void **state)
{
    (void)state;
    roster_t roster;
    char told [TEXT_BYTES] = "";
    roster_init (&roster, 2, true, true);
    roster_want_all (&roster);
    while (!roster_all_ready (&roster))
        round_of (&roster, told);
    assert_string_equal (
        told, "persister | publisher | shard-0 shard-1 | gateway | ingester | collector | audience | ");
    roster_term (&roster);
}

static void
producers_drain_first (void **state)
{
    (void)state;
    roster_t roster;
    char told [TEXT_BYTES] = "";
    roster_init (&roster, 2, true, true);
    roster_want_all (&roster);
    while (!roster_all_ready (&roster))
        round_of (&roster, told);
    told [0] = 0;
    while (!roster_all_at_rest (&roster)) {
        roster_drain_next (&roster);
        round_of (&roster, told);
    }
    assert_string_equal (
        told, "audience | collector | ingester | shard-0 shard-1 | publisher | gateway | persister | ");
    roster_term (&roster);
}

//  A persister that died keeps a shard from starting, not from running.
static void
a_start_waits_for_what_it_needs (void **state)
{
    (void)state;
    roster_t roster;
    char told [TEXT_BYTES] = "";
    roster_init (&roster, 1, false, false);
    roster_want_all (&roster);
    while (!roster_all_ready (&roster))
        round_of (&roster, told);
    assert_null (roster_find (&roster, "collector"));
    child_t *persister = &roster_find (&roster, "persister")->child;
    roster_entry_t *shard = roster_find (&roster, "shard-0");
    child_event (persister, CHILD_EXIT_BUG, 0, 0);
    assert_int_equal (shard->child.state, CHILD_READY);
    assert_int_equal (child_due (&shard->child, 0, roster_may_start (&roster, shard)), CHILD_NOTHING);
    child_event (&shard->child, CHILD_EXIT_BUG, 0, 0);
    child_event (&shard->child, CHILD_TIMEOUT, 200, 0);
    assert_int_equal (child_due (&shard->child, 200, roster_may_start (&roster, shard)), CHILD_NOTHING);
    child_event (persister, CHILD_TIMEOUT, 200, 0);
    child_event (persister, CHILD_START, 200, 0);
    child_event (persister, CHILD_TOLD_READY, 200, 0);
    assert_int_equal (child_due (&shard->child, 200, roster_may_start (&roster, shard)), CHILD_START);
    roster_term (&roster);
}

static void
finds_by_name_and_pid (void **state)
{
    (void)state;
    roster_t roster;
    roster_init (&roster, 64, true, true);
    assert_int_equal (roster.count, 70);
    assert_non_null (roster_find (&roster, "shard-63"));
    assert_null (roster_find (&roster, "shard-64"));
    assert_null (roster_find_pid (&roster, 0));
    roster.entries [3].pid = 77;
    assert_ptr_equal (roster_find_pid (&roster, 77), &roster.entries [3]);
    roster_term (&roster);
}

//  From N to N + 1 only slots of the new shard move, about 1 / (N + 1) of them; shares are about equal.
static void
slots_move_little (void **state)
{
    (void)state;
    uint8_t before [USHER_SLOTS], after [USHER_SLOTS];
    slot_map_fill (before, 1);
    for (uint32_t shards = 2; shards <= 64; shards++) {
        uint32_t moved = 0, shares [64] = { 0 };
        slot_map_fill (after, shards);
        for (uint32_t slot = 0; slot < USHER_SLOTS; slot++) {
            shares [after [slot]]++;
            if (before [slot] == after [slot])
                continue;
            moved++;
            assert_int_equal (after [slot], shards - 1);
        }
        uint32_t fair = USHER_SLOTS / shards;
        assert_in_range (moved, fair / 3, fair * 2 + 4);
        for (uint32_t shard = 0; shard < shards; shard++)
            assert_in_range (shares [shard], fair / 3, fair * 2 + 4);
        memcpy (before, after, sizeof before);
    }
}

static void
metrics_become_one_text (void **state)
{
    (void)state;
    exposition_t *all = exposition_new ();
    exposition_add (all, NULL, "# TYPE up gauge\nup{process=\"a\"} 1\n");
    exposition_add (all, "shard-0",
                    "# HELP x_total X.\n# TYPE x_total counter\nx_total 1\n"
                    "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\nnot a "
                    "sample{\n\nx{a=\"}\nx{a=\"b\"} y\n");
    exposition_add (all, "shard-1",
                    "# HELP x_total X.\n# TYPE x_total counter\nx_total{a=\"b\"} 5\nx_total{} 6");
    char *text = exposition_text (all, 10000);
    assert_string_equal (
        text,
        "# TYPE up gauge\nup{process=\"a\"} 1\n"
        "# HELP x_total X.\n# TYPE x_total counter\n"
        "x_total{process=\"shard-0\"} 1\nx_total{process=\"shard-1\",a=\"b\"} 5\n"
        "x_total{process=\"shard-1\"} 6\n"
        "# TYPE h histogram\nh_bucket{process=\"shard-0\",le=\"+Inf\"} 2\nh_sum{process=\"shard-0\"} 3\n"
        "h_count{process=\"shard-0\"} 2\n");
    free (text);
    text = exposition_text (all, 60);
    assert_string_equal (text, "# TYPE up gauge\nup{process=\"a\"} 1\n");
    free (text);
    exposition_destroy (&all);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (consumers_start_first),
        cmocka_unit_test (producers_drain_first),
        cmocka_unit_test (a_start_waits_for_what_it_needs),
        cmocka_unit_test (finds_by_name_and_pid),
        cmocka_unit_test (slots_move_little),
        cmocka_unit_test (metrics_become_one_text),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
