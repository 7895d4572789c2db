//  web - libwebsockets inside the service loop
//
//  libwebsockets runs on a libuv loop, whose descriptor joins ours: so one thread, one loop.

#ifndef WEB_H
#define WEB_H

#include <libwebsockets.h>
#include "service.h"

typedef struct web web_t;

typedef struct {
    uint16_t port;                            //  0: none
    const struct lws_protocols *protocols;    //  [0] handles HTTP
    const struct lws_http_mount *mounts;      //  static files; NULL none
    const char *name;                         //  of the vhost, for errors
    void *user;                               //  for web_user
} web_listener_t;

//  The user of the listener that a connection came by. (lws_get_vhost_user may name another one: libwebsockets chooses
//  among vhosts by the Host header.)
void *web_user (struct lws *wsi);

//  Listens on all of them. Returns NULL after logging which address could not be had and what to do.
web_t *web_new (service_t *service, const char *bind_address, const web_listener_t *listeners, size_t count);
void web_destroy (web_t **self_p);

//  Stops accepting; open connections go on until they are done.
void web_stop_listening (web_t *self);

#endif
