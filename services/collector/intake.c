//  intake - the collector's HTTP side: requests read whole, answers held back until they may go

#include "intake.h"

#include "log.h"
#include "memory.h"
#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <netinet/in.h>

//  Head of a reply: status, a few headers of ANSWER_VALUE_MAX.
#define HEAD_BYTES 4096

//  What we keep of a request's head.
typedef enum {
    PATH,
    QUERY,
    ORIGIN,
    COOKIE,
    FORWARDED,
    PEER,
    CONTENT_TYPE,
    USER_AGENT,
    REFERER,
    PARTS
} part_t;

//  READING until the body is there, HELD until the journal has it, READY to be answered, then SENT.
typedef enum { READING, HELD, READY, SENT } stage_t;

typedef struct request {
    struct request *next, *previous;    //  all that are open
    intake_t *intake;
    struct lws *wsi;
    stage_t stage;
    const char *method;
    tracker_text_t head;
    struct {
        size_t at, size;
    } parts [PARTS];
    bool anonymous;
    bool ended;     //  the body is complete
    bool unread;    //  a body comes that we do not read: the connection cannot be used again
    tracker_text_t body;
    answer_t answer;
} request_t;

struct intake {
    intake_options_t options;
    service_t *service;
    web_t *web;
    request_t *open;
    bool healthy;
    intake_counters_t counters;
};

//  libwebsockets keeps one of these a connection.
typedef struct {
    request_t *request;
} session_t;

static const struct {
    enum lws_token_indexes token;
    const char *method;
} methods [] = {
    { WSI_TOKEN_GET_URI, "GET" },         { WSI_TOKEN_POST_URI, "POST" }, { WSI_TOKEN_HEAD_URI, "HEAD" },
    { WSI_TOKEN_OPTIONS_URI, "OPTIONS" }, { WSI_TOKEN_PUT_URI, "PUT" },   { WSI_TOKEN_PATCH_URI, "PATCH" },
    { WSI_TOKEN_DELETE_URI, "DELETE" },
};

static const struct {
    enum lws_token_indexes token;
    part_t part;
} headers [] = {
    { WSI_TOKEN_ORIGIN, ORIGIN },
    { WSI_TOKEN_HTTP_COOKIE, COOKIE },
    { WSI_TOKEN_X_FORWARDED_FOR, FORWARDED },
    { WSI_TOKEN_HTTP_CONTENT_TYPE, CONTENT_TYPE },
    { WSI_TOKEN_HTTP_USER_AGENT, USER_AGENT },
    { WSI_TOKEN_HTTP_REFERER, REFERER },
};

