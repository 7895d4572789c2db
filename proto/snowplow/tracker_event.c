//  tracker_event - one event: from its parameters and its request to a finished row
//
//  The steps below stand in the order in which Enrich takes them, because the first fault decides what kind
//  of bad row the event becomes.

#include "snowplow/tracker_event.h"
#include "snowplow/tracker_time.h"
#include "snowplow/tracker_url.h"

#include <string.h>

#define ANONYMOUS_IP "unknown"
#define ANONYMOUS_ID "00000000-0000-0000-0000-000000000000"

//  The columns that one address fills.
typedef struct {
    tracker_column_t scheme, host, port, path, query, fragment;
} url_columns_t;

static const url_columns_t page_columns = { COL_page_urlscheme, COL_page_urlhost,  COL_page_urlport,
                                            COL_page_urlpath,   COL_page_urlquery, COL_page_urlfragment };
static const url_columns_t referrer_columns = { COL_refr_urlscheme, COL_refr_urlhost,  COL_refr_urlport,
                                                COL_refr_urlpath,   COL_refr_urlquery, COL_refr_urlfragment };

//  Events whose name and schema Enrich knows by their code. An unstruct event is named by its own schema.
static const struct {
    const char *event, *vendor, *name;
} event_schemas [] = {
    { "page_view", "com.snowplowanalytics.snowplow", "page_view" },
    { "page_ping", "com.snowplowanalytics.snowplow", "page_ping" },
    { "struct", "com.google.analytics", "event" },
    { "transaction", "com.snowplowanalytics.snowplow", "transaction" },
    { "transaction_item", "com.snowplowanalytics.snowplow", "transaction_item" },
};

void
tracker_event_free (tracker_event_t *self)
{
    tracker_row_free (&self->row);
    tracker_entities_free (&self->entities);
    tracker_text_free (&self->scratch);
    tracker_text_free (&self->decoded);
}

static void
row_set_time (tracker_row_t *row, tracker_column_t column, int64_t time_ms)
{
    tracker_time_print (time_ms, tracker_row_begin (row, column));
    tracker_row_end (row, column);
}

//  The header has a rule of its own: only tab, CR and LF are touched, and U+0000, which no reader of the row takes.
static void
set_user_agent (tracker_row_t *row, span_t header)
{
    tracker_text_t *out = tracker_row_begin (row, COL_useragent);
    const char *end = header.data + header.size;
    for (const char *at = header.data; at < end;) {
        uint32_t point = utf8_next (&at, end);
        if (point == '\t')
            tracker_text_puts (out, "    ");
        else if (point && point != '\r' && point != '\n')
            tracker_text_put_utf8 (out, point);
    }
    tracker_row_end (row, COL_useragent);
}

//  What the request says of every event in it; parameters may override it.
static void
set_request (tracker_row_t *row, const tracker_request_t *request)
{
    row_set_time (row, COL_collector_tstamp, request->collector_ms);
    row_set_time (row, COL_etl_tstamp, request->etl_ms);
    tracker_row_set_clean (row, COL_v_collector, span_of (request->collector));
    tracker_row_set_clean (row, COL_v_etl, span_of (request->etl));
    tracker_row_set_clean (row, COL_user_ipaddress,
                           request->anonymous ? span_of (ANONYMOUS_IP) : request->ip);
    tracker_row_set_clean (row, COL_network_userid,
                           request->anonymous ? span_of (ANONYMOUS_ID) : request->network_userid);
    set_user_agent (row, request->user_agent);
}

//  As the last of the rules on addresses, so that it covers a parameter's too.
static void
mask_address (tracker_event_t *self, tracker_ip_mask_t mask)
{
    tracker_text_reset (&self->scratch);
    tracker_ip_put (tracker_row_get (&self->row, COL_user_ipaddress), mask, &self->scratch);
    tracker_row_set (&self->row, COL_user_ipaddress, tracker_text_span (&self->scratch));
}

static int
set_event_id (tracker_row_t *row, const tracker_request_t *request, const tracker_params_t *params,
              tracker_fault_t *fault)
{
    span_t value;
    if (!tracker_params_get (params, "e", &value))
        return tracker_fault_set (fault, TRACKER_ENRICHMENT_FAILURES, "e: missing");
    if (!tracker_params_get (params, "eid", &value)) {
        char uuid [37];
        request->uuid_new (request->uuid_arg, uuid);
        tracker_row_set (row, COL_event_id, span_of (uuid));
    }
    return 0;
}

//  ---- Addresses

static void
set_url_parts (tracker_row_t *row, span_t url, const url_columns_t *columns)
{
    tracker_url_t parts;
    tracker_url_split (url, &parts);
    tracker_row_set (row, columns->scheme, parts.scheme);
    tracker_row_set (row, columns->host, parts.host);
    tracker_row_set (row, columns->path, parts.path);
    tracker_row_set (row, columns->query, parts.query);
    tracker_row_set (row, columns->fragment, parts.fragment);
    tracker_text_printf (tracker_row_begin (row, columns->port), "%u", parts.port);
    tracker_row_end (row, columns->port);
}

