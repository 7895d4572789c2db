//  fields - which fields the compared parsers read of an event, and where they put them
//
//  The same tables for all: a parser walks an object, asks for each key whether somebody wants it (fields_find), and hands
//  over what it found. So what differs between two parsers is the parser.

#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    FIELDS_TEXT,      //  a string's text, without its escapes
    FIELDS_NUMBER,    //  a number as a double
    FIELDS_FLAG,      //  true or false
    FIELDS_SCHEMA,    //  a string that says which table the data beside it has
    FIELDS_DATA,      //  the value that the schema is for
    FIELDS_OBJECT,    //  an object, with a table of its own
    FIELDS_ARRAY      //  an array of such objects
} fields_kind_t;

typedef struct fields_table fields_table_t;

typedef struct {
    const char *key;
    size_t size;    //  of key
    fields_kind_t kind;
    const fields_table_t *below;
} fields_row_t;

struct fields_table {
    const fields_row_t *rows;
    size_t count;
};

//  The tables to begin with.
extern const fields_table_t fields_flattened, fields_sdk_json, fields_contexts, fields_unstruct;

#define FIELDS_MAX 128

//  What was read of one event: texts point into the message or the parser's memory.
typedef struct {
    size_t texts, numbers, flags;
    struct {
        const char *data;
        size_t size;
    } text [FIELDS_MAX];
    double number [FIELDS_MAX];
    bool flag [FIELDS_MAX];
} fields_t;

const fields_row_t *fields_find (const fields_table_t *table, const char *key, size_t size);

//  The table of a schema's data; NULL if nobody wants it.
const fields_table_t *fields_of_schema (const char *schema, size_t size);

void fields_put_text (fields_t *self, const char *data, size_t size);
void fields_put_number (fields_t *self, double number);
void fields_put_flag (fields_t *self, bool flag);

//  A parser: reads one JSON text, which at least 64 readable bytes follow, by a table. False if it is no JSON. What it
//  put into fields lives until rewind, which is called between two events.
typedef struct {
    const char *name;
    void *(*open) (void);
    bool (*read) (void *self, const char *data, size_t size, const fields_table_t *table, fields_t *fields);
    void (*rewind) (void *self);
    void (*close) (void *self);
} parser_t;

extern const parser_t parser_json_scan, parser_jansson, parser_yyjson, parser_simdjson;

#ifdef __cplusplus
}
#endif

#endif
