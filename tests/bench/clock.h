//  clock - nanoseconds of a clock, for benches

#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

//  CLOCK_PROCESS_CPUTIME_ID: of all threads of this process.
static inline uint64_t
clock_ns (clockid_t clock)
{
    struct timespec at;
    clock_gettime (clock, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

#endif
