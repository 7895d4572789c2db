//  shard - hosts the viewer actors of its slots
//
//  in     control slots; events batch, event; store granted, loaded, live_page, written, forget; changes fill
//  out    events applied, durable; store claim, load, load_live, write with its history, forgotten; changes session,
//         announce, filled
//  keeps  every live viewer's profile, with at most one write of it in flight
//  drain  until everything applied is written and acknowledged
//  death  costs the soft facts since the last checkpoint; the ingester sends again what had no receipt, and the
//         profiles' positions keep that from counting twice

#include "shard_private.h"
#include "memory.h"
#include "metrics.h"

#include <stdlib.h>

enum {
    PACE_MS = 1000,    //  over so long it is measured
    PACE_MAX = 8
};

shard_t *
shard_new (const config_t *config, uint32_t number, usher_time_t now)
{
    shard_t *self = memory_new (1, sizeof *self);
    self->config = config;
    self->number = number;
    self->now = now;
    self->pace = 1;
    self->roll = roll_new (shard_actor_due, self);
    self->wheel = wheel_new ();
    self->receipts = receipts_new ();
    return self;
}

void
shard_destroy (shard_t **self_p)
{
    shard_t *self = *self_p;
    if (!self)
        return;
    roll_destroy (&self->roll);
    wheel_destroy (&self->wheel);
    receipts_destroy (&self->receipts);
    backlog_free (&self->backlog);
    free (self);
    *self_p = NULL;
}

const shard_counters_t *
shard_counters (const shard_t *self)
{
    return &self->counters;
}

bool
shard_is_stale (const shard_t *self)
{
    return self->stale;
}

//  ---- the service

//  What it sent and has no receipt for comes again, of this ingester or the next.
static void
ingester_begin (shard_t *self, uint32_t peer)
{
    receipts_open (self->receipts, peer);
    shard_frames_forget (self, peer);
}

void
shard_peer_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    shard_t *self = arg;
    (void)name;
    self->out = out;
    if (link == USHER_LINK_events)
        ingester_begin (self, peer);
    if (link == USHER_LINK_changes) {
        self->publisher_up = true;
        self->publisher_full = self->filling = false;
    }
    if (link == USHER_LINK_store) {
        self->store_up = true;
        shard_store_begin (self);
    }
}

void
shard_peer_down (void *arg, usher_link_id_t link, uint32_t peer)
{
    shard_t *self = arg;
    if (link == USHER_LINK_events)
        ingester_begin (self, peer);
}

static void
receipt_tell (void *arg, uint32_t peer, usher_msg_id_t id, uint64_t seq)
{
    shard_t *self = arg;
    usher_msg_t msg = { .id = id };
    if (id == USHER_MSG_applied)
        msg.applied.seq = seq;
    else
        msg.durable.seq = seq;
    outbox_put (self->out, USHER_LINK_events, peer, &msg);
}

//  In a backlog the source's clock races.
static void
pace_measure (shard_t *self)
{
    int64_t passed_ms = self->now.mono_ms - self->pace_mono_ms;
    if (passed_ms < PACE_MS)
        return;
    //  The first time it is not the clock that has moved: it was unknown.
    uint64_t moved_ms = self->pace_clock_ms ? self->clock_ms - self->pace_clock_ms : 0;
    uint64_t pace = moved_ms / (uint64_t)passed_ms;
    self->pace = pace < 1 ? 1 : pace > PACE_MAX ? PACE_MAX : pace;
    self->pace_clock_ms = self->clock_ms;
    self->pace_mono_ms = self->now.mono_ms;
}

//  Most deadlines have moved later when they come up. Who sleeps need not wake up to say so.
static void
seat_look (shard_t *self, seat_t *seat)
{
    uint64_t due_ms = seat->asleep ? shard_look_at (self, roll_due (seat)) : 0;
    if (due_ms > self->clock_ms && due_ms < ROLL_NEVER)
        wheel_put (self->wheel, &seat->node, due_ms);
    else
        shard_actor_look (self, roll_wake (self->roll, seat));
}

//  Looks at some of those who are due. Returns whether there were any.
static bool
seats_look (shard_t *self)
{
    roll_ahead_t ahead;
    ahead.count = 0;
    for (wheel_node_t *node; ahead.count < LOT_MESSAGES && (node = wheel_due (self->wheel, self->clock_ms));)
        roll_ahead_seat_add (&ahead, (seat_t *)node);
    roll_ahead_begin (&ahead);
    for (size_t at = 0; at < ahead.count; at++) {
        roll_ahead_next (&ahead, at);
        seat_look (self, ahead.seats [at]);
    }
    return ahead.count > 0;
}

bool
shard_turn (void *arg, usher_time_t now, outbox_t *out)
{
    shard_t *self = arg;
    self->now = now;
    self->out = out;
    pace_measure (self);
    while (self->live_loaded && seats_look (self))
        ;
    //  The live ones first, or the publisher would take the unloaded ones for gone.
    if (self->filling && self->live_loaded)
        shard_fill_some (self);
    bool more = shard_frames_let_in (self);
    roll_doze (self->roll, (uint64_t)now.mono_ms, self->config->shard.awake_viewers);
    receipts_report (self->receipts, receipt_tell, self);
    return more || (self->filling && self->live_loaded);
}

