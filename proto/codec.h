//  codec - turns messages into msgpack frames and back, guided by the rows of messages.def
//
//  A frame is the schema's checksum, then one message after the other, each an array [id, field, ...]. Both ways are our
//  own code: an unpacker that builds objects allocates what a hostile length asks for, and each event is written and read
//  more than once (decision 023). msgpack-c is the second opinion in the tests. Reading neither allocates nor
//  copies: strings point into the frame.

#ifndef CODEC_H
#define CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "str.h"

typedef enum { USHER_U32, USHER_U64, USHER_F64, USHER_STR, USHER_ENUM } usher_kind_t;

typedef struct {
    const char *name;
    usher_kind_t kind;
    size_t offset;               //  from the start of the message's own struct
    uint64_t max;                //  largest number, or longest string in bytes
    const char *const *names;    //  of an enum's values
    const char *doc;
} usher_field_t;

typedef struct {
    const char *name;
    unsigned id;
    const char *link, *direction;
    size_t field_count;
    const usher_field_t *fields;
    size_t size;    //  of the message's own struct
    const char *doc;
} usher_layout_t;

typedef struct usher_msg usher_msg_t;

//  Why a frame was refused.
typedef enum {
    USHER_OK,
    USHER_END,          //  no more messages in the frame
    USHER_E_SYNTAX,     //  not the msgpack that we write
    USHER_E_SCHEMA,     //  written by another build's tables
    USHER_E_UNKNOWN,    //  no such message
    USHER_E_SHAPE,      //  more fields than the message has, or one of the wrong type
    USHER_E_RANGE       //  a number, string or enum beyond its limit
} usher_error_t;

typedef struct {
    const uint8_t *next, *end;
} usher_frame_t;

//  Bytes that a frame's head takes.
#define USHER_FRAME_HEAD 5

extern const usher_layout_t usher_layouts [];
extern const size_t usher_layout_count;

//  A checksum of the tables, with the words of enums: the first item of every frame.
uint32_t usher_schema (void);

//  The layout of a message id, or NULL.
const usher_layout_t *usher_layout (uint64_t id);

//  Writes a frame's head. Returns USHER_FRAME_HEAD, or 0 if size is too small.
size_t usher_frame_begin (void *data, size_t size);

//  Appends msg in at most size bytes. Returns the bytes written, 0 if it does not fit or a field is beyond its
//  limit (nothing useful is in data then).
size_t usher_encode (const usher_msg_t *msg, void *data, size_t size);

//  The most bytes that usher_encode can need for msg, strings included. Cheap: a few additions.
size_t usher_encode_bound (const usher_msg_t *msg);

//  Opens a frame for reading. Returns USHER_OK, USHER_E_SYNTAX or USHER_E_SCHEMA.
usher_error_t usher_frame_open (usher_frame_t *frame, const void *data, size_t size);

//  Reads records that carry no head: a stored profile, which may be older than this build.
void usher_records_open (usher_frame_t *frame, const void *data, size_t size);

//  Reads the next message; its strings live in the frame. USHER_END when there is none. On an error
//  msg->id is 0, and the rest of it means nothing.
usher_error_t usher_decode (usher_frame_t *frame, usher_msg_t *msg);

//  Words for an error.
const char *usher_error_text (usher_error_t error);

//  Writes one line without a newline, for people. Fields that hold their zero are left out.
void usher_print (const usher_msg_t *msg, FILE *out);

//  The same for logs, which name nobody: of texts only the length, but for an event's id.
void usher_print_nameless (const usher_msg_t *msg, FILE *out);

//  Field by field; two NaNs are equal.
bool usher_equal (const usher_msg_t *a, const usher_msg_t *b);

#endif
