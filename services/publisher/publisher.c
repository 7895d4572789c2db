//  publisher - one numbered feed and snapshots of all live sessions

#include "publisher.h"
#include "fetch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "memory.h"
#include "metrics.h"
#include "picture.h"
#include "series.h"
#include "snapshots.h"

//  A slot's frame is sent before the turn ends once it is this large.
#define FRAME_BYTES 60000
//  A slot's buffer larger than this goes back after each frame.
#define KEEP_BYTES 4096
//  Room for a frame's head in front of its messages.
#define HEAD_BYTES 64
#define TIDE_MS 1000
#define NO_SHARD (-1)
//  A drain waits for the store's last answers for so long.
#define FAREWELL_MS 1000

typedef struct {
    uint64_t seq;
    buffer_t pending;    //  HEAD_BYTES, then the messages of this turn as they came; empty: none came
    int shard;           //  who filled it last
    bool filling, dirty;
} slot_t;

struct publisher {
    uint64_t epoch;
    publisher_publish_fn *publish;
    void *arg;
    picture_t *picture;
    const last_value_t *sessions;    //  the picture's
    series_t *series;
    snapshots_t *snapshots;
    slot_t slots [USHER_SLOTS];
    uint16_t dirty [USHER_SLOTS];
    size_t dirty_count;
    int64_t tide_at_ms;        //  mono; when the next one is due
    uint64_t wall_ms;          //  of the last turn or tick
    int64_t farewell_at_ms;    //  mono; when a drain waits no longer; 0 not draining
    uint64_t accepted, stale, announced, frames, bytes, gone;
};

publisher_t *
publisher_new (uint64_t epoch, publisher_publish_fn *publish, void *arg)
{
    publisher_t *self = memory_new (1, sizeof *self);
    self->epoch = epoch;
    self->publish = publish;
    self->arg = arg;
    self->picture = picture_new ();
    self->sessions = picture_sessions (self->picture);
    self->series = series_new (epoch);
    self->wall_ms = epoch;
    self->snapshots = snapshots_new (epoch);
    for (size_t slot = 0; slot < USHER_SLOTS; slot++) {
        self->slots [slot].filling = true;
        self->slots [slot].shard = NO_SHARD;
    }
    return self;
}

void
publisher_destroy (void **self_p)
{
    publisher_t *self = *self_p;
    if (!self)
        return;
    for (size_t slot = 0; slot < USHER_SLOTS; slot++)
        buffer_free (&self->slots [slot].pending);
    series_destroy (&self->series);
    picture_destroy (&self->picture);
    snapshots_destroy (&self->snapshots);
    free (self);
    *self_p = NULL;
}

//  ---- the feed

static void
publish (publisher_t *self, const void *topic, size_t topic_size, const void *data, size_t size)
{
    self->frames++;
    self->bytes += size;
    self->publish (self->arg, topic, topic_size, data, size);
}

//  The head is written in front of the messages, to end where they begin.
static void
publish_slot (publisher_t *self, uint32_t slot)
{
    slot_t *of = &self->slots [slot];
    if (!of->pending.size)
        return;
    usher_msg_t head = { .id = USHER_MSG_numbered, .numbered = { self->epoch, slot, ++of->seq } };
    char bytes [HEAD_BYTES];
    size_t size = usher_frame_begin (bytes, sizeof bytes);
    size += usher_encode (&head, bytes + size, sizeof bytes - size);
    char *begin = of->pending.data + HEAD_BYTES - size;
    memcpy (begin, bytes, size);
    const uint8_t topic [] = { 's', (uint8_t)(slot >> 8), (uint8_t)slot };
    publish (self, topic, sizeof topic, begin, of->pending.size - HEAD_BYTES + size);
    buffer_clear (&of->pending, KEEP_BYTES);
}

static void
publish_dirty (publisher_t *self)
{
    for (size_t at = 0; at < self->dirty_count; at++) {
        publish_slot (self, self->dirty [at]);
        self->slots [self->dirty [at]].dirty = false;
    }
    self->dirty_count = 0;
}

