//  window_event - what a session keeps of an event: enough to put it in its place and to fold it again

#ifndef WINDOW_EVENT_H
#define WINDOW_EVENT_H

#include "uuid_text.h"

typedef struct {
    uint64_t order_ms;                    //  device clock, else the collector's
    uint64_t collected_ms;                //  collector_tstamp
    uint64_t order_total_us;              //  first tie break: the tracker's running times added up
    double video_s;                       //  position; NaN unknown
    uint32_t ads_clicked, ads_skipped;    //  running totals
    uint32_t bitrate;                     //  of a quality change, bit/s; 0 unknown
    uint32_t row_clicked, row_skipped;    //  adsClicked and adsSkipped in its history row
    uint16_t ping_s;                      //  interval the event names; 0 none
    uint8_t kind;                         //  usher_event_kind_t
    uint8_t percent;                      //  of the event
    uint8_t groups;                       //  bits: groups of attributes the event has, as listed in known.c
    uint8_t has_row;    //  0 none, 1 a history row under the bare instant, 2 one with the event id
    uint8_t row_state, row_status;    //  in that row
    bool row_wanted;                  //  its history row should exist
    bool has_uuid;                    //  the id is uuid, not text_id
    uint8_t uuid [UUID_BYTES];
    usher_str_t text_id;    //  a view; last tie break, and what a duplicate is known by
    usher_str_t ad_id;      //  a view
} window_event_t;

//  The id as text. Returns a view of text, UUID_TEXT bytes, or of the event's own.
static inline usher_str_t
window_event_id (const window_event_t *self, char *text)
{
    return self->has_uuid ? uuid_write (self->uuid, text) : self->text_id;
}

#endif
