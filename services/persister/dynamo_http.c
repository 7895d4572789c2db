//  dynamo_http - carries requests to DynamoDB over the network: libcurl, signed, on connections that are kept
//
//  libcurl's multi interface tells which sockets it waits for; they are in an epoll set, whose one descriptor the
//  service's loop watches. A request that has no keys to be signed with yet waits until they are there, or fails with
//  the reason why they are not.

#include "dynamo_http.h"
#include "aws_credentials.h"
#include "dynamo_fault.h"
#include "log.h"
#include "memory.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    CONNECT_MS = 3000,
    TIMEOUT_MS = 10000,    //  beyond it the outcome is unknown, and the request is made again
    METADATA_MS = 3000,    //  keys come from next door
    ANSWER_BYTES_MAX = 32 * 1024 * 1024,    //  16 MB of items, their profiles in base64
    ANSWER_KEEP_BYTES = 64 * 1024,
    EVENTS = 32
};

typedef enum { TRANSFER_FREE, TRANSFER_WAITS, TRANSFER_FLIES, TRANSFER_READ } transfer_state_t;

typedef struct {
    transfer_state_t state;
    bool keys;    //  it fetches keys
    dynamo_request_t request;
    CURL *easy;
    struct curl_slist *headers;
    buffer_t answer;
    char error [CURL_ERROR_SIZE];
} transfer_t;

typedef struct {
    CURLM *multi;
    int epoll;
    int64_t due_ms;    //  libcurl wants to be called then; -1: not
    aws_credentials_t *credentials;
    bool keyless;    //  there were none to be had; told once
    char scope [128], url [1024];
    size_t waiting;
    transfer_t transfers [DYNAMO_FLIGHTS_MAX + 1];    //  the last one fetches keys
} http_t;

//  ---- libcurl's callbacks

