//  kafka_begin - from which offset a partition is read, and whether it still is the log that we knew
//
//  With each offset we commit a note of ours: the generation of the partition's log, and the cluster's id. A partition
//  that comes back empty, shorter or from another cluster is a new generation, so nothing in it is taken for a replay.

#ifndef KAFKA_BEGIN_H
#define KAFKA_BEGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KAFKA_NOTE_MAX 160

//  Offsets as the brokers tell them. low is the first one that is there, high the one that comes next.
typedef struct {
    int64_t committed;    //  of the group; negative: none
    const char *note;     //  committed with it; need not end with 0
    size_t note_size;
    int64_t low, high;
    int64_t read;    //  by this process up to here; negative: never
    const char *cluster;
} kafka_facts_t;

typedef enum { KAFKA_EARLIEST, KAFKA_LATEST, KAFKA_STOP } kafka_policy_t;

//  "earliest", "latest", "stop".
kafka_policy_t kafka_policy (const char *word);

typedef struct {
    bool stop;    //  do not read it
    int64_t next;
    uint64_t generation;
    bool note_is_new;     //  commit it before the first event is taken
    const char *alarm;    //  what is wrong, in words; NULL: nothing
} kafka_begin_t;

//  fresh: a random number that is not 0, the generation if a new one is needed.
kafka_begin_t kafka_begin (const kafka_facts_t *facts, kafka_policy_t start, kafka_policy_t out_of_range,
                           uint64_t fresh);

//  The note that goes with every commit.
void kafka_note_write (char note [KAFKA_NOTE_MAX], uint64_t generation, const char *cluster);

#endif
