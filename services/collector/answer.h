//  answer - which HTTP reply a request gets, and who the collector takes its sender for
//
//  As the Snowplow Collector replies: only Enrich judges what is in a request, so any
//  event path gets its 200 or its pixel, whatever it carries. What the reply promises is that the request is
//  safe: the shell sends an answer with `take` only after the journal has its rows, and turns it into a 503
//  by answer_refuse if it could not have them, so that the tracker tries again.
//
//  Pure: the time, new ids and the state of the journal come in as arguments.

#ifndef ANSWER_H_INCLUDED
#define ANSWER_H_INCLUDED

#include "snowplow/tracker_text.h"

#define ANSWER_ID_MAX 128
#define ANSWER_IP_MAX 128
#define ANSWER_PATH_MAX 256
#define ANSWER_HEADERS_MAX 6
#define ANSWER_VALUE_MAX 512

//  What usher.yaml says about it.
typedef struct {
    const char *cookie_name;
    uint32_t cookie_days;    //  0: no cookie
    bool cookie_secure, cookie_http_only;
    const char *cookie_same_site;    //  NULL: not said
    const char *paths;    //  vendor/version paths that mean tp2, or FROM=TO, commas between them; NULL: none
    size_t max_body_bytes;
} answer_rules_t;

//  A request's head.
typedef struct {
    span_t method, path, query;
    span_t origin, cookie, forwarded_for;    //  headers; empty if they did not come
    span_t peer;                             //  the other end's address
    bool anonymous;                          //  SP-Anonymous came
    size_t line_size, headers_size;          //  of the request line, of all headers
    size_t body_size;
} ask_t;

typedef struct {
    const char *name;
    char value [ANSWER_VALUE_MAX];
} answer_header_t;

typedef struct {
    int status;
    const char *content_type;    //  NULL: no body, no type
    const char *body;
    size_t body_size;    //  of a HEAD too, whose body is not sent
    bool take;           //  it carries events: journal first
    answer_header_t headers [ANSWER_HEADERS_MAX];
    size_t header_count;

    //  Of a request to take: what the tracker needs to know.
    span_t path;    //  as mapped by the rules
    char mapped_path [ANSWER_PATH_MAX];
    char network_userid [ANSWER_ID_MAX];
    char ip [ANSWER_IP_MAX];
} answer_t;

//  Is each entry of the rules' paths VENDOR/VERSION or one such =another? Returns false with the first that is not.
bool answer_check_paths (const char *list, span_t *bad);

//  Decide. `healthy`: the journal takes rows. new_id is a fresh UUID, used if the sender brings no id.
void answer_decide (answer_t *self, const answer_rules_t *rules, const ask_t *ask, int64_t now_ms,
                    bool healthy, const char *new_id);

//  Why a request is refused before or after it was read.
typedef enum { ANSWER_TOO_LARGE, ANSWER_HEAD_TOO_LARGE, ANSWER_UNAVAILABLE } answer_refusal_t;

//  Refuse: 413 for a body over the limit, 400 for a head over it, 503 where what was promised cannot be kept. No
//  cookie goes out.
void answer_refuse (answer_t *self, const ask_t *ask, answer_refusal_t why);

#endif
