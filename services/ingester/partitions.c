//  partitions - what is read of a source: where, how far it is durable, and what time it is in each

#include "partitions.h"
#include "memory.h"
#include "metrics.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_MAX = 64 };    //  in the metrics: a beat has a limit

void
partitions_free (partitions_t *self)
{
    free (self->items);
    *self = (partitions_t){ 0 };
}

partition_t *
partitions_find (partitions_t *self, uint32_t number)
{
    if (self->latest < self->count && self->items [self->latest].number == number)
        return &self->items [self->latest];
    for (size_t at = 0; at < self->count; at++)
        if (self->items [at].number == number) {
            self->latest = at;
            return &self->items [at];
        }
    return NULL;
}

static void
clock_settle (partitions_t *self)
{
    uint64_t slowest = self->count ? UINT64_MAX : 0;
    for (size_t at = 0; at < self->count; at++)
        if (self->items [at].clock_ms < slowest)
            slowest = self->items [at].clock_ms;
    if (slowest > self->clock_ms)
        self->clock_ms = slowest;
}

void
partitions_note (partitions_t *self, partition_t *partition, uint64_t evidence_ms)
{
    if (evidence_ms <= partition->clock_ms)
        return;
    bool slowest = partition->clock_ms <= self->clock_ms;
    partition->clock_ms = evidence_ms;
    if (slowest)
        clock_settle (self);
}

void
partitions_begin (partitions_t *self, uint32_t number, uint64_t generation, uint64_t next)
{
    partition_t *partition = partitions_find (self, number);
    if (!partition) {
        self->items = memory_resize (self->items, self->count + 1, sizeof *self->items);
        partition = &self->items [self->count++];
    }
    *partition = (partition_t){ number, generation, next, next, next, 0 };
}

void
partitions_end (partitions_t *self, uint32_t number)
{
    partition_t *partition = partitions_find (self, number);
    if (!partition)
        return;
    *partition = self->items [--self->count];
    clock_settle (self);
}

static void
column_write (const partitions_t *self, const char *name, const char *help, size_t offset, FILE *out)
{
    metric_t rows [TOLD_MAX];
    char labels [TOLD_MAX][32];
    size_t count = 0;
    for (; count < self->count && count < TOLD_MAX; count++) {
        const partition_t *partition = &self->items [count];
        uint64_t value;
        memcpy (&value, (const char *)partition + offset, sizeof value);
        snprintf (labels [count], sizeof labels [count], "partition=\"%u\"", partition->number);
        rows [count] = (metric_t){ name, METRIC_GAUGE, help, labels [count], value };
    }
    metrics_write (rows, count, out);
}

void
partitions_metrics (const partitions_t *self, FILE *out)
{
    column_write (self, "source_next_offset", "First position not read.", offsetof (partition_t, next), out);
    column_write (self, "source_committed_offset", "First position not committed.",
                  offsetof (partition_t, committed), out);
}
