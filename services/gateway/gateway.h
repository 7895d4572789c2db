//  gateway - mirrors the feed and serves browsers and API clients
//
//  In:   the feed (SUB); snapshot_slot, session (snapshots); history_row, aggregate_row, erasure (store); metrics (control);
//        HTTP, WebSockets.
//  Out:  snapshot_request (snapshots); history_get, aggregate_get, erase (store); JSON to the world.
//  Keeps the newest message of every live session (mirror), and one ring of texts for all clients.
//  Its drain stops listening and closes its clients with a reason; they come back to the next one.
//  Its death costs its clients a reconnect; it fills itself from the publisher.

#ifndef GATEWAY_H
#define GATEWAY_H

#include "clients.h"
#include "erase.h"
#include "history.h"
#include "service.h"

typedef struct gateway gateway_t;

//  As the service skeleton calls them.
void *gateway_open (service_t *service, const config_t *config, uint32_t instance, int *exit_code);
void gateway_close (void **self_p);
void gateway_snapshot_slot (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void gateway_session (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void gateway_history_row (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void gateway_erasure (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void gateway_aggregate_row (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void gateway_take_metrics (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void gateway_peer_up (void *self, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out);
bool gateway_turn (void *self, usher_time_t now, outbox_t *out);
void gateway_tick (void *self, usher_time_t now, outbox_t *out);
bool gateway_ready (const void *self);
bool gateway_drained (void *self, usher_time_t now, outbox_t *out);
void gateway_metrics (const void *self, FILE *out);

//  What HTTP needs of the gateway.
clients_t *gateway_clients (gateway_t *self);
history_t *gateway_history (gateway_t *self);
erase_t *gateway_erase (gateway_t *self);
outbox_t *gateway_outbox (gateway_t *self);
const char *gateway_all_metrics (const gateway_t *self);

#endif
