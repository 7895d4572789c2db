//  service - the part of every process that is the same: options, links, loop, beats, drain
//
//  configure, open, ready, work, drain, close: every process starts and ends in this order. A service drains on
//  SIGTERM, on a drain message, and when its supervisor disappears (its parent dies).
//
//  Command line of every service: NAME --config FILE --dir DIR [--instance N] [--supervised]
//
//  Links. The client of a link connects a DEALER to ipc://RUN/<link> (or <link>-<n>, one per shard for events);
//  the binder owns the ROUTER there. A binder hears nothing from a client before the client's hello has named the
//  binder's incarnation, and both sides are told of each new incarnation of the other by peer_up. Between two
//  peer_up frames arrive once and in order. So after peer_up a service sends again whatever was not answered.

#ifndef SERVICE_H
#define SERVICE_H

#include "config.h"
#include "lot.h"
#include "outbox.h"

typedef struct {
    int64_t wall_ms;    //  Unix time; may step
    int64_t mono_ms;    //  never steps; timers use this one
} usher_time_t;

//  Handles one message. peer says who sent it (see outbox_put).
typedef void (service_handler_fn) (void *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);

typedef struct {
    usher_link_id_t link;
    usher_msg_id_t id;
    service_handler_fn *handler;
} service_route_t;

//  Handles the next messages of a link, in their order; each one's tag is the peer that said it.
typedef void (service_lot_fn) (void *self, const lot_t *lot, outbox_t *out);
typedef void (service_expect_fn) (const void *self, const lot_t *lot);

typedef enum {
    SERVICE_CONNECT,
    SERVICE_CONNECT_SHARDS,
    SERVICE_BIND,
    SERVICE_BIND_INSTANCE,
    SERVICE_PUBLISH,
    SERVICE_SUBSCRIBE
} service_role_t;

typedef struct {
    usher_link_id_t link;
    service_role_t role;
} service_link_t;

//  What the shell gives a service when it opens.
typedef struct service service_t;

typedef struct {
    const char *name;               //  shard
    const service_link_t *links;    //  ends with { 0, 0 } after .count entries
    size_t link_count;
    const service_route_t *routes;    //  what arrives, and who handles it
    size_t route_count;
    //  All that arrives on one link comes in lots, not by routes, and before peers come and go and turn is called. Optional.
    usher_link_id_t lot_link;
    service_lot_fn *lot;
    //  What arrives on this link is handed over by routes, and expect is told of the next messages before. Optional.
    usher_link_id_t expect_link;
    service_expect_fn *expect;

    //  Returns the service's state, or NULL after logging why it refuses to start; exit_code says how to go on.
    void *(*open) (service_t *service, const config_t *config, uint32_t instance, int *exit_code);
    //  A peer is there, for the first time or as a new incarnation. name is as in the roster (shard-0).
    void (*peer_up) (void *self, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out);
    //  A bound peer that was up is gone (replaced, or silent for too long). Optional.
    void (*peer_down) (void *self, usher_link_id_t link, uint32_t peer);
    //  After the messages of one loop turn: the place for batched work. Optional. Returns true to be called again
    //  without waiting for input.
    bool (*turn) (void *self, usher_time_t now, outbox_t *out);
    //  Ten times a second. Optional.
    void (*tick) (void *self, usher_time_t now, outbox_t *out);
    //  Is it caught up? Asked each turn until true; then `ready` goes to the supervisor. NULL: at once.
    bool (*ready) (const void *self);
    //  From the start of a drain each turn: takes no new work; true once all that was taken in is handed on. Optional.
    bool (*drained) (void *self, usher_time_t now, outbox_t *out);
    //  Writes Prometheus text without a process label (the supervisor adds it). Optional.
    void (*metrics) (const void *self, FILE *out);
    //  Writes what people should know of it now, in a sentence for `usher status`; leaves the empty text where there
    //  is nothing. Optional.
    void (*note) (const void *self, char *text, size_t size);
    void (*close) (void **self_p);
} service_spec_t;

//  Exit codes are a promise to the supervisor.
enum { EXIT_DRAINED = 0, EXIT_MISCONFIGURED = 100, EXIT_BUG = 101, EXIT_TRY_AGAIN = 111 };

//  Runs a service until it has drained. Returns the exit code.
int service_main (int argc, char **argv, const service_spec_t *spec);

//  ---- for shells: what faces the world joins the loop through these

usher_time_t service_now (void);

//  Calls fn (arg) from the loop when fd is readable. Returns 0, or -1 when there is no room for another one (16).
int service_watch (service_t *self, int fd, void (*fn) (void *arg), void *arg);

//  Calls fn (arg) before each wait; it returns how many ms the loop may wait at most, -1 for no limit. One per service.
void service_before_wait (service_t *self, int (*fn) (void *arg), void *arg);

//  The service's outbox, for callbacks that a foreign loop makes (a web request). Only inside the loop.
outbox_t *service_outbox (service_t *self);

//  "shard-0" for instance 0 of a service that has instances, else "persister".
const char *service_name (const service_t *self);

//  Another frame on a PUB link, sent at once. topic is a prefix that subscribers filter by.
void service_publish (service_t *self, usher_link_id_t link, const void *topic, size_t topic_size,
                      const void *data, size_t size);

//  Raw frames of a SUB link go here instead of routes, after the topic was taken off.
typedef void (service_feed_fn) (void *arg, const void *topic, size_t topic_size, const void *data,
                                size_t size);
void service_subscribe (service_t *self, usher_link_id_t link, service_feed_fn *fn, void *arg);

//  Has the service begun to drain?
bool service_draining (const service_t *self);

#endif
