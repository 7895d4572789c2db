//  fake_dynamo - a DynamoDB of two naive tables in memory, which fails as the real one can
//
//  It reads the requests that the persister really writes (fake_tables.h). In trouble a request may be lost, or its answer; it may be done
//  in part, throttled inside a 200, or answered twice or with nonsense. Requests are done in any order.

#ifndef FAKE_DYNAMO_H
#define FAKE_DYNAMO_H

#include "dynamo_port.h"
#include "fake_tables.h"

typedef struct fake_dynamo fake_dynamo_t;

fake_dynamo_t *fake_dynamo_new (fake_random_fn *random, void *arg);
void fake_dynamo_destroy (fake_dynamo_t **self_p);

//  A client. When it is closed each of its requests that is on the way is done, or not.
dynamo_port_t fake_dynamo_port (fake_dynamo_t *self);

//  Of 100 requests so many meet trouble; 101: nothing arrives any more.
void fake_dynamo_trouble (fake_dynamo_t *self, uint32_t percent);

//  Every request that has several items is done in part.
void fake_dynamo_partly (fake_dynamo_t *self);

//  One answer comes at a time.
void fake_dynamo_slow (fake_dynamo_t *self);

//  The options of a persister that works with it.
dynamo_options_t fake_dynamo_options (uint64_t seed);

//  Rows of video_events, a line each: viewer|time|status|clicked|skipped|adId|position|event, in no order. For the caller to
//  free.
char *fake_dynamo_rows (const fake_dynamo_t *self);

//  An item of viewer_profiles, or NULL; how many requests of an operation were made.
const json_t *fake_dynamo_profile (const fake_dynamo_t *self, const char *viewer_id);
uint64_t fake_dynamo_requests (const fake_dynamo_t *self, const char *operation);

//  Puts an item there, as somebody else would. Takes the item over.
void fake_dynamo_put_profile (fake_dynamo_t *self, const char *viewer_id, json_t *item);

//  Forgets both tables, as a server in memory that was restarted.
void fake_dynamo_forget (fake_dynamo_t *self);

#endif
