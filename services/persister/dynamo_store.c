//  dynamo_store - DynamoDB as the persister has it: what decides, and who carries its requests

#include "dynamo_store.h"
#include "dynamo_http.h"
#include "log.h"

#include <string.h>

bool
dynamo_store_open (dynamo_store_t *self, const dynamo_owner_t *owner, service_t *service,
                   const config_t *config, const char *store_file)
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
    dynamo_store_use (self, owner, &options, &port, store_file);
    log_info ("store opened", "store=dynamodb region=%s endpoint=%s tables=%s,%s", http.region,
              endpoint ? endpoint : "aws", options.tables.events, options.tables.profiles);
    return true;
}

void
dynamo_store_use (dynamo_store_t *self, const dynamo_owner_t *owner, const dynamo_options_t *options,
                  const dynamo_port_t *port, const char *store_file)
{
    buffer_t held = { 0 };
    *self = (dynamo_store_t){ .core = dynamo_new (options, owner), .port = *port };
    dynamo_notes_open (&self->notes, store_file, &held);
    dynamo_notes_recall (self->core, usher_bytes (held.data, held.size));
    buffer_free (&held);
}

//  What is noted is in the file before anything that builds on it leaves.
static void
write_notes (dynamo_store_t *self)
{
    usher_str_t notes;
    bool anew;
    if (dynamo_notes (self->core, &notes, &anew) &&
        !dynamo_notes_write (&self->notes, notes.data, notes.size, anew))
        dynamo_notes_lost (self->core);
}

void
dynamo_store_receive (dynamo_store_t *self, usher_time_t now, outbox_t *out)
{
    dynamo_answer_t answer;
    while (self->port.receive (self->port.self, &answer))
        dynamo_answered (self->core, now, &answer, out);
    write_notes (self);
}

void
dynamo_store_send (dynamo_store_t *self, usher_time_t now)
{
    dynamo_request_t request;
    while (dynamo_next (self->core, now, &request)) {
        write_notes (self);
        self->port.send (self->port.self, &request);
    }
    write_notes (self);
}

void
dynamo_store_close (dynamo_store_t *self)
{
    if (!self->core)
        return;
    self->port.close (self->port.self);
    dynamo_notes_close (&self->notes);
    dynamo_destroy (&self->core);
}
