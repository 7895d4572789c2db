//  ingester - reads a source, decodes it, routes each event to the shard that owns the viewer, commits what is durable
//
//  in     control slots; journal more; events applied, durable; store position, quarantined
//  out    events batch, event; store positions, commit, quarantine; journal committed
//  keeps  every frame until it is durable; of each partition that it reads where it is and how far it is durable
//  drain  stops reading, waits for the receipts, commits
//  death  costs nothing: the next one reads from the committed position, and positions in the profiles tell replays

#include "ingester.h"
#include "door.h"
#include "lane.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"
#include "partitions.h"
#include "snowplow/decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BAD_MAX = 64 * 1024 * 1024,    //  bytes of bad events that nobody has kept yet; then the source pauses
    FRAMES_MAX = 500000,           //  without a receipt, a hundred bytes each even without theirs; likewise
    CLOCK_MS = 1000,               //  how often a quiet lane carries the clock
    AHEAD_MS = 1000,    //  our time is a turn old: an event so much ahead of it is none of the future
    COMMIT_MS = 200,
    ASK_AGAIN_MS = 2000    //  a store that failed answers nothing
};

struct ingester {
    const config_t *config;
    uint32_t source;
    char *name;
    decoder_t *decoder;
    ingester_commit_fn *commit_fn;    //  NULL: the store keeps the position
    void *commit_arg;
    size_t shards;
    lane_t **lanes;    //  one a shard
    lane_t *quarantine;
    bool mapped, store_up, collector_up, known;
    bool rewind;    //  a shard wants frames that are not kept any more
    uint8_t owners [USHER_SLOTS];
    uint64_t known_generation, known_next;
    partitions_t partitions;    //  those that are read, and the source's clock
    usher_time_t now;
    door_t door;
    int64_t beat_ms, commit_ms, answer_ms, asked_ms;
    ingester_counters_t counters;
};

ingester_t *
ingester_new (const config_t *config, uint32_t source_id, const char *source_name)
{
    ingester_t *self = memory_new (1, sizeof *self);
    self->config = config;
    self->source = source_id;
    self->name = memory_copy (source_name, strlen (source_name));
    self->decoder = decoder_new ();
    door_open (&self->door, config->privacy.pseudonym_key);
    self->shards = config->shards;
    self->lanes = memory_new (self->shards, sizeof (lane_t *));
    for (uint32_t shard = 0; shard < self->shards; shard++)
        self->lanes [shard] = lane_new (USHER_LINK_events, shard);
    self->quarantine = lane_new (USHER_LINK_store, 0);
    return self;
}

void
ingester_destroy (ingester_t **self_p)
{
    ingester_t *self = *self_p;
    if (!self)
        return;
    for (size_t shard = 0; shard < self->shards; shard++)
        lane_destroy (&self->lanes [shard]);
    lane_destroy (&self->quarantine);
    decoder_destroy (&self->decoder);
    free (self->lanes);
    partitions_free (&self->partitions);
    free (self->name);
    free (self);
    *self_p = NULL;
}

const ingester_counters_t *
ingester_counters (const ingester_t *self)
{
    return &self->counters;
}

bool
ingester_collector_up (const ingester_t *self)
{
    return self->collector_up;
}

//  ---- partitions

void
ingester_commit_with (ingester_t *self, ingester_commit_fn *fn, void *arg)
{
    self->commit_fn = fn;
    self->commit_arg = arg;
}

void
ingester_begin (ingester_t *self, uint32_t number, uint64_t generation, uint64_t next)
{
    partitions_begin (&self->partitions, number, generation, next);
}

void
ingester_end (ingester_t *self, uint32_t number)
{
    partitions_end (&self->partitions, number);
}

void
ingester_at_end (ingester_t *self, uint32_t number, uint64_t wall_ms)
{
    partition_t *partition = partitions_find (&self->partitions, number);
    if (partition)
        partitions_note (&self->partitions, partition, wall_ms);
}

//  ---- rows

static void
quarantine (ingester_t *self, const partition_t *partition, const source_row_t *row, const char *reason,
            outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_quarantine };
    msg.quarantine = (usher_quarantine_t){
        .source = self->source,
        .generation = partition->generation,
        .partition = row->partition,
        .offset = row->offset,
        .reason = door_reason (&self->door, row, reason),
        .payload = door_payload (&self->door, row),
    };
    self->counters.quarantined++;
    lane_add_single (self->quarantine, &msg, row->partition, row->offset, out);
}

static void
route (ingester_t *self, partition_t *partition, const source_row_t *row, usher_msg_t *msg, outbox_t *out)
{
    usher_event_t *event = &msg->event;
    event->viewer_id = door_viewer_id (&self->door, event->viewer_id);
    event->source = self->source;
    event->generation = partition->generation;
    event->partition = row->partition;
    event->offset = row->offset;
    //  A collector whose clock runs ahead is no evidence from the future.
    if (self->now.wall_ms > 0 && event->collected_ms > (uint64_t)self->now.wall_ms + AHEAD_MS)
        event->collected_ms = (uint64_t)self->now.wall_ms;
    partitions_note (&self->partitions, partition, event->collected_ms);
    uint32_t shard = self->owners [usher_slot (event->viewer_id)];
    self->counters.routed++;
    lane_add (self->lanes [shard], msg, row->partition, row->offset, self->partitions.clock_ms, out);
}

