//  fuzz_frame - any bytes as a frame: reading stays inside, and what was read is written and read again as it was
//
//  Bytes with our schema's head are read as a frame, all others as records of a stored profile. Start from
//  `usher-describe seeds DIR`. Built with clang -fsanitize=fuzzer,address,undefined.

#include "message.h"

#include <stdlib.h>
#include <string.h>

//  libFuzzer's own entry.
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

//  Writes msg, reads that, and compares.
static void
check_again (const usher_msg_t *msg, size_t taken)
{
    size_t bound = usher_encode_bound (msg);
    uint8_t *again = malloc (bound);
    size_t size = usher_encode (msg, again, bound);
    //  What could be read is within its limits. Our form is the shortest one.
    if (size == 0 || size > taken)
        abort ();
    usher_frame_t frame;
    usher_msg_t back;
    usher_records_open (&frame, again, size);
    if (usher_decode (&frame, &back) || !usher_equal (msg, &back) ||
        usher_decode (&frame, &back) != USHER_END)
        abort ();
    free (again);
}

static void
check_printed (const usher_msg_t *msg)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    if (!out)
        abort ();
    usher_print (msg, out);
    fclose (out);
    //  A line for logs: whatever is in a string, it is one line.
    if (size == 0 || memchr (text, '\n', size))
        abort ();
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
    if (msg.id != 0)
        abort ();
    return 0;
}
