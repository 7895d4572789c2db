//  source_kafka_private - what the files of the Kafka source share
//
//  source_kafka.c has the phases, what happens and the messages; kafka_position.c where partitions begin, with the answers of
//  kafka_begin.c; kafka_member.c who we are in the group.

#ifndef SOURCE_KAFKA_PRIVATE_H
#define SOURCE_KAFKA_PRIVATE_H

#include "source.h"
#include "kafka.h"
#include "kafka_stats.h"
#include "kafka_watch.h"

enum {
    KAFKA_ASK_MS = 2000,    //  how long brokers may take to answer while we wait; the watchdog waits for 10 s
    KAFKA_RETRY_MS = 1000,    //  until they are asked again
    KAFKA_LOOK_MS = 500       //  how long they may take where we read all the while
};

typedef enum { IDLE, POSITIONING, NOTING, READING, RELEASING } phase_t;

typedef struct {
    uint32_t number;
    bool mine, reading, stopped;
    bool was_read;    //  by this process
    bool at_end;      //  read up to what the leader said was the end
    int64_t next;     //  first offset not read, once it is chosen
    int64_t end;      //  told when it was read up to there: behind next, where markers of transactions are
    kafka_watch_t watch;
    int64_t lag;    //  negative: unknown
    uint64_t generation;
} kafka_partition_t;

struct source {
    const config_t *config;
    char *topic, *cluster;
    rd_kafka_t *client;
    rd_kafka_queue_t *fetched, *happened;
    int bell;
    source_reader_t reader;
    phase_t phase;
    bool handing_over;    //  the group waits for what we release
    int64_t due_ms;       //  mono: positions are asked for, or the release ends
    usher_time_t now;
    size_t partition_count;
    kafka_partition_t *partitions;               //  those that are or were ours
    kafka_partition_t *latest;                   //  that the last message came from
    rd_kafka_topic_partition_list_t *commits;    //  to be sent, when the one that is under way was answered
    bool committing;                             //  one is under way
    source_take_fn *take;                        //  of the call that is under way
    void *take_arg;
    int budget;
    rd_kafka_resp_err_t error_said;    //  the last one that was logged, and when
    int64_t error_said_ms;
    bool stats_known;
    kafka_stats_t stats;
    uint64_t rebalances, lost, alarms, backwards, stalls, commit_count, commit_errors, errors;
};

//  ---- kafka_position

//  Returns NULL for a partition that was never ours.
kafka_partition_t *kafka_partition_find (source_t *self, uint32_t number);

//  Makes it where it is not there.
kafka_partition_t *kafka_partition_get (source_t *self, uint32_t number);

//  One try to find out where all our partitions begin. Then the phase is READING, or NOTING where that has to be committed first.
void kafka_position (source_t *self);

//  What has to be committed before anything is read was answered: reads, or positions again.
void kafka_noted (source_t *self, rd_kafka_resp_err_t error);

//  Has an offset committed with the next commit, in place of one that still waits for that.
void kafka_commit_add (source_t *self, const kafka_partition_t *partition, int64_t offset);

//  Looks after one partition from which nothing came for a while. Returns whether it stands still and all are to be begun anew.
bool kafka_stands_still (source_t *self);

//  Tells the reader that nothing is read any more. What still waits to be committed is dropped.
void kafka_reading_end (source_t *self);

//  The same, and no partition is ours.
void kafka_partitions_leave (source_t *self);

//  ---- kafka_member

//  Our configuration as a member of the group. Returns NULL after writing what is wrong into reason.
rd_kafka_conf_t *kafka_member_conf (const config_t *config, char *reason, size_t reason_size);

#endif
