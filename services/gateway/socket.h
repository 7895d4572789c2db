//  socket - one WebSocket of a browser: /ws or /v1/live

#ifndef SOCKET_H
#define SOCKET_H

#include <libwebsockets.h>

#include "clients.h"

//  Inbound messages may have so many bytes.
#define SOCKET_IN_BYTES 65536

typedef struct socket_list socket_list_t;

//  Lives in libwebsockets' memory for the connection, all zeros at first.
typedef struct socket {
    struct lws *wsi;
    socket_list_t *list;
    client_t *client;
    buffer_t in;
    unsigned close_status;    //  0: stays open
    const char *close_reason;
    struct socket *before, *after;
} socket_t;

//  All sockets of the gateway.
struct socket_list {
    clients_t *clients;
    socket_t *first;
    size_t count;
    uint64_t stuck;
    buffer_t text, frame;    //  scratch
};

//  A connection was upgraded, or is gone.
void socket_open (socket_list_t *list, socket_t *self, struct lws *wsi, client_kind_t kind);
void socket_close (socket_t *self);

//  Both return what the libwebsockets callback returns: -1 closes.
int socket_receive (socket_t *self, const void *data, size_t size);
int socket_writable (socket_t *self, int64_t mono_ms, int64_t wall_ms);

//  Asks for the sockets that have something to get; closes those that are stuck; closes all.
void sockets_wake (socket_list_t *list, int64_t mono_ms);
void sockets_tick (socket_list_t *list, int64_t mono_ms);
void sockets_farewell (socket_list_t *list);

#endif
