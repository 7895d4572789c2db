//  text - the strings of a session's record: all of them in one block

#ifndef TEXT_H
#define TEXT_H

#include "message.h"

//  Replaces one string of a record that owns its strings by a copy of value. Nothing moves if they are equal.
void texts_set (usher_session_record_t *record, usher_str_t *field, usher_str_t value);

//  All strings of a record: makes copies of what were views and returns their bytes; frees them.
size_t texts_own (usher_session_record_t *record);
void texts_free (usher_session_record_t *record);

//  The bytes of all strings, end to end in the order of the fields: a view, where the record owns them. Of views only the size holds.
usher_str_t texts_all (const usher_session_record_t *record);

#endif
