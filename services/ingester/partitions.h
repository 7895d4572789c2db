//  partitions - what is read of a source: where, how far it is durable, and what time it is in each
//
//  A viewer's next event may wait in any partition, so the slowest one tells the source's time.

#ifndef PARTITIONS_H
#define PARTITIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    uint32_t number;
    uint64_t generation;
    uint64_t next;                //  first offset not read
    uint64_t asked, committed;    //  positions: asked to be kept, and kept
    uint64_t clock_ms;            //  newest evidence; 0: none yet
} partition_t;

//  Starts as all zeros.
typedef struct {
    size_t count;
    partition_t *items;
    size_t latest;        //  index of the one found last: rows come in runs of one partition
    uint64_t clock_ms;    //  of the slowest; never goes back
} partitions_t;

void partitions_free (partitions_t *self);

//  Returns NULL for one that is not read. Valid until the next begin or end.
partition_t *partitions_find (partitions_t *self, uint32_t number);

//  Reads a partition from next on, anew if it is read already.
void partitions_begin (partitions_t *self, uint32_t number, uint64_t generation, uint64_t next);
void partitions_end (partitions_t *self, uint32_t number);

//  Evidence that the partition's time is evidence_ms at least.
void partitions_note (partitions_t *self, partition_t *partition, uint64_t evidence_ms);

//  Writes Prometheus text for the first 64 of them.
void partitions_metrics (const partitions_t *self, FILE *out);

#endif
