//  media_schemas - the schemas of the media plugin and of the web page entity, and whether data keeps to them
//
//  Data of a schema in the table is checked as Enrich checks it. No schema
//  registry is at hand, so data of any other schema is accepted as it is; Enrich would look it up. Of a known
//  schema only the version in the table exists: another revision or addition is "not found", as in Enrich.
//  Another model (media_player 1-0-0) is another schema, unknown here.

#ifndef MEDIA_SCHEMAS_H_INCLUDED
#define MEDIA_SCHEMAS_H_INCLUDED

#include "snowplow/json_text.h"

//  iglu:vendor/name/format/model-revision-addition, taken apart; views into the text.
typedef struct {
    span_t vendor, name, format, version;
} iglu_t;

//  Take a schema's address apart. Returns 0, or -1 if it is none.
int iglu_parse (span_t text, iglu_t *iglu);

#define SCHEMA_FAULT_MAX 160

//  Does `data`, a JSON value in normal form, keep to the schema? Returns 0, or -1 and writes what and where.
int media_schema_check (const iglu_t *iglu, span_t data, char fault [SCHEMA_FAULT_MAX]);

//  Is the text a UUID, 8-4-4-4-12 hex digits of either case?
bool uuid_is_valid (span_t text);

#endif
