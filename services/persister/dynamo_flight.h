//  dynamo_flight - one request on its way: what it says, and whose it is

#ifndef DYNAMO_FLIGHT_H
#define DYNAMO_FLIGHT_H

#include "dynamo_job.h"
#include "dynamo_tables.h"

//  A step of jobs is an operation; and there is what tables need.
typedef enum {
    OPERATION_CLAIM = STEP_CLAIM,
    OPERATION_QUERY = STEP_QUERY,
    OPERATION_READ = STEP_READ,
    OPERATION_PROFILE = STEP_PROFILE,
    OPERATION_DELETE = STEP_DELETE,
    OPERATION_ROWS = STEP_ROWS,
    OPERATION_TABLE,
    OPERATIONS
} operation_t;

//  A job in the request; of rows, which one.
typedef struct {
    job_t *job;
    size_t row;
} part_t;

typedef struct {
    bool busy;
    uint32_t serial;    //  an answer to an earlier use of the place is known by it
    operation_t operation;
    const char *name;    //  the operation's, as DynamoDB calls it
    dynamo_table_t *table;
    int64_t started_ms;
    size_t count;
    part_t parts [DYNAMO_BATCH_READS];
    buffer_t body;
} flight_t;

//  Fills a request with jobs that wait for a step. Returns false when none may go yet, or, with only_full, too few.
bool flight_fill (flight_t *self, job_book_t *book, step_t step, const dynamo_tables_t *tables,
                  bool only_full, int64_t now_ms, uint64_t now_s);

//  Says goodbye to the body's memory beyond what is usual.
void flight_clear (flight_t *self);

#endif
