//  test_lot - frames in lots are their messages one by one; one that breaks off gives what is before the break

#include "lot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

enum { MESSAGES = 2 * LOT_MESSAGES + 3, FRAME_BYTES = MESSAGES * 64 };

//  MESSAGES sessions, numbered by their version. Returns the bytes; ends: where each begins, and the last one ends.
static size_t
frame_write (uint8_t *data, size_t ends [MESSAGES + 1])
{
    size_t size = 0;
    for (size_t at = 0; at < MESSAGES; at++) {
        usher_msg_t msg = { .id = USHER_MSG_session,
                            .session = { .viewer_id = usher_str ("viewer"), .version = at + 1 } };
        ends [at] = size;
        size += usher_encode (&msg, data + size, FRAME_BYTES - size);
    }
    ends [MESSAGES] = size;
    return size;
}

typedef struct {
    size_t count, tags;
    bool flushed;    //  what comes now need not be a full lot
} seen_t;

//  Each message must be the next one, and its bytes those of its frame.
static void
see (void *arg, const lot_t *lot)
{
    seen_t *seen = arg;
    assert_true (lot->count == LOT_MESSAGES || (seen->flushed && lot->count));
    for (size_t at = 0; at < lot->count; at++) {
        uint8_t bytes [64];
        assert_int_equal (lot->messages [at].session.version, ++seen->count);
        assert_true (usher_str_eq (lot->messages [at].session.viewer_id, usher_str ("viewer")));
        size_t size = usher_encode (&lot->messages [at], bytes, sizeof bytes);
        assert_int_equal (lot->bytes [at].size, size);
        assert_memory_equal (lot->bytes [at].data, bytes, size);
        seen->tags += lot->tags [at];
    }
}

//  A frame that breaks off anywhere.
static void
test_every_length (void **state)
{
    (void)state;
    static lot_t lot;
    uint8_t data [FRAME_BYTES];
    size_t ends [MESSAGES + 1], size = frame_write (data, ends), whole = 0;
    for (size_t cut = 0; cut <= size; cut++) {
        seen_t seen = { 0 };
        while (whole < MESSAGES && ends [whole + 1] <= cut)
            whole++;
        usher_error_t error = lot_take (&lot, 1, data, cut, see, &seen);
        assert_int_equal (error == USHER_END, cut == ends [whole]);
        seen.flushed = true;
        lot_flush (&lot, see, &seen);
        assert_int_equal (seen.count, whole);
        assert_int_equal (seen.tags, whole);
    }
}

//  Any number of messages a frame, and frames that are gone when their messages are worked: all come, in their order.
static void
test_over_many_frames (void **state)
{
    (void)state;
    static lot_t lot;
    uint8_t data [FRAME_BYTES], frame [FRAME_BYTES];
    size_t ends [MESSAGES + 1];
    frame_write (data, ends);
    for (size_t each = 1; each <= MESSAGES; each++) {
        seen_t seen = { 0 };
        for (size_t at = 0; at < MESSAGES; at += each) {
            size_t size = ends [at + each < MESSAGES ? at + each : MESSAGES] - ends [at];
            memcpy (frame, data + ends [at], size);
            assert_int_equal (lot_take (&lot, 0, frame, size, see, &seen), USHER_END);
            memset (frame, 0xff, size);
        }
        seen.flushed = true;
        lot_flush (&lot, see, &seen);
        assert_int_equal (seen.count, MESSAGES);
    }
}

static void
count_long (void *arg, const lot_t *lot)
{
    for (size_t at = 0; at < lot->count; at++) {
        assert_int_equal (lot->messages [at].session.version, ++*(uint64_t *)arg);
        usher_str_t title = lot->messages [at].session.media_label;
        for (size_t letter = 0; letter < title.size; letter++)
            assert_int_equal (title.data [letter], 'a' + lot->messages [at].session.version % 26);
    }
}

//  More bytes than are kept: what waits goes first, and a frame that is too long goes at once.
static void
test_long_frames (void **state)
{
    (void)state;
    static lot_t lot;
    static uint8_t data [4 * 4096];
    char title [4096];
    uint64_t seen = 0, version = 0;
    for (size_t frame = 0; frame < 60; frame++) {
        size_t size = 0;
        for (size_t count = 0; count < frame % 4; count++) {
            memset (title, 'a' + (int)(++version % 26), sizeof title);
            usher_msg_t msg = { .id = USHER_MSG_session,
                                .session = { .version = version,
                                             .media_label = usher_bytes (title, version * 97 % 4096) } };
            size += usher_encode (&msg, data + size, sizeof data - size);
        }
        assert_int_equal (lot_take (&lot, 0, data, size, count_long, &seen), USHER_END);
        memset (data, 0xff, size);
        assert_true (size <= LOT_BYTES || seen == version);
    }
    lot_flush (&lot, count_long, &seen);
    assert_int_equal (seen, version);
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_every_length),
                                         cmocka_unit_test (test_over_many_frames),
                                         cmocka_unit_test (test_long_frames) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
