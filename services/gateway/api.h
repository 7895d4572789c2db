//  api - what GET and DELETE answer: paths, parameters, status codes, JSON
//
//  Pure: reads the mirror, writes an answer.

#ifndef API_H
#define API_H

#include "clients.h"
#include "series.h"

//  What answers are made from.
typedef struct {
    const clients_t *clients;
    mirror_t *mirror;
    int64_t mono_ms, wall_ms;
    const char *metrics;       //  of all processes; empty until the supervisor sent them
    usher_str_t raw_id_key;    //  makes a pseudonym of an id that is none; empty: ids are taken as they come
} api_world_t;

//  Parameters that were not given are empty. Views of memory that lives through the call.
typedef struct {
    const char *path;    //  decoded, without parameters
    const char *status, *title, *q, *limit, *cursor;
    series_words_t series;
} api_request_t;

//  Starts as all zeros; body is the caller's to free.
typedef struct {
    unsigned status;    //  HTTP; 0: the answer comes from the store
    const char *type;
    buffer_t body;
    char viewer_id [1025];    //  or another name in the path
    uint32_t limit;           //  of history; 0: a series is asked for
    series_query_t series;
} api_answer_t;

void api_get (const api_world_t *world, const api_request_t *request, api_answer_t *answer);

//  DELETE: an erasure where the path is a viewer's, which is in viewer_id then.
void api_delete (const api_world_t *world, const char *path, api_answer_t *answer);

//  An error as JSON: {"error":text}.
void api_error (api_answer_t *answer, unsigned status, const char *text);

//  Is it a path of the API, so that another method on it is 405 and not 404?
bool api_knows (const char *path);

//  The methods that a path takes, as the header Allow has them, and the error 405 that names them.
const char *api_methods (const char *path);
void api_refuse_method (const char *path, api_answer_t *answer);

#endif
