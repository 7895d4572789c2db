//  tracker_event - one event: from its parameters and its request to a finished row

#ifndef TRACKER_EVENT_H_INCLUDED
#define TRACKER_EVENT_H_INCLUDED

#include "snowplow/tracker.h"
#include "snowplow/tracker_entities.h"

//  Work space, reused from event to event.
typedef struct {
    tracker_row_t row;
    tracker_entities_t entities;
    tracker_text_t scratch;
    tracker_text_t decoded;
} tracker_event_t;

void tracker_event_free (tracker_event_t *self);

//  Fill self->row. Returns 0, or -1 with the first fault in the order of Enrich's stages.
int tracker_event_make (tracker_event_t *self, const tracker_request_t *request,
                        const tracker_params_t *params, tracker_fault_t *fault);

#endif
