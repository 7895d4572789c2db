//  test_recording - the recorded requests of real trackers, in tests/data, as the collector hands them on

#ifndef TEST_RECORDING_H_INCLUDED
#define TEST_RECORDING_H_INCLUDED

#include "test_tracker.h"

#include <jansson.h>

static inline const char *
recording_header (const json_t *headers, const char *name)
{
    void *at = json_object_iter ((json_t *)headers);
    for (; at; at = json_object_iter_next ((json_t *)headers, at))
        if (strcasecmp (json_object_iter_key (at), name) == 0)
            return json_string_value (json_object_iter_value (at));
    return NULL;
}

//  One request of a recording as the collector hands it on.
static inline void
recording_request (tracker_request_t *self, const json_t *recorded)
{
    const json_t *headers = json_object_get (recorded, "headers");
    const char *url = json_string_value (json_object_get (recorded, "url"));
    const char *query = strchr (url, '?');
    unit_request (self);
    self->method = span_of (json_string_value (json_object_get (recorded, "method")));
    self->path = (span_t){ url, query ? (size_t)(query - url) : strlen (url) };
    self->query = span_of (query ? query + 1 : NULL);
    self->body = span_of (json_string_value (json_object_get (recorded, "bodyRaw")));
    self->content_type = span_of (recording_header (headers, "content-type"));
    self->user_agent = span_of (recording_header (headers, "user-agent"));
    self->referer = span_of (recording_header (headers, "referer"));
    self->anonymous = recording_header (headers, "sp-anonymous") != NULL;
    self->collector_ms = json_integer_value (json_object_get (recorded, "t"));
    self->etl_ms = self->collector_ms + 250;
}

#endif
