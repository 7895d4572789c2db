//  dynamo_store - DynamoDB as the persister has it: what decides, and who carries its requests

#include "dynamo_store.h"
#include "dynamo_http.h"
#include "log.h"

#include <string.h>

bool
dynamo_store_open (dynamo_store_t *self, const dynamo_owner_t *owner, service_t *service,
                   const config_t *config)
{
    char why [512];
    dynamo_port_t port;
    const char *endpoint = *config->store.endpoint ? config->store.endpoint : NULL;
    const dynamo_http_options_t http = { config->store.region, endpoint, config->store.connections };
    const dynamo_options_t options = { .tables = { config->store.events_table, config->store.profiles_table },
                                       .create_tables = strcmp (config->store.create_tables, "yes") == 0,
                                       .connections = config->store.connections,
                                       .seed = (uint64_t)service_now ().mono_ms };
    if (!dynamo_http_open (&port, service, &http, why, sizeof why)) {
        log_error ("store refused", "store=dynamodb reason=\"%s\"", why);
        return false;
    }
    dynamo_store_use (self, owner, &options, &port);
    log_info ("store opened", "store=dynamodb region=%s endpoint=%s tables=%s,%s", http.region,
              endpoint ? endpoint : "aws", options.tables.events, options.tables.profiles);
    return true;
}

void
dynamo_store_use (dynamo_store_t *self, const dynamo_owner_t *owner, const dynamo_options_t *options,
                  const dynamo_port_t *port)
{
    *self = (dynamo_store_t){ dynamo_new (options, owner), *port };
}

void
dynamo_store_receive (dynamo_store_t *self, usher_time_t now, outbox_t *out)
{
    dynamo_answer_t answer;
    while (self->port.receive (self->port.self, &answer))
        dynamo_answered (self->core, now, &answer, out);
}

void
dynamo_store_send (dynamo_store_t *self, usher_time_t now)
{
    dynamo_request_t request;
    while (dynamo_next (self->core, now, &request))
        self->port.send (self->port.self, &request);
}

void
dynamo_store_close (dynamo_store_t *self)
{
    if (!self->core)
        return;
    self->port.close (self->port.self);
    dynamo_destroy (&self->core);
}
