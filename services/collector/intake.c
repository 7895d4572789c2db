//  intake - the collector's HTTP side: requests read whole, answers held back until they may go

#include "intake.h"

#include "head.h"
#include "listen.h"
#include "log.h"
#include "memory.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

//  A connection that says nothing at all within this time is closed.
#define IDLE_S 20u
//  What a connection may hold: request line and headers, and the part of the body that came last.
#define CONNECTION_BYTES (64u * 1024)
//  Of a body that nobody wants we read so much before the answer; of a longer one the sender hears none.
#define DROPPED_MAX_BYTES (64u * 1024 * 1024)
//  Descriptors kept back from connections, for the journal, the links and what the libraries open.
#define SPARE_DESCRIPTORS 64

//  READING until the body is there, HELD until the journal has it, READY to be answered, then SENT.
typedef enum { READING, HELD, READY, SENT } stage_t;

typedef struct request {
    struct request *next, *previous;    //  all that are open
    intake_t *intake;
    struct MHD_Connection *connection;
    stage_t stage;
    bool begun;         //  the head was read
    uint64_t ticket;    //  of a HELD one
    head_t head;
    tracker_text_t body;
    size_t dropped;    //  bytes of a body that nobody wants
    bool drop, refused;
    answer_refusal_t why;
    answer_t answer;
} request_t;

struct intake {
    intake_options_t options;
    service_t *service;
    struct MHD_Daemon *daemon;
    int listening;    //  -1: no more
    request_t *open;
    uint64_t tickets;    //  given
    bool healthy;
    intake_counters_t counters;
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
request_new (intake_t *intake, struct MHD_Connection *connection)
{
    request_t *self = memory_new (1, sizeof *self);
    self->intake = intake;
    self->connection = connection;
    self->next = intake->open;
    if (self->next)
        self->next->previous = self;
    intake->open = self;
    return self;
}

//  The body is no longer needed once it was taken; held requests should not hold memory.
static void
forget_body (request_t *self)
{
    self->intake->counters.body_bytes -= self->body.size;
    tracker_text_free (&self->body);
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
    forget_body (self);
    head_free (&self->head);
    free (self);
    *self_p = NULL;
}

//  ---- Answering

static void
request_refuse (request_t *self, answer_refusal_t why)
{
    answer_refuse (&self->answer, &self->head.ask, why);
    self->stage = READY;
}

static bool
request_take (request_t *self, int64_t now_ms)
{
    intake_t *intake = self->intake;
    tracker_request_t request = { .method = self->head.ask.method,
                                  .path = self->answer.path,
                                  .query = self->head.ask.query,
                                  .body = tracker_text_span (&self->body),
                                  .content_type = self->head.content_type,
                                  .user_agent = self->head.user_agent,
                                  .referer = self->head.referer,
                                  .ip = span_of (self->answer.ip),
                                  .network_userid = span_of (self->answer.network_userid),
                                  .anonymous = self->head.ask.anonymous,
                                  .collector_ms = now_ms,
                                  .etl_ms = now_ms };
    self->ticket = ++intake->tickets;
    bool taken = intake->options.take (intake->options.arg, &request, self->ticket);
    forget_body (self);
    return taken;
}

//  The whole request is there.
static void
request_finish (request_t *self)
{
    intake_t *intake = self->intake;
    int64_t now_ms = service_now ().wall_ms;
    char id [37];
    if (self->refused) {
        request_refuse (self, self->why);
        return;
    }
    intake_uuid (NULL, id);
    self->head.ask.body_size = self->body.size;
    answer_decide (&self->answer, &intake->options.rules, &self->head.ask, now_ms, intake->healthy, id);
    if (!self->answer.take)
        self->stage = READY;
    else if (request_take (self, now_ms))
        self->stage = HELD;
    else
        request_refuse (self, ANSWER_UNAVAILABLE);
}

//  Nobody but us holds the response afterwards; it is freed when it has been sent.
static struct MHD_Response *
response_new (const request_t *self)
{
    const answer_t *answer = &self->answer;
    struct MHD_Response *response = MHD_create_response_from_buffer (
        answer->body_size, (void *)(uintptr_t)answer->body, MHD_RESPMEM_PERSISTENT);
    if (!response)
        abort ();
    if (answer->content_type)
        MHD_add_response_header (response, "Content-Type", answer->content_type);
    for (size_t index = 0; index < answer->header_count; index++)
        MHD_add_response_header (response, answer->headers [index].name, answer->headers [index].value);
    if (service_draining (self->intake->service))
        MHD_add_response_header (response, "Connection", "close");
    return response;
}

static enum MHD_Result
request_send (request_t *self)
{
    intake_counters_t *counters = &self->intake->counters;
    int status = self->answer.status;
    struct MHD_Response *response = response_new (self);
    enum MHD_Result result = MHD_queue_response (self->connection, (unsigned)status, response);
    MHD_destroy_response (response);
    self->stage = SENT;
    counters->answered_2xx += status / 100 == 2;
    counters->answered_4xx += status / 100 == 4;
    counters->answered_5xx += status / 100 == 5;
    return result;
}

//  ---- What libmicrohttpd tells

//  Turn the rest of the body away; the refusal goes out when it has come, for before that nobody listens.
static void
refuse_body (request_t *self, answer_refusal_t why)
{
    forget_body (self);
    self->drop = self->refused = true;
    self->why = why;
}

//  A body of a told length that we cannot take is refused before it comes; the connection is closed then.
static enum MHD_Result
on_head (request_t *self, const char *method)
{
    size_t max = self->intake->options.rules.max_body_bytes;
    self->begun = true;
    head_read (&self->head, self->connection, method);
    uint64_t length = self->head.told_length;
    self->drop = !span_is (self->head.ask.method, "POST");
    if (self->drop || length == 0)
        return MHD_YES;
    if (length > max)
        request_refuse (self, ANSWER_TOO_LARGE);
    else if (self->intake->counters.body_bytes + length > INTAKE_BODIES_MAX_BYTES)
        request_refuse (self, ANSWER_UNAVAILABLE);
    return self->stage == READY ? request_send (self) : MHD_YES;
}

//  What is dropped has a limit too: MHD_NO closes the connection.
static enum MHD_Result
on_body (request_t *self, const char *data, size_t size)
{
    size_t max = self->intake->options.rules.max_body_bytes;
    if (!self->drop && self->body.size + size > max)
        refuse_body (self, ANSWER_TOO_LARGE);
    else if (!self->drop && self->intake->counters.body_bytes + size > INTAKE_BODIES_MAX_BYTES)
        refuse_body (self, ANSWER_UNAVAILABLE);
    if (self->drop) {
        self->dropped += size;
        return self->dropped > DROPPED_MAX_BYTES ? MHD_NO : MHD_YES;
    }
    tracker_text_put (&self->body, data, size);
    self->intake->counters.body_bytes += size;
    return MHD_YES;
}

//  The request is there, or its answer may go now.
static enum MHD_Result
on_whole (request_t *self)
{
    if (self->stage == READING)
        request_finish (self);
    if (self->stage == READY)
        return request_send (self);
    if (self->stage == HELD)
        MHD_suspend_connection (self->connection);
    return MHD_YES;
}

static enum MHD_Result
on_request (void *arg, struct MHD_Connection *connection, const char *url, const char *method,
            const char *version, const char *data, size_t *size, void **request_p)
{
    request_t *self = *request_p;
    (void)arg;
    (void)connection;
    (void)url;
    (void)version;
    if (!self->begun)
        return on_head (self, method);
    if (*size == 0)
        return on_whole (self);
    enum MHD_Result result = on_body (self, data, *size);
    *size = 0;
    return result;
}

//  The first that we hear of a request: its address, before libmicrohttpd takes it apart.
static void *
on_uri (void *arg, const char *uri, struct MHD_Connection *connection)
{
    request_t *self = request_new (arg, connection);
    tracker_text_puts (&self->head.uri, uri);
    return self;
}

static void
on_completed (void *arg, struct MHD_Connection *connection, void **request_p,
              enum MHD_RequestTerminationCode why)
{
    request_t *self = *request_p;
    (void)arg;
    (void)connection;
    (void)why;
    request_destroy (&self);
    *request_p = NULL;
}

//  Query parameters are the tracker's business: percent-escapes stay, good or bad.
static size_t
on_unescape (void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen (text);
}

//  ---- The loop

//  Work through what is due. Returns how many ms the loop may wait, -1 for no limit.
static int
before_wait (void *arg)
{
    const intake_t *self = arg;
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run (self->daemon);
    if (MHD_get_timeout (self->daemon, &wait_ms) != MHD_YES)
        return -1;
    return wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX;
}

//  The work is done in before_wait, which comes next; this only ends the wait.
static void
on_readable (void *arg)
{
    (void)arg;
}

//  ---- The intake

//  No more than we may have descriptors. Others wait in the kernel's queue until one ends.
static unsigned
connections_max (const intake_options_t *options)
{
    struct rlimit limit = { 0 };
    getrlimit (RLIMIT_NOFILE, &limit);
    rlim_t most =
        limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? limit.rlim_cur - SPARE_DESCRIPTORS : SPARE_DESCRIPTORS;
    return most < options->max_connections ? (unsigned)most : options->max_connections;
}

static bool
daemon_start (intake_t *self)
{
    self->listening = listen_open ("collector", self->options.bind_address, self->options.port);
    if (self->listening < 0)
        return false;
    struct MHD_OptionItem rows [] = {
        { MHD_OPTION_LISTEN_SOCKET, self->listening, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_uri, self },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)on_unescape, self },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, self },
        { MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, connections_max (&self->options), NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    self->daemon = MHD_start_daemon (MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
                                     self, MHD_OPTION_ARRAY, rows, MHD_OPTION_END);
    if (self->daemon)
        return true;
    log_error ("cannot listen", "what=collector reason=\"libmicrohttpd refuses\"");
    close (self->listening);
    self->listening = -1;
    return false;
}

