//  kafka_stats - what librdkafka's statistics say about the partitions that we read

#include "kafka_stats.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int64_t
number (const json_t *object, const char *key)
{
    const json_t *value = json_object_get (object, key);
    return json_is_integer (value) ? json_integer_value (value) : -1;
}

static const json_t *
broker_find (const json_t *brokers, int64_t id)
{
    void *at = json_object_iter ((json_t *)(uintptr_t)brokers);
    while (at && number (json_object_iter_value (at), "nodeid") != id)
        at = json_object_iter_next ((json_t *)(uintptr_t)brokers, at);
    return at ? json_object_iter_value (at) : NULL;
}

static bool
is_up (const json_t *broker)
{
    const char *state = json_string_value (json_object_get (broker, "state"));
    return state && strcmp (state, "UP") == 0;
}

static kafka_partition_stats_t
partition_read (const json_t *brokers, const json_t *partition)
{
    const json_t *leader = broker_find (brokers, number (partition, "leader"));
    int64_t idle_us = leader ? number (leader, "rxidle") : -1;
    return (kafka_partition_stats_t){
        .partition = (uint32_t)number (partition, "partition"),
        .lag = number (partition, "consumer_lag"),
        .leader_up = leader && is_up (leader),
        .idle_ms = idle_us < 0 ? -1 : idle_us / 1000,
    };
}

void
kafka_stats_read (const char *json, uint64_t size, const char *topic, kafka_stats_t *stats,
                  void (*take) (void *arg, const kafka_partition_stats_t *partition), void *arg)
{
    *stats = (kafka_stats_t){ 0 };
    json_t *root = json_loadb (json, size, 0, NULL);
    json_t *brokers = json_object_get (root, "brokers");
    json_t *partitions =
        json_object_get (json_object_get (json_object_get (root, "topics"), topic), "partitions");
    const char *name;
    json_t *value;
    json_object_foreach (brokers, name, value) stats->brokers_up +=
        number (value, "nodeid") >= 0 && is_up (value);
    json_object_foreach (partitions, name, value)
    {
        if (number (value, "partition") < 0)
            continue;    //  the row of what has no partition
        int64_t count = number (value, "fetchq_cnt"), bytes = number (value, "fetchq_size");
        stats->queued += count > 0 ? (uint64_t)count : 0;
        stats->queued_bytes += bytes > 0 ? (uint64_t)bytes : 0;
        kafka_partition_stats_t partition = partition_read (brokers, value);
        take (arg, &partition);
    }
    json_decref (root);
}
