//  buffer - bytes that grow; out of memory ends the process

#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>
#include <stdint.h>

//  Starts as all zeros. data is valid until the next call that adds.
typedef struct {
    char *data;
    size_t size, room;
} buffer_t;

//  Makes room for extra bytes behind size and returns where they begin.
char *buffer_reserve (buffer_t *self, size_t extra);

//  Appends bytes; a C string without its end.
void buffer_add (buffer_t *self, const void *data, size_t size);
void buffer_add_text (buffer_t *self, const char *text);

//  Empties it; memory beyond keep bytes goes back.
void buffer_clear (buffer_t *self, size_t keep);

//  Frees the memory; it may be used again.
void buffer_free (buffer_t *self);

#endif
