//  dynamo_http - carries requests to DynamoDB over the network: libcurl, signed, on connections that are kept

#ifndef DYNAMO_HTTP_H
#define DYNAMO_HTTP_H

#include "dynamo_port.h"

typedef struct {
    const char *region, *endpoint;    //  endpoint NULL: AWS's own in the region
    uint32_t connections;
} dynamo_http_options_t;

//  Joins the service's loop; keys come from the environment (aws_credentials.h). Returns false with a line for people in
//  why when something is set that cannot be used.
bool dynamo_http_open (dynamo_port_t *port, service_t *service, const dynamo_http_options_t *options,
                       char *why, size_t size);

#endif
