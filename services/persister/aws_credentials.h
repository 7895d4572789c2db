//  aws_credentials - the keys to sign with, and when to fetch new ones
//
//  Looked for where AWS's own programs do, in this order: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with
//  AWS_SESSION_TOKEN; the container's address in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI; the instance's
//  metadata, version 2 (AWS_EC2_METADATA_SERVICE_ENDPOINT names another address, AWS_EC2_METADATA_DISABLED none).
//  Those that are fetched expire, and are fetched again before. Pure: time and answers come as arguments.

#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct aws_credentials aws_credentials_t;

//  Something to be fetched, one at a time.
typedef struct {
    const char *method;    //  GET or PUT
    const char *url;
    const char *header;    //  a line, or ""
} aws_request_t;

//  Reads the environment through get (getenv). Returns NULL with a line for people in why when what is set there
//  cannot be used.
aws_credentials_t *aws_credentials_new (char *(*get) (const char *name), char *why, size_t size);
void aws_credentials_destroy (aws_credentials_t **self_p);

//  Are there keys that are valid at wall_ms?
bool aws_credentials_valid (const aws_credentials_t *self, int64_t wall_ms);

//  Each ended by 0; the token may be "".
const char *aws_credentials_key (const aws_credentials_t *self);
const char *aws_credentials_secret (const aws_credentials_t *self);
const char *aws_credentials_token (const aws_credentials_t *self);

//  What is to be fetched now; false: nothing. It lives until it is answered.
bool aws_credentials_next (aws_credentials_t *self, int64_t wall_ms, aws_request_t *request);

//  The answer; status 0: none, and text says why. Returns false when the keys could not be had.
bool aws_credentials_answered (aws_credentials_t *self, int64_t wall_ms, int status, const char *text,
                               size_t size);

//  A server would not have them: they are fetched anew, where they can be.
void aws_credentials_doubt (aws_credentials_t *self, int64_t wall_ms);

//  Why there are none.
const char *aws_credentials_error (const aws_credentials_t *self);

#endif
