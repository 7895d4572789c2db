//  memory - allocation that ends the process when there is none: it is restarted with less to hold

#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

//  Zeroed memory for count things of size bytes; never NULL.
void *memory_new (size_t count, size_t size);

//  Grows or shrinks; never NULL. New bytes are not zeroed.
void *memory_resize (void *data, size_t count, size_t size);

//  A copy of size bytes, followed by a zero byte; never NULL.
void *memory_copy (const void *data, size_t size);

#endif
