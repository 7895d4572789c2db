//  test_lane - frames are numbered, kept until durable, and sent again when the other side begins anew

#include "lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

enum { SENT_MAX = 64, PEER = 3 };

typedef struct {
    size_t count;
    uint64_t seqs [SENT_MAX], clocks [SENT_MAX];
    size_t events [SENT_MAX];
} sent_t;

typedef struct {
    sent_t sent;
    outbox_t *out;
    lane_t *lane;
} bench_t;

static void
send_note (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    sent_t *sent = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    assert_int_equal (link, USHER_LINK_events);
    assert_int_equal (peer, PEER);
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    assert_int_equal (usher_decode (&frame, &msg), USHER_OK);
    assert_int_equal (msg.id, USHER_MSG_batch);
    sent->seqs [sent->count] = msg.batch.seq;
    sent->clocks [sent->count] = msg.batch.clock_ms;
    while (frame.next != frame.end) {
        assert_int_equal (usher_decode (&frame, &msg), USHER_OK);
        assert_int_equal (msg.id, USHER_MSG_event);
        sent->events [sent->count]++;
    }
    sent->count++;
}

static int
setup (void **state)
{
    static bench_t bench;
    bench = (bench_t){ 0 };
    bench.out = outbox_new (send_note, &bench.sent);
    bench.lane = lane_new (USHER_LINK_events, PEER);
    *state = &bench;
    return 0;
}

static int
teardown (void **state)
{
    bench_t *bench = *state;
    lane_destroy (&bench->lane);
    outbox_destroy (&bench->out);
    return 0;
}

static void
add (bench_t *bench, uint32_t partition, uint64_t offset)
{
    usher_msg_t msg = { .id = USHER_MSG_event, .event = { .partition = partition, .offset = offset } };
    msg.event.viewer_id = usher_bytes ("v", 1);
    lane_add (bench->lane, &msg, partition, offset, 1000, bench->out);
}

static uint64_t
first_of (bench_t *bench, uint32_t partition)
{
    uint64_t next = 999;
    lane_first (bench->lane, partition, &next);
    return next;
}

//  What was applied need not be kept; then it can't be sent again, but it is still known what is not durable.
static void
test_trim (void **state)
{
    bench_t *bench = *state;
    assert_true (lane_restart (bench->lane, bench->out));
    for (uint64_t offset = 10; offset < 14; offset++) {
        add (bench, 1, offset);
        lane_flush (bench->lane, 5000, false, bench->out);
    }
    size_t each = lane_kept (bench->lane) / 4;
    lane_applied (bench->lane, 2);
    lane_trim (bench->lane, 3 * each);
    assert_int_equal (lane_kept (bench->lane), 3 * each);
    lane_trim (bench->lane, 0);
    //  The third and the fourth are not applied.
    assert_int_equal (lane_kept (bench->lane), 2 * each);
    assert_int_equal (lane_unapplied (bench->lane), 2 * each);
    assert_int_equal (first_of (bench, 1), 10);
    assert_int_equal (lane_events (bench->lane), 4);
    size_t sent = bench->sent.count;
    assert_false (lane_restart (bench->lane, bench->out));
    assert_int_equal (bench->sent.count, sent);
    lane_durable (bench->lane, 2);
    assert_int_equal (first_of (bench, 1), 12);
    assert_true (lane_restart (bench->lane, bench->out));
    assert_int_equal (bench->sent.count, sent + 2);
    lane_durable (bench->lane, 4);
    assert_int_equal (lane_frames (bench->lane), 0);
    assert_int_equal (lane_kept (bench->lane), 0);
}

static void
test_applied_and_durable (void **state)
{
    bench_t *bench = *state;
    lane_restart (bench->lane, bench->out);
    for (uint64_t offset = 10; offset < 13; offset++) {
        add (bench, 1, offset);
        lane_flush (bench->lane, 5000 + offset, false, bench->out);
    }
    add (bench, 2, 77);
    assert_int_equal (bench->sent.count, 3);
    assert_int_equal (bench->sent.seqs [2], 3);
    assert_int_equal (bench->sent.clocks [2], 5012);
    assert_int_equal (bench->sent.events [2], 1);
    assert_int_equal (lane_events (bench->lane), 4);
    assert_int_equal (first_of (bench, 1), 10);
    assert_int_equal (first_of (bench, 2), 77);
    size_t all = lane_unapplied (bench->lane);
    lane_applied (bench->lane, 2);
    assert_true (lane_unapplied (bench->lane) < all && lane_unapplied (bench->lane) > 0);
    assert_int_equal (first_of (bench, 1), 10);
    lane_applied (bench->lane, 1);
    lane_durable (bench->lane, 1);
    assert_int_equal (first_of (bench, 1), 11);
    //  Durable says applied too.
    lane_durable (bench->lane, 3);
    assert_int_equal (lane_unapplied (bench->lane), 0);
    assert_int_equal (first_of (bench, 1), 999);
    assert_int_equal (lane_events (bench->lane), 1);
    lane_flush (bench->lane, 6000, false, bench->out);
    lane_durable (bench->lane, 4);
    assert_int_equal (lane_kept (bench->lane), 0);
    assert_int_equal (lane_events (bench->lane), 0);
}

