//  config_complaint - what is wrong with a file of settings, and in which line
//
//  libcyaml does not tell the line of a value that we refuse, nor the right one of an unknown key: config_find_line
//  looks it up. An unknown key is answered with the one that was probably meant. Private to config.

#ifndef CONFIG_COMPLAINT_H
#define CONFIG_COMPLAINT_H

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdbool.h>

//  What libcyaml has complained about so far.
typedef struct {
    char problem [256];
    char path [256];
    unsigned line;
} config_complaint_t;

//  A cyaml_log_fn_t; arg is the complaint. The first error is the reason; the backtrace that follows leads from there
//  to the top.
void config_complaint_note (cyaml_log_t level, void *arg, const char *format, va_list arguments);

//  Puts it into our words, one line on stderr; content is the file's text, ended by 0.
void config_complaint_say (const config_complaint_t *self, const char *file, const char *content);

//  How far two words are apart: typing errors are one or two away. b has less than 64 bytes, or is infinitely far.
size_t config_distance (const char *a, const char *b);

//  The number of the (first or last) line that holds the key of a dotted path, in block style; 0 if there is none.
unsigned config_find_line (const char *content, const char *path, bool last);

#endif
