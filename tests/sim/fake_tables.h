//  fake_tables - two naive tables in memory that understand the requests the persister writes
//
//  Everything is done as it is asked; what the persister must not ask aborts. Losing requests and answers is for fake_dynamo.

#ifndef FAKE_TABLES_H
#define FAKE_TABLES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

//  Gives a number below the one it is given.
typedef uint64_t (fake_random_fn) (void *arg, uint64_t below);

typedef struct {
    fake_random_fn *random;
    void *arg;
    bool there [2];    //  events, profiles
    json_t *events, *profiles;
    uint64_t epoch;
} fake_tables_t;

void fake_tables_open (fake_tables_t *self, fake_random_fn *random, void *arg);
void fake_tables_close (fake_tables_t *self);

//  Forgets both, as a server in memory that was restarted.
void fake_tables_forget (fake_tables_t *self);

//  Does a request; partly: of several items some are throttled. Returns the answer's body, and its status.
json_t *fake_tables_do (fake_tables_t *self, const char *operation, const json_t *body, bool partly,
                        int *status);

//  The text of a member that is a string or a number of DynamoDB's; NULL if there is none.
const char *fake_tables_text (const json_t *item, const char *name);

#endif
