//  mark - where a bench's process was: its CPU time and how many blocks it had asked for

#ifndef MARK_H
#define MARK_H

#include "allocations.h"
#include "clock.h"

typedef struct {
    uint64_t ns, allocations;
} mark_t;

static inline mark_t
mark (void)
{
    return (mark_t){ clock_ns (CLOCK_PROCESS_CPUTIME_ID), allocations_count () };
}

#endif
