//  text - strings that a record owns: all of them in one block

#ifndef TEXT_H
#define TEXT_H

#include "message.h"

//  Replaces one string of a record of message id, whose strings it owns, by a copy of value. Nothing moves if they are equal.
void texts_set (void *record, usher_msg_id_t id, usher_str_t *field, usher_str_t value);

//  All strings of a record of message id: makes copies of what were views; frees them.
void texts_own (void *record, usher_msg_id_t id);
void texts_free (void *record, usher_msg_id_t id);

#endif