//  Makes room for a message of so many bytes in the slot's frame and returns where it goes.
static char *
feed_room (publisher_t *self, uint32_t slot, size_t size)
{
    slot_t *of = &self->slots [slot];
    if (of->pending.size + size > FRAME_BYTES)
        publish_slot (self, slot);
    if (!of->dirty) {
        of->dirty = true;
        self->dirty [self->dirty_count++] = (uint16_t)slot;
    }
    if (!of->pending.size) {
        buffer_reserve (&of->pending, HEAD_BYTES);
        of->pending.size = HEAD_BYTES;
    }
    return buffer_reserve (&of->pending, size);
}

//  Asks for the memory that the sessions of a lot will be written to.
static void
feed_expect (const publisher_t *self, const lot_t *lot)
{
    for (size_t at = 0; at < lot->count; at++) {
        if (lot->messages [at].id != USHER_MSG_session)
            continue;
        const buffer_t *pending = &self->slots [lot->messages [at].session.slot].pending;
        if (pending->data)
            fetch (pending->data + pending->size, 1);
    }
}

//  A message as it came.
static void
feed_bytes (publisher_t *self, uint32_t slot, usher_str_t bytes)
{
    memcpy (feed_room (self, slot, bytes.size), bytes.data, bytes.size);
    self->slots [slot].pending.size += bytes.size;
}

//  One of our own.
static void
feed (publisher_t *self, uint32_t slot, const usher_msg_t *msg)
{
    size_t bound = usher_encode_bound (msg);
    size_t size = usher_encode (msg, feed_room (self, slot, bound), bound);
    assert (size);
    self->slots [slot].pending.size += size;
}

static void
publish_tide (publisher_t *self, int64_t wall_ms)
{
    uint8_t seqs [USHER_SLOTS * 8], filling [USHER_SLOTS / 8] = { 0 };
    for (size_t slot = 0; slot < USHER_SLOTS; slot++) {
        for (size_t byte = 0; byte < 8; byte++)
            seqs [slot * 8 + byte] = (uint8_t)(self->slots [slot].seq >> 8 * byte);
        if (self->slots [slot].filling)
            filling [slot / 8] |= (uint8_t)(1u << slot % 8);
    }
    usher_msg_t msg = { .id = USHER_MSG_tide,
                        .tide = { self->epoch, (uint64_t)wall_ms, usher_bytes (seqs, sizeof seqs),
                                  usher_bytes (filling, sizeof filling) } };
    char frame [USHER_FRAME_HEAD + sizeof seqs + sizeof filling + 64];
    size_t size = usher_frame_begin (frame, sizeof frame);
    size += usher_encode (&msg, frame + size, sizeof frame - size);
    publish (self, "t", 1, frame, size);
}

static void
publish_aggregates (publisher_t *self)
{
    aggregates_t *aggregates = picture_aggregates (self->picture);
    buffer_t frame = { 0 };
    usher_frame_begin (buffer_reserve (&frame, USHER_FRAME_HEAD), USHER_FRAME_HEAD);
    frame.size = USHER_FRAME_HEAD;
    tally_write (aggregates_now (aggregates), &frame);
    aggregates_write_keys (aggregates, AGGREGATES_KEYS_NOW, &frame);
    publish (self, "a", 1, frame.data, frame.size);
    buffer_free (&frame);
}

//  ---- from shards

//  The newest epoch that speaks for a viewer; 0 nobody does. A zombie's messages are older.
static uint64_t
viewer_epoch (const publisher_t *self, uint32_t slot, usher_str_t viewer_id)
{
    uint64_t epoch = 0;
    size_t at = last_value_first (self->sessions, slot, viewer_id);
    while (at != LAST_VALUE_NONE) {
        uint64_t its = last_value_epoch (last_value_at (self->sessions, slot, at));
        if (its > epoch)
            epoch = its;
        at = last_value_next (self->sessions, slot, viewer_id, at);
    }
    return epoch;
}

//  Epochs are compared for the viewer, versions for the session: a shard that fills sends a viewer's sessions in any
//  order, each with the version that it had.
static bool
is_stale (const publisher_t *self, const usher_session_t *session)
{
    size_t at = last_value_first (self->sessions, session->slot, session->viewer_id);
    while (at != LAST_VALUE_NONE) {
        const last_value_entry_t *held = last_value_at (self->sessions, session->slot, at);
        uint64_t epoch = last_value_epoch (held);
        if (epoch > session->epoch)
            return true;
        if (epoch == session->epoch && held->version >= session->version &&
            usher_str_eq (session->session_id, last_value_session (held)))
            return true;
        at = last_value_next (self->sessions, session->slot, session->viewer_id, at);
    }
    return false;
}

