//  allocations - counts what this process asks of the heap, libraries included
//
//  With AddressSanitizer its own hook counts, else malloc itself is ours (glibc).

#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stddef.h>

//  Begins to count. Call it before anything else.
void allocations_open (void);

//  How many blocks were asked for so far.
size_t allocations_count (void);

#endif
