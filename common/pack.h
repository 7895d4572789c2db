//  pack - a session's message in as few bytes as they fit, for what stays in this process's memory
//
//  Bits tell which fields are others than zero; behind them come those. Instants are told by their distance to the one
//  before, decimal numbers as thousandths or millionths. What cannot be told so is told in full: whatever goes in comes out,
//  bit by bit (but NaN comes out as one NaN). No other build reads this and no disk holds it.

#ifndef PACK_H
#define PACK_H

#include "message.h"

//  Nothing set at first; whoever has it frees data.
typedef struct {
    uint8_t *data;
    size_t used, room;
} pack_t;

//  Packs a session, in place of what was packed before.
void pack_session (pack_t *self, const usher_session_t *session);

//  Reads what was packed. Nothing is checked: it comes from nobody else. Strings are views of the bytes.
void unpack_session (const uint8_t *data, usher_session_t *session);

#endif
