//  buffer - bytes that grow; out of memory ends the process

#include "buffer.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

char *
buffer_reserve (buffer_t *self, size_t extra)
{
    if (self->room - self->size < extra || !self->data) {
        size_t room = self->room ? self->room : 256;
        while (room - self->size < extra)
            room *= 2;
        self->data = memory_resize (self->data, room, 1);
        self->room = room;
    }
    return self->data + self->size;
}

void
buffer_add (buffer_t *self, const void *data, size_t size)
{
    if (!size)
        return;
    memcpy (buffer_reserve (self, size), data, size);
    self->size += size;
}

void
buffer_add_text (buffer_t *self, const char *text)
{
    buffer_add (self, text, strlen (text));
}

void
buffer_clear (buffer_t *self, size_t keep)
{
    if (self->room > keep)
        buffer_free (self);
    self->size = 0;
}

void
buffer_free (buffer_t *self)
{
    free (self->data);
    *self = (buffer_t){ 0 };
}
