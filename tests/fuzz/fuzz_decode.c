//  fuzz_decode - any bytes as a message of a source, in whichever form: told apart and decoded without harm
//
//  The forms have targets of their own; this one is for what tells them apart and for what one message leaves behind
//  in the decoder for the next.

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    static decoder_t *decoder;
    if (!decoder)
        decoder = decoder_new ();
    usher_event_t event;
    const char *reason = NULL;
    switch (decode_event (decoder, (const char *)data, size, &event, &reason)) {
    case DECODE_EVENT:
        fuzz_check_event (&event);
        break;
    case DECODE_PASSED_BY:
        FUZZ_CHECK (reason == NULL);
        break;
    case DECODE_BAD:
        fuzz_check_reason (reason);
        break;
    }
    return 0;
}
