//  pacer - how much may be asked of a store that says no, and when again
//
//  Full jitter: a delay is drawn evenly between nothing and a bound that doubles with each attempt, so that many who
//  failed together do not come back together. A budget of failures that successes refill bounds what retries cost
//  everybody: as it is used up fewer requests may be on the way, in the end one at a time with a pause before it.

#ifndef PACER_H
#define PACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACER_DELAY_MIN_MS 50
#define PACER_DELAY_MAX_MS 5000

typedef struct {
    uint64_t random;
    uint32_t budget;    //  0 to PACER_BUDGET
    uint32_t streak;    //  failures since the last success
    int64_t next_ms;    //  nothing before it once the budget is used up
} pacer_t;

void pacer_init (pacer_t *self, uint64_t seed);

//  May one more request go when so many are on the way and limit is the most there may be?
bool pacer_allows (const pacer_t *self, int64_t now_ms, size_t in_flight, size_t limit);

//  A request succeeded; was throttled, failed or got no answer.
void pacer_succeed (pacer_t *self);
void pacer_fail (pacer_t *self, int64_t now_ms);

//  How long to wait before attempt number attempt (from 1) is made again.
int64_t pacer_delay_ms (pacer_t *self, uint32_t attempt);

#endif
