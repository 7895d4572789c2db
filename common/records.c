//  records - messages end to end in a buffer, without a frame's head

#include "records.h"

#include <stdlib.h>

size_t
records_add (buffer_t *self, const usher_msg_t *msg)
{
    size_t bound = usher_encode_bound (msg);
    size_t size = usher_encode (msg, buffer_reserve (self, bound), bound);
    if (size == 0)
        abort ();
    self->size += size;
    return size;
}
