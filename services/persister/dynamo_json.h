//  dynamo_json - what is said to DynamoDB: requests as JSON, answers read
//
//  Pure. A request is written into an empty buffer. Of attribute names and types video_events has the reference's;
//  viewer_profiles has the house's record bytes in `profile` and beside it what conditions and people want to see.

#ifndef DYNAMO_JSON_H
#define DYNAMO_JSON_H

#include "buffer.h"
#include "message.h"

#include <jansson.h>

//  What DynamoDB takes in one request: API reference of each operation.
#define DYNAMO_BATCH_WRITES 25
#define DYNAMO_BATCH_READS 100

//  The item of viewer_profiles that counts epochs has a key that no viewer can have: theirs end at 1024 bytes, a
//  partition key at 2048. Its number is the attribute epoch.
#define DYNAMO_COUNTER_BYTES 1025

//  Rows of one page of an erasure.
#define DYNAMO_ERASE_ROWS 100

#define DYNAMO_LIVE_INDEX "live_slot"

typedef struct {
    const char *events, *profiles;    //  names of the two tables
} dynamo_tables_t;

//  BatchWriteItem: rows put and removed. No two of one key.
void dynamo_rows_begin (buffer_t *out, const dynamo_tables_t *tables);
void dynamo_rows_add (buffer_t *out, const usher_history_t *row);
void dynamo_rows_end (buffer_t *out);

//  BatchExecuteStatement: a first write is an INSERT, a later one an UPDATE of the row that it names.
void dynamo_writes_begin (buffer_t *out);
void dynamo_writes_add (buffer_t *out, const dynamo_tables_t *tables, const usher_write_t *write);
void dynamo_writes_end (buffer_t *out);

//  BatchGetItem of profiles, consistent. No viewer twice.
void dynamo_reads_begin (buffer_t *out, const dynamo_tables_t *tables);
void dynamo_reads_add (buffer_t *out, usher_str_t viewer_id);
void dynamo_reads_end (buffer_t *out);

//  Query: who is live in a slot, and a viewer's rows from the newest on. after: where the page before ended, or empty.
void dynamo_query_live (buffer_t *out, const dynamo_tables_t *tables, uint32_t slot, usher_str_t after);
void dynamo_query_rows (buffer_t *out, const dynamo_tables_t *tables, usher_str_t viewer_id,
                        usher_str_t after, uint64_t now_s, uint32_t limit);

//  Query: the keys of a viewer's rows, as many as a page has. DeleteItem: the profile, which is answered.
void dynamo_query_keys (buffer_t *out, const dynamo_tables_t *tables, usher_str_t viewer_id);
void dynamo_delete (buffer_t *out, const dynamo_tables_t *tables, usher_str_t viewer_id);

//  UpdateItem: counts up and answers the new number.
void dynamo_claim (buffer_t *out, const dynamo_tables_t *tables);

//  ---- answers

//  An attribute of an item: its text; its number, 0 where there is none. Texts live in the item.
usher_str_t dynamo_text (const json_t *item, const char *name);
uint64_t dynamo_number (const json_t *item, const char *name);

//  An item of viewer_profiles; bytes takes its profile. False when it is none of ours.
bool dynamo_read_profile (const json_t *item, usher_loaded_t *loaded, uint64_t *expires_s, bool *live,
                          buffer_t *bytes);

//  An item of video_events. Texts live in it.
void dynamo_read_row (const json_t *item, usher_history_row_t *row);

#endif
