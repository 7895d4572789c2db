//  shard_bench - a shard with a store that answers when it is told to, for tests

#include "shard_bench.h"
#include "shard_hand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
ask (shard_bench_t *self, const usher_msg_t *msg)
{
    bool load = msg->id == USHER_MSG_load;
    usher_str_t viewer_id = load ? msg->load.viewer_id : msg->write.viewer_id;
    if (self->asked_count == SHARD_BENCH_ASKED)
        abort ();
    shard_bench_asked_t *asked = &self->asked [self->asked_count++];
    *asked = (shard_bench_asked_t){ .id = msg->id };
    snprintf (asked->viewer_id, sizeof asked->viewer_id, "%.*s", (int)viewer_id.size, viewer_id.data);
    if (!load) {
        self->profile_size = msg->write.profile.size;
        memcpy (self->profile, msg->write.profile.data, self->profile_size);
        asked->epoch = msg->write.epoch;
        asked->version = msg->write.version;
    }
}

static void
sent (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    shard_bench_t *self = arg;
    (void)peer;
    usher_frame_t frame;
    usher_msg_t msg;
    usher_frame_open (&frame, data, size);
    while (usher_decode (&frame, &msg) == USHER_OK) {
        if (msg.id == USHER_MSG_applied)
            self->applied = msg.applied.seq;
        if (msg.id == USHER_MSG_durable)
            self->durable = msg.durable.seq;
        self->rows += msg.id == USHER_MSG_history;
        if (msg.id == USHER_MSG_load || msg.id == USHER_MSG_write)
            ask (self, &msg);
        if (link == USHER_LINK_changes && self->told)
            self->told (self->told_arg, &msg);
    }
}

void
shard_bench_hand (shard_bench_t *self, usher_link_id_t link, const usher_msg_t *msg)
{
    shard_hand (self->shard, link, msg, self->out);
    outbox_flush (self->out);
}

void
shard_bench_begin (shard_bench_t *self, uint64_t unwritten_bytes)
{
    *self = (shard_bench_t){ .now = { SHARD_BENCH_START_MS, 1000 },
                             .config.shard = { .checkpoint_s = 300,
                                               .forget_s = 3600,
                                               .paused_timeout_s = 1800,
                                               .feed_soft_s = 10,
                                               .awake_viewers = 1,
                                               .unwritten_bytes = unwritten_bytes } };
    self->shard = shard_new (&self->config, 0, self->now);
    self->out = outbox_new (sent, self);
    shard_peer_up (self->shard, USHER_LINK_store, 0, "persister", self->out);
    shard_peer_up (self->shard, USHER_LINK_changes, 0, "publisher", self->out);
    shard_peer_up (self->shard, USHER_LINK_events, 0, "ingester", self->out);
    static const char owners [USHER_SLOTS];
    usher_msg_t msg = { .id = USHER_MSG_slots, .slots = { 1, 1, usher_bytes (owners, sizeof owners) } };
    shard_bench_hand (self, USHER_LINK_control, &msg);
    msg = (usher_msg_t){ .id = USHER_MSG_granted, .granted = { 7 } };
    shard_bench_hand (self, USHER_LINK_store, &msg);
    msg = (usher_msg_t){ .id = USHER_MSG_live_page, .live_page = { .last = 1 } };
    shard_bench_hand (self, USHER_LINK_store, &msg);
    msg = (usher_msg_t){ .id = USHER_MSG_fill };
    shard_bench_hand (self, USHER_LINK_changes, &msg);
    shard_bench_turn (self, 0);
}

void
shard_bench_end (shard_bench_t *self)
{
    shard_destroy (&self->shard);
    outbox_destroy (&self->out);
}

void
shard_bench_batch (shard_bench_t *self, uint64_t seq, uint64_t clock_ms)
{
    usher_msg_t msg = { .id = USHER_MSG_batch, .batch = { seq, clock_ms } };
    shard_bench_hand (self, USHER_LINK_events, &msg);
}

void
shard_bench_event (shard_bench_t *self, const char *viewer_id, usher_event_kind_t kind, uint64_t after_ms,
                   uint64_t offset)
{
    char event_id [40];
    usher_msg_t msg = { .id = USHER_MSG_event };
    snprintf (event_id, sizeof event_id, "5b6c1c3e-0000-4000-8000-%012llu", (unsigned long long)offset);
    msg.event.viewer_id = usher_str (viewer_id);
    msg.event.session_id = usher_str ("session");
    msg.event.event_id = usher_str (event_id);
    msg.event.kind = kind;
    msg.event.collected_ms = SHARD_BENCH_START_MS + after_ms;
    msg.event.offset = offset;
    shard_bench_hand (self, USHER_LINK_events, &msg);
}

void
shard_bench_turn (shard_bench_t *self, int64_t later_ms)
{
    self->now.mono_ms += later_ms;
    self->now.wall_ms += later_ms;
    shard_turn (self->shard, self->now, self->out);
    shard_tick (self->shard, self->now, self->out);
    outbox_flush (self->out);
}

size_t
shard_bench_answer (shard_bench_t *self)
{
    shard_bench_asked_t asked [SHARD_BENCH_ASKED];
    size_t count = self->asked_count;
    memcpy (asked, self->asked, count * sizeof *asked);
    self->asked_count = 0;
    for (size_t at = 0; at < count; at++) {
        usher_str_t viewer_id = usher_str (asked [at].viewer_id);
        usher_msg_t msg = { .id = USHER_MSG_loaded, .loaded = { .viewer_id = viewer_id } };
        if (asked [at].id == USHER_MSG_write)
            msg = (usher_msg_t){ .id = USHER_MSG_written,
                                 .written = { viewer_id, asked [at].epoch, asked [at].version,
                                              USHER_outcome_done, at + 1 } };
        shard_bench_hand (self, USHER_LINK_store, &msg);
    }
    return count;
}

size_t
shard_bench_unwritten (const shard_bench_t *self)
{
    size_t bytes = 0, cursor = 0;
    for (seat_t *seat; (seat = roll_next (self->shard->roll, &cursor));)
        bytes += shard_unwritten_of (roll_wake (self->shard->roll, seat));
    return bytes;
}
