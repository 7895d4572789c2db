//  dynamo_answer - the other half of dynamo: what it keeps, and what answers do to it

#ifndef DYNAMO_ANSWER_H
#define DYNAMO_ANSWER_H

#include "dynamo.h"
#include "dynamo_flight.h"
#include "dynamo_unsure.h"
#include "pacer.h"

typedef struct {
    uint64_t requests, bytes, items, retries, throttles, milliseconds;
} dynamo_count_t;

struct dynamo {
    dynamo_options_t options;
    dynamo_owner_t owner;
    dynamo_table_t table_list [2];
    job_book_t book;
    pacer_t pacer;
    size_t in_flight, flying [OPERATIONS];    //  requests on the way, all and by operation
    flight_t flights [DYNAMO_FLIGHTS_MAX];
    buffer_t bytes, unsure_rows;    //  of the profile that is being read; what it may lack
    unsure_t unsure;
    buffer_t notes;              //  that are not in the file yet
    size_t noted, noted_most;    //  bytes of the file; what is more is written anew
    bool notes_stale;            //  the file says what must be there no longer
    uint64_t unsure_loads;
    dynamo_fault_t failing;    //  what was said last; said once, not each time
    uint64_t writes, refused;
    dynamo_count_t count [OPERATIONS];
};

//  What one answer is read with.
typedef struct {
    dynamo_t *store;
    flight_t *flight;
    const json_t *json;
    const dynamo_answer_t *answer;
    usher_time_t now;
    outbox_t *out;
    bool again;    //  some of it is to be asked again
} reading_t;

//  Sends a message to whoever waits for the job.
void reading_tell (reading_t *self, const job_t *job, const usher_msg_t *msg);

//  The job is done; it goes on with its next step; it is to be asked again, later.
void reading_end (reading_t *self, job_t *job);
void reading_move_on (reading_t *self, job_t *job, step_t step);
void reading_try_again (reading_t *self, const part_t *part, dynamo_fault_t fault);

//  The answer to a Query; to the DeleteItem that ends an erasure.
void dynamo_read_query (reading_t *self);
void dynamo_read_deleted (reading_t *self);

//  Notes all rows of a write.
void dynamo_note (const job_t *job, buffer_t *notes);

//  Looks through the next slots of a load_live, or ends it.
void dynamo_live_go_on (dynamo_t *self, job_t *live, outbox_t *out);

#endif
