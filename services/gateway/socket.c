//  socket - one WebSocket of a browser: /ws or /v1/live

#include "socket.h"

#include <string.h>
#include <sys/socket.h>

#include "log.h"

//  Frames written before other sockets get their turn.
#define BURST 64
//  What the kernel may hold for one client.
#define SEND_BYTES 262144

void
socket_open (socket_list_t *list, socket_t *self, struct lws *wsi, client_kind_t kind)
{
    int bytes = SEND_BYTES;
    setsockopt (lws_get_socket_fd (wsi), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    *self = (socket_t){ .wsi = wsi, .list = list, .after = list->first };
    self->client = clients_add (list->clients, kind);
    if (list->first)
        list->first->before = self;
    list->first = self;
    list->count++;
}

void
socket_close (socket_t *self)
{
    if (!self->list)
        return;
    if (self->before)
        self->before->after = self->after;
    else
        self->list->first = self->after;
    if (self->after)
        self->after->before = self->before;
    self->list->count--;
    clients_remove (self->list->clients, &self->client);
    buffer_free (&self->in);
    self->list = NULL;
}

//  Ends the connection from within a callback.
static int
bye (socket_t *self, unsigned status, const char *reason)
{
    lws_close_reason (self->wsi, (enum lws_close_status)status, (unsigned char *)(uintptr_t)reason,
                      strlen (reason));
    return -1;
}

//  ---- in

int
socket_receive (socket_t *self, const void *data, size_t size)
{
    if (self->in.size + size > SOCKET_IN_BYTES)
        return bye (self, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "a message may have 65536 bytes");
    buffer_add (&self->in, data, size);
    if (!lws_is_final_fragment (self->wsi) || lws_remaining_packet_payload (self->wsi))
        return 0;
    const char *wrong = clients_subscribe (self->list->clients, self->client, self->in.data, self->in.size);
    buffer_free (&self->in);
    if (wrong)
        return bye (self, LWS_CLOSE_STATUS_POLICY_VIOLATION, wrong);
    lws_callback_on_writable (self->wsi);
    return 0;
}

//  ---- out

static int
write_text (socket_list_t *list, struct lws *wsi)
{
    buffer_clear (&list->frame, 1 << 20);
    buffer_reserve (&list->frame, LWS_PRE);
    list->frame.size = LWS_PRE;
    buffer_add (&list->frame, list->text.data, list->text.size);
    return lws_write (wsi, (unsigned char *)list->frame.data + LWS_PRE, list->text.size, LWS_WRITE_TEXT);
}

int
socket_writable (socket_t *self, int64_t mono_ms, int64_t wall_ms)
{
    socket_list_t *list = self->list;
    if (self->close_status)
        return bye (self, self->close_status, self->close_reason);
    clients_took (self->client);
    for (int count = 0; count < BURST && !lws_send_pipe_choked (self->wsi); count++) {
        buffer_clear (&list->text, 1 << 20);
        if (!clients_next (list->clients, self->client, wall_ms, &list->text))
            break;
        if (write_text (list, self->wsi) < 0)
            return -1;
    }
    if (clients_has_next (list->clients, self->client) || lws_partial_buffered (self->wsi)) {
        clients_waits (self->client, mono_ms);
        lws_callback_on_writable (self->wsi);
    }
    return 0;
}

//  ---- all

void
sockets_wake (socket_list_t *list, int64_t mono_ms)
{
    for (socket_t *self = list->first; self; self = self->after)
        if (clients_has_next (list->clients, self->client)) {
            clients_waits (self->client, mono_ms);
            lws_callback_on_writable (self->wsi);
        }
}

void
sockets_tick (socket_list_t *list, int64_t mono_ms)
{
    for (socket_t *self = list->first, *after; self; self = after) {
        after = self->after;
        if (self->close_status || !clients_is_stuck (self->client, mono_ms))
            continue;
        list->stuck++;
        log_info ("client closed", "reason=\"took nothing for 30 s\" clients=%zu", list->count);
        self->close_status = LWS_CLOSE_STATUS_POLICY_VIOLATION;
        //  It would take no close frame either: the connection is reset, what is queued for it is dropped.
        const struct linger now = { .l_onoff = 1, .l_linger = 0 };
        setsockopt (lws_get_socket_fd (self->wsi), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        shutdown (lws_get_socket_fd (self->wsi), SHUT_RDWR);
        lws_set_timeout (self->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
    }
}

void
sockets_farewell (socket_list_t *list)
{
    for (socket_t *self = list->first; self; self = self->after) {
        self->close_status = LWS_CLOSE_STATUS_GOINGAWAY;
        self->close_reason = "restarting: come back";
        lws_callback_on_writable (self->wsi);
    }
}
