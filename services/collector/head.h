//  head - what the head of a request says, as libmicrohttpd gives it

#ifndef HEAD_H_INCLUDED
#define HEAD_H_INCLUDED

#include "answer.h"

#include <arpa/inet.h>
#include <microhttpd.h>

//  Its spans look into uri, peer and libmicrohttpd's request, so they live as long as these.
typedef struct {
    tracker_text_t uri;    //  as it came, not decoded; the caller puts it
    char peer [INET_ADDRSTRLEN];
    ask_t ask;    //  all but the body's size
    span_t content_type, user_agent, referer;
    uint64_t told_length;    //  of the body; 0 if there is none, or it comes in chunks
} head_t;

//  Fill in what stands in the head.
void head_read (head_t *self, struct MHD_Connection *connection, const char *method);
void head_free (head_t *self);

#endif
