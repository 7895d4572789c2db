//  str - a string inside somebody else's memory, and the slot of a viewer

#include "str.h"

#include <string.h>
#include <xxhash.h>

usher_str_t
usher_str (const char *text)
{
    return usher_bytes (text, text ? strlen (text) : 0);
}

usher_str_t
usher_bytes (const void *data, size_t size)
{
    return (usher_str_t){ data, (uint32_t)size };
}

bool
usher_str_eq (usher_str_t a, usher_str_t b)
{
    return a.size == b.size && (a.size == 0 || memcmp (a.data, b.data, a.size) == 0);
}

uint32_t
usher_slot (usher_str_t viewer_id)
{
    return (uint32_t)(XXH64 (viewer_id.data, viewer_id.size, 0) & (USHER_SLOTS - 1));
}
