//  tracker - the tracker protocol: one HTTP request in, enriched events and bad rows out
//
//  The stages that judge a whole request live here, in Enrich's order: the payload's form, the adapter that
//  its path names, the tracker protocol's own schema. What passes them is a list of events, each of which
//  tracker_event makes or refuses alone.

#include "snowplow/tracker.h"
#include "snowplow/tracker_event.h"
#include "snowplow/tracker_time.h"
#include "snowplow/tracker_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAYLOAD_PREFIX "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-"

typedef struct {
    const tracker_request_t *request;
    tracker_outcomes_t *outcomes;
    size_t room;               //  of outcomes->items
    tracker_params_t query;    //  parameters in the query string
    bool has_query;
    tracker_params_t item;    //  parameters of the event at hand
    tracker_event_t event;
    tracker_text_t body;    //  the body's JSON in normal form
    tracker_text_t scratch;
    tracker_fault_t fault;
} judge_t;

//  The adapters of Enrich that we have: which paths they serve, whether they take the body of a POST.
static const struct {
    const char *path;
    bool takes_body;
} adapters [] = {
    { "/i", false },
    { "/ice.png", false },
    { "/com.snowplowanalytics.snowplow/tp1", false },
    { "/com.snowplowanalytics.snowplow/tp2", true },
};

#define JSON_TYPE "application/json"

//  ---- Outcomes

static tracker_outcome_t *
judge_outcome (judge_t *self, tracker_kind_t kind)
{
    tracker_outcomes_t *outcomes = self->outcomes;
    if (outcomes->count == self->room) {
        self->room = self->room ? self->room * 2 : 4;
        outcomes->items = realloc (outcomes->items, self->room * sizeof outcomes->items [0]);
        if (!outcomes->items)
            abort ();
    }
    tracker_outcome_t *outcome = &outcomes->items [outcomes->count++];
    memset (outcome, 0, sizeof *outcome);
    outcome->kind = kind;
    return outcome;
}

static void
outcome_take (tracker_outcome_t *outcome, tracker_text_t *text)
{
    outcome->size = text->size;
    outcome->body = tracker_text_take (text);
}

static void
put_member (tracker_text_t *out, const char *name, span_t value)
{
    tracker_text_printf (out, "%s\"%s\":", out->data [out->size - 1] == '{' ? "" : ",", name);
    json_text_encode (value, out);
}

//  What came, so that a bad row can be looked at and sent again.
static void
put_request (tracker_text_t *out, const tracker_request_t *request, bool with_body)
{
    tracker_text_puts (out, ",\"request\":{");
    put_member (out, "method", request->method);
    put_member (out, "path", request->path);
    if (with_body)
        put_member (out, "querystring", request->query);
    put_member (out, "contentType", request->content_type);
    put_member (out, "userAgent", request->user_agent);
    put_member (out, "refererUri", request->referer);
    tracker_text_t ip = { 0 };
    tracker_ip_put (request->anonymous ? span_of ("unknown") : request->ip, request->mask, &ip);
    put_member (out, "ipAddress", tracker_text_span (&ip));
    tracker_text_free (&ip);
    if (!request->anonymous)
        put_member (out, "networkUserId", request->network_userid);
    if (with_body)
        put_member (out, "body", request->body);
    tracker_text_putc (out, '}');
}

//  A bad row: of one event when params are given, else of the whole request.
static void
judge_refuse (judge_t *self, const tracker_params_t *params)
{
    tracker_outcome_t *outcome = judge_outcome (self, self->fault.kind);
    tracker_text_t text = { 0 };
    memcpy (outcome->reason, self->fault.reason, sizeof outcome->reason);
    tracker_text_putc (&text, '{');
    put_member (&text, "failure", span_of (tracker_kind_name (self->fault.kind)));
    put_member (&text, "reason", span_of (self->fault.reason));
    tracker_text_puts (&text, ",\"collectorTstamp\":\"");
    tracker_time_print (self->request->collector_ms, &text);
    tracker_text_putc (&text, '"');
    put_request (&text, self->request, params == NULL);
    if (params) {
        tracker_text_puts (&text, ",\"event\":");
        tracker_params_print (params, &text);
    }
    tracker_text_putc (&text, '}');
    outcome_take (outcome, &text);
}

//  Who masks addresses wants none in a bad row either, whether the connection or a parameter tells it.
static void
mask_item (judge_t *self)
{
    span_t address;
    if (!tracker_params_get (&self->item, "ip", &address))
        return;
    tracker_text_reset (&self->scratch);
    tracker_ip_put (address, self->request->mask, &self->scratch);
    int param = tracker_param_find (span_of ("ip"));
    span_t masked = tracker_text_span (&self->scratch);
    tracker_text_put (tracker_params_begin (&self->item, param), masked.data, masked.size);
    tracker_params_end (&self->item, param);
}

