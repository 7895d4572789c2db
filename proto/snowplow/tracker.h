//  tracker - the tracker protocol: one HTTP request in, enriched events and bad rows out
//
//  What Snowplow's Collector and Enrich 3.8.0 together make of a request, without their enrichments but the masking of
//  addresses. In: the request as plain text, the collector's time. Out: for each event
//  one TSV line of 131 columns, or one bad row that names its stage and reason; where Enrich loses a whole
//  request there is one bad row for all of it. Nothing is read from the world: no socket, no clock, no file.
//
//  Differences to Enrich, all of them on purpose: no schema registry is asked (see media_schemas), webhooks
//  other than the tracker's own paths are adapter failures, a request holds at most TRACKER_ITEMS_MAX events,
//  JSON nests at most JSON_TEXT_DEPTH_MAX deep, a decimal prints with at most 255 digits.

#ifndef TRACKER_H_INCLUDED
#define TRACKER_H_INCLUDED

#include "snowplow/tracker_ip.h"
#include "snowplow/tracker_row.h"

//  Bounds what one small body can grow into: each event repeats the user agent and the page.
#define TRACKER_ITEMS_MAX 2000

typedef struct {
    span_t method;
    span_t path;     //  as mapped by the collector, e.g. /com.snowplowanalytics.snowplow/tp2
    span_t query;    //  raw, without '?'
    span_t body;
    span_t content_type;
    span_t user_agent;
    span_t referer;
    span_t ip;                 //  of the client
    span_t network_userid;     //  the cookie's value, or what replaces it
    bool anonymous;            //  SP-Anonymous came: no IP, no network user id
    tracker_ip_mask_t mask;    //  of every address that is written
    int64_t collector_ms;      //  when the collector took the request
    int64_t etl_ms;            //  when it is enriched
    const char *collector;     //  v_collector
    const char *etl;           //  v_etl

    //  Writes a new random UUID, for an event that brings none.
    void (*uuid_new) (void *arg, char uuid [37]);
    void *uuid_arg;
} tracker_request_t;

typedef struct {
    tracker_kind_t kind;
    char reason [TRACKER_REASON_MAX];    //  of a bad row
    char *body;                          //  TSV line, or a JSON object that tells of the bad row; terminated
    size_t size;
} tracker_outcome_t;

typedef struct {
    size_t count;
    tracker_outcome_t *items;
} tracker_outcomes_t;

//  Judge one request. The caller destroys the answer, which holds at least one outcome.
tracker_outcomes_t *tracker_read (const tracker_request_t *request);
void tracker_outcomes_destroy (tracker_outcomes_t **self_p);

#endif
