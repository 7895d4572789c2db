//  instant - a date and time as text, as milliseconds since 1970

#ifndef INSTANT_H
#define INSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  Reads YYYY-MM-DD, T or a blank, HH:MM:SS, decimals if any (cut to milliseconds), and Z or an offset like +01:00 if
//  any; without one it is UTC, as in Enrich's columns. Returns false if the text is anything else or before 1970.
bool instant_read (const char *text, size_t size, uint64_t *ms);

#endif
