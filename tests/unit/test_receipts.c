//  test_receipts - a frame is durable when it is applied, all before it is, and nothing waits for it

#include "receipts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

typedef struct {
    uint64_t applied, durable;
    int calls;
} told_t;

static void
tell (void *arg, uint32_t peer, usher_msg_id_t id, uint64_t seq)
{
    told_t *told = (told_t *)arg + peer;
    *(id == USHER_MSG_applied ? &told->applied : &told->durable) = seq;
    told->calls++;
}

static void
expect (receipts_t *receipts, uint64_t applied, uint64_t durable, int calls)
{
    told_t told [4] = { 0 };
    receipts_report (receipts, tell, told);
    assert_int_equal (told [0].applied, applied);
    assert_int_equal (told [0].durable, durable);
    assert_int_equal (told [0].calls, calls);
}

static void
test_in_order (void **state)
{
    (void)state;
    receipts_t *receipts = receipts_new ();
    receipts_open (receipts, 0);
    assert_true (receipts_begin (receipts, 0, 7));
    receipt_ticket_t seven = receipts_take (receipts, 0), again = receipts_take (receipts, 0);
    assert_true (receipts_same (seven, again));
    assert_true (receipts_begin (receipts, 0, 8));
    receipt_ticket_t eight = receipts_take (receipts, 0);
    assert_false (receipts_same (seven, eight));
    expect (receipts, 8, 0, 1);
    //  A later frame never overtakes.
    receipts_give_back (receipts, eight);
    expect (receipts, 0, 0, 0);
    receipts_give_back (receipts, seven);
    expect (receipts, 0, 0, 0);
    assert_int_equal (receipts_open_count (receipts), 2);
    receipts_give_back (receipts, again);
    expect (receipts, 0, 8, 1);
    assert_int_equal (receipts_open_count (receipts), 0);
    receipts_destroy (&receipts);
    assert_null (receipts);
}

static void
test_refuses_gaps (void **state)
{
    (void)state;
    receipts_t *receipts = receipts_new ();
    assert_false (receipts_begin (receipts, 0, 1));
    receipts_open (receipts, 2);
    assert_false (receipts_begin (receipts, 0, 1));
    assert_false (receipts_begin (receipts, 2, 0));
    assert_true (receipts_begin (receipts, 2, 4));
    assert_false (receipts_begin (receipts, 2, 4));
    assert_false (receipts_begin (receipts, 2, 6));
    assert_false (receipts_begin (receipts, 2, 3));
    assert_true (receipts_begin (receipts, 2, 5));
    receipts_destroy (&receipts);
}

static void
test_old_tickets_mean_nothing (void **state)
{
    (void)state;
    receipts_t *receipts = receipts_new ();
    receipts_open (receipts, 0);
    receipts_begin (receipts, 0, 1);
    receipt_ticket_t old = receipts_take (receipts, 0);
    receipts_open (receipts, 0);
    receipts_give_back (receipts, old);
    assert_true (receipts_begin (receipts, 0, 1));
    receipt_ticket_t fresh = receipts_take (receipts, 0);
    receipts_give_back (receipts, old);
    expect (receipts, 1, 0, 1);
    receipts_give_back (receipts, fresh);
    expect (receipts, 0, 1, 1);
    receipts_destroy (&receipts);
}

static void
test_many_open (void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static receipt_ticket_t tickets [MANY + 1];
    receipts_t *receipts = receipts_new ();
    receipts_open (receipts, 0);
    for (uint64_t seq = 1; seq <= MANY; seq++) {
        assert_true (receipts_begin (receipts, 0, seq));
        tickets [seq] = receipts_take (receipts, 0);
    }
    expect (receipts, MANY, 0, 1);
    for (uint64_t seq = MANY; seq > 500; seq--)
        receipts_give_back (receipts, tickets [seq]);
    expect (receipts, 0, 0, 0);
    for (uint64_t seq = 1; seq < 500; seq++)
        receipts_give_back (receipts, tickets [seq]);
    expect (receipts, 0, 499, 1);
    receipts_give_back (receipts, tickets [500]);
    expect (receipts, 0, MANY, 1);
    receipts_destroy (&receipts);
}

//  A store that is gone for long: what waits for one write takes one ticket, whatever was sent since.
static void
test_one_ticket_holds_up_those_behind_it (void **state)
{
    (void)state;
    enum { MANY = 1000 };
    receipts_t *receipts = receipts_new ();
    tickets_t dirty = { 0 }, in_flight = { 0 };
    receipts_open (receipts, 0);
    for (uint64_t seq = 1; seq <= MANY; seq++) {
        receipts_begin (receipts, 0, seq);
        tickets_take (seq == 1 ? &in_flight : &dirty, receipts, 0);
    }
    assert_int_equal (dirty.count, 1);
    expect (receipts, MANY, 0, 1);
    tickets_give_back (&in_flight, receipts);
    expect (receipts, 0, 1, 1);
    tickets_give_back (&dirty, receipts);
    expect (receipts, 0, MANY, 1);
    receipts_destroy (&receipts);
}

//  A write that was refused: its tickets are older than those that have come since.
static void
test_the_older_ticket_stays (void **state)
{
    (void)state;
    receipts_t *receipts = receipts_new ();
    tickets_t dirty = { 0 }, in_flight = { 0 };
    receipts_open (receipts, 0);
    receipts_begin (receipts, 0, 1);
    tickets_take (&in_flight, receipts, 0);
    receipts_begin (receipts, 0, 2);
    tickets_take (&dirty, receipts, 0);
    tickets_move (&dirty, receipts, &in_flight);
    assert_int_equal (dirty.count, 1);
    expect (receipts, 2, 0, 1);
    //  The ingester is another one: what it sends waits too, and the old one's ticket goes.
    receipts_open (receipts, 0);
    receipts_begin (receipts, 0, 1);
    tickets_take (&dirty, receipts, 0);
    assert_int_equal (dirty.count, 1);
    expect (receipts, 1, 0, 1);
    tickets_give_back (&dirty, receipts);
    expect (receipts, 0, 1, 1);
    receipts_destroy (&receipts);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_in_order),
        cmocka_unit_test (test_refuses_gaps),
        cmocka_unit_test (test_old_tickets_mean_nothing),
        cmocka_unit_test (test_many_open),
        cmocka_unit_test (test_one_ticket_holds_up_those_behind_it),
        cmocka_unit_test (test_the_older_ticket_stays),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
