//  str - a string inside somebody else's memory, and the slot of a viewer
//
//  Nobody owns a str: it is good as long as the frame or variable that it was made from, and need not end in a zero.

#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *data;
    uint32_t size;
} usher_str_t;

//  A view of a C string; of bytes.
usher_str_t usher_str (const char *text);
usher_str_t usher_bytes (const void *data, size_t size);

bool usher_str_eq (usher_str_t a, usher_str_t b);

//  The slots that viewers are spread over.
#define USHER_SLOTS 1024

//  The slot of a viewer: XXH64 (viewer_id, seed 0) modulo USHER_SLOTS.
uint32_t usher_slot (usher_str_t viewer_id);

#endif
