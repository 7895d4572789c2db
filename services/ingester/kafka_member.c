//  kafka_member - who we are in the consumer group, and what is not left to librdkafka

#include "source_kafka_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

//  Static membership: who comes back under its name within the session timeout gets its partitions back, and nobody
//  else is disturbed. Two houses on one host differ by their data.
static void
member_name (const config_t *config, char *name, size_t size)
{
    char host [128] = "";
    gethostname (host, sizeof host - 1);
    if (*config->kafka.member)
        snprintf (name, size, "%s", config->kafka.member);
    else
        snprintf (name, size, "usher-%s-%08x", host,
                  (unsigned)XXH32 (config->data_dir, strlen (config->data_dir), 0));
}

rd_kafka_conf_t *
kafka_member_conf (const config_t *config, char *reason, size_t reason_size)
{
    char member [256];
    member_name (config, member, sizeof member);
    const kafka_property_t own [] = {
        { "group.id", config->kafka.group, "kafka.group says it" },
        { "group.instance.id", member, "kafka.member says it" },
        { "client.id", "usher-ingester", NULL },
        { "enable.auto.commit", "false", "an offset is committed when its events are durable" },
        { "enable.auto.offset.store", "false", "an offset is committed when its events are durable" },
        { "auto.offset.reset", "error", "kafka.start and kafka.out_of_range say it" },
        { "enable.partition.eof", "true", "silence counts only at the end of a partition" },
        { "partition.assignment.strategy", "range", "librdkafka 2.0 can loop with cooperative-sticky" },
        { "log.queue", "true", "its lines are ours" },
        { "reconnect.backoff.max.ms", "1000", NULL },
        { "statistics.interval.ms", "1000", NULL },
        { "queued.min.messages", "1000000", NULL },
        { "queued.max.messages.kbytes", "131072", NULL },
        //  By 1 MiB at a time the broker works nearly twice as much.
        { "fetch.message.max.bytes", "4194304", NULL },
        { "topic.metadata.refresh.interval.ms", "10000", NULL },
    };
    return kafka_conf_new (config, own, sizeof own / sizeof *own, reason, reason_size);
}
