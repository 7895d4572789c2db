//  series - seconds and minutes of the aggregates, on their way to the store

#include "series.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define MINUTE_S 60
//  A clock that goes back further than this begins a part of its own; a smaller step is waited for.
#define STEP_BACK_S 5
//  Spans sent in one call: an hour's takes some seconds, and no queue fills up.
#define SEND_AT_ONCE 64

//  A span that the store has not answered for.
typedef struct {
    uint64_t seq, at_s, part;
    uint32_t step_s;
    buffer_t body;
} span_t;

struct series {
    uint64_t part, last_seq, dropped;
    uint64_t second_s;    //  that is open; 0 none yet
    bool partial;         //  a slot was being filled at some time of the second
    bool first;           //  the second began before us
    tally_t minute;
    bool minute_dirty;                //  it grew since it was sent
    buffer_t keys;                    //  as of the second closed last
    span_t spans [SERIES_WAITING];    //  a ring
    size_t begin, count, sent;        //  sent: of count, from begin
    bool answered;                    //  the store did, since the last call
    int64_t progress_ms;              //  mono; when it did
};

series_t *
series_new (uint64_t part)
{
    series_t *self = memory_new (1, sizeof *self);
    self->part = part;
    self->first = true;
    return self;
}

static span_t *
span_at (series_t *self, size_t index)
{
    return &self->spans [(self->begin + index) % SERIES_WAITING];
}

static void
span_drop (series_t *self)
{
    buffer_free (&span_at (self, 0)->body);
    self->begin = (self->begin + 1) % SERIES_WAITING;
    self->count--;
    self->sent -= self->sent > 0;
}

void
series_destroy (series_t **self_p)
{
    series_t *self = *self_p;
    if (!self)
        return;
    while (self->count)
        span_drop (self);
    buffer_free (&self->keys);
    free (self);
    *self_p = NULL;
}

//  ---- spans

static void
body_write (const series_t *self, const tally_t *tally, buffer_t *body)
{
    tally_write (tally, body);
    buffer_add (body, self->keys.data, self->keys.size);
}

static void
span_add (series_t *self, const tally_t *tally)
{
    if (self->count == SERIES_WAITING) {
        span_drop (self);
        self->dropped++;
    }
    span_t *span = span_at (self, self->count++);
    *span = (span_t){
        .seq = ++self->last_seq, .at_s = tally->sum.at_s, .part = self->part, .step_s = tally->sum.step_s
    };
    body_write (self, tally, &span->body);
}

static void
minute_close (series_t *self)
{
    if (self->minute.sum.seconds)
        span_add (self, &self->minute);
    memset (&self->minute, 0, sizeof self->minute);
    self->minute_dirty = false;
}

static uint64_t
minute_of (const tally_t *second)
{
    return second->sum.at_s - second->sum.at_s % MINUTE_S;
}

static void
minute_add (series_t *self, const tally_t *second)
{
    self->minute.sum.step_s = MINUTE_S;
    self->minute.sum.at_s = minute_of (second);
    tally_add (&self->minute, second);
    self->minute_dirty = true;
}

static void
second_close (series_t *self, aggregates_t *aggregates)
{
    tally_t second;
    aggregates_take_second (aggregates, &second);
    second.sum.step_s = 1;
    second.sum.at_s = self->second_s;
    second.sum.seconds = 1;
    second.sum.partial = self->partial || self->first;
    //  A minute that this second does not belong to is closed with the keys that it ended with.
    if (minute_of (&second) != self->minute.sum.at_s)
        minute_close (self);
    buffer_clear (&self->keys, SIZE_MAX);
    aggregates_write_keys (aggregates, AGGREGATES_KEYS_KEPT, &self->keys);
    span_add (self, &second);
    minute_add (self, &second);
    self->partial = self->first = false;
}

bool
series_tick (series_t *self, aggregates_t *aggregates, uint64_t wall_ms, bool partial)
{
    uint64_t now_s = wall_ms / 1000;
    self->partial = self->partial || partial;
    bool back = now_s + STEP_BACK_S < self->second_s;
    if (now_s <= self->second_s && !back)
        return false;
    bool closed = self->second_s != 0;
    if (closed)
        second_close (self, aggregates);
    if (back) {
        //  These seconds were counted before: what comes now must not replace them.
        minute_close (self);
        self->part++;
    }
    self->second_s = now_s;
    self->partial = partial;
    return closed;
}

void
series_end (series_t *self, aggregates_t *aggregates)
{
    if (!self->second_s)
        return;
    //  It is not over, so it is one that lacks something.
    self->partial = true;
    second_close (self, aggregates);
    minute_close (self);
    self->second_s = 0;
}

//  ---- to the store

static void
span_send (const span_t *span, outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_aggregate_put,
                        .aggregate_put = { span->seq, span->step_s, span->at_s, span->part,
                                           usher_bytes (span->body.data, span->body.size) } };
    outbox_put (out, USHER_LINK_store, 0, &msg);
}

static void
minute_send (series_t *self, outbox_t *out)
{
    span_t span = { .at_s = self->minute.sum.at_s, .part = self->part, .step_s = MINUTE_S };
    body_write (self, &self->minute, &span.body);
    span_send (&span, out);
    buffer_free (&span.body);
    self->minute_dirty = false;
}

void
series_send (series_t *self, int64_t mono_ms, outbox_t *out)
{
    if (self->sent && mono_ms - self->progress_ms >= SERIES_RETRY_MS)
        self->sent = 0;
    if (!self->sent || self->answered)
        self->progress_ms = mono_ms;
    self->answered = false;
    for (size_t at = 0; at < SEND_AT_ONCE && self->sent < self->count; at++)
        span_send (span_at (self, self->sent++), out);
    if (self->minute_dirty)
        minute_send (self, out);
}

void
series_store_up (series_t *self)
{
    self->sent = 0;
}

void
series_kept (series_t *self, uint64_t seq)
{
    //  It answers in order. An answer that skips one, because its turn failed, says nothing: all are sent again in time.
    if (!self->count || seq != span_at (self, 0)->seq)
        return;
    span_drop (self);
    self->answered = true;
}

size_t
series_waiting (const series_t *self)
{
    return self->count;
}

uint64_t
series_dropped (const series_t *self)
{
    return self->dropped;
}
