//  records - messages end to end in a buffer, without a frame's head: usher_records_open reads them

#ifndef RECORDS_H
#define RECORDS_H

#include "buffer.h"
#include "message.h"

//  Appends a message. One with a field beyond its limit is a bug and ends the process: whatever was decoded, or made of what
//  was, fits. Returns its bytes.
size_t records_add (buffer_t *self, const usher_msg_t *msg);

#endif