void
intake_uuid (void *arg, char uuid [37])
{
    unsigned char bytes [16];
    (void)arg;
    if (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
        abort ();
    bytes [6] = (unsigned char)((bytes [6] & 0x0F) | 0x40);
    bytes [8] = (unsigned char)((bytes [8] & 0x3F) | 0x80);
    char *at = uuid;
    for (size_t index = 0; index < 16; index++) {
        if (index == 4 || index == 6 || index == 8 || index == 10)
            *at++ = '-';
        at += snprintf (at, 3, "%02x", bytes [index]);
    }
}

//  ---- Requests

static request_t *
request_new (intake_t *intake, struct lws *wsi)
{
    request_t *self = memory_new (1, sizeof *self);
    self->intake = intake;
    self->wsi = wsi;
    self->method = "";
    self->next = intake->open;
    if (self->next)
        self->next->previous = self;
    intake->open = self;
    return self;
}

static void
request_destroy (request_t **self_p)
{
    request_t *self = *self_p;
    if (!self)
        return;
    if (self->previous)
        self->previous->next = self->next;
    else
        self->intake->open = self->next;
    if (self->next)
        self->next->previous = self->previous;
    self->intake->counters.body_bytes -= self->body.size;
    tracker_text_free (&self->head);
    tracker_text_free (&self->body);
    free (self);
    *self_p = NULL;
}

static span_t
request_part (const request_t *self, part_t part)
{
    if (self->parts [part].size == 0)
        return span_of (NULL);
    return (span_t){ self->head.data + self->parts [part].at, self->parts [part].size };
}

static void
part_begin (request_t *self, part_t part)
{
    self->parts [part].at = self->head.size;
}

static void
part_end (request_t *self, part_t part)
{
    self->parts [part].size = self->head.size - self->parts [part].at;
}

static ask_t
request_ask (const request_t *self)
{
    return (ask_t){ .method = span_of (self->method),
                    .path = request_part (self, PATH),
                    .query = request_part (self, QUERY),
                    .origin = request_part (self, ORIGIN),
                    .cookie = request_part (self, COOKIE),
                    .forwarded_for = request_part (self, FORWARDED),
                    .peer = request_part (self, PEER),
                    .anonymous = self->anonymous,
                    .body_size = self->body.size };
}

//  ---- Reading the head

//  Append a header's value, all its lines if it came more than once.
static void
read_header (request_t *self, enum lws_token_indexes token, part_t part)
{
    int size = lws_hdr_total_length (self->wsi, token);
    if (size <= 0)
        return;
    char *value = memory_new ((size_t)size + 1, 1);
    size = lws_hdr_copy (self->wsi, value, size + 1, token);
    part_begin (self, part);
    if (size > 0)
        tracker_text_put (&self->head, value, (size_t)size);
    part_end (self, part);
    free (value);
}

//  libwebsockets has decoded the query string; the tracker wants it as it was. Each fragment is one pair, in
//  which the first '=' is the real one. (A malformed percent-escape never comes here: it gets a 403 from
//  libwebsockets, which trackers don't retry.)
static void
put_fragment (tracker_text_t *out, const char *fragment, size_t size)
{
    bool in_name = true;
    for (size_t index = 0; index < size; index++) {
        char byte = fragment [index];
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || (byte && strchr ("-_.~", byte)) ||
                     (byte == '=' && in_name);
        if (plain)
            tracker_text_putc (out, byte);
        else
            tracker_text_printf (out, "%%%02X", (unsigned)(unsigned char)byte);
        in_name = in_name && byte != '=';
    }
}

static void
read_query (request_t *self)
{
    int room = lws_hdr_total_length (self->wsi, WSI_TOKEN_HTTP_URI_ARGS) + 1;
    char *fragment = memory_new ((size_t)room, 1);
    part_begin (self, QUERY);
    for (int index = 0;; index++) {
        int size = lws_hdr_copy_fragment (self->wsi, fragment, room, WSI_TOKEN_HTTP_URI_ARGS, index);
        if (size < 0)
            break;
        if (index > 0)
            tracker_text_putc (&self->head, '&');
        put_fragment (&self->head, fragment, (size_t)size);
    }
    part_end (self, QUERY);
    free (fragment);
}

static void
read_head (request_t *self, const char *path, size_t path_size)
{
    static const char anonymous [] = "sp-anonymous:";
    for (size_t index = 0; index < sizeof methods / sizeof methods [0]; index++)
        if (lws_hdr_total_length (self->wsi, methods [index].token) > 0)
            self->method = methods [index].method;
    part_begin (self, PATH);
    tracker_text_put (&self->head, path, path_size);
    part_end (self, PATH);
    read_query (self);
    for (size_t index = 0; index < sizeof headers / sizeof headers [0]; index++)
        read_header (self, headers [index].token, headers [index].part);
    char peer [64] = "";
    lws_get_peer_simple (self->wsi, peer, sizeof peer);
    part_begin (self, PEER);
    tracker_text_puts (&self->head, peer);
    part_end (self, PEER);
    self->anonymous = lws_hdr_custom_length (self->wsi, anonymous, sizeof anonymous - 1) >= 0;
}

//  The body's length as told; 0 if there is none, -1 if it comes in chunks.
static int64_t
told_length (struct lws *wsi)
{
    char text [24] = "";
    if (lws_hdr_total_length (wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return -1;
    if (lws_hdr_copy (wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
        return 0;
    return strtoll (text, NULL, 10);
}

//  ---- Answering

static void
request_ready (request_t *self)
{
    self->stage = READY;
    lws_callback_on_writable (self->wsi);
}

static void
request_refuse (request_t *self, answer_refusal_t why)
{
    ask_t ask = request_ask (self);
    answer_refuse (&self->answer, &ask, why);
    request_ready (self);
}

//  The body is no longer needed once it was taken; held requests should not hold memory.
static void
forget_body (request_t *self)
{
    self->intake->counters.body_bytes -= self->body.size;
    tracker_text_free (&self->body);
}

static bool
request_take (request_t *self, const ask_t *ask, int64_t now_ms)
{
    tracker_request_t request = { .method = ask->method,
                                  .path = self->answer.path,
                                  .query = ask->query,
                                  .body = tracker_text_span (&self->body),
                                  .content_type = request_part (self, CONTENT_TYPE),
                                  .user_agent = request_part (self, USER_AGENT),
                                  .referer = request_part (self, REFERER),
                                  .ip = span_of (self->answer.ip),
                                  .network_userid = span_of (self->answer.network_userid),
                                  .anonymous = self->anonymous,
                                  .collector_ms = now_ms,
                                  .etl_ms = now_ms };
    bool taken = self->intake->options.take (self->intake->options.arg, &request);
    forget_body (self);
    return taken;
}

//  The whole request is there.
static void
request_finish (request_t *self)
{
    intake_t *intake = self->intake;
    int64_t now_ms = service_now ().wall_ms;
    ask_t ask = request_ask (self);
    char id [37];
    intake_uuid (NULL, id);
    answer_decide (&self->answer, &intake->options.rules, &ask, now_ms, intake->healthy, id);
    if (!self->answer.take)
        request_ready (self);
    else if (request_take (self, &ask, now_ms))
        self->stage = HELD;
    else
        request_refuse (self, ANSWER_UNAVAILABLE);
}

static int
add_header (struct lws *wsi, const char *name, const char *value, unsigned char **at, unsigned char *end)
{
    char field [64];
    snprintf (field, sizeof field, "%s:", name);
    return lws_add_http_header_by_name (wsi, (const unsigned char *)field, (const unsigned char *)value,
                                        (int)strlen (value), at, end);
}

//  The reply's head. Returns its size, 0 if libwebsockets refuses.
static size_t
print_head (request_t *self, unsigned char *start, unsigned char *end)
{
    const answer_t *answer = &self->answer;
    unsigned char *at = start;
    struct lws *wsi = self->wsi;
    if (lws_add_http_header_status (wsi, (unsigned)answer->status, &at, end) ||
        (answer->content_type && add_header (wsi, "content-type", answer->content_type, &at, end)) ||
        lws_add_http_header_content_length (wsi, answer->body_size, &at, end))
        return 0;
    for (size_t index = 0; index < answer->header_count; index++)
        if (add_header (wsi, answer->headers [index].name, answer->headers [index].value, &at, end))
            return 0;
    return lws_finalize_http_header (wsi, &at, end) ? 0 : (size_t)(at - start);
}

static void
count_answer (intake_counters_t *counters, int status)
{
    counters->answered_2xx += status / 100 == 2;
    counters->answered_4xx += status / 100 == 4;
    counters->answered_5xx += status / 100 == 5;
}

//  Send the answer. Returns nonzero to close the connection.
static int
request_send (request_t *self)
{
    unsigned char head [LWS_PRE + HEAD_BYTES], body [LWS_PRE + 128];
    struct lws *wsi = self->wsi;
    size_t size = print_head (self, head + LWS_PRE, head + sizeof head);
    bool close = self->unread || service_draining (self->intake->service);
    self->stage = SENT;
    count_answer (&self->intake->counters, self->answer.status);
    if (size == 0 || lws_write (wsi, head + LWS_PRE, size, LWS_WRITE_HTTP_HEADERS) < 0)
        return -1;
    bool has_body = self->answer.body_size > 0 && strcmp (self->method, "HEAD") != 0;
    if (has_body) {
        memcpy (body + LWS_PRE, self->answer.body, self->answer.body_size);
        if (lws_write (wsi, body + LWS_PRE, self->answer.body_size, LWS_WRITE_HTTP_FINAL) < 0)
            return -1;
    }
    //  This ends the session's request: it may call us back and free it.
    return lws_http_transaction_completed (wsi) || close ? -1 : 0;
}

//  ---- What libwebsockets tells

static void
on_head (intake_t *self, session_t *session, struct lws *wsi, const char *path, size_t size)
{
    request_destroy (&session->request);
    request_t *request = session->request = request_new (self, wsi);
    read_head (request, path, size);
    bool post = strcmp (request->method, "POST") == 0;
    int64_t length = told_length (wsi);
    request->unread = length != 0;
    if (post && length < 0)
        request_refuse (request, ANSWER_NO_LENGTH);
    else if (post && (uint64_t)length > self->options.rules.max_body_bytes)
        request_refuse (request, ANSWER_TOO_LARGE);
    else if (post && length > 0 && self->counters.body_bytes + (uint64_t)length > INTAKE_BODIES_MAX_BYTES)
        request_refuse (request, ANSWER_UNAVAILABLE);
    else if (!post || length == 0)
        request_finish (request);
}

static void
on_body (request_t *self, const void *data, size_t size)
{
    if (self->stage != READING)
        return;
    if (self->body.size + size > self->intake->options.rules.max_body_bytes) {
        request_refuse (self, ANSWER_TOO_LARGE);
        return;
    }
    tracker_text_put (&self->body, data, size);
    self->intake->counters.body_bytes += size;
}

//  A second end means that the client sends its next request before it has the answer to this one. No browser
//  does, and libwebsockets 4.1 would report that end for ever; so such a connection is closed. Returns nonzero
//  to close.
static int
on_body_end (request_t *self)
{
    if (self->ended)
        return -1;
    self->ended = true;
    self->unread = false;
    if (self->stage == READING)
        request_finish (self);
    return 0;
}

static int
on_event (struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data, size_t size)
{
    session_t *session = user;
    struct lws_vhost *vhost = lws_get_vhost (wsi);
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        on_head (lws_vhost_user (vhost), session, wsi, data, size);
        return 0;
    case LWS_CALLBACK_HTTP_BODY:
        if (session->request)
            on_body (session->request, data, size);
        return 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return session->request ? on_body_end (session->request) : 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return session->request && session->request->stage == READY ? request_send (session->request) : 0;
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        if (session)
            request_destroy (&session->request);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols [] = {
    { "collector", on_event, sizeof (session_t), 0, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 },
};

//  ---- The intake

intake_t *
intake_new (service_t *service, const intake_options_t *options)
{
    intake_t *self = memory_new (1, sizeof *self);
    self->options = *options;
    self->service = service;
    self->healthy = true;
    web_listener_t listener = {
        .port = options->port, .protocols = protocols, .name = "collector", .user = self
    };
    self->web = web_new (service, options->bind_address, &listener, 1);
    if (!self->web)
        intake_destroy (&self);
    return self;
}

void
intake_destroy (intake_t **self_p)
{
    intake_t *self = *self_p;
    if (!self)
        return;
    web_destroy (&self->web);
    free (self);
    *self_p = NULL;
}

void
intake_release (intake_t *self, bool durable)
{
    for (request_t *request = self->open; request; request = request->next) {
        if (request->stage != HELD)
            continue;
        if (durable)
            request_ready (request);
        else
            request_refuse (request, ANSWER_UNAVAILABLE);
    }
}

void
intake_set_healthy (intake_t *self, bool healthy)
{
    self->healthy = healthy;
}

bool
intake_drain (intake_t *self)
{
    web_stop_listening (self->web);
    for (const request_t *request = self->open; request; request = request->next)
        if (request->stage != SENT)
            return false;
    return true;
}

intake_counters_t
intake_counters (const intake_t *self)
{
    return self->counters;
}
