//  kafka_stats - what librdkafka's statistics say about the partitions that we read

#ifndef KAFKA_STATS_H
#define KAFKA_STATS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t partition;
    int64_t lag;        //  events that are there and not read; negative: unknown
    bool leader_up;     //  its leader is connected
    int64_t idle_ms;    //  since the leader said something; negative: it never did
} kafka_partition_stats_t;

typedef struct {
    uint64_t queued, queued_bytes;    //  fetched and not read
    uint32_t brokers_up;
} kafka_stats_t;

//  Reads the JSON text, which need not be sound. Calls take for each partition of the topic.
void kafka_stats_read (const char *json, uint64_t size, const char *topic, kafka_stats_t *stats,
                       void (*take) (void *arg, const kafka_partition_stats_t *partition), void *arg);

#endif
