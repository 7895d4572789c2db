//  device - what somebody watches on, read from the user agent
//
//  A small table of words, not a parser: classes for counting people by, not a device database. User agents lie; what a
//  browser freezes (an iPad that says Macintosh) cannot be told apart here.

#ifndef DEVICE_H
#define DEVICE_H

#include "message.h"

typedef struct {
    usher_device_class_t device;
    usher_os_class_t os;
} device_t;

//  The classes of a user agent; unknown for an empty one, other for one without a word of the table.
device_t device_read (usher_str_t user_agent);

#endif
