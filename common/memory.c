//  memory - allocation that ends the process when there is none: it is restarted with less to hold

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
or_die (void *data)
{
    if (!data) {
        fputs ("level=error event=\"out of memory\"\n", stderr);
        abort ();
    }
    return data;
}

void *
memory_new (size_t count, size_t size)
{
    return or_die (calloc (count ? count : 1, size ? size : 1));
}

void *
memory_resize (void *data, size_t count, size_t size)
{
    return or_die (reallocarray (data, count ? count : 1, size ? size : 1));
}

void *
memory_copy (const void *data, size_t size)
{
    char *copy = or_die (malloc (size + 1));
    if (size)
        memcpy (copy, data, size);
    copy [size] = 0;
    return copy;
}
