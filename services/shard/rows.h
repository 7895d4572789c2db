//  rows - history messages that wait for a write, end to end: of each key the newest counts

#ifndef ROWS_H
#define ROWS_H

#include "message.h"

//  Drops the messages whose key a later one has too; the others keep their order. Returns the bytes that are left.
size_t rows_squeeze (void *data, size_t size);

#endif
