//  parser_simdjson - simdjson's on-demand interface behind a C shim: finds all structure with vectors, then reads what is
//  asked for
//
//  Values that nobody asks for are stepped over without a look at them.

#include "fields.h"

#include <memory>
#include <simdjson.h>
#include <vector>

using namespace simdjson;

namespace
{
//  One parser a document: strings without their escapes live in it.
struct shim {
    std::vector<std::unique_ptr<ondemand::parser>> parsers;
    size_t used = 0;
};

void read_object (ondemand::object object, const fields_table_t *table, fields_t *fields);

void
read_value (ondemand::value value, const fields_row_t *row, const fields_table_t *below, fields_t *fields)
{
    switch (ondemand::json_type (value.type ())) {
    case ondemand::json_type::string: {
        std::string_view text = value.get_string ();
        fields_put_text (fields, text.data (), text.size ());
        break;
    }
    case ondemand::json_type::number:
        fields_put_number (fields, double (value.get_double ()));
        break;
    case ondemand::json_type::boolean:
        fields_put_flag (fields, bool (value.get_bool ()));
        break;
    case ondemand::json_type::object:
        if (below)
            read_object (value.get_object (), below, fields);
        break;
    case ondemand::json_type::array:
        if (row->kind == FIELDS_ARRAY)
            for (ondemand::value item : value.get_array ())
                if (item.type () == ondemand::json_type::object)
                    read_object (item.get_object (), below, fields);
        break;
    default:
        break;
    }
}

void
read_object (ondemand::object object, const fields_table_t *table, fields_t *fields)
{
    const fields_table_t *data = nullptr;
    for (auto member : object) {
        std::string_view key = member.unescaped_key ();
        const fields_row_t *row = fields_find (table, key.data (), key.size ());
        if (row && row->kind == FIELDS_SCHEMA) {
            std::string_view schema = member.value ().get_string ();
            data = fields_of_schema (schema.data (), schema.size ());
        } else if (row)
            read_value (member.value (), row, row->kind == FIELDS_DATA ? data : row->below, fields);
    }
}

void *
open_parser ()
{
    return new shim;
}

bool
read_text (void *arg, const char *text, size_t size, const fields_table_t *table, fields_t *fields)
{
    shim *self = static_cast<shim *> (arg);
    if (self->used == self->parsers.size ())
        self->parsers.push_back (std::make_unique<ondemand::parser> ());
    try {
        ondemand::document document =
            self->parsers [self->used++]->iterate (text, size, size + SIMDJSON_PADDING);
        read_object (document.get_object (), table, fields);
    } catch (const simdjson_error &) {
        return false;
    }
    return true;
}

void
rewind_parser (void *arg)
{
    static_cast<shim *> (arg)->used = 0;
}

void
close_parser (void *arg)
{
    delete static_cast<shim *> (arg);
}
}    // namespace

const parser_t parser_simdjson = { "simdjson", open_parser, read_text, rewind_parser, close_parser };
