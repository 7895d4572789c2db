//  publisher - one numbered feed and snapshots of all live sessions
//
//  In:   session, announce, filled (changes, from shards); snapshot_request (snapshots, from gateways); aggregate_kept (store).
//  Out:  the feed (see README.md here); fill to shards that are new; snapshot_slot and session to gateways; aggregate_put (store).
//  Keeps the newest message of every live session and what they come to (picture.h), and per slot the last number.
//  Its drain waits for the frames of the current loop turn, and up to a second for the store to take the last second.
//  Its death costs the second that was running: it starts with a new epoch, shards fill it again, gateways ask for snapshots,
//  and the seconds until then are missing or partial in the series.
//
//  Pure: frames leave through a function, time is given.

#ifndef PUBLISHER_H
#define PUBLISHER_H

#include "last_value.h"
#include "service.h"

typedef struct publisher publisher_t;

//  Sends a frame to all subscribers of topic.
typedef void (publisher_publish_fn) (void *arg, const void *topic, size_t topic_size, const void *data,
                                     size_t size);

//  epoch must be larger than that of every publisher before: the wall clock, ms.
publisher_t *publisher_new (uint64_t epoch, publisher_publish_fn *publish, void *arg);

//  As the service skeleton calls them; self is the publisher_t.
void publisher_destroy (void **self_p);
void publisher_changes (void *self, const lot_t *lot, outbox_t *out);
void publisher_snapshot_request (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void publisher_aggregate_kept (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void publisher_peer_up (void *self, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out);
void publisher_peer_down (void *self, usher_link_id_t link, uint32_t peer);
bool publisher_turn (void *self, usher_time_t now, outbox_t *out);
void publisher_tick (void *self, usher_time_t now, outbox_t *out);
bool publisher_drained (void *self, usher_time_t now, outbox_t *out);
void publisher_metrics (const void *self, FILE *out);

//  What it holds, for tests.
const last_value_t *publisher_sessions (const publisher_t *self);

#endif
