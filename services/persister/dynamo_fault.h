//  dynamo_fault - what an answer of DynamoDB's that is no success means

#ifndef DYNAMO_FAULT_H
#define DYNAMO_FAULT_H

#include <stddef.h>

typedef enum {
    DYNAMO_FINE,
    DYNAMO_CONDITION,    //  the row is another one, or is there already
    DYNAMO_THROTTLED,    //  less, and later
    DYNAMO_BUSY,         //  it may have been done or not: again
    DYNAMO_DENIED,       //  keys, signature or clock: again, with fresh credentials
    DYNAMO_FORBIDDEN,    //  the policy says no
    DYNAMO_NO_TABLE,
    DYNAMO_IN_USE,    //  the table is there already, or is being made
    DYNAMO_BAD        //  will not be better the next time, as it is
} dynamo_fault_t;

//  Sorts an HTTP status (0: there was no answer) and the text that came with it; *hint is what a person can do.
dynamo_fault_t dynamo_fault_of (int status, const char *text, size_t size, const char **hint);

//  The same for the code of one item inside a 200.
dynamo_fault_t dynamo_fault_of_code (const char *code, const char **hint);

//  Writes text so that it can stand between the quotes of a log line, cut to size.
void dynamo_fault_words (const char *text, size_t text_size, char *words, size_t size);

#endif
