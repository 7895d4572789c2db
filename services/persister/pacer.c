//  pacer - how much may be asked of a store that says no, and when again

#include "pacer.h"

//  A failure costs four successes: beyond one request of five failing, fewer are sent.
enum { PACER_BUDGET = 256, FAILURE_COST = 4 };

void
pacer_init (pacer_t *self, uint64_t seed)
{
    *self = (pacer_t){ .random = seed, .budget = PACER_BUDGET };
}

bool
pacer_allows (const pacer_t *self, int64_t now_ms, size_t in_flight, size_t limit)
{
    if (self->budget == 0 && now_ms < self->next_ms)
        return false;
    return in_flight < 1 + (limit - 1) * self->budget / PACER_BUDGET;
}

void
pacer_succeed (pacer_t *self)
{
    self->streak = 0;
    if (self->budget < PACER_BUDGET)
        self->budget++;
}

void
pacer_fail (pacer_t *self, int64_t now_ms)
{
    self->streak++;
    self->budget -= self->budget < FAILURE_COST ? self->budget : FAILURE_COST;
    self->next_ms = now_ms + pacer_delay_ms (self, self->streak);
}

int64_t
pacer_delay_ms (pacer_t *self, uint32_t attempt)
{
    int64_t bound = PACER_DELAY_MIN_MS;
    for (uint32_t doubled = 1; doubled < attempt && bound < PACER_DELAY_MAX_MS; doubled++)
        bound *= 2;
    if (bound > PACER_DELAY_MAX_MS)
        bound = PACER_DELAY_MAX_MS;
    //  splitmix64, from its author's public description.
    uint64_t z = self->random += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (int64_t)((z ^ z >> 31) % (uint64_t)(bound + 1));
}
