//  fetch - asks for memory that is looked at soon, so that it is in the cache by then

#ifndef FETCH_H
#define FETCH_H

#include <stddef.h>

#define FETCH_LINE 64    //  bytes of a cache line

//  data may be anywhere, NULL too: nothing is read. A compiler takes a function that does no more than this for one that does
//  nothing, and leaves the calls of it out: the empty statement keeps them.
static inline void
fetch (const void *data, size_t size)
{
    __asm__ volatile("");
    for (size_t at = 0; at < size; at += FETCH_LINE)
        __builtin_prefetch ((const char *)data + at);
}

#endif
