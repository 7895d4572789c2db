//  fold_bytes - a fold as bytes that nearly keep their places, to be written over when an event has changed it
//
//  First two bits for each field, in the order of messages.def, which say how many bytes it has: none, one, four or eight; then
//  those. Instants are told by their distance to another one, seconds by whole ones or by thousandths. Whatever goes in comes
//  out. No other build reads this and no disk holds it. (words.h makes numbers smaller, in more steps.)

#ifndef FOLD_BYTES_H
#define FOLD_BYTES_H

#include "fold.h"

//  Bytes of any fold at most, with those that are written behind it for nothing.
#define FOLD_BYTES_MAX 288

//  Writes a fold where there is room for FOLD_BYTES_MAX. Returns how many bytes it has; 0: it is as before any event.
size_t fold_bytes_put (uint8_t *to, const fold_t *fold, uint64_t instant_ms);

//  Reads one of so many bytes that was told by the same instant.
void fold_bytes_take (const uint8_t *from, size_t size, fold_t *fold, uint64_t instant_ms);

#endif
