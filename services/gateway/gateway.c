//  gateway - mirrors the feed and serves browsers and API clients

#include "gateway.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "memory.h"
#include "metrics.h"

//  A drain gives the close frames so long to leave.
#define FAREWELL_MS 300

struct gateway {
    service_t *service;
    clients_t *clients;
    mirror_t *mirror;    //  the clients'
    history_t *history;
    erase_t *erase;
    http_t *http;
    bool has_publisher;
    char *metrics;
    uint64_t refused_frames;
    int64_t farewell_ms;    //  mono; 0 not draining
};

static void
on_feed (void *arg, const void *topic, size_t topic_size, const void *data, size_t size)
{
    gateway_t *self = arg;
    bool aggregates = topic_size == 1 && *(const char *)topic == 'a';
    //  Only the tide is asked when it came; the time is dear where it is asked with each frame.
    int64_t mono_ms = topic_size == 1 ? service_now ().mono_ms : 0;
    bool good = aggregates ? stats_take (clients_stats (self->clients), data, size)
                           : mirror_frame (self->mirror, data, size, mono_ms);
    self->refused_frames += !good;
}

//  Of history and of erase.
static void
on_answer (void *asker, api_answer_t *answer)
{
    http_answer (asker, answer);
}

void *
gateway_open (service_t *service, const config_t *config, uint32_t instance, int *exit_code)
{
    (void)instance;
    gateway_t *self = memory_new (1, sizeof *self);
    self->service = service;
    self->clients = clients_new ();
    self->mirror = clients_mirror (self->clients);
    self->history = history_new (on_answer);
    self->erase = erase_new (on_answer);
    self->metrics = memory_copy ("", 0);
    self->http = http_new (service, config, self);
    if (!self->http) {
        //  The line that says why is written.
        void *gone = self;
        gateway_close (&gone);
        *exit_code = EXIT_TRY_AGAIN;
        return NULL;
    }
    service_subscribe (service, USHER_LINK_feed, on_feed, self);
    return self;
}

void
gateway_close (void **self_p)
{
    gateway_t *self = *self_p;
    if (!self)
        return;
    http_destroy (&self->http);
    history_destroy (&self->history);
    erase_destroy (&self->erase);
    clients_destroy (&self->clients);
    free (self->metrics);
    free (self);
    *self_p = NULL;
}

//  ---- messages

void
gateway_snapshot_slot (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    gateway_t *self = arg;
    (void)peer;
    (void)out;
    mirror_snapshot_slot (self->mirror, &msg->snapshot_slot, service_now ().mono_ms);
}

void
gateway_session (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    gateway_t *self = arg;
    (void)peer;
    (void)out;
    mirror_session (self->mirror, &msg->session);
}

void
gateway_history_row (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    gateway_t *self = arg;
    (void)peer;
    (void)out;
    history_row (self->history, &msg->history_row);
}

void
gateway_erasure (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    gateway_t *self = arg;
    (void)peer;
    (void)out;
    erase_answer (self->erase, &msg->erasure);
}

void
gateway_aggregate_row (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    gateway_t *self = arg;
    (void)peer;
    (void)out;
    history_aggregate_row (self->history, &msg->aggregate_row);
}

void
gateway_take_metrics (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    gateway_t *self = arg;
    (void)peer;
    (void)out;
    free (self->metrics);
    self->metrics = memory_copy (msg->metrics.text.data, msg->metrics.text.size);
}

void
gateway_peer_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    gateway_t *self = arg;
    (void)peer;
    (void)name;
    if (link == USHER_LINK_store) {
        history_store_up (self->history, out);
        erase_store_up (self->erase, out);
    }
    if (link != USHER_LINK_snapshots)
        return;
    self->has_publisher = true;
    mirror_publisher_up (self->mirror);
}

//  ---- the loop

bool
gateway_turn (void *arg, usher_time_t now, outbox_t *out)
{
    gateway_t *self = arg;
    usher_msg_t msg;
    mirror_settle (self->mirror);
    if (self->has_publisher && mirror_wants (self->mirror, now.mono_ms, &msg))
        outbox_put (out, USHER_LINK_snapshots, 0, &msg);
    if (clients_turn (self->clients, now.mono_ms))
        http_wake (self->http, now.mono_ms);
    return false;
}

