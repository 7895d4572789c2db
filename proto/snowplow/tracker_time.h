//  tracker_time - times of the tracker protocol: parsed, printed, and the derived one
//
//  All times are milliseconds since 1970 UTC. No clock is read here and no time zone is known.

#ifndef TRACKER_TIME_H_INCLUDED
#define TRACKER_TIME_H_INCLUDED

#include "snowplow/tracker_text.h"

//  A signed 64-bit integer text that lies in the years 0 to 9999. Returns 0, or -1.
int tracker_time_parse (span_t text, int64_t *time_ms);

//  Append `YYYY-MM-DD HH:MM:SS.mmm`. The time must lie in the years 0 to 9999.
void tracker_time_print (int64_t time_ms, tracker_text_t *out);

//  When the event happened, by the collector's clock: collector - (sent - created). Enrich takes the
//  difference as a calendar period, so that months stay months; so does this. The
//  collector's time itself where created is not before sent, or where the result would leave the years 0 to 9999.
int64_t tracker_time_derive (int64_t collector_ms, int64_t created_ms, int64_t sent_ms);

#endif