static int
on_socket (CURL *easy, curl_socket_t socket, int what, void *arg, void *known)
{
    http_t *self = arg;
    (void)easy;
    struct epoll_event event = { .events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
                                           (what & CURL_POLL_OUT ? EPOLLOUT : 0u),
                                 .data.fd = socket };
    if (what == CURL_POLL_REMOVE)
        epoll_ctl (self->epoll, EPOLL_CTL_DEL, socket, NULL);
    else if (epoll_ctl (self->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) != 0)
        epoll_ctl (self->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
    curl_multi_assign (self->multi, socket, what == CURL_POLL_REMOVE ? NULL : self);
    return 0;
}

static int
on_timer (CURLM *multi, long wait_ms, void *arg)
{
    http_t *self = arg;
    (void)multi;
    self->due_ms = wait_ms < 0 ? -1 : service_now ().mono_ms + wait_ms;
    return 0;
}

static size_t
on_data (char *data, size_t one, size_t size, void *arg)
{
    transfer_t *transfer = arg;
    (void)one;
    if (transfer->answer.size + size > ANSWER_BYTES_MAX)
        return 0;
    buffer_add (&transfer->answer, data, size);
    return size;
}

//  ---- the loop

static void
on_ready (void *arg)
{
    http_t *self = arg;
    struct epoll_event events [EVENTS];
    int running, count = epoll_wait (self->epoll, events, EVENTS, 0);
    for (int at = 0; at < count; at++) {
        int what = (events [at].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                   (events [at].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events [at].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action (self->multi, events [at].data.fd, what, &running);
    }
}

//  Gives libcurl its time, and says how long it may be left alone. What it has begun goes out before the wait.
static int
before_wait (void *arg)
{
    http_t *self = arg;
    int running;
    int64_t now_ms = service_now ().mono_ms;
    if (self->due_ms >= 0 && self->due_ms <= now_ms) {
        self->due_ms = -1;
        curl_multi_socket_action (self->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    if (self->due_ms < 0)
        return -1;
    return self->due_ms > now_ms ? (int)(self->due_ms - now_ms) : 0;
}

//  ---- sending

static void
add_header (transfer_t *transfer, const char *line)
{
    transfer->headers = curl_slist_append (transfer->headers, line);
    if (!transfer->headers)
        abort ();
}

static void
begin (http_t *self, transfer_t *transfer, const char *url, long timeout_ms)
{
    CURL *easy = transfer->easy;
    curl_easy_reset (easy);
    *transfer->error = 0;
    curl_easy_setopt (easy, CURLOPT_URL, url);
    curl_easy_setopt (easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt (easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt (easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt (easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt (easy, CURLOPT_WRITEDATA, transfer);
    transfer->state = TRANSFER_FLIES;
    if (curl_multi_add_handle (self->multi, easy) != CURLM_OK)
        abort ();
}

static void
sign (http_t *self, CURL *easy)
{
    curl_easy_setopt (easy, CURLOPT_AWS_SIGV4, self->scope);
    curl_easy_setopt (easy, CURLOPT_USERNAME, aws_credentials_key (self->credentials));
    curl_easy_setopt (easy, CURLOPT_PASSWORD, aws_credentials_secret (self->credentials));
}

static void
start (http_t *self, transfer_t *transfer)
{
    char line [8192];
    snprintf (line, sizeof line, "X-Amz-Target: DynamoDB_20120810.%s", transfer->request.operation);
    add_header (transfer, "Content-Type: application/x-amz-json-1.0");
    add_header (transfer, line);
    if (*aws_credentials_token (self->credentials)) {
        snprintf (line, sizeof line, "X-Amz-Security-Token: %s", aws_credentials_token (self->credentials));
        add_header (transfer, line);
    }
    begin (self, transfer, self->url, TIMEOUT_MS);
    curl_easy_setopt (transfer->easy, CURLOPT_POSTFIELDSIZE, (long)transfer->request.size);
    curl_easy_setopt (transfer->easy, CURLOPT_POSTFIELDS, transfer->request.body);
    sign (self, transfer->easy);
}

static void
start_waiting (http_t *self)
{
    if (!self->waiting || !aws_credentials_valid (self->credentials, service_now ().wall_ms))
        return;
    for (size_t at = 0; at < DYNAMO_FLIGHTS_MAX; at++)
        if (self->transfers [at].state == TRANSFER_WAITS)
            start (self, &self->transfers [at]);
    self->waiting = 0;
}

static void
fetch_keys (http_t *self)
{
    transfer_t *transfer = &self->transfers [DYNAMO_FLIGHTS_MAX];
    aws_request_t request;
    if (!aws_credentials_next (self->credentials, service_now ().wall_ms, &request))
        return;
    if (*request.header)
        add_header (transfer, request.header);
    begin (self, transfer, request.url, METADATA_MS);
    if (strcmp (request.method, "GET") != 0) {
        curl_easy_setopt (transfer->easy, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt (transfer->easy, CURLOPT_CUSTOMREQUEST, request.method);
    }
    //  The address is next door, never behind a proxy.
    curl_easy_setopt (transfer->easy, CURLOPT_NOPROXY, "*");
}

static void
send_request (void *arg, const dynamo_request_t *request)
{
    http_t *self = arg;
    transfer_t *transfer = &self->transfers [request->tag % DYNAMO_FLIGHTS_MAX];
    transfer->request = *request;
    transfer->state = TRANSFER_WAITS;
    self->waiting++;
    fetch_keys (self);
    start_waiting (self);
}

//  ---- receiving

static void
clear (transfer_t *transfer)
{
    curl_slist_free_all (transfer->headers);
    transfer->headers = NULL;
    buffer_clear (&transfer->answer, ANSWER_KEEP_BYTES);
    transfer->state = TRANSFER_FREE;
}

//  Fills an answer from a transfer that has ended.
static void
read_answer (transfer_t *transfer, CURLcode result, dynamo_answer_t *answer)
{
    long status = 0;
    curl_easy_getinfo (transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    *answer = (dynamo_answer_t){ .tag = transfer->request.tag };
    if (result == CURLE_OK) {
        buffer_add (&transfer->answer, "", 1);
        transfer->answer.size--;
        answer->status = (int)status;
        answer->text = transfer->answer.data;
        answer->size = transfer->answer.size;
    } else {
        answer->text = *transfer->error ? transfer->error : curl_easy_strerror (result);
        answer->size = strlen (answer->text);
    }
}

static void
take_keys (http_t *self, transfer_t *transfer, CURLcode result)
{
    dynamo_answer_t answer;
    read_answer (transfer, result, &answer);
    self->keyless = !aws_credentials_answered (self->credentials, service_now ().wall_ms, answer.status,
                                               answer.text, answer.size);
    clear (transfer);
}

//  The first request that waits for keys that cannot be had fails.
static bool
fail_waiting (http_t *self, dynamo_answer_t *answer)
{
    if (!self->keyless || !self->waiting)
        return false;
    for (size_t at = 0; at < DYNAMO_FLIGHTS_MAX; at++)
        if (self->transfers [at].state == TRANSFER_WAITS) {
            const char *why = aws_credentials_error (self->credentials);
            *answer = (dynamo_answer_t){ self->transfers [at].request.tag, 0, why, strlen (why) };
            self->transfers [at].state = TRANSFER_READ;
            self->waiting--;
            return true;
        }
    return false;
}

//  What was given out by the call before is no longer needed.
static void
clear_read (http_t *self)
{
    for (size_t at = 0; at < DYNAMO_FLIGHTS_MAX; at++)
        if (self->transfers [at].state == TRANSFER_READ)
            clear (&self->transfers [at]);
}

static bool
receive (void *arg, dynamo_answer_t *answer)
{
    http_t *self = arg;
    int left;
    const char *hint;
    clear_read (self);
    for (CURLMsg *msg; (msg = curl_multi_info_read (self->multi, &left));) {
        transfer_t *transfer;
        CURLcode result = msg->data.result;
        curl_easy_getinfo (msg->easy_handle, CURLINFO_PRIVATE, &transfer);
        curl_multi_remove_handle (self->multi, transfer->easy);
        if (transfer->keys) {
            take_keys (self, transfer, result);
            continue;
        }
        read_answer (transfer, result, answer);
        transfer->state = TRANSFER_READ;
        if (dynamo_fault_of (answer->status, answer->text, answer->size, &hint) == DYNAMO_DENIED)
            aws_credentials_doubt (self->credentials, service_now ().wall_ms);
        return true;
    }
    fetch_keys (self);
    start_waiting (self);
    return fail_waiting (self, answer);
}

//  ---- beginning and end

static void
close_http (void *arg)
{
    http_t *self = arg;
    for (size_t at = 0; at <= DYNAMO_FLIGHTS_MAX; at++) {
        transfer_t *transfer = &self->transfers [at];
        if (transfer->state == TRANSFER_FLIES)
            curl_multi_remove_handle (self->multi, transfer->easy);
        clear (transfer);
        curl_easy_cleanup (transfer->easy);
        buffer_free (&transfer->answer);
    }
    curl_multi_cleanup (self->multi);
    aws_credentials_destroy (&self->credentials);
    close (self->epoll);
    free (self);
    curl_global_cleanup ();
}

static void
open_curl (http_t *self, uint32_t connections)
{
    curl_global_init (CURL_GLOBAL_DEFAULT);
    self->multi = curl_multi_init ();
    if (!self->multi)
        abort ();
    curl_multi_setopt (self->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt (self->multi, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt (self->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt (self->multi, CURLMOPT_TIMERDATA, self);
    curl_multi_setopt (self->multi, CURLMOPT_MAXCONNECTS, (long)connections + 1);
    for (size_t at = 0; at <= DYNAMO_FLIGHTS_MAX; at++)
        if (!(self->transfers [at].easy = curl_easy_init ()))
            abort ();
    self->transfers [DYNAMO_FLIGHTS_MAX].keys = true;
}

bool
dynamo_http_open (dynamo_port_t *port, service_t *service, const dynamo_http_options_t *options, char *why,
                  size_t size)
{
    aws_credentials_t *credentials = aws_credentials_new (getenv, why, size);
    if (!credentials)
        return false;
    http_t *self = memory_new (1, sizeof *self);
    self->credentials = credentials;
    self->due_ms = -1;
    self->epoll = epoll_create1 (EPOLL_CLOEXEC);
    if (self->epoll < 0)
        abort ();
    snprintf (self->scope, sizeof self->scope, "aws:amz:%s:dynamodb", options->region);
    if (options->endpoint)
        snprintf (self->url, sizeof self->url, "%s", options->endpoint);
    else
        snprintf (self->url, sizeof self->url, "https://dynamodb.%s.amazonaws.com%s/", options->region,
                  strncmp (options->region, "cn-", 3) == 0 ? ".cn" : "");
    open_curl (self, options->connections);
    service_watch (service, self->epoll, on_ready, self);
    service_before_wait (service, before_wait, self);
    *port = (dynamo_port_t){ self, send_request, receive, close_http };
    return true;
}