static void
judge_event (judge_t *self)
{
    if (tracker_event_make (&self->event, self->request, &self->item, &self->fault) != 0) {
        mask_item (self);
        judge_refuse (self, &self->item);
        return;
    }
    tracker_text_t line = { 0 };
    tracker_row_print (&self->event.row, &line);
    outcome_take (judge_outcome (self, TRACKER_EVENT), &line);
}

//  ---- The query string

//  Keep one pair if it is a parameter of the protocol. The last duplicate wins.
static int
query_pair (judge_t *self, span_t key, span_t value)
{
    tracker_text_reset (&self->scratch);
    if (tracker_url_decode (key, &self->scratch) != 0)
        return -1;
    self->has_query = true;
    int param = tracker_param_find (tracker_text_span (&self->scratch));
    if (param < 0) {
        tracker_text_reset (&self->scratch);
        return tracker_url_decode (value, &self->scratch);
    }
    if (tracker_url_decode (value, tracker_params_begin (&self->query, param)) != 0)
        return -1;
    tracker_params_end (&self->query, param);
    return 0;
}

//  The first stage: the query string decodes, and the network user id is a UUID.
static int
check_form (judge_t *self)
{
    const tracker_request_t *request = self->request;
    span_t rest = request->query, key, value;
    while (tracker_url_next_pair (&rest, &key, &value))
        if (query_pair (self, key, value) != 0)
            return tracker_fault_set (&self->fault, TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
                                      "querystring: malformed percent-escape in %.*s",
                                      TRACKER_SPAN (key.size ? key : value));
    if (request->anonymous || uuid_is_valid (request->network_userid))
        return 0;
    //  Its value names a viewer, and reasons are logged.
    return tracker_fault_set (&self->fault, TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
                              "networkUserId: not a UUID");
}

//  An event that came in the query string alone. It is not checked against payload_data.
static int
read_query_event (judge_t *self)
{
    if (!self->has_query)
        return tracker_fault_set (&self->fault, TRACKER_ADAPTER_FAILURES, "querystring: empty");
    tracker_params_reset (&self->item);
    tracker_params_override (&self->item, &self->query);
    judge_event (self);
    return 0;
}

//  ---- The body

static int
protocol_fault (judge_t *self, const char *what)
{
    return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS, "%s", what);
}

//  Enrich compares to the blank, but it sees what the Collector made of the header: JSON has no charset to choose,
//  so the Collector passes on the plain type in small letters.
static int
check_content_type (judge_t *self)
{
    span_t type = self->request->content_type;
    const char *semicolon = type.size ? memchr (type.data, ';', type.size) : NULL;
    size_t size = semicolon ? (size_t)(semicolon - type.data) : type.size;
    while (size > 0 && (type.data [size - 1] == ' ' || type.data [size - 1] == '\t'))
        size--;
    if (size == sizeof JSON_TYPE - 1 && strncasecmp (type.data, JSON_TYPE, size) == 0)
        return 0;
    return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS,
                              "contentType: not application/json: \"%.*s\"",
                              TRACKER_SPAN (self->request->content_type));
}

//  The addition of the payload_data schema that the body names; -1 with fault.
static int
read_addition (judge_t *self, span_t schema)
{
    for (int addition = 0; addition <= TRACKER_PAYLOAD_NEWEST; addition++) {
        char known [] = PAYLOAD_PREFIX "0";
        known [sizeof known - 2] = (char)('0' + addition);
        if (json_text_is (schema, known))
            return addition;
    }
    return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS,
                              "body.schema: no version of payload_data that is known: %.*s",
                              TRACKER_SPAN (schema));
}

//  Fill self->item from one object of the body, checking it against payload_data 1-0-`addition`.
static int
read_item (judge_t *self, size_t index, span_t item, int addition)
{
    json_text_walk_t walk = json_text_walk (item);
    span_t key, value;
    tracker_params_reset (&self->item);
    if (json_text_kind (item) != '{')
        return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS, "body.data[%zu]: not an object",
                                  index);
    while (json_text_next (&walk, &key, &value)) {
        int param = tracker_param_find ((span_t){ key.data + 1, key.size - 2 });
        if (param < 0 || !tracker_param_allowed (param, addition))
            return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS,
                                      "body.data[%zu].%.*s: not a key of payload_data 1-0-%d", index,
                                      TRACKER_SPAN (key), addition);
        if (json_text_kind (value) != '"')
            return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS,
                                      "body.data[%zu].%.*s: not a string", index, TRACKER_SPAN (key));
        json_text_decode (value, tracker_params_begin (&self->item, param));
        tracker_params_end (&self->item, param);
    }
    return 0;
}

