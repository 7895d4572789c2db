//  test_outbox - what is put comes out in order, in few frames, for the right peer

#include "outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    usher_link_id_t link;
    uint32_t peer;
    size_t size;
    uint8_t *data;
} sent_t;

typedef struct {
    outbox_t *outbox;
    size_t count;
    sent_t sent [64];
} bench_t;

static void
bench_take (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    bench_t *self = arg;
    assert_true (self->count < 64);
    sent_t *sent = &self->sent [self->count++];
    *sent = (sent_t){ link, peer, size, malloc (size) };
    memcpy (sent->data, data, size);
}

static int
setup (void **state)
{
    bench_t *self = calloc (1, sizeof *self);
    self->outbox = outbox_new (bench_take, self);
    *state = self;
    return 0;
}

static int
teardown (void **state)
{
    bench_t *self = *state;
    outbox_destroy (&self->outbox);
    assert_null (self->outbox);
    outbox_destroy (&self->outbox);
    for (size_t at = 0; at < self->count; at++)
        free (self->sent [at].data);
    free (self);
    return 0;
}

static void
put_applied (bench_t *self, uint32_t peer, uint64_t seq)
{
    usher_msg_t msg = { .id = USHER_MSG_applied, .applied = { seq } };
    outbox_put (self->outbox, USHER_LINK_events, peer, &msg);
}

static void
put_metrics (bench_t *self, uint32_t peer, size_t size)
{
    char *text = calloc (1, size);
    usher_msg_t msg = { .id = USHER_MSG_metrics, .metrics = { usher_bytes (text, size) } };
    outbox_put (self->outbox, USHER_LINK_events, peer, &msg);
    //  Nothing outlives the call.
    memset (text, 'x', size);
    free (text);
}

//  Reads the applied messages of a frame, which must be first, first + 1 and so on. Returns how many.
static uint64_t
frame_count (const sent_t *sent, uint64_t first)
{
    usher_frame_t frame;
    usher_msg_t msg;
    uint64_t count = 0;
    assert_int_equal (usher_frame_open (&frame, sent->data, sent->size), USHER_OK);
    usher_error_t error;
    while ((error = usher_decode (&frame, &msg)) == USHER_OK) {
        assert_int_equal (msg.id, USHER_MSG_applied);
        assert_int_equal (msg.applied.seq, first + count++);
    }
    assert_int_equal (error, USHER_END);
    return count;
}

static void
test_one_frame (void **state)
{
    bench_t *self = *state;
    for (uint64_t seq = 1; seq <= 10; seq++)
        put_applied (self, 0, seq);
    assert_int_equal (self->count, 0);
    outbox_flush (self->outbox);
    outbox_flush (self->outbox);
    assert_int_equal (self->count, 1);
    assert_int_equal (frame_count (&self->sent [0], 1), 10);
}

static void
test_full_frames_leave (void **state)
{
    bench_t *self = *state;
    uint64_t seq = 1;
    while (self->count < 5)
        put_applied (self, 0, seq++);
    outbox_flush (self->outbox);
    uint64_t next = 1;
    for (size_t at = 0; at < self->count; at++) {
        assert_true (self->sent [at].size <= OUTBOX_FRAME_BYTES);
        assert_true (at + 1 == self->count || self->sent [at].size > OUTBOX_FRAME_BYTES - 64);
        next += frame_count (&self->sent [at], next);
    }
    assert_int_equal (next, seq);
}

//  A message larger than a frame travels alone, in its place.
static void
test_large_message (void **state)
{
    bench_t *self = *state;
    put_applied (self, 0, 1);
    put_metrics (self, 0, 200000);
    put_applied (self, 0, 2);
    outbox_flush (self->outbox);
    assert_int_equal (self->count, 3);
    assert_int_equal (frame_count (&self->sent [0], 1), 1);
    assert_true (self->sent [1].size > 200000);
    assert_int_equal (frame_count (&self->sent [2], 2), 1);
    usher_frame_t frame;
    usher_msg_t msg;
    assert_int_equal (usher_frame_open (&frame, self->sent [1].data, self->sent [1].size), USHER_OK);
    assert_int_equal (usher_decode (&frame, &msg), USHER_OK);
    assert_int_equal (msg.metrics.text.size, 200000);
    assert_int_equal (msg.metrics.text.data [199999], 0);
}

