//  decode - one message of a source, in whichever form it came, as an event

#include "snowplow/decode.h"
#include "snowplow/enriched_tsv.h"
#include "snowplow/event_draft.h"
#include "snowplow/flattened.h"
#include "snowplow/sdk_json.h"

#include <stdlib.h>

struct decoder {
    draft_t draft;
};

decoder_t *
decoder_new (void)
{
    decoder_t *self = calloc (1, sizeof *self);
    if (!self)
        abort ();
    return self;
}

void
decoder_destroy (decoder_t **self_p)
{
    decoder_t *self = *self_p;
    if (!self)
        return;
    draft_close (&self->draft);
    free (self);
    *self_p = NULL;
}

//  Lines may still have their end.
static size_t
size_without_newline (const char *data, size_t size)
{
    if (size && data [size - 1] == '\n')
        size--;
    if (size && data [size - 1] == '\r')
        size--;
    return size;
}

static decode_result_t
decode_json (draft_t *draft, const char *data, size_t size)
{
    decode_result_t result = flattened_decode (draft, data, size);
    if (!draft->enriched)
        return result;
    draft_open (draft, size);
    return sdk_json_decode (draft, data, size);
}

decode_result_t
decode_event (decoder_t *self, const char *data, size_t size, usher_event_t *event, const char **reason)
{
    draft_t *draft = &self->draft;
    size = size_without_newline (data, size);
    draft_open (draft, size);
    decode_result_t result;
    if (size == 0)
        result = draft_fail (draft, "empty message");
    else if (data [0] == '{')
        result = decode_json (draft, data, size);
    else
        result = enriched_tsv_decode (draft, data, size);
    if (result == DECODE_EVENT)
        *event = draft->event;
    if (result == DECODE_BAD)
        *reason = draft->reason;
    return result;
}
