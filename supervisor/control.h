//  control - the link on which services and the usher command talk to the supervisor
//
//  Peers are numbered by the link; what a peer's number means is the caller's business.

#ifndef CONTROL_H
#define CONTROL_H

#include "config.h"
#include "message.h"

typedef struct control control_t;

//  A peer is there (again); is gone; has sent a message, whose strings live during the call.
typedef struct {
    void (*up) (void *arg, uint32_t peer, const char *name);
    void (*down) (void *arg, uint32_t peer);
    void (*take) (void *arg, uint32_t peer, const usher_msg_t *msg);
    void *arg;
} control_events_t;

//  Binds in the configuration's run_dir. Returns NULL after logging why it cannot.
control_t *control_new (const config_t *config, int64_t now_ms, const control_events_t *events);
void control_destroy (control_t **self_p);

//  The ZeroMQ socket to wait on.
void *control_socket (const control_t *self);

//  Reads all that is there.
void control_read (control_t *self);

//  Gives up silent peers. Once a second.
void control_tick (control_t *self, int64_t now_ms);

//  Sends a message in a frame of its own; a peer that is not there does not get it.
void control_send (control_t *self, uint32_t peer, const usher_msg_t *msg);
void control_answer (control_t *self, uint32_t peer, usher_outcome_t outcome, const char *text);

#endif
