//  persister - the only process that knows the store

#ifndef PERSISTER_H
#define PERSISTER_H

#include "dynamo_port.h"
#include "store.h"

typedef struct persister persister_t;

//  For service_main.
extern const service_spec_t persister_service;

//  Should the turn of the loop that is over not end the transaction, as turn_gathers says? Asked once a turn.
bool persister_gathers (persister_t *self, usher_time_t now);

//  For how long, in ms, nobody needs to ask that again unless something comes; -1 while nothing is gathered.
int persister_gather_ms (const persister_t *self);

//  ---- for tests and the simulator: the service without its shell

//  Opens the store in directory. Rows of the quarantine are kept for expire_days, tombstones for tombstone_days.
//  Returns NULL as store_new does.
persister_t *persister_new (const char *directory, uint32_t expire_days, uint32_t tombstone_days,
                            usher_time_t now, store_opening_t *opening, char *why, size_t why_size);

//  Forgets what was not committed, as a crash would.
void persister_destroy (persister_t **self_p);

//  Puts profiles, history and epochs into DynamoDB, which port leads to and which is closed with the persister.
void persister_use_dynamo (persister_t *self, const dynamo_options_t *options, const dynamo_port_t *port);

//  Its store, to break it.
store_t *persister_store (persister_t *self);

#endif
