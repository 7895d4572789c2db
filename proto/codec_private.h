//  codec_private - what the files of the codec share
//
//  codec.c has the tables' checksum and index, codec_write.c messages into msgpack, codec_read.c the way back, codec_print.c
//  messages for people and their comparison.

#ifndef CODEC_PRIVATE_H
#define CODEC_PRIVATE_H

#include "message.h"

//  Message ids are small, so a table finds what belongs to one without a search; and they are one byte of msgpack.
#define USHER_ID_MAX 127

//  What msgpack calls a negative fixint, -1 to -32, stands for so many fields that hold their zero.
#define USHER_SKIP_MAX 32u

//  USHER_COLUMN_event_viewer_id: its number in the message. USHER_COLUMNS_event: how many there are.
#define MESSAGE(message, id, link, direction, doc) enum {
#define FIELD(message, field, kind, limit, doc) USHER_COLUMN_##message##_##field,
#define END(message)                                                                                         \
    USHER_COLUMNS_##message                                                                                  \
    }                                                                                                        \
    ;
#include "messages.def"

//  The largest value of an enum.
enum {
    USHER_LAST_event_kind = USHER_EVENT_KINDS - 1,
    USHER_LAST_state = USHER_STATES - 1,
    USHER_LAST_status = USHER_STATUSES - 1,
    USHER_LAST_outcome = USHER_OUTCOMES - 1,
    USHER_LAST_device_class = USHER_DEVICE_CLASSES - 1,
    USHER_LAST_os_class = USHER_OS_CLASSES - 1,
    USHER_LAST_dimension = USHER_DIMENSIONS - 1
};

#endif