void
gateway_tick (void *arg, usher_time_t now, outbox_t *out)
{
    gateway_t *self = arg;
    (void)out;
    if (clients_tick (self->clients, now.mono_ms, now.wall_ms))
        http_wake (self->http, now.mono_ms);
    history_tick (self->history, now.mono_ms);
    erase_tick (self->erase, now.mono_ms);
    http_tick (self->http, now.mono_ms);
}

bool
gateway_ready (const void *arg)
{
    const gateway_t *self = arg;
    return mirror_complete (self->mirror);
}

bool
gateway_drained (void *arg, usher_time_t now, outbox_t *out)
{
    gateway_t *self = arg;
    (void)out;
    if (!self->farewell_ms) {
        self->farewell_ms = now.mono_ms;
        http_farewell (self->http);
    }
    return http_connections (self->http) == 0 || now.mono_ms - self->farewell_ms >= FAREWELL_MS;
}

void
gateway_metrics (const void *arg, FILE *out)
{
    const gateway_t *self = arg;
    const mirror_counts_t *mirror = mirror_counts (self->mirror);
    const clients_counts_t *clients = clients_counts (self->clients);
    const last_value_t *sessions = mirror_sessions (self->mirror);
    const metric_t rows [] = {
        { "gateway_sessions", METRIC_GAUGE, "Sessions held.", NULL, last_value_total (sessions) },
        { "gateway_session_bytes", METRIC_GAUGE, "Bytes of the sessions held.", NULL,
          last_value_bytes (sessions) },
        { "gateway_slots_doubtful", METRIC_GAUGE, "Slots that wait for a snapshot.", NULL,
          mirror_doubtful (self->mirror) },
        { "gateway_feed_frames_total", METRIC_COUNTER, "Frames of the feed.", NULL, mirror->frames },
        { "gateway_feed_duplicates_total", METRIC_COUNTER, "Frames that were known already.", NULL,
          mirror->duplicates },
        { "gateway_feed_gaps_total", METRIC_COUNTER, "Times that a frame was missing.", NULL, mirror->gaps },
        { "gateway_feed_refused_total", METRIC_COUNTER, "Frames that could not be read.", NULL,
          self->refused_frames },
        { "gateway_feed_overflows_total", METRIC_COUNTER, "Times that too many frames had to be held.", NULL,
          mirror->overflows },
        { "gateway_snapshots_total", METRIC_COUNTER, "Snapshots asked for.", NULL, mirror->requests },
        { "gateway_messages_total", METRIC_COUNTER, "Announcements.", NULL, clients->messages },
        { "gateway_batches_total", METRIC_COUNTER, "Batches of changed viewers.", NULL, clients->batches },
        { "gateway_viewer_texts_total", METRIC_COUNTER, "Texts made of changed viewers.", NULL,
          clients->texts },
        { "gateway_client_resets_total", METRIC_COUNTER, "Clients that were too slow and started over.", NULL,
          clients->resets },
        { "gateway_client_skipped_total", METRIC_COUNTER, "Texts that slow clients of /ws never got.", NULL,
          clients->skipped },
        { "gateway_clients_ws", METRIC_GAUGE, "Clients of /ws.", NULL,
          clients_count (self->clients, CLIENT_WS) },
        { "gateway_clients_live", METRIC_GAUGE, "Clients of /v1/live.", NULL,
          clients_count (self->clients, CLIENT_LIVE) },
        { "gateway_clients_stuck_total", METRIC_COUNTER, "Clients closed because they took nothing.", NULL,
          http_stuck (self->http) },
        { "gateway_requests_total", METRIC_COUNTER, "HTTP requests.", NULL, http_requests (self->http) },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
}

//  ---- what HTTP needs

clients_t *
gateway_clients (gateway_t *self)
{
    return self->clients;
}

history_t *
gateway_history (gateway_t *self)
{
    return self->history;
}

erase_t *
gateway_erase (gateway_t *self)
{
    return self->erase;
}

outbox_t *
gateway_outbox (gateway_t *self)
{
    return service_outbox (self->service);
}

const char *
gateway_all_metrics (const gateway_t *self)
{
    return self->metrics;
}
