//  test_decode - what the tests of the decoders share: sample lines, and a message decoded with its result asserted

#ifndef TEST_DECODE_H
#define TEST_DECODE_H

#include "snowplow/decode.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

//  Tests run in the root of the source tree unless the build says otherwise.
#ifndef TEST_DATA_DIR
#define TEST_DATA_DIR "tests/data"
#endif

#define assert_text(text, expected)                                                                          \
    do {                                                                                                     \
        if (!usher_str_eq (text, usher_str (expected)))                                                      \
            fail_msg ("\"%.*s\" is not \"%s\"", (int)(text).size, (text).data, expected);                    \
    } while (0)

static inline int
decode_setup (void **state)
{
    *state = decoder_new ();
    return 0;
}

static inline int
decode_teardown (void **state)
{
    decoder_t *decoder = *state;
    decoder_destroy (&decoder);
    return 0;
}

//  Decodes a copy without a byte to spare, so that a sanitizer sees a read beyond the end. The event's strings may
//  point into it: it lives until the next call.
static inline decode_result_t
decode_bytes (decoder_t *decoder, const char *data, size_t size, usher_event_t *event, const char **reason)
{
    static char *copy;
    free (copy);
    copy = malloc (size ? size : 1);
    assert_non_null (copy);
    memcpy (copy, data, size);
    return decode_event (decoder, copy, size, event, reason);
}

static inline usher_event_t
decode_good (decoder_t *decoder, const char *text)
{
    usher_event_t event = { 0 };
    const char *reason = "passed by";
    if (decode_bytes (decoder, text, strlen (text), &event, &reason) != DECODE_EVENT)
        fail_msg ("%s: %.200s", reason, text);
    return event;
}

//  The reason must hold the given words, and the event must be untouched.
static inline void
decode_bad (decoder_t *decoder, const char *text, const char *words)
{
    usher_event_t event, untouched;
    memset (&event, 0x5a, sizeof event);
    memcpy (&untouched, &event, sizeof event);
    const char *reason = NULL;
    assert_int_equal (decode_bytes (decoder, text, strlen (text), &event, &reason), DECODE_BAD);
    assert_memory_equal (&event, &untouched, sizeof event);
    if (!strstr (reason, words))
        fail_msg ("\"%s\" does not say \"%s\"", reason, words);
}

static inline void
decode_passed_by (decoder_t *decoder, const char *text)
{
    usher_event_t event = { 0 };
    const char *reason = NULL;
    assert_int_equal (decode_bytes (decoder, text, strlen (text), &event, &reason), DECODE_PASSED_BY);
    assert_null (reason);
}

//  Calls fn for each line of a file of the data folder, without its newline. Returns how many there were.
typedef void (line_fn) (void *arg, int number, char *line);

static inline int
each_line (const char *name, line_fn *fn, void *arg)
{
    char path [256];
    snprintf (path, sizeof path, "%s/%s", TEST_DATA_DIR, name);
    FILE *file = fopen (path, "r");
    if (!file)
        fail_msg ("cannot open %s: run the test in the root of the source tree", path);
    char *line = NULL;
    size_t room = 0;
    int number = 0;
    while (getline (&line, &room, file) > 0) {
        line [strcspn (line, "\n")] = 0;
        fn (arg, ++number, line);
    }
    free (line);
    fclose (file);
    return number;
}

//  No prefix of any line may do more than be refused.
static inline void
truncate_line (void *arg, int number, char *line)
{
    usher_event_t event;
    const char *reason;
    (void)number;
    for (size_t size = 0; size <= strlen (line); size++)
        decode_bytes (arg, line, size, &event, &reason);
}

#endif
