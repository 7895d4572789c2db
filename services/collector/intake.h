//  intake - the collector's HTTP side: requests read whole, answers held back until they may go
//
//  libmicrohttpd gives us heads and bodies, in chunks or not; answer.c says what to reply. A request that carries
//  events is handed to `take` under a ticket, and its answer waits until intake_release tells that what was taken is
//  durable, or lost; meanwhile the connection is not read, so what a client sends ahead stays in its socket. A client
//  that goes away loses its answer, nothing else.

#ifndef INTAKE_H_INCLUDED
#define INTAKE_H_INCLUDED

#include "answer.h"
#include "service.h"
#include "snowplow/tracker.h"

//  Bodies that are being read, of all clients together; more get a 503.
#define INTAKE_BODIES_MAX_BYTES (256u * 1024 * 1024)

typedef struct intake intake_t;

//  Takes one whole request; everything but the names of the programs, the masks and uuid_new is filled in. Tickets
//  are 1, 2, 3... False: it could not be taken, so it is answered with a 503.
typedef bool (intake_take_fn) (void *arg, const tracker_request_t *request, uint64_t ticket);

typedef struct {
    const char *bind_address;
    uint16_t port;
    uint32_t max_connections;
    answer_rules_t rules;    //  its strings outlive the intake
    intake_take_fn *take;
    void *arg;
} intake_options_t;

//  Writes a fresh random UUID, version 4.
void intake_uuid (void *arg, char uuid [37]);

//  Listens. Returns NULL after logging why not.
intake_t *intake_new (service_t *service, const intake_options_t *options);
void intake_destroy (intake_t **self_p);

//  Let the answers up to and with this ticket go: as promised, or as 503.
void intake_release (intake_t *self, uint64_t through, bool durable);

//  What /health says.
void intake_set_healthy (intake_t *self, bool healthy);

//  Take no more connections. Returns whether the answers to all requests that had begun are gone.
bool intake_drain (intake_t *self);

typedef struct {
    uint64_t answered_2xx, answered_4xx, answered_5xx;
    uint64_t body_bytes;    //  being read now
} intake_counters_t;

intake_counters_t intake_counters (const intake_t *self);

#endif
