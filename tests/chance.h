//  chance - numbers that look like chance and are the same for the same seed
//
//  The step is Knuth's MMIX (multiplier 6364136223846793005, increment 1442695040888963407); its lower bits repeat soon.

#ifndef CHANCE_H
#define CHANCE_H

#include <stdint.h>

//  Steps on and returns all 64 bits.
static inline uint64_t
chance_next (uint64_t *state)
{
    return *state = *state * 6364136223846793005u + 1442695040888963407u;
}

//  Steps on and returns a number below another one, of 2^31 at most.
static inline uint64_t
chance_pick (uint64_t *state, uint64_t below)
{
    return (chance_next (state) >> 33) % below;
}

#endif
