//  messages - what an audience that takes turns sends, in two forms
//
//  Each viewer speaks once in a turn of 30 s; one turn in 20 changes the status, the others are pings. Flattened messages
//  are written out of nothing; enriched ones are rows of tests/data with another viewer, id, time, position and total.

#ifndef MESSAGES_H
#define MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_MAX 4096    //  bytes

static const uint64_t START_MS = 1790000000000;

typedef struct messages messages_t;

//  form: "flattened" or "enriched". NULL if there is no such form, or tests/data is not where we are.
messages_t *messages_new (const char *form, uint64_t viewers);
void messages_destroy (messages_t **self_p);

//  Writes message number, from 0, into text of MESSAGE_MAX bytes. Returns its bytes.
size_t messages_write (const messages_t *self, uint64_t number, char *text);

#endif