void
ingester_take (ingester_t *self, const source_row_t *row, outbox_t *out)
{
    partition_t *partition = partitions_find (&self->partitions, row->partition);
    if (!partition || row->offset < partition->next)
        return;    //  not ours any more, or read before
    self->counters.read++;
    partition->next = row->next;
    if (row->bad) {
        quarantine (self, partition, row, row->reason, out);
        return;
    }
    usher_msg_t msg;    //  which the decoder fills
    msg.id = USHER_MSG_event;
    const char *reason = "";
    switch (decode_event (self->decoder, row->data, row->size, &msg.event, &reason)) {
    case DECODE_EVENT:
        route (self, partition, row, &msg, out);
        break;
    case DECODE_PASSED_BY:
        self->counters.passed_by++;
        break;
    case DECODE_BAD:
        quarantine (self, partition, row, reason, out);
        break;
    }
}

size_t
ingester_in_flight (const ingester_t *self)
{
    size_t events = lane_events (self->quarantine);
    for (size_t shard = 0; shard < self->shards; shard++)
        events += lane_events (self->lanes [shard]);
    return events;
}

bool
ingester_wants (const ingester_t *self)
{
    size_t frames = 0;
    for (size_t shard = 0; shard < self->shards; shard++) {
        frames += lane_frames (self->lanes [shard]);
        if (lane_unapplied (self->lanes [shard]) >= self->config->ingester.in_flight_bytes)
            return false;
    }
    return self->partitions.count && self->mapped && frames < FRAMES_MAX &&
           lane_kept (self->quarantine) < BAD_MAX;
}

//  ---- positions

bool
ingester_knows_position (const ingester_t *self, uint64_t *generation, uint64_t *next)
{
    *generation = self->known_generation;
    *next = self->known_next;
    return self->known;
}

static void
positions_ask (ingester_t *self, outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_positions, .positions = { self->source, usher_str (self->name) } };
    outbox_put (out, USHER_LINK_store, 0, &msg);
}

//  The first offset that is not durable everywhere.
static uint64_t
durable_next (const ingester_t *self, const partition_t *partition)
{
    uint64_t next = partition->next;
    for (size_t shard = 0; shard < self->shards; shard++)
        lane_first (self->lanes [shard], partition->number, &next);
    lane_first (self->quarantine, partition->number, &next);
    return next;
}

static void
commit_send (ingester_t *self, const partition_t *partition, outbox_t *out)
{
    if (self->commit_fn) {
        self->commit_fn (self->commit_arg, partition->number, partition->asked);
        return;
    }
    usher_msg_t msg = { .id = USHER_MSG_commit };
    msg.commit = (usher_commit_t){ self->source, usher_str (self->name), partition->generation,
                                   partition->number, partition->asked };
    outbox_put (out, USHER_LINK_store, 0, &msg);
}

void
ingester_commit (ingester_t *self, outbox_t *out)
{
    for (size_t at = 0; at < self->partitions.count; at++) {
        partition_t *partition = &self->partitions.items [at];
        uint64_t next = durable_next (self, partition);
        //  Frames of an earlier assignment may still be under way: never back.
        if ((!self->commit_fn && !self->store_up) || next <= partition->asked)
            continue;
        partition->asked = next;
        commit_send (self, partition, out);
    }
}

//  Whatever was asked and not confirmed is asked again.
static void
asked_forget (ingester_t *self)
{
    for (size_t at = 0; at < self->partitions.count; at++)
        self->partitions.items [at].asked = self->partitions.items [at].committed;
}

//  Only the journal's rows are the collector's to prune; it has one partition.
static void
committed_tell (ingester_t *self, outbox_t *out)
{
    if (self->source != USHER_SOURCE_JOURNAL || !self->collector_up || self->partitions.count == 0 ||
        self->partitions.items [0].committed == 0)
        return;
    usher_msg_t msg = { .id = USHER_MSG_committed,
                        .committed = { self->partitions.items [0].committed - 1 } };
    outbox_put (out, USHER_LINK_journal, 0, &msg);
}

void
ingester_committed (ingester_t *self, uint32_t number, uint64_t next)
{
    partition_t *partition = partitions_find (&self->partitions, number);
    if (partition && next > partition->committed)
        partition->committed = next;
}

static void
on_position (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    ingester_t *self = arg;
    (void)peer;
    self->answer_ms = self->now.mono_ms;
    if (!self->known) {
        self->known = true;
        self->known_generation = msg->position.generation;
        self->known_next = msg->position.next;
    }
    const partition_t *partition = partitions_find (&self->partitions, msg->position.partition);
    if (!partition || msg->position.generation != partition->generation)
        return;
    ingester_committed (self, partition->number, msg->position.next);
    committed_tell (self, out);
}

//  ---- the other side

