//  test_words - whatever words are put come out as they were, and small ones take few bytes

#include "chance.h"
#include "words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20000 };

//  Puts words twice, one group behind the other, and reads them in a block of just the size that is asked for. Returns the bytes.
static size_t
round_trip (const uint64_t *words, size_t count)
{
    uint8_t room [2 * WORDS_BOUND (WORDS_MAX)];
    uint64_t read [WORDS_MAX], instant_ms = 0;
    uint8_t *middle = words_put (room, words, words_mask (words, count), count, &instant_ms);
    uint8_t *end = words_put (middle, words, words_mask (words, count), count, &instant_ms);
    size_t size = (size_t)(end - room);
    assert_true ((size_t)(middle - room) + WORDS_SLACK <= WORDS_BOUND (count));
    uint8_t *block = malloc (size + WORDS_SLACK);
    assert_non_null (block);
    memcpy (block, room, size);
    memset (block + size, 0xff, WORDS_SLACK);
    const uint8_t *from = block;
    instant_ms = 0;
    for (int time = 0; time < 2; time++) {
        memset (read, 0xaa, sizeof read);
        from = words_take (from, read, count, &instant_ms);
        assert_memory_equal (read, words, count * sizeof *words);
    }
    assert_ptr_equal (from, block + size);
    free (block);
    return (size_t)(middle - room);
}

static void
test_any_words (void **state)
{
    (void)state;
    static const uint64_t odd [] = {
        0,          1,          127,        128, 255, 256, 1ull << 36, (1ull << 36) - 1, (1ull << 44) - 1,
        1ull << 44, 1ull << 63, UINT64_MAX,
    };
    uint64_t random = 1, words [WORDS_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = 1 + (size_t)round % WORDS_MAX;
        for (size_t at = 0; at < count; at++) {
            chance_next (&random);
            uint64_t shape = random >> 60, any = random >> (random >> 58);
            words [at] = shape < 6    ? 0
                         : shape < 9  ? odd [any % 12]
                         : shape < 12 ? 1790000000000 + any % 100000
                                      : any;
        }
        round_trip (words, count);
    }
}

static void
test_few_bytes (void **state)
{
    (void)state;
    uint64_t words [WORDS_MAX] = { 0 };
    assert_int_equal (round_trip (words, 33), 5);
    words [3] = 127;
    assert_int_equal (round_trip (words, 33), 6);
    words [4] = 1790000000123;
    words [5] = words [4] + 60;
    words [6] = words [4] - 60;
    //  The first one in full, then its neighbours.
    assert_int_equal (round_trip (words, 33), 6 + 7 + 2 + 2);
    words [7] = 0x7ff8000000000000;
    assert_int_equal (round_trip (words, 33), 17 + 3);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_any_words),
        cmocka_unit_test (test_few_bytes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