//  A link between domains brings `_sp=<domain user id>.<time>` along (always on in Enrich).
static int
set_cross_domain (tracker_event_t *self, span_t cross, tracker_fault_t *fault)
{
    const char *dot = cross.size ? memchr (cross.data, '.', cross.size) : NULL;
    size_t id_size = dot ? (size_t)(dot - cross.data) : cross.size;
    tracker_row_set_clean (&self->row, COL_refr_domain_userid, (span_t){ cross.data, id_size });
    if (!dot)
        return 0;
    span_t time = { dot + 1, cross.size - id_size - 1 };
    const char *more = time.size ? memchr (time.data, '.', time.size) : NULL;
    if (more)
        time.size = (size_t)(more - time.data);
    return time.size ? tracker_field_time (&self->row, COL_refr_device_tstamp, "_sp", time, fault) : 0;
}

static int
read_cross_domain (tracker_event_t *self, tracker_fault_t *fault)
{
    span_t key, value;
    span_t rest = tracker_row_get (&self->row, COL_page_urlquery);
    tracker_text_reset (&self->decoded);
    bool found = false;
    while (tracker_url_next_pair (&rest, &key, &value))
        if (span_is (key, "_sp")) {
            tracker_text_reset (&self->decoded);
            found = tracker_url_decode (value, &self->decoded) == 0;
        }
    return found ? set_cross_domain (self, tracker_text_span (&self->decoded), fault) : 0;
}

//  The page is `url`, else where the request says it comes from.
static int
set_page (tracker_event_t *self, const tracker_request_t *request, tracker_fault_t *fault)
{
    tracker_row_t *row = &self->row;
    if (tracker_row_get (row, COL_page_url).size == 0)
        tracker_row_set_clean (row, COL_page_url, request->referer);
    span_t url = tracker_row_get (row, COL_page_url);
    if (url.size == 0)
        return 0;
    tracker_text_reset (&self->scratch);
    tracker_url_encode (url, &self->scratch);
    url = tracker_text_span (&self->scratch);
    tracker_row_set (row, COL_page_url, url);
    set_url_parts (row, url, &page_columns);
    return read_cross_domain (self, fault);
}

//  page_referrer keeps its text; only its parts are made legal.
static void
set_referrer (tracker_event_t *self)
{
    span_t url = tracker_row_get (&self->row, COL_page_referrer);
    if (url.size == 0)
        return;
    tracker_text_reset (&self->scratch);
    tracker_url_encode (url, &self->scratch);
    set_url_parts (&self->row, tracker_text_span (&self->scratch), &referrer_columns);
}

//  ---- Time and name

static bool
get_time (const tracker_params_t *params, const char *name, int64_t *time_ms)
{
    span_t text;
    return tracker_params_get (params, name, &text) && tracker_time_parse (text, time_ms) == 0;
}

static void
set_derived_time (tracker_row_t *row, const tracker_request_t *request, const tracker_params_t *params)
{
    int64_t derived_ms, created_ms, sent_ms;
    if (!get_time (params, "ttm", &derived_ms)) {
        derived_ms = request->collector_ms;
        if (get_time (params, "dtm", &created_ms) && get_time (params, "stm", &sent_ms))
            derived_ms = tracker_time_derive (derived_ms, created_ms, sent_ms);
    }
    row_set_time (row, COL_derived_tstamp, derived_ms);
}

static void
set_schema (tracker_row_t *row, span_t vendor, span_t name, span_t format, span_t version)
{
    tracker_row_set (row, COL_event_vendor, vendor);
    tracker_row_set (row, COL_event_name, name);
    tracker_row_set (row, COL_event_format, format);
    tracker_row_set (row, COL_event_version, version);
}

//  `inner` is the schema of the self-describing event; without one an unstruct event has no name.
static void
set_name (tracker_row_t *row, const iglu_t *inner)
{
    span_t event = tracker_row_get (row, COL_event);
    if (span_is (event, "unstruct")) {
        if (inner->vendor.size)
            set_schema (row, inner->vendor, inner->name, inner->format, inner->version);
        return;
    }
    for (size_t index = 0; index < sizeof event_schemas / sizeof event_schemas [0]; index++)
        if (span_is (event, event_schemas [index].event)) {
            set_schema (row, span_of (event_schemas [index].vendor), span_of (event_schemas [index].name),
                        span_of ("jsonschema"), span_of ("1-0-0"));
            return;
        }
}

int
tracker_event_make (tracker_event_t *self, const tracker_request_t *request, const tracker_params_t *params,
                    tracker_fault_t *fault)
{
    tracker_row_t *row = &self->row;
    iglu_t inner;
    tracker_row_reset (row);
    set_request (row, request);
    if (tracker_fields_read (params, row, fault) != 0 || set_event_id (row, request, params, fault) != 0)
        return -1;
    mask_address (self, request->mask);
    if (set_page (self, request, fault) != 0)
        return -1;
    set_referrer (self);
    set_derived_time (row, request, params);
    if (tracker_entities_read (&self->entities, params, fault) != 0 ||
        tracker_entities_write (&self->entities, row, &inner, fault) != 0)
        return -1;
    set_name (row, &inner);
    return tracker_row_check (row, fault);
}
