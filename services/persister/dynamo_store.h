//  dynamo_store - DynamoDB as the persister has it: what decides, and who carries its requests

#ifndef DYNAMO_STORE_H
#define DYNAMO_STORE_H

#include "dynamo_notes.h"
#include "dynamo_port.h"

typedef struct {
    dynamo_t *core;    //  NULL: profiles and history are in store.db
    dynamo_port_t port;
    dynamo_notes_t notes;
} dynamo_store_t;

//  Opens it as config says, over the network; its notes are beside the file of the store. Returns false after saying which setting cannot be used.
bool dynamo_store_open (dynamo_store_t *self, const dynamo_owner_t *owner, service_t *service,
                        const config_t *config, const char *store_file);

//  Opens it over any port, which is closed with it.
void dynamo_store_use (dynamo_store_t *self, const dynamo_owner_t *owner, const dynamo_options_t *options,
                       const dynamo_port_t *port, const char *store_file);

//  Takes the answers that have come.
void dynamo_store_receive (dynamo_store_t *self, usher_time_t now, outbox_t *out);

//  Sends what may go now.
void dynamo_store_send (dynamo_store_t *self, usher_time_t now);

void dynamo_store_close (dynamo_store_t *self);

#endif
