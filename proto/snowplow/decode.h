//  decode - one message of a source, in whichever form it came, as an event
//
//  Three forms, told apart by looking at the message: what does not begin with a brace is the enriched event of 131
//  columns (enriched_tsv.h), JSON with a member that only enriched events have is the Analytics SDK's (sdk_json.h), all
//  other JSON is what the reference's Snowbridge script writes (flattened.h). docs/inputs.md has what each tells.

#ifndef DECODE_H
#define DECODE_H

#include "message.h"

typedef enum {
    DECODE_EVENT,        //  *event is filled
    DECODE_PASSED_BY,    //  sound, but nothing that a profile is made of
    DECODE_BAD           //  *reason says what is wrong and where; for the quarantine
} decode_result_t;

typedef struct decoder decoder_t;

decoder_t *decoder_new (void);
void decoder_destroy (decoder_t **self_p);

//  Decodes data. Strings of *event point into data or into the decoder, so they live until the next call. source,
//  generation, partition and offset of *event are 0: the caller knows them. *event and *reason are untouched by
//  the results that do not fill them.
decode_result_t decode_event (decoder_t *self, const char *data, size_t size, usher_event_t *event,
                              const char **reason);

#endif
