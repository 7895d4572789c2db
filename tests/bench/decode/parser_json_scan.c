//  parser_json_scan - the house's own: proto/snowplow/json_scan, from front to back, once

#include "fields.h"
#include "snowplow/json_scan.h"

#include <stdlib.h>

#define ARENA_BYTES 65536

typedef struct {
    char arena [ARENA_BYTES];    //  strings without their escapes
    size_t used;
} parser_scan_t;

static void *
open_parser (void)
{
    return calloc (1, sizeof (parser_scan_t));
}

static bool read_object (parser_scan_t *self, json_scan_t *scan, const fields_table_t *table,
                         fields_t *fields);

static bool
put_text (parser_scan_t *self, const json_value_t *value, fields_t *fields)
{
    const char *data = value->data;
    size_t size = value->size;
    if (value->escaped) {
        if (size > ARENA_BYTES - self->used)
            return false;
        data = self->arena + self->used;
        size = json_value_unescape (value, self->arena + self->used);
        self->used += size;
    }
    fields_put_text (fields, data, size);
    return utf8_is_valid (data, size);
}

static bool
read_value (parser_scan_t *self, json_scan_t *scan, const fields_row_t *row, const fields_table_t *below,
            fields_t *fields)
{
    json_value_t value;
    char type = json_scan_type (scan);
    if (type == '{' && below)
        return read_object (self, scan, below, fields);
    if (type == '[' && row->kind == FIELDS_ARRAY) {
        json_scan_enter (scan);
        while (json_scan_item (scan))
            if (json_scan_type (scan) == '{' ? !read_object (self, scan, below, fields)
                                             : !json_scan_value (scan, &value))
                return false;
        return !scan->fault;
    }
    if (!json_scan_value (scan, &value))
        return false;
    if (value.type == '"')
        return put_text (self, &value, fields);
    if (value.type == '0')
        fields_put_number (fields, json_value_number (&value));
    if (value.type == 't' || value.type == 'f')
        fields_put_flag (fields, value.type == 't');
    return true;
}

static bool
read_object (parser_scan_t *self, json_scan_t *scan, const fields_table_t *table, fields_t *fields)
{
    const fields_table_t *data = NULL;
    json_value_t key, value;
    json_scan_enter (scan);
    while (json_scan_member (scan, &key)) {
        const fields_row_t *row = fields_find (table, key.data, key.size);
        if (!row)
            json_scan_value (scan, &value);
        else if (row->kind != FIELDS_SCHEMA) {
            if (!read_value (self, scan, row, row->kind == FIELDS_DATA ? data : row->below, fields))
                return false;
        } else if (json_scan_value (scan, &value))
            data = fields_of_schema (value.data, value.size);
    }
    return !scan->fault;
}

static bool
read_text (void *arg, const char *text, size_t size, const fields_table_t *table, fields_t *fields)
{
    json_scan_t scan;
    json_scan_open (&scan, text, size);
    return read_object (arg, &scan, table, fields) && json_scan_done (&scan);
}

static void
rewind_parser (void *arg)
{
    ((parser_scan_t *)arg)->used = 0;
}

const parser_t parser_json_scan = { "json_scan", open_parser, read_text, rewind_parser, free };
