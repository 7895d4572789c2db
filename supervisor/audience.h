//  audience - simulated viewers who behave believably, as requests of the tracker protocol
//
//  N viewers join over a ramp-up, choose titles by popularity (Zipf), wait for the start, watch, pause, seek, go
//  fullscreen, change volume, speed and quality, meet ad breaks, skip (some skip every ad) and click, stall, see
//  errors, reach the end, leave without a word and come back later with a new session. Some have two tabs, some
//  never sign in. What they do comes out as HTTP bodies for POST /com.snowplowanalytics.snowplow/tp2.
//
//  Pure: no clock, socket or file; time is an argument and chance comes from the seed (splitmix64, one stream
//  a tab), so the same count, seed and options give the same bytes, whatever the pace of the calls.

#ifndef AUDIENCE_H
#define AUDIENCE_H

#include "audience_tracker.h"

//  A body never needs more than this, its terminating 0 included.
#define AUDIENCE_BODY_MAX 16384
#define AUDIENCE_VIEWERS_MAX 1000000

typedef struct {
    int64_t start_ms;         //  epoch ms at which the audience's time begins
    double speed;             //  audience time per device time, > 0: at 10, stamps advance 1 s in 10 s
    unsigned ping_s;          //  ping interval 1..300; 0 is the tracker's default of 30
    int64_t ramp_up_ms;       //  all have joined after this, audience time; 0: all at once
    const char *app_id;       //  NULL: "usher-simulate"; kept, not copied
    const char *page_root;    //  NULL: "http://localhost:3000"; kept, not copied
} audience_options_t;

typedef struct {
    uint64_t bodies;
    uint64_t page_views;
    uint64_t events [EVENT_COUNT];
    uint64_t events_total;    //  media events and page views
    uint64_t sessions;
    uint64_t left;    //  went without a word
    size_t tabs;
    size_t present;    //  tabs that are open now
} audience_counters_t;

typedef struct _audience_t audience_t;

//  An audience of `count` viewers (1..AUDIENCE_VIEWERS_MAX). The caller owns it. NULL on an option out of range.
audience_t *audience_new (size_t count, uint64_t seed, const audience_options_t *options);

void audience_destroy (audience_t **self_p);

//  When the next thing happens, in audience time (epoch ms from start_ms on).
int64_t audience_next_ms (const audience_t *self);

//  Writes the next body that is due by now_ms (audience time) into buffer, of at least AUDIENCE_BODY_MAX bytes,
//  terminated, and its length. False: nothing due has anything to send; audience_next_ms is then past now_ms.
bool audience_step (audience_t *self, int64_t now_ms, char *buffer, size_t size, size_t *length);

//  The tab (0..tabs-1) that the last body came from, and the number of events in it. A tracker has one request
//  of a page under way at a time; a sender that wants this keeps the order per tab.
size_t audience_last_tab (const audience_t *self);

unsigned audience_last_events (const audience_t *self);

const audience_counters_t *audience_counters (const audience_t *self);

#endif
