//  strip - the events of a session's window end to end, in their order, each in as few bytes as it fits
//
//  Events come at the end and leave at the front, which touches nothing between. Two bytes of each id, its digest, are kept
//  beside: an id whose digest is not among them is new. Everything else reads from the beginning (window.c).
//
//  An event: a mask, seven bits a byte, the eighth says that there is another byte; then in the order of the bits
//      its place       order_ms by its distance to the event before, always
//    0 text id         instead of 16 bytes of a UUID: size, bytes
//    1 kind            a byte; a ping without
//    2 lead            collected_ms by its distance to order_ms; the same without
//    3 position        video_s; NaN without
//    4 running times   order_total_us; 0 without
//    5 groups          a byte; 0 without
//    6 ping interval   ping_s; 0 without
//    7 history row     has_row, with 4 more where one is wanted: then state and status, a byte each, adsClicked, adsSkipped
//    8 ads             ads_clicked, ads_skipped; 0 and 0 without
//    9 ad              ad_id: size, bytes
//   10 percent         a byte; 0 without
//   11 bitrate         0 without
//  Numbers are 7 bits a byte, the least first, the eighth bit of a byte says that there is another; distances twice as much,
//  and one less than that where they go back; positions twice the thousandths, or 1 and the eight bytes of the double.
//  This is stored (window_strip in messages.def): a bit keeps its meaning for ever, a new one is added behind.

#ifndef STRIP_H
#define STRIP_H

#include "window_event.h"

#define STRIP_EVENTS_MAX 128    //  that strip_restore takes
#define STRIP_ID_MAX 128        //  bytes; the limits of event.event_id and event.ad_id
#define STRIP_AD_ID_MAX 1024
#define STRIP_EVENT_MAX 128    //  bytes of an event without its texts

typedef struct {
    uint32_t count;    //  events
    uint32_t gone,
        room;    //  digests of events that left, before the first one's; how many there is room for
    uint32_t head, tail, size;    //  bytes: where the first event begins, behind the last one, of the block
    uint64_t before_ms,
        last_ms;          //  order_ms of the event before the first one, 0 if there was none; of the last one
    uint16_t *digests;    //  owned
    uint8_t *bytes;       //  owned
} strip_t;

//  What of an event is kept beside. Equal for equal ids; of events without one for equal instants and kinds.
uint16_t strip_digest (const window_event_t *event);

//  False: no event here has this digest.
bool strip_may_have (const strip_t *self, uint16_t digest);

//  Adds an event behind the others.
void strip_append (strip_t *self, const window_event_t *event);

//  Writes the bytes of an event that comes behind one of before_ms, STRIP_EVENT_MAX and its texts at most. Returns how many.
size_t strip_event_put (uint8_t *to, const window_event_t *event, uint64_t before_ms);

//  Adds an event by these bytes where there is room for them and for its digest.
void strip_add (strip_t *self, const window_event_t *event, const uint8_t *bytes, size_t size);

//  Lets go of all of it. It may be used again.
void strip_free (strip_t *self);

//  Reads from the first event on.
typedef struct {
    const uint8_t *next, *end;
    uint64_t order_ms;
    uint32_t count;    //  events read
} strip_reader_t;

strip_reader_t strip_open (const strip_t *self);

//  Reads the next event: its strings are views of the strip's bytes. Returns false at the end, or where bytes are damaged.
bool strip_read (strip_reader_t *reader, window_event_t *event);

//  The order_ms of the next event, without reading it. There must be one.
uint64_t strip_next_ms (const strip_reader_t *reader);

//  All that was read leaves the strip.
void strip_leave (strip_t *self, const strip_reader_t *reader);

//  The bytes of its events, and its digests: views.
usher_str_t strip_bytes (const strip_t *self);
usher_str_t strip_digests (const strip_t *self);

//  Makes an empty strip one of count events from such bytes. strip_set believes what it is told; strip_restore finds
//  digests and last_ms again: false when the bytes are not count events; the strip is empty then.
void strip_set (strip_t *self, uint32_t count, uint64_t before_ms, uint64_t last_ms, usher_str_t bytes,
                usher_str_t digests);
bool strip_restore (strip_t *self, uint32_t count, uint64_t before_ms, usher_str_t bytes);

#endif
