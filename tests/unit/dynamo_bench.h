//  dynamo_bench - a persister on a DynamoDB in memory

#ifndef DYNAMO_BENCH_H
#define DYNAMO_BENCH_H

#include "fake_dynamo.h"
#include "persister_bench.h"

//  Milliseconds of one turn, and after how many turns nothing will come any more.
enum { DYNAMO_TURN_MS = 20, DYNAMO_TURNS_MAX = 4000 };

typedef struct {
    bench_t bench;
    fake_dynamo_t *dynamo;
    uint64_t random;
} dynamo_bench_t;

//  For cmocka; *state is the bench.
int dynamo_setup (void **state);
int dynamo_teardown (void **state);

//  Gives the persister a client of the DynamoDB; again after bench_restart.
void dynamo_connect (dynamo_bench_t *self);

//  Turns the persister until so many answers have come; time passes as it does.
void dynamo_run (dynamo_bench_t *self, int answers);

//  What becomes of one write; one profile.
usher_outcome_t dynamo_write_one (dynamo_bench_t *self, const usher_msg_t *write);
usher_msg_t dynamo_load_one (dynamo_bench_t *self, const char *viewer);

#endif