static int
check_required (judge_t *self, size_t index)
{
    static const char *const required [] = { "tv", "p", "e" };
    span_t value;
    for (size_t name = 0; name < 3; name++)
        if (!tracker_params_get (&self->item, required [name], &value))
            return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS, "body.data[%zu].%s: missing",
                                      index, required [name]);
    return 0;
}

//  One bad item loses them all, so all are checked before the first becomes an event.
static int
check_items (judge_t *self, span_t data, int addition)
{
    json_text_walk_t walk = json_text_walk (data);
    span_t key, item;
    size_t index = 0;
    for (; json_text_next (&walk, &key, &item); index++) {
        if (index == TRACKER_ITEMS_MAX)
            return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS,
                                      "body.data: more than %d events", TRACKER_ITEMS_MAX);
        if (read_item (self, index, item, addition) != 0 || check_required (self, index) != 0)
            return -1;
    }
    return index ? 0 : protocol_fault (self, "body.data: empty, or not an array");
}

static void
read_items (judge_t *self, span_t data, int addition)
{
    json_text_walk_t walk = json_text_walk (data);
    span_t key, item;
    for (size_t index = 0; json_text_next (&walk, &key, &item); index++) {
        read_item (self, index, item, addition);
        tracker_params_override (&self->item, &self->query);
        judge_event (self);
    }
}

//  Find the envelope's two members.
static int
open_envelope (judge_t *self, span_t *schema, span_t *data)
{
    span_t key, value;
    span_t text = tracker_text_span (&self->body);
    json_text_walk_t walk = json_text_walk (text);
    *schema = *data = (span_t){ "", 0 };
    if (json_text_kind (text) != '{')
        return protocol_fault (self, "body: not an object");
    while (json_text_next (&walk, &key, &value)) {
        if (json_text_is (key, "schema"))
            *schema = value;
        else if (json_text_is (key, "data"))
            *data = value;
    }
    if (json_text_kind (*schema) != '"')
        return protocol_fault (self, "body.schema: missing");
    return json_text_kind (*data) == '[' ? 0 : protocol_fault (self, "body.data: empty, or not an array");
}

static int
read_body (judge_t *self)
{
    json_text_fault_t wrong;
    span_t schema, data;
    if (check_content_type (self) != 0)
        return -1;
    if (json_text_compact (self->request->body, &self->body, &wrong) != 0)
        return tracker_fault_set (&self->fault, TRACKER_PROTOCOL_VIOLATIONS, "body: not JSON: %s at byte %zu",
                                  wrong.what, wrong.offset);
    if (open_envelope (self, &schema, &data) != 0)
        return -1;
    int addition = read_addition (self, schema);
    if (addition < 0 || check_items (self, data, addition) != 0)
        return -1;
    read_items (self, data, addition);
    return 0;
}

//  ---- The request

//  Choose by path who reads the request.
static int
read_by_adapter (judge_t *self)
{
    for (size_t index = 0; index < sizeof adapters / sizeof adapters [0]; index++)
        if (span_is (self->request->path, adapters [index].path)) {
            bool post = span_is (self->request->method, "POST");
            return post && adapters [index].takes_body ? read_body (self) : read_query_event (self);
        }
    return tracker_fault_set (&self->fault, TRACKER_ADAPTER_FAILURES, "path: no adapter for %.*s",
                              TRACKER_SPAN (self->request->path));
}

static void
judge_free (judge_t *self)
{
    tracker_params_free (&self->query);
    tracker_params_free (&self->item);
    tracker_event_free (&self->event);
    tracker_text_free (&self->body);
    tracker_text_free (&self->scratch);
}

tracker_outcomes_t *
tracker_read (const tracker_request_t *request)
{
    judge_t self = { .request = request };
    self.outcomes = calloc (1, sizeof *self.outcomes);
    if (!self.outcomes)
        abort ();
    if (check_form (&self) != 0 || read_by_adapter (&self) != 0)
        judge_refuse (&self, NULL);
    tracker_outcomes_t *outcomes = self.outcomes;
    judge_free (&self);
    return outcomes;
}

void
tracker_outcomes_destroy (tracker_outcomes_t **self_p)
{
    tracker_outcomes_t *self = *self_p;
    if (!self)
        return;
    for (size_t index = 0; index < self->count; index++)
        free (self->items [index].body);
    free (self->items);
    free (self);
    *self_p = NULL;
}
