//  test_fold_bytes - whatever fold is put comes out as it was, and one like most takes few bytes

#include "chance.h"
#include "fold_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20000 };

static const uint64_t INSTANT_MS = 1790000000000;
static uint64_t random_state = 1;

static uint64_t
pick (uint64_t below)
{
    return chance_pick (&random_state, below);
}

//  Puts a fold and reads it in a block of just its size. Returns the bytes.
static size_t
round_trip (const fold_t *fold, uint64_t instant_ms)
{
    uint8_t room [FOLD_BYTES_MAX];
    size_t size = fold_bytes_put (room, fold, instant_ms);
    assert_true (size <= sizeof room);
    uint8_t *block = malloc (size + !size);
    assert_non_null (block);
    memcpy (block, room, size);
    fold_t read;
    memset (&read, 0, sizeof read);
    fold_bytes_take (block, size, &read, instant_ms);
    assert_memory_equal (&read, fold, sizeof read);
    free (block);
    return size;
}

static uint32_t
any_count (void)
{
    static const uint32_t odd [] = { 0, 0, 0, 1, 255, 256, 65536, UINT32_MAX };
    return pick (3) ? odd [pick (8)] : (uint32_t)(pick (1u << 31) >> pick (31));
}

//  Instants near by and far away, small numbers, and all that lies at an edge.
static uint64_t
any_whole (void)
{
    static const uint64_t odd [] = { 0,          0,          1,          127,        128,
                                     255,        1ull << 30, UINT32_MAX, 1ull << 32, 1ull << 62,
                                     1ull << 63, UINT64_MAX, INSTANT_MS };
    switch (pick (3)) {
    case 0:
        return odd [pick (13)];
    case 1:
        return INSTANT_MS + pick (600000) - 300000;
    default:
        return INSTANT_MS + (pick (2) ? 1ull << 30 : 0 - (1ull << 30)) + pick (5) - 2;
    }
}

static double
any_seconds (void)
{
    //  The one before the last is what all bits as thousandths would be.
    static const double odd [] = { NAN,
                                   NAN,
                                   0,
                                   -0.0,
                                   255,
                                   256,
                                   3999999.999,
                                   4000000,
                                   1.0 / 3,
                                   -1,
                                   1e300,
                                   INFINITY,
                                   18446744073709551615.0 / 1e3,
                                   5e-324 };
    if (pick (2))
        return odd [pick (sizeof odd / sizeof *odd)];
    return (double)pick (100000000) / 1e3;
}

#define ANY_U32(limit) any_count ()
#define ANY_ENUM(limit) (usher_##limit##_t) pick (8)
#define ANY_U64(limit) any_whole ()
#define ANY_F64(limit) any_seconds ()
#define ANY_STR(limit)                                                                                       \
    (usher_str_t)                                                                                            \
    {                                                                                                        \
        0                                                                                                    \
    }
#define MESSAGE(message, id, link, direction, doc)                                                           \
    __attribute__ ((unused)) static void any_##message (usher_##message##_t *record)                         \
    {                                                                                                        \
        (void)record;
#define FIELD(message, field, kind, limit, doc) record->field = ANY_##kind (limit);
#define END(message) }
#include "messages.def"

static void
test_any_fold (void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        fold_t fold;
        memset (&fold, 0, sizeof fold);
        any_fold_record (&fold);
        round_trip (&fold, pick (10) ? INSTANT_MS : any_whole ());
    }
}

static void
test_before_any_event_it_is_nothing (void **state)
{
    (void)state;
    fold_t fold;
    memset (&fold, 0, sizeof fold);
    fold_init (&fold);
    assert_int_equal (round_trip (&fold, INSTANT_MS), 0);
}

static void
test_one_like_most_is_small (void **state)
{
    (void)state;
    fold_t fold;
    memset (&fold, 0, sizeof fold);
    fold_init (&fold);
    for (uint64_t at = 0; at < 12; at++) {
        fold_event_t event = { .kind = at ? USHER_event_kind_ping : USHER_event_kind_play,
                               .collected_ms = INSTANT_MS + at * 10000,
                               .order_ms = INSTANT_MS + at * 10000,
                               .video_s = (double)at * 10 };
        fold_apply (&fold, &event);
    }
    assert_in_range (round_trip (&fold, INSTANT_MS), 1, 60);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_any_fold),
        cmocka_unit_test (test_before_any_event_it_is_nothing),
        cmocka_unit_test (test_one_like_most_is_small),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
