//  strip - the events of a session's window end to end, in their order, each in as few bytes as it fits

#include "strip.h"
#include "bits.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_ID = 1 << 0,
    KIND = 1 << 1,
    LEAD = 1 << 2,
    POSITION = 1 << 3,
    RUNNING_TIMES = 1 << 4,
    GROUPS = 1 << 5,
    PING_INTERVAL = 1 << 6,
    ROW = 1 << 7,
    ADS = 1 << 8,
    AD = 1 << 9,
    PERCENT = 1 << 10,
    BITRATE = 1 << 11,
    MASK_END = 1 << 12
};

enum {
    MASK_BITS = 7,
    MORE = 0x80,
    NUMBER_MAX = 10,    //  bytes of 64 bits, 7 a byte
    ROW_WANTED = 4,
    POSITION_WHOLE = 1,
    POSITION_END_S = 1000000000    //  larger ones are told whole
};

//  ---- writing: there is room

static uint8_t *
put_number (uint8_t *to, uint64_t value)
{
    for (; value >= MORE; value >>= MASK_BITS)
        *to++ = (uint8_t)(value | MORE);
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *
put_distance (uint8_t *to, uint64_t from, uint64_t value)
{
    return put_number (to, zigzag (value - from));
}

static uint8_t *
put_text (uint8_t *to, usher_str_t text)
{
    to = put_number (to, text.size);
    if (text.size)
        memcpy (to, text.data, text.size);
    return to + text.size;
}

static uint8_t *
put_position (uint8_t *to, double seconds)
{
    if (seconds >= 0 && seconds < POSITION_END_S) {
        uint64_t thousandths = (uint64_t)(seconds * 1e3 + 0.5);
        if (bits_of ((double)thousandths / 1e3) == bits_of (seconds))
            return put_number (to, thousandths * 2);
    }
    *to++ = POSITION_WHOLE;
    memcpy (to, &seconds, sizeof seconds);
    return to + sizeof seconds;
}

static uint8_t *
put_row (uint8_t *to, const window_event_t *event)
{
    *to++ = (uint8_t)(event->has_row | (event->row_wanted ? ROW_WANTED : 0));
    if (!event->row_wanted)
        return to;
    *to++ = event->row_state;
    *to++ = event->row_status;
    to = put_number (to, event->row_clicked);
    return put_number (to, event->row_skipped);
}

static unsigned
mask_of (const window_event_t *event)
{
    return (event->has_uuid ? 0u : TEXT_ID) | (event->kind != USHER_event_kind_ping ? KIND : 0u) |
           (event->collected_ms != event->order_ms ? LEAD : 0u) | (isnan (event->video_s) ? 0u : POSITION) |
           (event->order_total_us ? RUNNING_TIMES : 0u) | (event->groups ? GROUPS : 0u) |
           (event->ping_s ? PING_INTERVAL : 0u) | (event->has_row || event->row_wanted ? ROW : 0u) |
           (event->ads_clicked || event->ads_skipped ? ADS : 0u) | (event->ad_id.size ? AD : 0u) |
           (event->percent ? PERCENT : 0u) | (event->bitrate ? BITRATE : 0u);
}

//  What most events have not.
static uint8_t *
put_rare (uint8_t *to, const window_event_t *event, unsigned mask)
{
    if (mask & ROW)
        to = put_row (to, event);
    if (mask & ADS) {
        to = put_number (to, event->ads_clicked);
        to = put_number (to, event->ads_skipped);
    }
    if (mask & AD)
        to = put_text (to, event->ad_id);
    if (mask & PERCENT)
        *to++ = event->percent;
    if (mask & BITRATE)
        to = put_number (to, event->bitrate);
    return to;
}

//  A mask, fewer than 11 numbers, a UUID: fewer bytes than STRIP_EVENT_MAX.
size_t
strip_event_put (uint8_t *to, const window_event_t *event, uint64_t before_ms)
{
    const uint8_t *start = to;
    unsigned mask = mask_of (event);
    to = put_number (to, mask);
    to = put_distance (to, before_ms, event->order_ms);
    if (mask & TEXT_ID)
        to = put_text (to, event->text_id);
    else {
        memcpy (to, event->uuid, UUID_BYTES);
        to += UUID_BYTES;
    }
    if (mask & KIND)
        *to++ = event->kind;
    if (mask & LEAD)
        to = put_distance (to, event->order_ms, event->collected_ms);
    if (mask & POSITION)
        to = put_position (to, event->video_s);
    if (mask & RUNNING_TIMES)
        to = put_number (to, event->order_total_us);
    if (mask & GROUPS)
        *to++ = event->groups;
    if (mask & PING_INTERVAL)
        to = put_number (to, event->ping_s);
    return (size_t)(put_rare (to, event, mask) - start);
}

//  ---- reading: the bytes may be anything

static uint8_t
take_byte (strip_reader_t *self)
{
    if (self->next < self->end)
        return *self->next++;
    self->next = self->end = NULL;
    return 0;
}

static uint64_t
take_number (strip_reader_t *self)
{
    uint64_t value = 0;
    for (unsigned shift = 0; self->next < self->end && shift < 64; shift += MASK_BITS) {
        uint8_t byte = *self->next++;
        value |= (uint64_t)(byte & ~MORE) << shift;
        if (!(byte & MORE))
            return value;
    }
    //  Cut off, or longer than a number is: nothing behind it is read.
    self->next = self->end = NULL;
    return 0;
}

static uint64_t
take_distance (strip_reader_t *self, uint64_t from)
{
    return from + zigzag_back (take_number (self));
}

//  So many bytes, or NULL.
static const uint8_t *
take_bytes (strip_reader_t *self, uint64_t size)
{
    const uint8_t *data = self->next;
    if (!data || (uint64_t)(self->end - data) < size) {
        self->next = self->end = NULL;
        return NULL;
    }
    self->next += size;
    return data;
}

static usher_str_t
take_text (strip_reader_t *self)
{
    uint64_t size = take_number (self);
    const uint8_t *data = take_bytes (self, size);
    return data ? usher_bytes (data, size) : (usher_str_t){ 0 };
}

static double
take_position (strip_reader_t *self)
{
    double seconds = 0;
    uint64_t number = take_number (self);
    if (!(number & POSITION_WHOLE))
        return (double)(number / 2) / 1e3;
    const uint8_t *data = take_bytes (self, sizeof seconds);
    if (data)
        memcpy (&seconds, data, sizeof seconds);
    return seconds;
}

static void
take_row (strip_reader_t *self, window_event_t *event)
{
    uint8_t flags = take_byte (self);
    event->has_row = flags & (ROW_WANTED - 1);
    event->row_wanted = flags & ROW_WANTED;
    if (!event->row_wanted)
        return;
    event->row_state = take_byte (self);
    event->row_status = take_byte (self);
    event->row_clicked = (uint32_t)take_number (self);
    event->row_skipped = (uint32_t)take_number (self);
}

static void
take_rare (strip_reader_t *self, window_event_t *event, unsigned mask)
{
    if (mask & ROW)
        take_row (self, event);
    if (mask & ADS) {
        event->ads_clicked = (uint32_t)take_number (self);
        event->ads_skipped = (uint32_t)take_number (self);
    }
    if (mask & AD)
        event->ad_id = take_text (self);
    if (mask & PERCENT)
        event->percent = take_byte (self);
    if (mask & BITRATE)
        event->bitrate = (uint32_t)take_number (self);
}

static void
take_id (strip_reader_t *self, window_event_t *event, unsigned mask)
{
    event->has_uuid = !(mask & TEXT_ID);
    if (mask & TEXT_ID) {
        event->text_id = take_text (self);
        return;
    }
    const uint8_t *uuid = take_bytes (self, UUID_BYTES);
    if (uuid)
        memcpy (event->uuid, uuid, UUID_BYTES);
}

bool
strip_read (strip_reader_t *self, window_event_t *event)
{
    *event = (window_event_t){ .kind = USHER_event_kind_ping, .video_s = NAN };
    if (self->next == self->end)
        return false;
    uint64_t mask = take_number (self);
    event->order_ms = self->order_ms = take_distance (self, self->order_ms);
    take_id (self, event, (unsigned)mask);
    if (mask & KIND)
        event->kind = take_byte (self);
    event->collected_ms = mask & LEAD ? take_distance (self, event->order_ms) : event->order_ms;
    if (mask & POSITION)
        event->video_s = take_position (self);
    if (mask & RUNNING_TIMES)
        event->order_total_us = take_number (self);
    if (mask & GROUPS)
        event->groups = take_byte (self);
    if (mask & PING_INTERVAL)
        event->ping_s = (uint16_t)take_number (self);
    take_rare (self, event, (unsigned)mask);
    bool sound = self->next && mask < MASK_END && event->kind < USHER_EVENT_KINDS &&
                 event->row_state <= USHER_state_ended && event->row_status <= USHER_status_completed_video;
    self->count += sound;
    return sound;
}

uint64_t
strip_next_ms (const strip_reader_t *reader)
{
    strip_reader_t ahead = *reader;
    take_number (&ahead);
    return take_distance (&ahead, ahead.order_ms);
}

strip_reader_t
strip_open (const strip_t *self)
{
    usher_str_t bytes = strip_bytes (self);
    const uint8_t *data = (const uint8_t *)bytes.data;
    return (strip_reader_t){ data, bytes.size ? data + bytes.size : data, self->before_ms, 0 };
}

void
strip_leave (strip_t *self, const strip_reader_t *reader)
{
    self->count -= reader->count;
    self->gone += reader->count;
    self->head = (uint32_t)(reader->next - self->bytes);
    self->before_ms = reader->order_ms;
}

//  ---- digests

static const uint64_t LANES = 0x0001000100010001;    //  1 in each of four lanes of 16 bits

uint16_t
strip_digest (const window_event_t *event)
{
    uint32_t mixed = (uint32_t)event->order_ms * 31 + event->kind;
    if (event->has_uuid)
        memcpy (&mixed, event->uuid + UUID_BYTES - sizeof mixed, sizeof mixed);
    else if (event->text_id.size >= sizeof mixed)
        memcpy (&mixed, event->text_id.data + event->text_id.size - sizeof mixed, sizeof mixed);
    else if (event->text_id.size)
        mixed = (uint32_t)(unsigned char)event->text_id.data [0] + event->text_id.size;
    return (uint16_t)(mixed * 2654435761u >> 16);
}

bool
strip_may_have (const strip_t *self, uint16_t digest)
{
    const uint16_t *digests = self->digests + self->gone;
    uint32_t at = 0;
    //  Four at once: a lane of zeros is where one is equal (a borrow marks it, and only lanes above it besides).
    for (uint64_t four; at + 4 <= self->count; at += 4) {
        memcpy (&four, digests + at, sizeof four);
        four ^= LANES * digest;
        if ((four - LANES) & ~four & LANES << 15)
            return true;
    }
    while (at < self->count && digests [at] != digest)
        at++;
    return at < self->count;
}

//  ---- room

//  Events come at the end and leave at the front, so they move through their block, and back when it ends.
static void
make_digest_room (strip_t *self)
{
    if (self->gone + self->count < self->room)
        return;
    if (self->gone)
        memmove (self->digests, self->digests + self->gone, self->count * sizeof *self->digests);
    if (self->gone < self->count / 4 + 1) {
        self->room = self->count + self->count / 2 + 4;
        self->digests = memory_resize (self->digests, self->room, sizeof *self->digests);
    }
    self->gone = 0;
}

static void
make_room (strip_t *self, uint32_t more)
{
    make_digest_room (self);
    if (self->size - self->tail >= more)
        return;
    uint32_t used = self->tail - self->head;
    if (self->head)
        memmove (self->bytes, self->bytes + self->head, used);
    if (self->head < used / 4 + more) {
        self->size = used + used / 2 + more;
        self->bytes = memory_resize (self->bytes, self->size, 1);
    }
    self->head = 0;
    self->tail = used;
}

void
strip_append (strip_t *self, const window_event_t *event)
{
    uint8_t small [STRIP_EVENT_MAX], *large = NULL, *start = small;
    uint32_t texts = event->text_id.size + event->ad_id.size;
    if (texts)
        start = large = memory_new (STRIP_EVENT_MAX + texts, 1);
    size_t bytes = strip_event_put (start, event, self->last_ms);
    make_room (self, (uint32_t)bytes);
    strip_add (self, event, start, bytes);
    free (large);
}

void
strip_add (strip_t *self, const window_event_t *event, const uint8_t *bytes, size_t size)
{
    memcpy (self->bytes + self->tail, bytes, size);
    self->tail += (uint32_t)size;
    self->digests [self->gone + self->count] = strip_digest (event);
    self->count++;
    self->last_ms = event->order_ms;
}

void
strip_free (strip_t *self)
{
    free (self->digests);
    free (self->bytes);
    *self = (strip_t){ 0 };
}

//  ---- as a whole

usher_str_t
strip_bytes (const strip_t *self)
{
    return self->bytes ? usher_bytes (self->bytes + self->head, self->tail - self->head) : (usher_str_t){ 0 };
}

usher_str_t
strip_digests (const strip_t *self)
{
    return self->count ? usher_bytes (self->digests + self->gone, self->count * sizeof *self->digests)
                       : (usher_str_t){ 0 };
}

static uint8_t *
bytes_copy (usher_str_t bytes)
{
    return bytes.size ? memory_copy (bytes.data, bytes.size) : NULL;
}

void
strip_set (strip_t *self, uint32_t count, uint64_t before_ms, uint64_t last_ms, usher_str_t bytes,
           usher_str_t digests)
{
    *self = (strip_t){ .count = count,
                       .room = count,
                       .tail = bytes.size,
                       .size = bytes.size,
                       .before_ms = before_ms,
                       .last_ms = last_ms };
    self->bytes = bytes_copy (bytes);
    self->digests = (uint16_t *)(void *)bytes_copy (digests);
}

//  Does it fit where the shard tells it on?
static bool
is_sound (const window_event_t *event)
{
    return event->text_id.size <= STRIP_ID_MAX && event->ad_id.size <= STRIP_AD_ID_MAX;
}

bool
strip_restore (strip_t *self, uint32_t count, uint64_t before_ms, usher_str_t bytes)
{
    uint16_t digests [STRIP_EVENTS_MAX];
    window_event_t event = { 0 };
    if (count > STRIP_EVENTS_MAX)
        return false;
    *self =
        (strip_t){ .tail = bytes.size, .bytes = (uint8_t *)(uintptr_t)bytes.data, .before_ms = before_ms };
    strip_reader_t reader = strip_open (self);
    *self = (strip_t){ .before_ms = before_ms, .last_ms = before_ms };
    while (reader.count < count && strip_read (&reader, &event) && is_sound (&event))
        digests [reader.count - 1] = strip_digest (&event);
    if (reader.count != count || reader.next != reader.end || !is_sound (&event))
        return false;
    strip_set (self, count, before_ms, reader.order_ms, bytes,
               usher_bytes (digests, count * sizeof *digests));
    return true;
}
