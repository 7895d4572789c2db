//  gateway_bench - a gateway without sockets, fed with frames of our own

#ifndef GATEWAY_BENCH_H
#define GATEWAY_BENCH_H

#include <jansson.h>

#include "api.h"

typedef struct {
    clients_t *clients;
    mirror_t *mirror;
    uint64_t seqs [USHER_SLOTS];
    int64_t now_ms;
} gateway_bench_t;

//  A gateway whose mirror is complete.
void gateway_begin (gateway_bench_t *self);
void gateway_end (gateway_bench_t *self);

//  A session of a film, no place known.
usher_session_t gateway_session (const char *viewer, const char *session, uint64_t version, uint32_t state);

//  The feed says a message of a slot; a session, a second later.
void gateway_feed (gateway_bench_t *self, uint32_t slot, const usher_msg_t *msg);
void gateway_put (gateway_bench_t *self, usher_session_t session);

#endif
