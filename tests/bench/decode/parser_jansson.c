//  parser_jansson - jansson: a tree of documents, each node a block of the heap

#include "fields.h"

#include <jansson.h>
#include <string.h>

#define TREES_MAX 4    //  of one event

typedef struct {
    json_t *trees [TREES_MAX];
    size_t count;
} parser_jansson_t;

static void *
open_parser (void)
{
    static parser_jansson_t self;
    return &self;
}

static void read_object (const json_t *object, const fields_table_t *table, fields_t *fields);

static void
read_value (const json_t *value, const fields_row_t *row, const fields_table_t *below, fields_t *fields)
{
    if (json_is_string (value))
        fields_put_text (fields, json_string_value (value), json_string_length (value));
    else if (json_is_number (value))
        fields_put_number (fields, json_number_value (value));
    else if (json_is_boolean (value))
        fields_put_flag (fields, json_is_true (value));
    else if (json_is_object (value) && below)
        read_object (value, below, fields);
    else if (json_is_array (value) && row->kind == FIELDS_ARRAY)
        for (size_t at = 0; at < json_array_size (value); at++)
            if (json_is_object (json_array_get (value, at)))
                read_object (json_array_get (value, at), below, fields);
}

static void
read_object (const json_t *object, const fields_table_t *table, fields_t *fields)
{
    const fields_table_t *data = NULL;
    for (void *at = json_object_iter ((json_t *)object); at;
         at = json_object_iter_next ((json_t *)object, at)) {
        const char *key = json_object_iter_key (at);
        const fields_row_t *row = fields_find (table, key, strlen (key));
        const json_t *value = json_object_iter_value (at);
        if (row && row->kind == FIELDS_SCHEMA)
            data = fields_of_schema (json_string_value (value), json_string_length (value));
        else if (row)
            read_value (value, row, row->kind == FIELDS_DATA ? data : row->below, fields);
    }
}

static bool
read_text (void *arg, const char *text, size_t size, const fields_table_t *table, fields_t *fields)
{
    parser_jansson_t *self = arg;
    json_t *tree = json_loadb (text, size, 0, NULL);
    if (!json_is_object (tree) || self->count == TREES_MAX)
        return false;
    self->trees [self->count++] = tree;
    read_object (tree, table, fields);
    return true;
}

static void
rewind_parser (void *arg)
{
    parser_jansson_t *self = arg;
    while (self->count)
        json_decref (self->trees [--self->count]);
}

const parser_t parser_jansson = { "jansson", open_parser, read_text, rewind_parser, rewind_parser };