static void
on_session (publisher_t *self, const usher_msg_t *msg, usher_str_t bytes)
{
    const usher_session_t *session = &msg->session;
    if (is_stale (self, session) || !picture_put (self->picture, session, self->wall_ms)) {
        self->stale++;
        return;
    }
    self->accepted++;
    if (!session->restored) {
        feed_bytes (self, session->slot, bytes);
        return;
    }
    usher_msg_t said = *msg;
    said.session.restored = 0;    //  nothing to anybody behind us
    feed (self, session->slot, &said);
}

static void
on_announce (publisher_t *self, const usher_announce_t *announce, usher_str_t bytes)
{
    if (announce->epoch < viewer_epoch (self, announce->slot, announce->viewer_id)) {
        self->stale++;
        return;
    }
    self->announced++;
    feed_bytes (self, announce->slot, bytes);
}

//  Sessions that an earlier owner spoke of and the new one did not are gone.
static void
forget_older (publisher_t *self, uint32_t slot, uint64_t epoch)
{
    size_t at = 0;
    while (at < last_value_places (self->sessions, slot)) {
        const last_value_entry_t *entry = last_value_at (self->sessions, slot, at);
        if (!entry || last_value_epoch (entry) >= epoch) {
            at++;
            continue;
        }
        usher_msg_t msg = { .id = USHER_MSG_session,
                            .session = { .slot = slot,
                                         .viewer_id = last_value_viewer (entry),
                                         .session_id = last_value_session (entry),
                                         .epoch = epoch,
                                         .gone = 1 } };
        feed (self, slot, &msg);
        picture_remove (self->picture, slot, at, self->wall_ms);
        self->gone++;
    }
}

static void
on_filled (publisher_t *self, const usher_filled_t *filled)
{
    if (filled->owners.size != USHER_SLOTS)
        return;
    for (uint32_t slot = 0; slot < USHER_SLOTS; slot++) {
        slot_t *of = &self->slots [slot];
        if ((uint8_t)filled->owners.data [slot] == filled->shard) {
            of->shard = (int)filled->shard;
            of->filling = false;
            forget_older (self, slot, filled->epoch);
        } else if (of->shard == (int)filled->shard) {
            //  It moved away; whoever has it now will say so.
            of->shard = NO_SHARD;
            of->filling = true;
        }
    }
}

void
publisher_changes (void *arg, const lot_t *lot, outbox_t *out)
{
    publisher_t *self = arg;
    (void)out;
    last_value_expect (self->sessions, lot);
    feed_expect (self, lot);
    for (size_t at = 0; at < lot->count; at++) {
        const usher_msg_t *msg = &lot->messages [at];
        if (msg->id == USHER_MSG_session)
            on_session (self, msg, lot->bytes [at]);
        else if (msg->id == USHER_MSG_announce)
            on_announce (self, &msg->announce, lot->bytes [at]);
        else if (msg->id == USHER_MSG_filled)
            on_filled (self, &msg->filled);
    }
}

//  ---- snapshots

void
publisher_snapshot_request (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    publisher_t *self = arg;
    (void)out;
    snapshots_ask (self->snapshots, peer, &msg->snapshot_request);
}

//  ---- the store

void
publisher_aggregate_kept (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    publisher_t *self = arg;
    (void)peer;
    (void)out;
    series_kept (self->series, msg->aggregate_kept.seq);
}

static unsigned
slots_filling (const publisher_t *self)
{
    unsigned count = 0;
    for (size_t slot = 0; slot < USHER_SLOTS; slot++)
        count += self->slots [slot].filling;
    return count;
}

//  ---- the skeleton's calls

static void
shard_up (publisher_t *self, uint32_t peer, const char *name, outbox_t *out)
{
    const char *number = strrchr (name, '-');
    int shard = number ? atoi (number + 1) : NO_SHARD;
    for (size_t slot = 0; slot < USHER_SLOTS && shard != NO_SHARD; slot++)
        if (self->slots [slot].shard == shard)
            self->slots [slot].filling = true;
    usher_msg_t fill = { .id = USHER_MSG_fill };
    outbox_put (out, USHER_LINK_changes, peer, &fill);
}

