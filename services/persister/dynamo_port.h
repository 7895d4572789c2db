//  dynamo_port - who carries requests to DynamoDB: dynamo_http.c over the network, tests in memory

#ifndef DYNAMO_PORT_H
#define DYNAMO_PORT_H

#include "dynamo.h"

typedef struct {
    void *self;
    //  Sends a request. Its body stays valid until its answer has been received.
    void (*send) (void *self, const dynamo_request_t *request);
    //  The next answer that has come, valid until the next call. False: none.
    bool (*receive) (void *self, dynamo_answer_t *answer);
    void (*close) (void *self);
} dynamo_port_t;

#endif
