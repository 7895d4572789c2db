//  exposition - many processes' Prometheus texts made into one
//
//  Prometheus wants HELP and TYPE once for each metric and all its samples together; so samples are sorted into
//  families, and each gets the label process="shard-0" of the text that it came from.

#ifndef EXPOSITION_H
#define EXPOSITION_H

#include <stddef.h>

typedef struct exposition exposition_t;

exposition_t *exposition_new (void);
void exposition_destroy (exposition_t **self_p);

//  Adds a text; process becomes a label of every sample, NULL: they are left as they are. Lines that are neither a
//  comment nor a sample are dropped, so one process cannot spoil the whole.
void exposition_add (exposition_t *self, const char *process, const char *text);

//  Returns the whole, which the caller frees; families that would go beyond most bytes are left out.
char *exposition_text (const exposition_t *self, size_t most);

#endif
