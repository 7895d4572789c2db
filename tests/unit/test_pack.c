//  test_pack - whatever record is packed comes out as it was, and what we have many of takes few bytes

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

//  Packs a record behind another one, reads it, and compares.
static size_t
round_trip (pack_t *pack, usher_msg_t *msg, const usher_msg_t *before)
{
    pack_begin (pack);
    pack_record (pack, msg->id, &msg->hello, before ? &before->hello : NULL);
    usher_msg_t read = { .id = msg->id };
    pack_t reader;
    pack_open (&reader, pack->data, pack->used);
    pack_record (&reader, msg->id, &read.hello, before ? &before->hello : NULL);
    assert_int_equal (reader.used, pack->used);
    assert_true (usher_equal (&read, msg));
    return pack->used;
}

static void
test_all_records (void **state)
{
    (void)state;
    char *pool = memory_new (POOL, 1);
    memset (pool, 'x', POOL);
    pack_t pack = { 0 };
    for (size_t row = 0; row < usher_layout_count; row++)
        for (int shape = 0; shape < SAMPLE_SHAPES; shape++) {
            usher_msg_t msg, filled;
            if (!sample_make (&usher_layouts [row], (sample_shape_t)shape, usher_bytes (pool, POOL), &msg))
                continue;
            round_trip (&pack, &msg, NULL);
            if (sample_make (&usher_layouts [row], SAMPLE_FILLED, usher_bytes (pool, POOL), &filled))
                round_trip (&pack, &msg, &filled);
        }
    free (pack.data);
    free (pool);
}

static void
test_numbers (void **state)
{
    (void)state;
    static const uint64_t odd [] = { 0, 63, 64, 1ull << 36, (1ull << 36) - 1, 1ull << 44, UINT64_MAX };
    pack_t pack = { 0 };
    uint64_t random = 1, numbers [NUMBERS / 100];
    for (size_t at = 0; at < NUMBERS / 100; at++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        numbers [at] = at % 3 ? random >> random % 64 : odd [at % 7];
        pack_number (&pack, &numbers [at]);
    }
    pack_t reader;
    pack_open (&reader, pack.data, pack.used);
    for (size_t at = 0; at < NUMBERS / 100; at++) {
        uint64_t number;
        pack_number (&reader, &number);
        assert_int_equal (number, numbers [at]);
    }
    assert_int_equal (reader.used, pack.used);
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
        random = random * 6364136223846793005u + 1442695040888963407u;
        usher_msg_t msg = { .id = USHER_MSG_history };
        double *real = &msg.history.video_s;
        *real = odd [at % 8];
        if (at % 4 == 1)
            *real = (double)(random >> 44) / 1e3 + (double)(random % 100000) / 1e3;
        else if (at % 4 == 2)
            *real = (double)(random >> 30) / 1e6;
        else if (at % 4 == 3)
            memcpy (real, &random, sizeof random);
        uint64_t bits, read_bits;
        memcpy (&bits, real, sizeof bits);
        round_trip (&pack, &msg, NULL);
        pack_t reader;
        pack_open (&reader, pack.data, pack.used);
        usher_history_t read;
        pack_record (&reader, msg.id, &read, NULL);
        memcpy (&read_bits, &read.video_s, sizeof read_bits);
        assert_true (bits == read_bits || isnan (*real));
    }
    free (pack.data);
}

//  Only what a UUID's bytes say again is told by them.
static void
test_texts (void **state)
{
    (void)state;
    static const char *const texts [] = {
        "0190163a-5c1e-4c00-8000-00000000000a", "0190163A-5c1e-4c00-8000-00000000000a",
        "0190163a-5c1e-4c00-8000-00000000000g", "0190163a05c1e-4c00-8000-00000000000a",
        "0190163a-5c1e-4c00-8000-00000000000",  "0190163a-5c1e-4c00-8000-00000000000aa",
        "------------------------------------"
    };
    pack_t pack = { 0 };
    for (size_t at = 0; at < sizeof texts / sizeof *texts; at++) {
        usher_msg_t msg = { .id = USHER_MSG_history };
        msg.history.event_id = usher_str (texts [at]);
        size_t bytes = round_trip (&pack, &msg, NULL);
        assert_true (at == 0 ? bytes <= 18 : bytes > 36);
    }
    //  All of one record.
    usher_msg_t msg = { .id = USHER_MSG_session_record };
    usher_session_record_t *record = &msg.session_record;
    record->session_id = record->media_label = record->media_type = record->player_type = record->quality =
        record->platform = record->app_id = record->ad_id = record->ad_name = record->break_id =
            record->break_name = usher_str (texts [0]);
    assert_true (round_trip (&pack, &msg, NULL) < PACK_UUIDS * 17 + 3 * 38 + 16);
    free (pack.data);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_all_records),
        cmocka_unit_test (test_numbers),
        cmocka_unit_test (test_reals),
        cmocka_unit_test (test_texts),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
