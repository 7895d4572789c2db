//  parser_yyjson - yyjson: a tree in one block, which is used again for each event

#include "fields.h"

#include <stdlib.h>
#include <yyjson.h>

#define POOL_BYTES 1048576    //  for the trees of one event

typedef struct {
    char *pool;
    yyjson_alc allocator;
} parser_yyjson_t;

static void
rewind_parser (void *arg)
{
    parser_yyjson_t *self = arg;
    yyjson_alc_pool_init (&self->allocator, self->pool, POOL_BYTES);
}

static void *
open_parser (void)
{
    parser_yyjson_t *self = malloc (sizeof *self);
    self->pool = malloc (POOL_BYTES);
    rewind_parser (self);
    return self;
}

static void read_object (yyjson_val *object, const fields_table_t *table, fields_t *fields);

static void
read_value (yyjson_val *value, const fields_row_t *row, const fields_table_t *below, fields_t *fields)
{
    yyjson_arr_iter items;
    yyjson_val *item;
    if (yyjson_is_str (value))
        fields_put_text (fields, yyjson_get_str (value), yyjson_get_len (value));
    else if (yyjson_is_num (value))
        fields_put_number (fields, yyjson_get_num (value));
    else if (yyjson_is_bool (value))
        fields_put_flag (fields, yyjson_get_bool (value));
    else if (yyjson_is_obj (value) && below)
        read_object (value, below, fields);
    else if (yyjson_is_arr (value) && row->kind == FIELDS_ARRAY) {
        yyjson_arr_iter_init (value, &items);
        while ((item = yyjson_arr_iter_next (&items)))
            if (yyjson_is_obj (item))
                read_object (item, below, fields);
    }
}

static void
read_object (yyjson_val *object, const fields_table_t *table, fields_t *fields)
{
    const fields_table_t *data = NULL;
    yyjson_obj_iter members;
    yyjson_val *key;
    yyjson_obj_iter_init (object, &members);
    while ((key = yyjson_obj_iter_next (&members))) {
        const fields_row_t *row = fields_find (table, yyjson_get_str (key), yyjson_get_len (key));
        yyjson_val *value = yyjson_obj_iter_get_val (key);
        if (row && row->kind == FIELDS_SCHEMA)
            data = fields_of_schema (yyjson_get_str (value), yyjson_get_len (value));
        else if (row)
            read_value (value, row, row->kind == FIELDS_DATA ? data : row->below, fields);
    }
}

static bool
read_text (void *arg, const char *text, size_t size, const fields_table_t *table, fields_t *fields)
{
    parser_yyjson_t *self = arg;
    yyjson_doc *tree = yyjson_read_opts ((char *)text, size, 0, &self->allocator, NULL);
    yyjson_val *root = yyjson_doc_get_root (tree);
    if (!yyjson_is_obj (root))
        return false;
    read_object (root, table, fields);
    return true;
}

static void
close_parser (void *arg)
{
    parser_yyjson_t *self = arg;
    free (self->pool);
    free (self);
}

const parser_t parser_yyjson = { "yyjson", open_parser, read_text, rewind_parser, close_parser };
