//  text - strings that a record owns

#ifndef TEXT_H
#define TEXT_H

#include "message.h"

//  Replaces an owned string by a copy of value.
void text_set (usher_str_t *field, usher_str_t value);

//  All strings of a record of message id: makes copies of what were views; frees them.
void texts_own (void *record, usher_msg_id_t id);
void texts_free (void *record, usher_msg_id_t id);

#endif
