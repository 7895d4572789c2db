//  tracker_entities - the JSON in an event: its contexts and its self-describing part
//
//  In: the parameters co or cx and ue_pr or ue_px. Out: the columns contexts and unstruct_event as Enrich
//  writes them, and the schema of the self-describing event, which names it. Two steps, as Enrich has two
//  stages: what is no JSON is an enrichment failure, what breaks its schema is a schema violation.

#ifndef TRACKER_ENTITIES_H_INCLUDED
#define TRACKER_ENTITIES_H_INCLUDED

#include "snowplow/media_schemas.h"
#include "snowplow/tracker_fields.h"

//  The JSON of one event in normal form; empty: it had none.
typedef struct {
    tracker_text_t contexts;
    tracker_text_t event;
    tracker_text_t scratch;
} tracker_entities_t;

void tracker_entities_free (tracker_entities_t *self);

//  Decode and compact the JSON of an event. Returns 0, or -1 with an enrichment failure.
int tracker_entities_read (tracker_entities_t *self, const tracker_params_t *params, tracker_fault_t *fault);

//  Check it and write both columns. *inner is the schema of the self-describing event (views into self), its
//  vendor empty if there is none. Returns 0, or -1 with a schema violation.
int tracker_entities_write (const tracker_entities_t *self, tracker_row_t *row, iglu_t *inner,
                            tracker_fault_t *fault);

//  Append what base64 text stands for, in either alphabet, with or without padding. -1 if it is none.
int base64_decode (span_t text, tracker_text_t *out);

#endif
