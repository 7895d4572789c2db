//  fuzz_frame - any bytes as a frame: reading stays inside, and what was read is written and read again as it was
//
//  Bytes with our schema's head are read as a frame, all others as records of a stored profile. Start from
//  `usher-describe seeds DIR`.

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

//  Writes msg, reads that, and compares.
static void
check_again (const usher_msg_t *msg, size_t taken)
{
    size_t bound = usher_encode_bound (msg);
    uint8_t *again = malloc (bound);
    size_t size = usher_encode (msg, again, bound);
    //  What could be read is within its limits. Our form is the shortest one, but for the array's head, which has room
    //  for all fields there can be.
    FUZZ_CHECK (size > 0 && size <= taken + 2);
    usher_frame_t frame;
    usher_msg_t back;
    usher_records_open (&frame, again, size);
    FUZZ_CHECK (usher_decode (&frame, &back) == USHER_OK && usher_equal (msg, &back));
    FUZZ_CHECK (usher_decode (&frame, &back) == USHER_END);
    free (again);
}

static void
check_printed (const usher_msg_t *msg)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    FUZZ_CHECK (out);
    usher_print (msg, out);
    fclose (out);
    //  A line for logs: whatever is in a string, it is one line.
    FUZZ_CHECK (size > 0 && !memchr (text, '\n', size));
    free (text);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    usher_frame_t frame;
    if (usher_frame_open (&frame, data, size))
        usher_records_open (&frame, data, size);
    usher_msg_t msg;
    const uint8_t *start = frame.next;
    while (usher_decode (&frame, &msg) == USHER_OK) {
        check_again (&msg, (size_t)(frame.next - start));
        check_printed (&msg);
        start = frame.next;
    }
    FUZZ_CHECK (msg.id == 0);
    return 0;
}
