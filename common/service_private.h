//  service_private - what service.c, which runs a service, and service_start.c, which starts and ends one, share

#ifndef SERVICE_PRIVATE_H
#define SERVICE_PRIVATE_H

#include "link.h"
#include "service.h"

#include <sys/types.h>

enum { SERVICE_LINKS = 8, SERVICE_WATCHES = 16, SERVICE_MESSAGE_IDS = 128 };

typedef struct {
    int fd;
    void (*fn) (void *arg);
    void *arg;
} service_watch_t;

struct service {
    const service_spec_t *spec;
    config_t *config;
    char name [64 + 1];
    uint32_t instance;
    bool supervised, trace;
    pid_t parent;
    void *context;
    void *state;
    outbox_t *outbox;
    uint64_t incarnation;
    size_t link_count;
    link_t *links [SERVICE_LINKS];
    size_t watch_count;
    service_watch_t watches [SERVICE_WATCHES];
    int (*before_wait) (void *arg);
    void *before_wait_arg;
    service_feed_fn *feed;
    void *feed_arg;
    int signals;
    bool ready, draining, again;
    int64_t drain_ms, beat_ms, tick_ms;
    uint64_t frames_in, frames_out, messages_in, refused;
    service_handler_fn *handlers [USHER_LINKS][SERVICE_MESSAGE_IDS];
    lot_t lot, expected;    //  of the links that have them
};

//  Where the outbox sends. arg is the service.
void service_send (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size);

//  Opens the links of the spec, and control where there is a supervisor. False when one cannot be opened, which was logged.
bool service_links_open (service_t *self);

//  Runs until all is drained. Returns the exit code.
int service_loop (service_t *self);

#endif