void
shard_tick (void *arg, usher_time_t now, outbox_t *out)
{
    shard_t *self = arg;
    self->now = now;
    self->out = out;
    if (now.mono_ms - self->retry_ms < SHARD_RETRY_MS)
        return;
    self->retry_ms = now.mono_ms;
    shard_claim (self);    //  unless it was granted
    shard_pause_tell (self);
    shard_partial_tick (self);
    if (!self->retry)
        return;
    self->retry = false;
    shard_writes_send_again (self);
}

bool
shard_ready (const void *arg)
{
    const shard_t *self = arg;
    return self->live_loaded;
}

//  Everything that was applied goes out, soft facts too.
bool
shard_drained (void *arg, usher_time_t now, outbox_t *out)
{
    shard_t *self = arg;
    self->now = now;
    self->out = out;
    if (self->epoch == 0)
        return true;
    size_t cursor = 0;
    for (seat_t *seat; self->dirty && (seat = roll_next (self->roll, &cursor));)
        if (!seat->asleep || roll_due (seat).checkpoint_ms)
            shard_write_start (self, roll_wake (self->roll, seat));
    receipts_report (self->receipts, receipt_tell, self);
    return self->dirty == 0 && self->writes_in_flight == 0;
}

void
shard_metrics (const void *arg, FILE *out)
{
    const shard_t *self = arg;
    const shard_counters_t *counters = &self->counters;
    const metric_t rows [] = {
        { "events_applied_total", METRIC_COUNTER, "Events that changed a profile.", NULL, counters->applied },
        { "events_asleep_total", METRIC_COUNTER, "Events among those that left their viewer asleep.", NULL,
          counters->asleep },
        { "events_duplicate_total", METRIC_COUNTER, "Events that were applied before.", NULL,
          counters->duplicate },
        { "events_late_total", METRIC_COUNTER,
          "Events behind the reordering window; only totals were raised.", NULL, counters->late },
        { "events_erased_total", METRIC_COUNTER,
          "Events of erased viewers that were collected before the erasure.", NULL, counters->erased },
        { "events_held", METRIC_GAUGE, "Events that wait for their viewer to be loaded.", NULL,
          counters->held },
        { "frames_out_of_turn_total", METRIC_COUNTER, "Frames refused because one before them is missing.",
          NULL, counters->frames_refused },
        { "profile_writes_total", METRIC_COUNTER, "Profile writes sent to the store.", NULL,
          counters->writes },
        { "profile_writes_refused_total", METRIC_COUNTER, "Profile writes that met another row.", NULL,
          counters->refused },
        { "profile_loads_total", METRIC_COUNTER, "Profiles asked of the store.", NULL, counters->loads },
        { "sessions_lost_total", METRIC_COUNTER, "Sessions that fell silent.", NULL, counters->lost },
        { "sessions_failed_total", METRIC_COUNTER, "Sessions that failed after an error.", NULL,
          counters->failed },
        { "viewers_in_memory", METRIC_GAUGE, "Viewer actors.", NULL, roll_count (self->roll) },
        { "viewers_awake", METRIC_GAUGE, "Viewer actors that are not packed as bytes.", NULL,
          roll_awake (self->roll) },
        { "viewers_partial", METRIC_GAUGE,
          "Viewers shown as far as the events say that wait for their profile.", NULL, self->partials },
        { "writes_in_flight", METRIC_GAUGE, "Profile writes without an answer.", NULL,
          self->writes_in_flight },
        { "unwritten_bytes", METRIC_GAUGE,
          "Bytes that wait for the store: history, writes without an answer, events whose viewer is not "
          "loaded.",
          NULL, self->unwritten },
        { "source_paused", METRIC_GAUGE,
          "1 while more of them wait than shard.unwritten_bytes, and the sources pause.", NULL,
          self->paused },
        { "source_pauses_total", METRIC_COUNTER, "How often the sources had to pause.", NULL, self->pauses },
        { "events_outside_bytes", METRIC_GAUGE, "Bytes of events that came in a pause and wait for its end.",
          NULL, self->backlog.bytes },
        { "source_clock_milliseconds", METRIC_GAUGE, "The source's clock, Unix milliseconds.", NULL,
          self->clock_ms },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
}

const service_route_t shard_routes [] = {
    { USHER_LINK_control, USHER_MSG_slots, shard_on_slots },
    { USHER_LINK_store, USHER_MSG_granted, shard_on_granted },
    { USHER_LINK_store, USHER_MSG_loaded, shard_on_loaded },
    { USHER_LINK_store, USHER_MSG_live_page, shard_on_live_page },
    { USHER_LINK_store, USHER_MSG_written, shard_on_written },
    { USHER_LINK_store, USHER_MSG_forget, shard_on_forget },
    { USHER_LINK_changes, USHER_MSG_fill, shard_on_fill },
};
const size_t shard_route_count = sizeof shard_routes / sizeof *shard_routes;

const service_link_t shard_links [] = {
    { USHER_LINK_events, SERVICE_BIND_INSTANCE },
    { USHER_LINK_store, SERVICE_CONNECT },
    { USHER_LINK_changes, SERVICE_CONNECT },
};
const size_t shard_link_count = sizeof shard_links / sizeof *shard_links;
