//  kafka - a librdkafka configuration made from usher.yaml, for the source in the ingester and the sink in the collector

#ifndef KAFKA_H
#define KAFKA_H

#include "config.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>

//  A property that we set ourselves. why: what hangs on it, for whoever tries to set it to something else; NULL: it is
//  our default only.
typedef struct {
    const char *name, *value, *why;
} kafka_property_t;

//  Makes a configuration: brokers, our own properties, then those of kafka.properties. Returns NULL after writing into
//  reason which property is wrong, and what librdkafka says about it.
rd_kafka_conf_t *kafka_conf_new (const config_t *config, const kafka_property_t *own, size_t own_count,
                                 char *reason, size_t reason_size);

//  A log_cb that writes librdkafka's lines as ours.
void kafka_log (const rd_kafka_t *client, int level, const char *facility, const char *text);

#endif
