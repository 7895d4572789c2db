//  pack - records of messages.def in as few bytes as they fit, for what stays in this process's memory
//
//  Bits tell which fields are others than in a record before, or than zero; behind them come those. Instants are told by
//  their distance to the one before, decimal numbers as thousandths or millionths, a UUID by its 16 bytes. What cannot be
//  told so is told in full: whatever goes in comes out, bit by bit (but NaN comes out as one NaN). No other build reads
//  this and no disk holds it.

#ifndef PACK_H
#define PACK_H

#include "message.h"

#define PACK_UUIDS 8    //  of one record; more are told as text

typedef struct {
    uint8_t *data;    //  owned by who packs; bytes that somebody else owns for who unpacks
    size_t used, room;
    bool reading;
    bool
        plain;    //  set by who packs: UUIDs are told as text, so that every string that is read lives in the bytes
    uint64_t instant_ms;    //  the one before
    size_t uuid_count;
    char uuids [PACK_UUIDS][36];    //  of the record that was read last
} pack_t;

//  Begins anew in the same memory.
void pack_begin (pack_t *self);

//  Begins to read what was packed. Nothing is checked: it comes from nobody else.
void pack_open (pack_t *self, void *data, size_t size);

//  Appends a number, several, or a record, or reads it. before is a record of the same kind, the same when it is read; NULL: zeros.
//  Strings that are read are views: as long as before and the bytes are there, and until the next record is read.
void pack_number (pack_t *self, uint64_t *value);
void pack_numbers (pack_t *self, uint64_t *const *values, size_t count);
void pack_record (pack_t *self, usher_msg_id_t id, void *record, const void *before);

//  A text as it is.
void pack_text (pack_t *self, usher_str_t *text);

#endif
