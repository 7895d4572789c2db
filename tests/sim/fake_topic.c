//  fake_topic - what source_kafka does for the ingester, over rows in memory, with the trouble that a group has

#include "fake_topic.h"
#include "memory.h"

#include <stdlib.h>

enum { PARTITIONS = 3, ROWS_PER_TURN = 7, LOST_ONE_IN = 100, REFUSED_ONE_IN = 5, LATE_ONE_IN = 3 };

typedef struct {
    uint64_t next;         //  to be read
    uint64_t committed;    //  as the brokers have it
    uint64_t asked;        //  a commit under way; 0: none
} partition_t;

struct fake_topic {
    const world_row_t *rows;
    size_t row_count;
    ingester_t *ingester;
    bool assigned;
    partition_t partitions [PARTITIONS];
};

fake_topic_t *
fake_topic_new (const world_row_t *rows, size_t row_count)
{
    fake_topic_t *self = memory_new (1, sizeof *self);
    self->rows = rows;
    self->row_count = row_count;
    return self;
}

void
fake_topic_destroy (fake_topic_t **self_p)
{
    free (*self_p);
    *self_p = NULL;
}

static void
on_commit (void *arg, uint32_t partition, uint64_t next)
{
    fake_topic_t *self = arg;
    self->partitions [partition].asked = next;
}

void
fake_topic_join (fake_topic_t *self, ingester_t *ingester)
{
    self->ingester = ingester;
    self->assigned = false;
    for (size_t at = 0; at < PARTITIONS; at++)
        self->partitions [at].asked = 0;
    ingester_commit_with (ingester, on_commit, self);
}

static uint64_t
size_of (const fake_topic_t *self, uint32_t number)
{
    return (self->row_count + PARTITIONS - 1 - number) / PARTITIONS;
}

static void
assign (fake_topic_t *self)
{
    self->assigned = true;
    for (uint32_t number = 0; number < PARTITIONS; number++) {
        self->partitions [number].next = self->partitions [number].committed;
        ingester_begin (self->ingester, number, 100 + number, self->partitions [number].next);
    }
}

//  Somebody else might read them now: nothing that was asked counts any more.
static void
lose (fake_topic_t *self)
{
    self->assigned = false;
    for (uint32_t number = 0; number < PARTITIONS; number++) {
        self->partitions [number].asked = 0;
        ingester_end (self->ingester, number);
    }
}

static void
commit_settle (fake_topic_t *self, world_t *world, uint32_t number, bool faults)
{
    partition_t *partition = &self->partitions [number];
    if (partition->asked == 0 || world_random (world, LATE_ONE_IN) == 0)
        return;
    if (!faults || world_random (world, REFUSED_ONE_IN)) {
        partition->committed = partition->asked;
        ingester_committed (self->ingester, number, partition->asked);
    }
    partition->asked = 0;
}

static void
read_some (fake_topic_t *self, world_t *world, int64_t wall_ms, outbox_t *out)
{
    uint32_t number = (uint32_t)world_random (world, PARTITIONS);
    partition_t *partition = &self->partitions [number];
    for (int taken = 0;
         taken < ROWS_PER_TURN && partition->next < size_of (self, number) && ingester_wants (self->ingester);
         taken++) {
        const world_row_t *row = &self->rows [partition->next * PARTITIONS + number];
        if (row->from_ms > wall_ms)
            break;
        source_row_t read = { .partition = number,
                              .offset = partition->next,
                              .next = partition->next + 1,
                              .reason = "",
                              .data = row->data,
                              .size = row->size };
        partition->next++;
        ingester_take (self->ingester, &read, out);
    }
}

void
fake_topic_turn (fake_topic_t *self, world_t *world, int64_t wall_ms, outbox_t *out, bool faults)
{
    if (!self->assigned)
        assign (self);
    else if (faults && world_random (world, LOST_ONE_IN) == 0)
        lose (self);
    else {
        for (uint32_t number = 0; number < PARTITIONS; number++)
            commit_settle (self, world, number, faults);
        read_some (self, world, wall_ms, out);
    }
}

bool
fake_topic_at_end (const fake_topic_t *self)
{
    for (uint32_t number = 0; number < PARTITIONS; number++)
        if (self->partitions [number].next != size_of (self, number))
            return false;
    return self->assigned;
}
