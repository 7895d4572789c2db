//  seeds - which cases a model test tells: [FIRST_SEED [CASES]] of its command line

#ifndef SEEDS_H
#define SEEDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct {
    uint64_t first, count;
} seeds_t;

//  Reads them over what a run without words tells, and prints them.
static inline void
seeds_read (seeds_t *self, int argc, char **argv)
{
    if (argc > 1)
        self->first = strtoull (argv [1], NULL, 10);
    if (argc > 2)
        self->count = strtoull (argv [2], NULL, 10);
    print_message ("seeds %llu to %llu\n", (unsigned long long)self->first,
                   (unsigned long long)(self->first + self->count - 1));
}

#endif
