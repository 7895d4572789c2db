//  gateway - mirrors the feed and serves browsers and API clients

#include "gateway.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "memory.h"

//  A drain gives the close frames so long to leave.
#define FAREWELL_MS 300

struct gateway {
    service_t *service;
    clients_t *clients;
    mirror_t *mirror;    //  the clients'
    history_t *history;
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
    (void)topic;
    (void)topic_size;
    if (!mirror_frame (self->mirror, data, size, service_now ().mono_ms))
        self->refused_frames++;
}

static void
on_history (void *asker, api_answer_t *answer)
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
    self->history = history_new (on_history);
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
    if (link == USHER_LINK_store)
        history_store_up (self->history, out);
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
    const stats_t *stats = clients_stats (self->clients);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows [] = {
        { "sessions", "gauge", "Sessions held.", last_value_total (sessions) },
        { "session_bytes", "gauge", "Encoded bytes of the sessions held.", last_value_bytes (sessions) },
        { "concurrent_sessions", "gauge", "Sessions that play now.", stats_concurrent_sessions (stats) },
        { "concurrent_viewers", "gauge", "Viewers with a session that plays now.",
          stats_concurrent_viewers (stats) },
        { "slots_doubtful", "gauge", "Slots that wait for a snapshot.", mirror_doubtful (self->mirror) },
        { "feed_frames_total", "counter", "Frames of the feed.", mirror->frames },
        { "feed_duplicates_total", "counter", "Frames that were known already.", mirror->duplicates },
        { "feed_gaps_total", "counter", "Times that a frame was missing.", mirror->gaps },
        { "feed_refused_total", "counter", "Frames that could not be read.", self->refused_frames },
        { "feed_overflows_total", "counter", "Times that too many frames had to be held.",
          mirror->overflows },
        { "snapshots_total", "counter", "Snapshots asked for.", mirror->requests },
        { "messages_total", "counter", "Announcements.", clients->messages },
        { "batches_total", "counter", "Batches of changed viewers.", clients->batches },
        { "viewer_texts_total", "counter", "Texts made of changed viewers.", clients->texts },
        { "client_resets_total", "counter", "Clients that were too slow and started over.", clients->resets },
        { "client_skipped_total", "counter", "Texts that slow clients of /ws never got.", clients->skipped },
        { "clients_ws", "gauge", "Clients of /ws.", clients_count (self->clients, CLIENT_WS) },
        { "clients_live", "gauge", "Clients of /v1/live.", clients_count (self->clients, CLIENT_LIVE) },
        { "clients_stuck_total", "counter", "Clients closed because they took nothing.",
          http_stuck (self->http) },
        { "requests_total", "counter", "HTTP requests.", http_requests (self->http) },
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        fprintf (out,
                 "# HELP usher_gateway_%s %s\n# TYPE usher_gateway_%s %s\nusher_gateway_%s %" PRIu64 "\n",
                 rows [row].name, rows [row].help, rows [row].name, rows [row].type, rows [row].name,
                 rows [row].value);
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
