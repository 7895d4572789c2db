//  fuzz_flattened - any bytes as the reference's flattened JSON

#include "fuzz.h"
#include "snowplow/flattened.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    usher_event_t event;
    fuzz_decode (flattened_decode, data, size, &event);
    return 0;
}
