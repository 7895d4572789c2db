//  usher_ask - asks the running supervisor

#ifndef USHER_ASK_H
#define USHER_ASK_H

#include "message.h"
#include "usher.h"

//  Does a supervisor run there? False after one line on stderr that says how to start one.
bool usher_supervisor_runs (const usher_where_t *where);

//  Sends a command and waits for its answer at most deadline_ms. Returns the answer's text, which the caller frees, and
//  its outcome; NULL after one line on stderr: no supervisor runs, or it did not answer.
char *usher_ask (const usher_where_t *where, const char *verb, const char *target, int deadline_ms,
                 usher_outcome_t *outcome);

#endif
