//  fuzz_sdk_json - any bytes as an enriched event in the Analytics SDK's JSON

#include "fuzz.h"
#include "snowplow/sdk_json.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    usher_event_t event;
    fuzz_decode (sdk_json_decode, data, size, &event);
    return 0;
}
