//  dynamo_tables - are the two tables there? makes them on request

#ifndef DYNAMO_TABLES_H
#define DYNAMO_TABLES_H

#include "dynamo_fault.h"
#include "dynamo_json.h"

typedef enum { TABLE_ASK, TABLE_CREATE, TABLE_EXPIRE, TABLE_READY } table_state_t;

typedef struct {
    const char *name;
    void (*create) (buffer_t *out, const char *table);
    const char *index;    //  that it must have, or NULL
    table_state_t state;
    bool asked;      //  a request is on the way
    bool created;    //  by us
    int64_t not_before_ms;
} dynamo_table_t;

//  CreateTable, as design and reference have them.
void dynamo_create_events (buffer_t *out, const char *table);
void dynamo_create_profiles (buffer_t *out, const char *table);

//  Writes the next request that the table needs and returns its operation, or NULL when it needs none now.
const char *dynamo_table_next (dynamo_table_t *self, int64_t now_ms, buffer_t *out);

//  Takes the answer to it. Returns false when it is a fault to be told and asked again after delay_ms.
bool dynamo_table_answered (dynamo_table_t *self, dynamo_fault_t fault, const json_t *answer, bool may_create,
                            int64_t now_ms, int64_t delay_ms);

#endif
