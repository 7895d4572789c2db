//  audience_chance - how the audience's chance comes out of its seed
//
//  splitmix64 and a few distributions in integers, so that every machine and C library agree.

#include "audience_private.h"

#include <inttypes.h>
#include <stdio.h>

//  splitmix64 (Steele, Lea, Flood 2014; public domain)
uint64_t
chance_next (uint64_t *state)
{
    uint64_t value = (*state += UINT64_C (0x9e3779b97f4a7c15));
    value = (value ^ (value >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C (0x94d049bb133111eb);
    return value ^ (value >> 31);
}

int64_t
tab_between (tab_t *tab, int64_t low, int64_t high)
{
    return low + (int64_t)(chance_next (&tab->random) % (uint64_t)(high - low + 1));
}

size_t
tab_index (tab_t *tab, size_t count)
{
    return (size_t)tab_between (tab, 0, (int64_t)count - 1);
}

bool
tab_chance (tab_t *tab, unsigned permille)
{
    return chance_next (&tab->random) % 1000 < permille;
}

//  An exponential time around a mean, in integers so that every machine agrees: -log2 of a random fraction is the
//  count of its leading zeros and, nearly, what is left of it.
int64_t
tab_about (tab_t *tab, int64_t mean_ms)
{
    uint64_t value = chance_next (&tab->random) | 1;
    int zeros = __builtin_clzll (value);
    uint64_t rest_permille = (zeros == 63 ? 0 : (value << (zeros + 1)) >> 54) * 1000 / 1024;
    return mean_ms * 693 / 1000 * (zeros * 1000 + 1000 - (int64_t)rest_permille) / 1000 + 1;
}

void
chance_uuid (uint64_t *random, char text [UUID_TEXT_SIZE])
{
    uint64_t high = chance_next (random), low = chance_next (random);
    snprintf (text, UUID_TEXT_SIZE, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
              high >> 32, (high >> 16) & 0xffff, high & 0xfff, ((low >> 48) & 0x3fff) | 0x8000,
              low & 0xffffffffffff);
}
