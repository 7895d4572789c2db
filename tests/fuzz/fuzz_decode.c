//  fuzz_decode - any bytes as a message of a source: an event within its limits, or a reason, and no harm
//
//  For libFuzzer (clang -fsanitize=fuzzer). Lines of the files in tests/data make good seeds.

#include "snowplow/decode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (bool truth)
{
    if (!truth)
        abort ();
}

//  What was decoded must travel: be encoded, and be the same after decoding.
static void
check_event (const usher_event_t *event)
{
    usher_msg_t msg = { .id = USHER_MSG_event, .event = *event }, again;
    size_t bound = usher_encode_bound (&msg);
    uint8_t *frame = malloc (bound);
    size_t size = usher_encode (&msg, frame, bound);
    usher_frame_t reader;
    check (size > 0);
    usher_records_open (&reader, frame, size);
    check (usher_decode (&reader, &again) == USHER_OK);
    check (usher_equal (&msg, &again));
    free (frame);
    check (event->viewer_id.size > 0);
    check (event->kind != USHER_event_kind_other);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    //  One decoder for all inputs, as in the ingester: what one leaves behind must not harm the next.
    static decoder_t *decoder;
    if (!decoder)
        decoder = decoder_new ();
    usher_event_t event;
    const char *reason = NULL;
    switch (decode_event (decoder, (const char *)data, size, &event, &reason)) {
    case DECODE_EVENT:
        check_event (&event);
        break;
    case DECODE_PASSED_BY:
        check (reason == NULL);
        break;
    case DECODE_BAD:
        check (reason != NULL && *reason);
        break;
    }
    return 0;
}
