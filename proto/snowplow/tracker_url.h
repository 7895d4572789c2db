//  tracker_url - a page's address taken apart into its six columns
//
//  Enrich uses java.net.URI (RFC 2396 with Java's additions) and, where that refuses the text, a forgiving
//  parser that percent-encodes what is illegal. This does the same in two steps: tracker_url_encode makes any
//  text legal, tracker_url_split takes a legal one apart as Java does. So a host that is no DNS name, IPv4 or
//  bracketed IPv6 address comes out empty, and the port is 443 for https, else 80, even for no scheme at all.

#ifndef TRACKER_URL_H_INCLUDED
#define TRACKER_URL_H_INCLUDED

#include "snowplow/tracker_text.h"

typedef struct {
    span_t scheme, host, path, query, fragment;    //  views into the text that was split
    uint32_t port;
} tracker_url_t;

//  Append the address with blanks as %20; if it holds anything else that a URI may not hold, then with all of
//  that and every non-ASCII character percent-encoded too.
void tracker_url_encode (span_t raw, tracker_text_t *out);

//  Take an encoded address apart. Every text has an answer, if only a path.
void tracker_url_split (span_t url, tracker_url_t *parts);

//  Append a percent-decoded text; '+' is a blank where the form says so. A '%' without two hex digits fails:
//  -1 with out as it was.
int tracker_url_decode (span_t text, tracker_text_t *out);

//  Walk over the `key=value` pairs of a query string, raw. False at the end.
bool tracker_url_next_pair (span_t *rest, span_t *key, span_t *value);

#endif
