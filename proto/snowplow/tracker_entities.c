//  tracker_entities - the JSON in an event: its contexts and its self-describing part

#include "snowplow/tracker_entities.h"

#include <stdio.h>
#include <string.h>

#define ENVELOPE_VENDOR "com.snowplowanalytics.snowplow"

//  Whatever version of the envelope came in, Enrich writes these.
#define CONTEXTS_HEAD                                                                                        \
    "{\"schema\":\"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1\",\"data\":["
#define EVENT_HEAD                                                                                           \
    "{\"schema\":\"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0\",\"data\":"

//  A schema and its data, as found in an object.
typedef struct {
    span_t schema;    //  the string value, with its quotes
    iglu_t iglu;
    span_t data;
    bool others;    //  the object has other members too
} described_t;

void
tracker_entities_free (tracker_entities_t *self)
{
    tracker_text_free (&self->contexts);
    tracker_text_free (&self->event);
    tracker_text_free (&self->scratch);
}

//  ---- Reading

static int
base64_value (char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A';
    if (byte >= 'a' && byte <= 'z')
        return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9')
        return byte - '0' + 52;
    if (byte == '-' || byte == '+')
        return 62;
    return byte == '_' || byte == '/' ? 63 : -1;
}

int
base64_decode (span_t text, tracker_text_t *out)
{
    size_t before = out->size;
    for (int padding = 0; padding < 2 && text.size && text.data [text.size - 1] == '='; padding++)
        text.size--;
    uint32_t bits = 0;
    for (size_t index = 0; index < text.size; index++) {
        int value = base64_value (text.data [index]);
        if (value < 0 || text.size % 4 == 1) {
            out->size = before;
            return -1;
        }
        bits = bits << 6 | (uint32_t)value;
        if (index % 4 > 0)
            tracker_text_putc (out, (char)(bits >> (6 - 2 * (index % 4)) & 0xFF));
    }
    return 0;
}

//  The JSON of two parameters, of which the base64 one wins; empty if neither came.
static int
read_one (tracker_entities_t *self, const tracker_params_t *params, const char *plain, const char *base64,
          tracker_text_t *out, tracker_fault_t *fault)
{
    span_t text;
    const char *name = plain;
    tracker_text_reset (out);
    if (tracker_params_get (params, base64, &text)) {
        name = base64;
        tracker_text_reset (&self->scratch);
        if (base64_decode (text, &self->scratch) != 0)
            return tracker_fault_set (fault, TRACKER_ENRICHMENT_FAILURES, "%s: not base64", name);
        text = tracker_text_span (&self->scratch);
    } else if (!tracker_params_get (params, plain, &text))
        return 0;
    json_text_fault_t wrong;
    if (json_text_compact (text, out, &wrong) == 0)
        return 0;
    return tracker_fault_set (fault, TRACKER_ENRICHMENT_FAILURES, "%s: not JSON: %s at byte %zu", name,
                              wrong.what, wrong.offset);
}

int
tracker_entities_read (tracker_entities_t *self, const tracker_params_t *params, tracker_fault_t *fault)
{
    if (read_one (self, params, "co", "cx", &self->contexts, fault) != 0)
        return -1;
    return read_one (self, params, "ue_pr", "ue_px", &self->event, fault);
}

//  ---- Checking

static int
entity_fault (tracker_fault_t *fault, const char *where, const char *what)
{
    return tracker_fault_set (fault, TRACKER_SCHEMA_VIOLATIONS, "%s: %s", where, what);
}

//  Take an object with `schema` and `data` apart.
static int
describe (span_t value, const char *where, described_t *self, tracker_fault_t *fault)
{
    json_text_walk_t walk = json_text_walk (value);
    span_t key, member;
    *self = (described_t){ 0 };
    if (json_text_kind (value) != '{')
        return entity_fault (fault, where, "not an object");
    while (json_text_next (&walk, &key, &member)) {
        if (json_text_is (key, "schema"))
            self->schema = member;
        else if (json_text_is (key, "data"))
            self->data = member;
        else
            self->others = true;
    }
    if (json_text_kind (self->schema) != '"')
        return entity_fault (fault, where, "no schema");
    if (self->data.size == 0)
        return entity_fault (fault, where, "no data");
    span_t text = { self->schema.data + 1, self->schema.size - 2 };
    if (iglu_parse (text, &self->iglu) != 0)
        return tracker_fault_set (fault, TRACKER_SCHEMA_VIOLATIONS, "%s: schema is no iglu address: %.*s",
                                  where, TRACKER_SPAN (text));
    return 0;
}