void
publisher_peer_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    publisher_t *self = arg;
    if (link == USHER_LINK_changes)
        shard_up (self, peer, name, out);
    else if (link == USHER_LINK_snapshots)
        snapshots_forget (self->snapshots, peer);
    else if (link == USHER_LINK_store)
        series_store_up (self->series);
}

void
publisher_peer_down (void *arg, usher_link_id_t link, uint32_t peer)
{
    publisher_t *self = arg;
    if (link == USHER_LINK_snapshots)
        snapshots_forget (self->snapshots, peer);
}

static uint64_t
seq_of (const void *arg, uint32_t slot)
{
    const publisher_t *self = arg;
    return self->slots [slot].seq;
}

bool
publisher_turn (void *arg, usher_time_t now, outbox_t *out)
{
    publisher_t *self = arg;
    self->wall_ms = (uint64_t)now.wall_ms;
    //  First the feed: then what is held and the numbers agree, and a snapshot may say both.
    publish_dirty (self);
    return snapshots_turn (self->snapshots, self->sessions, seq_of, self, out);
}

void
publisher_tick (void *arg, usher_time_t now, outbox_t *out)
{
    publisher_t *self = arg;
    self->wall_ms = (uint64_t)now.wall_ms;
    picture_tick (self->picture, self->wall_ms);
    if (!self->farewell_at_ms)
        series_tick (self->series, picture_aggregates (self->picture), self->wall_ms, slots_filling (self));
    series_send (self->series, now.mono_ms, out);
    if (now.mono_ms < self->tide_at_ms)
        return;
    self->tide_at_ms = now.mono_ms + TIDE_MS;
    publish_dirty (self);
    publish_tide (self, now.wall_ms);
    publish_aggregates (self);
}

bool
publisher_drained (void *arg, usher_time_t now, outbox_t *out)
{
    publisher_t *self = arg;
    publish_dirty (self);
    if (!self->farewell_at_ms) {
        self->farewell_at_ms = now.mono_ms + FAREWELL_MS;
        series_end (self->series, picture_aggregates (self->picture));
    }
    series_send (self->series, now.mono_ms, out);
    return series_waiting (self->series) == 0 || now.mono_ms >= self->farewell_at_ms;
}

void
publisher_metrics (const void *arg, FILE *out)
{
    const publisher_t *self = arg;
    const metric_t rows [] = {
        { "publisher_sessions", METRIC_GAUGE, "Sessions held.", NULL, last_value_total (self->sessions) },
        { "publisher_session_bytes", METRIC_GAUGE, "Bytes of the sessions held.", NULL,
          last_value_bytes (self->sessions) },
        { "publisher_slots_filling", METRIC_GAUGE, "Slots that no shard has filled yet.", NULL,
          slots_filling (self) },
        { "publisher_changes_total", METRIC_COUNTER, "Session messages taken.", NULL, self->accepted },
        { "publisher_stale_total", METRIC_COUNTER, "Messages older than what is held.", NULL, self->stale },
        { "publisher_announced_total", METRIC_COUNTER, "Announcements published.", NULL, self->announced },
        { "publisher_gone_total", METRIC_COUNTER, "Sessions that a new owner did not know.", NULL,
          self->gone },
        { "publisher_frames_total", METRIC_COUNTER, "Frames published.", NULL, self->frames },
        { "publisher_bytes_total", METRIC_COUNTER, "Bytes published.", NULL, self->bytes },
        { "publisher_snapshots_waiting", METRIC_GAUGE, "Snapshot requests being answered.", NULL,
          snapshots_waiting (self->snapshots) },
        { "publisher_spans_waiting", METRIC_GAUGE, "Seconds and minutes that the store has not answered for.",
          NULL, series_waiting (self->series) },
        { "publisher_spans_dropped_total", METRIC_COUNTER, "Spans given up: the store was gone for too long.",
          NULL, series_dropped (self->series) },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
    aggregates_metrics (picture_aggregates (self->picture), out);
}

const last_value_t *
publisher_sessions (const publisher_t *self)
{
    return self->sessions;
}