static void
test_peers_apart (void **state)
{
    bench_t *self = *state;
    usher_msg_t fill = { .id = USHER_MSG_fill };
    for (uint64_t seq = 1; seq <= 3; seq++)
        for (uint32_t peer = 0; peer < 20; peer++)
            put_applied (self, peer, seq);
    outbox_put (self->outbox, USHER_LINK_changes, 7, &fill);
    outbox_flush (self->outbox);
    assert_int_equal (self->count, 21);
    for (uint32_t peer = 0; peer < 20; peer++) {
        assert_int_equal (self->sent [peer].peer, peer);
        assert_int_equal (self->sent [peer].link, USHER_LINK_events);
        assert_int_equal (frame_count (&self->sent [peer], 1), 3);
    }
    assert_int_equal (self->sent [20].link, USHER_LINK_changes);
    assert_int_equal (self->sent [20].peer, 7);
    assert_int_equal (self->sent [20].size, USHER_FRAME_HEAD + 2);
}

static void
test_frame_made_elsewhere (void **state)
{
    bench_t *self = *state;
    outbox_put_frame (self->outbox, USHER_LINK_events, 0, "first", 5);
    put_applied (self, 0, 1);
    put_applied (self, 1, 9);
    outbox_put_frame (self->outbox, USHER_LINK_events, 0, "second", 6);
    put_applied (self, 0, 2);
    outbox_flush (self->outbox);
    assert_int_equal (self->count, 5);
    assert_memory_equal (self->sent [0].data, "first", 5);
    assert_int_equal (frame_count (&self->sent [1], 1), 1);
    assert_memory_equal (self->sent [2].data, "second", 6);
    assert_int_equal (frame_count (&self->sent [3], 2), 1);
    assert_int_equal (frame_count (&self->sent [4], 9), 1);
}

//  Frames made elsewhere, of 40 bytes and of one that fills a frame alone.
static void
test_frames_join (void **state)
{
    static uint8_t small [40], large [OUTBOX_FRAME_BYTES + 1000];
    bench_t *self = *state;
    usher_frame_begin (small, sizeof small);
    usher_frame_begin (large, sizeof large);
    put_applied (self, 0, 1);
    outbox_join (self->outbox, USHER_LINK_events, 0, small, sizeof small);
    outbox_join (self->outbox, USHER_LINK_events, 0, small, sizeof small);
    assert_int_equal (self->count, 0);
    outbox_join (self->outbox, USHER_LINK_events, 0, large, sizeof large);
    assert_int_equal (self->count, 1);
    assert_int_equal (self->sent [0].size, USHER_FRAME_HEAD + 3 + 2 * (sizeof small - USHER_FRAME_HEAD));
    put_applied (self, 0, 2);
    outbox_flush (self->outbox);
    assert_int_equal (self->count, 3);
    assert_int_equal (self->sent [1].size, sizeof large);
    assert_memory_equal (self->sent [1].data, large, sizeof large);
    assert_int_equal (frame_count (&self->sent [2], 2), 1);
    //  Full to the last byte is still one frame, a byte more is two.
    outbox_join (self->outbox, USHER_LINK_events, 0, small, sizeof small);
    outbox_join (self->outbox, USHER_LINK_events, 0, large,
                 OUTBOX_FRAME_BYTES - sizeof small + USHER_FRAME_HEAD);
    assert_int_equal (self->count, 3);
    outbox_join (self->outbox, USHER_LINK_events, 0, small, USHER_FRAME_HEAD + 1);
    outbox_flush (self->outbox);
    assert_int_equal (self->count, 5);
    assert_int_equal (self->sent [3].size, OUTBOX_FRAME_BYTES);
    assert_int_equal (self->sent [4].size, USHER_FRAME_HEAD + 1);
}

static void
test_forget (void **state)
{
    bench_t *self = *state;
    put_applied (self, 0, 1);
    put_applied (self, 1, 2);
    outbox_forget (self->outbox, USHER_LINK_events, 0);
    outbox_forget (self->outbox, USHER_LINK_events, 99);
    outbox_forget (self->outbox, USHER_LINK_changes, 1);
    outbox_flush (self->outbox);
    assert_int_equal (self->count, 1);
    assert_int_equal (self->sent [0].peer, 1);
    put_applied (self, 0, 3);
    outbox_flush (self->outbox);
    assert_int_equal (frame_count (&self->sent [1], 3), 1);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_setup_teardown (test_one_frame, setup, teardown),
        cmocka_unit_test_setup_teardown (test_full_frames_leave, setup, teardown),
        cmocka_unit_test_setup_teardown (test_large_message, setup, teardown),
        cmocka_unit_test_setup_teardown (test_peers_apart, setup, teardown),
        cmocka_unit_test_setup_teardown (test_frame_made_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown (test_frames_join, setup, teardown),
        cmocka_unit_test_setup_teardown (test_forget, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
