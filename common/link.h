//  link - one edge between processes: sockets, hello, who is there
//
//  The client says hello with the binder's incarnation as it knows it, 0 at first. The binder answers with its own.
//  A binder hears a client only after a hello that names its own incarnation; so what was still queued for a dead
//  binder is never taken by its successor out of turn, and both sides know the instant from which frames arrive
//  once and in order. An answer with incarnation 0 says: start over.

#ifndef LINK_H
#define LINK_H

#include "service.h"

typedef struct link link_t;

//  What the loop wants to know. up: a peer is there (again); down: a bound one is gone; take: a frame of one that is up.
typedef struct {
    void (*up) (void *arg, usher_link_id_t link, uint32_t peer, const char *name);
    void (*down) (void *arg, usher_link_id_t link, uint32_t peer);
    void (*take) (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size);
    void (*feed) (void *arg, usher_link_id_t link, const void *topic, size_t topic_size, const void *data,
                  size_t size);
    void *arg;
} link_events_t;

//  Opens the sockets of one link. context is the process's ZeroMQ context. Returns NULL after logging why: the
//  path is too long, or another process has bound it.
link_t *link_new (void *context, service_link_t what, const char *run_dir, const char *name,
                  uint32_t instance, uint32_t shards, uint64_t incarnation, const link_events_t *events);
void link_destroy (link_t **self_p);

usher_link_id_t link_id (const link_t *self);

//  The sockets to wait on: at most max are put into sockets. Returns how many there are. They change with link_tick.
size_t link_sockets (const link_t *self, void **sockets, size_t max);

//  Reads what is there, up to a bounded number of frames. Returns true when there may be more.
bool link_read (link_t *self);

//  Says hello when it is time, gives up peers that are silent.
void link_tick (link_t *self, int64_t mono_ms);

//  Sends a frame; a peer that is not up does not get it, and is told what it missed by what follows peer_up.
void link_send (link_t *self, uint32_t peer, const void *data, size_t size);

//  On a PUB link.
void link_publish (link_t *self, const void *topic, size_t topic_size, const void *data, size_t size);

//  Is that peer up?
bool link_is_up (const link_t *self, uint32_t peer);

#endif