static void
on_slots (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    ingester_t *self = arg;
    (void)peer, (void)out;
    if (msg->slots.owners.size != USHER_SLOTS || msg->slots.shards != self->shards) {
        log_error ("slot map refused", "shards=%u expected=%zu", msg->slots.shards, self->shards);
        return;
    }
    memcpy (self->owners, msg->slots.owners.data, USHER_SLOTS);
    self->mapped = true;
}

static void
on_applied (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    ingester_t *self = arg;
    (void)out;
    lane_applied (self->lanes [peer], msg->applied.seq);
}

static void
on_durable (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    ingester_t *self = arg;
    (void)out;
    lane_durable (self->lanes [peer], msg->durable.seq);
}

static void
on_quarantined (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    ingester_t *self = arg;
    (void)peer, (void)out;
    self->answer_ms = self->now.mono_ms;
    lane_durable_one (self->quarantine, msg->quarantined.seq);
}

//  The loop wakes for it; the next turn reads.
static void
on_more (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    (void)arg, (void)peer, (void)msg, (void)out;
}

void
ingester_peer_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    ingester_t *self = arg;
    (void)name;
    if (link == USHER_LINK_events)
        self->rewind = !lane_restart (self->lanes [peer], out) || self->rewind;
    if (link == USHER_LINK_journal) {
        self->collector_up = true;
        committed_tell (self, out);
    }
    if (link == USHER_LINK_store) {
        self->store_up = true;
        asked_forget (self);
        if (!self->known)
            positions_ask (self, out);
        lane_restart (self->quarantine, out);
    }
}

//  ---- time

void
ingester_see_time (ingester_t *self, usher_time_t now)
{
    self->now = now;
}

void
ingester_flush (ingester_t *self, usher_time_t now, outbox_t *out)
{
    bool beat = now.mono_ms - self->beat_ms >= CLOCK_MS;
    self->now = now;
    if (beat)
        self->beat_ms = now.mono_ms;
    for (size_t shard = 0; shard < self->shards; shard++)
        lane_flush (self->lanes [shard], self->partitions.clock_ms, beat, out);
    //  A store that is away leaves everything without a receipt: what the shards have applied is not kept for ever.
    for (size_t shard = 0; shard < self->shards; shard++)
        lane_trim (self->lanes [shard], self->config->ingester.keep_bytes / self->shards);
}

bool
ingester_must_rewind (const ingester_t *self)
{
    return self->rewind;
}

//  A commit that was refused, or whose answer is lost, has no answer. Twice the same does no harm.
static void
commit_again (ingester_t *self)
{
    if (!self->commit_fn || self->now.mono_ms - self->asked_ms < ASK_AGAIN_MS)
        return;
    self->asked_ms = self->now.mono_ms;
    asked_forget (self);
}

//  A store that could not write, or not yet, says nothing: what is unanswered for a while is asked again.
static void
ask_again (ingester_t *self, outbox_t *out)
{
    if (!self->store_up || self->now.mono_ms - self->answer_ms < ASK_AGAIN_MS)
        return;
    self->answer_ms = self->now.mono_ms;
    asked_forget (self);
    if (!self->known)
        positions_ask (self, out);
    if (lane_events (self->quarantine))
        lane_restart (self->quarantine, out);
}

void
ingester_tick (void *arg, usher_time_t now, outbox_t *out)
{
    ingester_t *self = arg;
    self->now = now;
    if (now.mono_ms - self->commit_ms < COMMIT_MS)
        return;
    self->commit_ms = now.mono_ms;
    ask_again (self, out);
    commit_again (self);
    ingester_commit (self, out);
}

bool
ingester_idle (const ingester_t *self)
{
    for (size_t at = 0; at < self->partitions.count; at++)
        if (self->partitions.items [at].committed != self->partitions.items [at].next)
            return false;
    return ingester_in_flight (self) == 0;
}

void
ingester_metrics (const void *arg, FILE *out)
{
    const ingester_t *self = arg;
    const metric_t rows [] = {
        { "events_read_total", METRIC_COUNTER, "Rows read from the source.", NULL, self->counters.read },
        { "events_routed_total", METRIC_COUNTER, "Events sent to a shard.", NULL, self->counters.routed },
        { "events_passed_by_total", METRIC_COUNTER, "Sound events that no profile is made of.", NULL,
          self->counters.passed_by },
        { "events_quarantined_total", METRIC_COUNTER, "Events that could not be used.", NULL,
          self->counters.quarantined },
        { "events_in_flight", METRIC_GAUGE, "Events without a receipt.", NULL, ingester_in_flight (self) },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
    partitions_metrics (&self->partitions, out);
}

const service_route_t ingester_routes [] = {
    { USHER_LINK_control, USHER_MSG_slots, on_slots },
    { USHER_LINK_events, USHER_MSG_applied, on_applied },
    { USHER_LINK_events, USHER_MSG_durable, on_durable },
    { USHER_LINK_store, USHER_MSG_position, on_position },
    { USHER_LINK_store, USHER_MSG_quarantined, on_quarantined },
    { USHER_LINK_journal, USHER_MSG_more, on_more },
};
const size_t ingester_route_count = sizeof ingester_routes / sizeof *ingester_routes;
