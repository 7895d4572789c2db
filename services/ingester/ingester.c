//  ingester - reads a source, decodes it, routes each event to the shard that owns the viewer, commits what is durable
//
//  in     control slots; journal more; events applied, durable; store position, quarantined
//  out    events batch, event; store positions, commit, quarantine; journal committed
//  keeps  every frame until it is durable
//  drain  stops reading, waits for the receipts, commits
//  death  costs nothing: the next one reads from the committed position, and positions in the profiles tell replays

#include "ingester.h"
#include "keyed_digest.h"
#include "lane.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"
#include "snowplow/decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEPT_MAX = 64 * 1024 * 1024,    //  bytes without a receipt; then the source pauses
    CLOCK_MS = 1000,                //  how often a quiet lane carries the clock
    AHEAD_MS = 1000,    //  our time is a turn old: an event so much ahead of it is none of the future
    COMMIT_MS = 200,
    ASK_AGAIN_MS = 2000,     //  a store that failed answers nothing
    REASON_MAX = 1024,       //  limits of quarantine.reason and .payload
    PAYLOAD_MAX = 1048576    //  bytes of a bad event that are kept
};

struct ingester {
    const config_t *config;
    uint32_t source;
    char *name;
    decoder_t *decoder;
    size_t shards;
    lane_t **lanes;    //  one a shard
    lane_t *quarantine;
    bool mapped, store_up, collector_up, known, begun;
    uint8_t owners [USHER_SLOTS];
    uint64_t known_generation, known_next;
    uint64_t generation, next;    //  of the source; first offset not read
    uint64_t asked, committed;    //  positions
    uint64_t clock_ms;
    usher_time_t now;
    usher_str_t key;    //  of pseudonyms; empty: viewer ids stay what they are
    char pseudonym [KEYED_DIGEST_HEX + 1];
    int64_t beat_ms, commit_ms, answer_ms;
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
    self->key = usher_str (config->privacy.pseudonym_key ? config->privacy.pseudonym_key : "");
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

//  ---- the door

//  Behind this no raw viewer id is seen.
static void
pseudonymise (ingester_t *self, usher_event_t *event)
{
    if (!self->key.size)
        return;
    keyed_digest_hex (self->key, event->viewer_id, self->pseudonym);
    event->viewer_id = usher_str (self->pseudonym);
}

//  What may be kept of a bad event. It may say in any way whose it is, so with pseudonyms only what tells whether it
//  is the same as another one. text is room for that.
static usher_str_t
payload_kept (ingester_t *self, const source_row_t *row, char *text, size_t size)
{
    if (!self->key.size)
        return usher_bytes (row->data, row->size < PAYLOAD_MAX ? row->size : PAYLOAD_MAX);
    keyed_digest_hex (self->key, usher_bytes (row->data, row->size), self->pseudonym);
    snprintf (text, size, "%zu bytes, HMAC-SHA256 %s", row->size, self->pseudonym);
    return usher_str (text);
}

//  What is wrong, and where, as far as it quotes nothing of the event: values stand last, behind a colon. What the
//  collector refused begins with the kind of failure.
static usher_str_t
reason_kept (const ingester_t *self, const source_row_t *row, const char *reason)
{
    const char *end = self->key.size ? strstr (reason, ": ") : NULL;
    if (end && !row->bad)
        end = strstr (end + 1, ": ");
    size_t size = end ? (size_t)(end - reason) : strlen (reason);
    return usher_bytes (reason, size < REASON_MAX ? size : REASON_MAX);
}

//  ---- rows

static void
quarantine (ingester_t *self, const source_row_t *row, const char *reason, outbox_t *out)
{
    char text [128];
    usher_msg_t msg = { .id = USHER_MSG_quarantine };
    msg.quarantine = (usher_quarantine_t){
        .source = self->source,
        .generation = self->generation,
        .partition = row->partition,
        .offset = row->offset,
        .reason = reason_kept (self, row, reason),
        .payload = payload_kept (self, row, text, sizeof text),
    };
    self->counters.quarantined++;
    lane_add_single (self->quarantine, &msg, row->partition, row->offset, out);
}

static void
route (ingester_t *self, const source_row_t *row, usher_msg_t *msg, outbox_t *out)
{
    usher_event_t *event = &msg->event;
    pseudonymise (self, event);
    event->source = self->source;
    event->generation = self->generation;
    event->partition = row->partition;
    event->offset = row->offset;
    //  A collector whose clock runs ahead is no evidence from the future.
    if (self->now.wall_ms > 0 && event->collected_ms > (uint64_t)self->now.wall_ms + AHEAD_MS)
        event->collected_ms = (uint64_t)self->now.wall_ms;
    if (event->collected_ms > self->clock_ms)
        self->clock_ms = event->collected_ms;
    uint32_t shard = self->owners [usher_slot (event->viewer_id)];
    self->counters.routed++;
    lane_add (self->lanes [shard], msg, row->partition, row->offset, self->clock_ms, out);
}

void
ingester_take (ingester_t *self, const source_row_t *row, outbox_t *out)
{
    self->counters.read++;
    self->next = row->next;
    if (row->bad) {
        quarantine (self, row, row->reason, out);
        return;
    }
    usher_msg_t msg = { .id = USHER_MSG_event };
    const char *reason = "";
    switch (decode_event (self->decoder, row->data, row->size, &msg.event, &reason)) {
    case DECODE_EVENT:
        route (self, row, &msg, out);
        break;
    case DECODE_PASSED_BY:
        self->counters.passed_by++;
        break;
    case DECODE_BAD:
        quarantine (self, row, reason, out);
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
    size_t kept = lane_kept (self->quarantine);
    for (size_t shard = 0; shard < self->shards; shard++) {
        kept += lane_kept (self->lanes [shard]);
        if (lane_unapplied (self->lanes [shard]) >= self->config->ingester.in_flight_bytes)
            return false;
    }
    return self->begun && self->mapped && kept < KEPT_MAX;
}

//  ---- positions

bool
ingester_knows_position (const ingester_t *self, uint64_t *generation, uint64_t *next)
{
    *generation = self->known_generation;
    *next = self->known_next;
    return self->known;
}

void
ingester_begin (ingester_t *self, uint64_t generation, uint64_t next)
{
    self->begun = true;
    self->generation = generation;
    self->next = self->asked = self->committed = next;
}

void
ingester_at_end (ingester_t *self, usher_time_t now)
{
    if (now.wall_ms > 0 && (uint64_t)now.wall_ms > self->clock_ms)
        self->clock_ms = (uint64_t)now.wall_ms;
}

static void
positions_ask (ingester_t *self, outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_positions, .positions = { self->source, usher_str (self->name) } };
    outbox_put (out, USHER_LINK_store, 0, &msg);
}

//  The first offset that is not durable everywhere.
static uint64_t
durable_next (const ingester_t *self)
{
    uint64_t next = self->next;
    for (size_t shard = 0; shard < self->shards; shard++)
        lane_first (self->lanes [shard], 0, &next);
    lane_first (self->quarantine, 0, &next);
    return next;
}

static void
commit (ingester_t *self, outbox_t *out)
{
    uint64_t next = durable_next (self);
    if (!self->begun || !self->store_up || next == self->asked)
        return;
    self->asked = next;
    usher_msg_t msg = { .id = USHER_MSG_commit };
    msg.commit = (usher_commit_t){ self->source, usher_str (self->name), self->generation, 0, next };
    outbox_put (out, USHER_LINK_store, 0, &msg);
}

//  Only the journal's rows are the collector's to prune.
static void
committed_tell (ingester_t *self, outbox_t *out)
{
    if (self->source != USHER_SOURCE_JOURNAL || !self->collector_up || self->committed == 0)
        return;
    usher_msg_t msg = { .id = USHER_MSG_committed, .committed = { self->committed - 1 } };
    outbox_put (out, USHER_LINK_journal, 0, &msg);
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
    if (!self->begun || msg->position.generation != self->generation || msg->position.next <= self->committed)
        return;
    self->committed = msg->position.next;
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
        lane_restart (self->lanes [peer], out);
    if (link == USHER_LINK_journal) {
        self->collector_up = true;
        committed_tell (self, out);
    }
    if (link == USHER_LINK_store) {
        self->store_up = true;
        self->asked = self->committed;
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
        lane_flush (self->lanes [shard], self->clock_ms, beat, out);
}

//  A store that could not write, or not yet, says nothing: what is unanswered for a while is asked again.
static void
ask_again (ingester_t *self, outbox_t *out)
{
    if (!self->store_up || self->now.mono_ms - self->answer_ms < ASK_AGAIN_MS)
        return;
    self->answer_ms = self->now.mono_ms;
    self->asked = self->committed;
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
    commit (self, out);
}

bool
ingester_idle (const ingester_t *self)
{
    return !self->begun || (ingester_in_flight (self) == 0 && self->committed == self->next);
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
        { "source_next_offset", METRIC_GAUGE, "First position not read.", NULL, self->next },
        { "source_committed_offset", METRIC_GAUGE, "First position not committed.", NULL, self->committed },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
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
