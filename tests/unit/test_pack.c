//  test_pack - whatever session is packed comes out as it was, in few bytes

#include "chance.h"
#include "memory.h"
#include "pack.h"
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 200000, POOL = 2 * 1024 * 1024 };

//  Packs a session, reads it, and compares. Returns the bytes.
static size_t
round_trip (pack_t *pack, const usher_msg_t *msg)
{
    pack_session (pack, &msg->session);
    usher_msg_t read = { .id = USHER_MSG_session };
    unpack_session (pack->data, &read.session);
    assert_true (usher_equal (&read, msg));
    return pack->used;
}

static void
test_all_shapes (void **state)
{
    (void)state;
    char *pool = memory_new (POOL, 1);
    memset (pool, 'x', POOL);
    pack_t pack = { 0 };
    size_t made = 0;
    for (int shape = 0; shape < SAMPLE_SHAPES; shape++) {
        usher_msg_t msg;
        if (!sample_make (usher_layout (USHER_MSG_session), (sample_shape_t)shape, usher_bytes (pool, POOL),
                          &msg))
            continue;
        round_trip (&pack, &msg);
        made++;
    }
    assert_true (made > 2);
    free (pack.data);
    free (pool);
}

static void
test_numbers (void **state)
{
    (void)state;
    static const uint64_t odd [] = { 0, 63, 64, 1ull << 36, (1ull << 36) - 1, 1ull << 44, UINT64_MAX };
    pack_t pack = { 0 };
    uint64_t random = 1;
    for (size_t at = 0; at < NUMBERS; at++) {
        usher_msg_t msg = { .id = USHER_MSG_session };
        uint64_t *const numbers [] = { &msg.session.since_ms, &msg.session.seen_ms, &msg.session.bitrate };
        for (size_t number = 0; number < sizeof numbers / sizeof *numbers; number++) {
            chance_next (&random);
            *numbers [number] = (at + number) % 3 ? random >> random % 64 : odd [at % 7];
        }
        round_trip (&pack, &msg);
    }
    free (pack.data);
}

static void
test_reals (void **state)
{
    (void)state;
    static const double odd [] = { 0.0, -0.0, 1e9, 999999999.9999999, 5e-324, INFINITY, -INFINITY, 0.0005 };
    pack_t pack = { 0 };
    uint64_t random = 1;
    for (size_t at = 0; at < NUMBERS; at++) {
        chance_next (&random);
        usher_msg_t msg = { .id = USHER_MSG_session };
        double *real = &msg.session.position_s;
        *real = odd [at % 8];
        if (at % 4 == 1)
            *real = (double)(random >> 44) / 1e3 + (double)(random % 100000) / 1e3;
        else if (at % 4 == 2)
            *real = (double)(random >> 30) / 1e6;
        else if (at % 4 == 3)
            memcpy (real, &random, sizeof random);
        uint64_t bits, read_bits;
        memcpy (&bits, real, sizeof bits);
        round_trip (&pack, &msg);
        usher_session_t read;
        unpack_session (pack.data, &read);
        memcpy (&read_bits, &read.position_s, sizeof read_bits);
        assert_true (bits == read_bits || isnan (*real));
    }
    free (pack.data);
}

//  What is not there takes nothing.
static void
test_few_bytes (void **state)
{
    (void)state;
    pack_t pack = { 0 };
    usher_msg_t msg = { .id = USHER_MSG_session };
    assert_int_equal (round_trip (&pack, &msg), 1);
    msg.session.since_ms = 1790000000000;
    msg.session.seen_ms = msg.session.since_ms + 30000;
    msg.session.position_s = 30.5;
    assert_true (round_trip (&pack, &msg) < 20);
    free (pack.data);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_all_shapes),
        cmocka_unit_test (test_numbers),
        cmocka_unit_test (test_reals),
        cmocka_unit_test (test_few_bytes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
