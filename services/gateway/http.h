//  http - the gateway's ports: HTTP requests, WebSockets, pages
//
//  A thin shell: api.c and pages.c say what is answered, clients.c what is sent next.

#ifndef HTTP_H
#define HTTP_H

#include "api.h"
#include "service.h"

typedef struct http http_t;
struct gateway;

//  Listens on the configured ports. Returns NULL after logging which one could not be had and what to do.
http_t *http_new (service_t *service, const config_t *config, struct gateway *gateway);
void http_destroy (http_t **self_p);

//  There is something new in the ring: whoever has something to get is woken.
void http_wake (http_t *self, int64_t mono_ms);

//  Closes clients that took nothing for too long.
void http_tick (http_t *self, int64_t mono_ms);

//  Answers a request that waited for the store; takes the answer's body.
void http_answer (void *asker, api_answer_t *answer);

//  Stops listening and closes the WebSockets with a reason; connections that are still there.
void http_farewell (http_t *self);
size_t http_connections (const http_t *self);

//  Counters.
uint64_t http_stuck (const http_t *self);
uint64_t http_requests (const http_t *self);

#endif
