//  fuzz - what the fuzz targets share

#include "fuzz.h"
#include "snowplow/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_check (bool truth, const char *what, const char *file, int line)
{
    if (truth)
        return;
    fprintf (stderr, "%s:%d: not so: %s\n", file, line, what);
    abort ();
}

static void
check_field (const usher_event_t *event, const usher_field_t *field)
{
    //  Fields of a message lie behind its id, at offsets of the union.
    const void *value = (const char *)event + field->offset;
    if (field->kind == USHER_STR) {
        const usher_str_t *text = value;
        FUZZ_CHECK (text->size <= field->max);
        FUZZ_CHECK (utf8_is_valid (text->data, text->size));
    }
    //  A number that is absent is NaN; none is infinite or negative.
    if (field->kind == USHER_F64)
        FUZZ_CHECK (isnan (*(const double *)value) ||
                    (isfinite (*(const double *)value) && *(const double *)value >= 0));
}

//  What was decoded must travel: be encoded, and be the same after decoding.
static void
check_travels (const usher_event_t *event)
{
    usher_msg_t msg = { .id = USHER_MSG_event, .event = *event }, again;
    size_t bound = usher_encode_bound (&msg);
    uint8_t *frame = malloc (bound);
    size_t size = usher_encode (&msg, frame, bound);
    usher_frame_t reader;
    FUZZ_CHECK (size > 0);
    usher_records_open (&reader, frame, size);
    FUZZ_CHECK (usher_decode (&reader, &again) == USHER_OK);
    FUZZ_CHECK (usher_equal (&msg, &again));
    free (frame);
}

void
fuzz_check_event (const usher_event_t *event)
{
    const usher_layout_t *layout = usher_layout (USHER_MSG_event);
    for (size_t field = 0; field < layout->field_count; field++)
        check_field (event, &layout->fields [field]);
    FUZZ_CHECK (event->viewer_id.size > 0);
    FUZZ_CHECK (event->kind != USHER_event_kind_other);
    check_travels (event);
}

void
fuzz_check_reason (const char *reason)
{
    size_t size = strlen (reason);
    FUZZ_CHECK (size > 0);
    FUZZ_CHECK (utf8_is_valid (reason, size));
}

decode_result_t
fuzz_decode (fuzz_decoder_t *decode, const uint8_t *data, size_t size, usher_event_t *event)
{
    //  One draft for all inputs, as in the ingester: what one leaves behind must not harm the next.
    static draft_t draft;
    draft_open (&draft, size);
    decode_result_t result = decode (&draft, (const char *)data, size);
    if (result == DECODE_EVENT)
        fuzz_check_event (&draft.event);
    //  Without a reason it is another form's, which is asked next.
    if (result == DECODE_BAD && !draft.enriched)
        fuzz_check_reason (draft.reason);
    *event = draft.event;
    return result;
}