static void
test_restart_sends_again (void **state)
{
    bench_t *bench = *state;
    //  Nobody there: kept, not sent.
    add (bench, 1, 1);
    lane_flush (bench->lane, 1, false, bench->out);
    add (bench, 1, 2);
    lane_flush (bench->lane, 2, false, bench->out);
    assert_int_equal (bench->sent.count, 0);
    lane_restart (bench->lane, bench->out);
    assert_int_equal (bench->sent.count, 2);
    lane_applied (bench->lane, 2);
    lane_durable (bench->lane, 1);
    lane_stop (bench->lane);
    add (bench, 1, 3);
    lane_flush (bench->lane, 3, false, bench->out);
    assert_int_equal (bench->sent.count, 2);
    //  Frame 2 was applied by one that is gone, and not durable.
    lane_restart (bench->lane, bench->out);
    assert_int_equal (bench->sent.count, 4);
    assert_int_equal (bench->sent.seqs [2], 2);
    assert_int_equal (bench->sent.clocks [2], 2);
    assert_int_equal (bench->sent.seqs [3], 3);
    assert_int_equal (lane_unapplied (bench->lane), lane_kept (bench->lane));
    lane_durable (bench->lane, 3);
    assert_int_equal (lane_unapplied (bench->lane), 0);
    assert_int_equal (lane_kept (bench->lane), 0);
}

//  Nothing kept at the restart: the accounting goes on with the next frame.
static void
test_restart_empty (void **state)
{
    bench_t *bench = *state;
    lane_restart (bench->lane, bench->out);
    add (bench, 1, 1);
    lane_flush (bench->lane, 1, false, bench->out);
    lane_durable (bench->lane, 1);
    lane_stop (bench->lane);
    lane_restart (bench->lane, bench->out);
    add (bench, 1, 2);
    lane_flush (bench->lane, 2, false, bench->out);
    assert_int_equal (bench->sent.seqs [1], 2);
    lane_applied (bench->lane, 2);
    assert_int_equal (lane_unapplied (bench->lane), 0);
}

static void
test_beat (void **state)
{
    bench_t *bench = *state;
    lane_flush (bench->lane, 1, true, bench->out);
    assert_int_equal (lane_kept (bench->lane), 0);
    lane_restart (bench->lane, bench->out);
    lane_flush (bench->lane, 2, false, bench->out);
    assert_int_equal (bench->sent.count, 0);
    lane_flush (bench->lane, 3, true, bench->out);
    lane_flush (bench->lane, 4, true, bench->out);
    //  One on the way is enough.
    assert_int_equal (bench->sent.count, 1);
    assert_int_equal (bench->sent.clocks [0], 3);
    assert_int_equal (bench->sent.events [0], 0);
}

static void
test_full_frames_and_growth (void **state)
{
    bench_t *bench = *state;
    enum { MANY = 20000 };
    lane_restart (bench->lane, bench->out);
    for (uint64_t offset = 0; offset < MANY; offset++)
        add (bench, 0, offset);
    lane_flush (bench->lane, 9, false, bench->out);
    size_t events = 0;
    for (size_t at = 0; at < bench->sent.count; at++)
        events += bench->sent.events [at];
    assert_int_equal (events, MANY);
    assert_true (bench->sent.count > 1);
    assert_int_equal (lane_events (bench->lane), MANY);
    lane_durable (bench->lane, bench->sent.count);
    assert_int_equal (lane_events (bench->lane), 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_setup_teardown (test_applied_and_durable, setup, teardown),
        cmocka_unit_test_setup_teardown (test_trim, setup, teardown),
        cmocka_unit_test_setup_teardown (test_restart_sends_again, setup, teardown),
        cmocka_unit_test_setup_teardown (test_restart_empty, setup, teardown),
        cmocka_unit_test_setup_teardown (test_beat, setup, teardown),
        cmocka_unit_test_setup_teardown (test_full_frames_and_growth, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