intake_t *
intake_new (service_t *service, const intake_options_t *options)
{
    intake_t *self = memory_new (1, sizeof *self);
    self->options = *options;
    self->service = service;
    self->healthy = true;
    bool good = daemon_start (self);
    const union MHD_DaemonInfo *info =
        good ? MHD_get_daemon_info (self->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || service_watch (service, info->epoll_fd, on_readable, self) != 0)
        intake_destroy (&self);
    else
        service_before_wait (service, before_wait, self);
    return self;
}

//  libmicrohttpd does not end while a connection is suspended.
void
intake_destroy (intake_t **self_p)
{
    intake_t *self = *self_p;
    if (!self)
        return;
    intake_release (self, self->tickets, false);
    if (self->daemon)
        MHD_stop_daemon (self->daemon);
    free (self);
    *self_p = NULL;
}

void
intake_release (intake_t *self, uint64_t through, bool durable)
{
    for (request_t *request = self->open; request; request = request->next) {
        if (request->stage != HELD || request->ticket > through)
            continue;
        if (durable)
            request->stage = READY;
        else
            request_refuse (request, ANSWER_UNAVAILABLE);
        MHD_resume_connection (request->connection);
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
    if (self->listening != -1) {
        MHD_quiesce_daemon (self->daemon);
        close (self->listening);
        self->listening = -1;
    }
    return self->open == NULL;
}

intake_counters_t
intake_counters (const intake_t *self)
{
    return self->counters;
}
