//  control - the link on which services and the usher command talk to the supervisor

#include "control.h"
#include "buffer.h"
#include "link.h"
#include "log.h"
#include "memory.h"

#include <stdlib.h>
#include <sys/random.h>
#include <zmq.h>

struct control {
    void *context;
    link_t *link;
    control_events_t events;
};

static void
on_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name)
{
    control_t *self = arg;
    (void)link;
    self->events.up (self->events.arg, peer, name);
}

static void
on_down (void *arg, usher_link_id_t link, uint32_t peer)
{
    control_t *self = arg;
    (void)link;
    self->events.down (self->events.arg, peer);
}

static void
on_take (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    control_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    usher_error_t error = usher_frame_open (&frame, data, size);
    while (!error && (error = usher_decode (&frame, &msg)) == USHER_OK)
        self->events.take (self->events.arg, peer, &msg);
    if (error != USHER_END)
        log_warning ("frame refused", "link=%s reason=\"%s\"", usher_links [link].name,
                     usher_error_text (error));
}

control_t *
control_new (const config_t *config, int64_t now_ms, const control_events_t *events)
{
    uint64_t incarnation = 0;
    if (getrandom (&incarnation, sizeof incarnation, 0) != sizeof incarnation)
        abort ();
    control_t *self = memory_new (1, sizeof *self);
    link_events_t link_events = { .up = on_up, .down = on_down, .take = on_take, .arg = self };
    self->events = *events;
    self->context = zmq_ctx_new ();
    //  0 means unknown, so it is no incarnation.
    self->link = link_new (self->context, (service_link_t){ USHER_LINK_control, SERVICE_BIND },
                           config->run_dir, "supervisor", 0, config->shards, incarnation | 1, &link_events);
    if (self->link)
        link_tick (self->link, now_ms);
    else
        control_destroy (&self);
    return self;
}

void
control_destroy (control_t **self_p)
{
    control_t *self = *self_p;
    if (!self)
        return;
    link_destroy (&self->link);
    zmq_ctx_term (self->context);
    free (self);
    *self_p = NULL;
}

void *
control_socket (const control_t *self)
{
    void *socket = NULL;
    link_sockets (self->link, &socket, 1);
    return socket;
}

void
control_read (control_t *self)
{
    while (link_read (self->link))
        ;
}

void
control_tick (control_t *self, int64_t now_ms)
{
    link_tick (self->link, now_ms);
}

void
control_send (control_t *self, uint32_t peer, const usher_msg_t *msg)
{
    buffer_t frame = { 0 };
    size_t room = USHER_FRAME_HEAD + usher_encode_bound (msg);
    char *data = buffer_reserve (&frame, room);
    size_t head = usher_frame_begin (data, room), size = usher_encode (msg, data + head, room - head);
    if (size)
        link_send (self->link, peer, data, head + size);
    buffer_free (&frame);
}

void
control_answer (control_t *self, uint32_t peer, usher_outcome_t outcome, const char *text)
{
    usher_msg_t msg = { .id = USHER_MSG_answer, .answer = { outcome, usher_str (text) } };
    control_send (self, peer, &msg);
}
