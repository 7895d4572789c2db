//  config_rows - every setting there is, and what each may be
//
//  A setting is one row: where it is in the file, what it may be, and its default. A value comes as a text, from the file,
//  the environment or the table, and is read here, so all three are checked alike. Private to config.

#ifndef CONFIG_ROWS_H
#define CONFIG_ROWS_H

#include "config.h"

#include <stddef.h>
#include <stdio.h>

//  Room for what is made of the rows; more of them do not compile.
#define CONFIG_ROWS_MAX 80
#define CONFIG_SECTIONS_MAX 12

//  A SECRET may be empty, and is never printed. NUMBER limits are numbers; CHOICE has its words in the last column.
typedef enum { PORT, NUMBER32, NUMBER64, SWITCH, TEXT, SECRET, ADDRESS, CHOICE } config_kind_t;

typedef struct {
    const char *section, *key;
    config_kind_t kind;
    size_t offset;    //  in config_t
    uint64_t min, max;
    const char *fallback;    //  NULL: depends on where we are, see config.c
    const char *choices;
} config_row_t;

typedef struct {
    const char *path, *parent, *key;
} config_section_t;

extern const config_row_t config_rows [];
extern const size_t config_row_count;

//  The first is the file itself.
extern const config_section_t config_sections [];
extern const size_t config_section_count;

//  A row's dotted path, and its environment variable. Both write into a buffer of the caller's and return it.
const char *config_row_path (const config_row_t *row, char *path, size_t size);
const char *config_row_variable (const config_row_t *row, char *name, size_t size);

//  Puts text into the row's field. Returns false when the row does not allow it.
bool config_row_set (config_t *self, const config_row_t *row, const char *text);

//  A value that was refused, as a person may see it.
const char *config_row_shown (const config_row_t *row, const char *text);

//  Writes what the row allows, in words.
void config_row_allows (const config_row_t *row, FILE *out);

//  Frees what config_row_set has made.
void config_rows_free (config_t *self);

//  A new text, never NULL; the caller frees it.
__attribute__ ((format (printf, 1, 2))) char *config_text (const char *format, ...);

#endif