//  The envelope itself must be of this name and one of the versions 1-0-0 to 1-0-`newest`.
static int
check_envelope (const described_t *envelope, const char *name, char newest, const char *where,
                tracker_fault_t *fault)
{
    const iglu_t *iglu = &envelope->iglu;
    bool known = span_is (iglu->vendor, ENVELOPE_VENDOR) && span_is (iglu->name, name) &&
                 span_is (iglu->format, "jsonschema") && iglu->version.size == 5 &&
                 memcmp (iglu->version.data, "1-0-", 4) == 0 && iglu->version.data [4] <= newest;
    if (known)
        return 0;
    return tracker_fault_set (fault, TRACKER_SCHEMA_VIOLATIONS,
                              "%s: schema is not " ENVELOPE_VENDOR "/%s/jsonschema/1-0-x: %.*s", where, name,
                              TRACKER_SPAN (envelope->schema));
}

//  An inner object holds a schema and data, nothing else, and the data keeps to the schema.
static int
check_inner (span_t value, const char *where, described_t *inner, tracker_fault_t *fault)
{
    char wrong [SCHEMA_FAULT_MAX];
    if (describe (value, where, inner, fault) != 0)
        return -1;
    if (inner->others)
        return entity_fault (fault, where, "has other members than schema and data");
    if (media_schema_check (&inner->iglu, inner->data, wrong) == 0)
        return 0;
    return tracker_fault_set (fault, TRACKER_SCHEMA_VIOLATIONS, "%s: %.*s: %s", where,
                              TRACKER_SPAN (inner->schema), wrong);
}

//  ---- Writing

static void
put_described (tracker_text_t *out, const described_t *inner)
{
    tracker_text_puts (out, "{\"schema\":");
    tracker_text_put (out, inner->schema.data, inner->schema.size);
    tracker_text_puts (out, ",\"data\":");
    tracker_text_put (out, inner->data.data, inner->data.size);
    tracker_text_putc (out, '}');
}

static int
write_event (span_t text, tracker_row_t *row, iglu_t *iglu, tracker_fault_t *fault)
{
    described_t envelope, inner;
    if (describe (text, "unstruct_event", &envelope, fault) != 0 ||
        check_envelope (&envelope, "unstruct_event", '0', "unstruct_event", fault) != 0 ||
        check_inner (envelope.data, "unstruct_event.data", &inner, fault) != 0)
        return -1;
    tracker_text_t *out = tracker_row_begin (row, COL_unstruct_event);
    tracker_text_puts (out, EVENT_HEAD);
    put_described (out, &inner);
    tracker_text_putc (out, '}');
    tracker_row_end (row, COL_unstruct_event);
    *iglu = inner.iglu;
    return 0;
}

static int
write_contexts_items (span_t array, tracker_text_t *out, tracker_fault_t *fault)
{
    json_text_walk_t walk = json_text_walk (array);
    span_t key, value;
    for (unsigned index = 0; json_text_next (&walk, &key, &value); index++) {
        described_t inner;
        char where [40];
        snprintf (where, sizeof where, "contexts.data[%u]", index);
        if (check_inner (value, where, &inner, fault) != 0)
            return -1;
        if (index > 0)
            tracker_text_putc (out, ',');
        put_described (out, &inner);
    }
    return 0;
}

//  An empty array is allowed from 1-0-1 on and leaves the column empty.
static int
write_contexts (span_t text, tracker_row_t *row, tracker_fault_t *fault)
{
    described_t envelope;
    if (describe (text, "contexts", &envelope, fault) != 0 ||
        check_envelope (&envelope, "contexts", '1', "contexts", fault) != 0)
        return -1;
    if (json_text_kind (envelope.data) != '[')
        return entity_fault (fault, "contexts.data", "not an array");
    if (span_is (envelope.data, "[]"))
        return envelope.iglu.version.data [4] == '0' ? entity_fault (fault, "contexts.data", "empty") : 0;
    tracker_text_t *out = tracker_row_begin (row, COL_contexts);
    tracker_text_puts (out, CONTEXTS_HEAD);
    if (write_contexts_items (envelope.data, out, fault) != 0)
        return -1;
    tracker_text_puts (out, "]}");
    tracker_row_end (row, COL_contexts);
    return 0;
}

int
tracker_entities_write (const tracker_entities_t *self, tracker_row_t *row, iglu_t *inner,
                        tracker_fault_t *fault)
{
    *inner = (iglu_t){ 0 };
    if (self->event.size && write_event (tracker_text_span (&self->event), row, inner, fault) != 0)
        return -1;
    return self->contexts.size ? write_contexts (tracker_text_span (&self->contexts), row, fault) : 0;
}
