//  http - the gateway's ports: HTTP requests, WebSockets, pages

#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway.h"
#include "memory.h"
#include "pages.h"
#include "socket.h"
#include "web.h"

//  Bytes of a body written at once.
#define CHUNK 65536
#define HEAD_BYTES 4096

//  One port: what is behind it.
typedef struct {
    http_t *http;
    bool api;
    const char *directory;    //  of pages; NULL none
    const char *policy;       //  Content-Security-Policy of pages
} site_t;

struct http {
    struct gateway *gateway;
    web_t *web;
    site_t sites [3];
    usher_str_t raw_id_key;
    socket_list_t sockets;
    uint32_t max_clients;
    size_t exchanges;    //  answers that are being sent
    uint64_t requests;
    unsigned char chunk [LWS_PRE + CHUNK];
};

//  One request until its answer is sent; or one WebSocket. Zeroed by libwebsockets.
typedef struct {
    http_t *http;    //  NULL: nothing is being answered
    struct lws *wsi;
    bool head_only;
    bool has_answer;
    const char *allow;          //  methods, of an answer 405
    uint64_t history, erase;    //  request that is waited for
    api_answer_t answer;
    pages_file_t file;
    uint64_t sent, size;    //  of the body
    bool close;             //  afterwards
    socket_t socket;
} exchange_t;

//  The tracking page sends events to a collector on another port.
static const char policy_dashboard [] =
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self' "
    "'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
static const char policy_tracker [] =
    "default-src 'self'; connect-src 'self' http: https:; img-src 'self' data:; media-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";
static const char policy_api [] = "default-src 'none'; frame-ancestors 'none'";

//  ---- answers

static void
exchange_end (exchange_t *self)
{
    if (!self->http)
        return;
    history_cancel (gateway_history (self->http->gateway), self->history);
    erase_cancel (gateway_erase (self->http->gateway), self->erase);
    buffer_free (&self->answer.body);
    if (self->file.fd >= 0)
        close (self->file.fd);
    self->http->exchanges--;
    self->http = NULL;
}

typedef struct {
    struct lws *wsi;
    unsigned char *at, *end;
    bool failed;
} head_t;

static void
head_add (head_t *head, const char *name, const char *value)
{
    char field [64];
    snprintf (field, sizeof field, "%s:", name);
    head->failed = head->failed || lws_add_http_header_by_name (head->wsi, (unsigned char *)field,
                                                                (unsigned char *)(uintptr_t)value,
                                                                (int)strlen (value), &head->at, head->end);
}

//  Sends status and headers. fields ends with a NULL name. Returns what the callback returns.
static int
head_send (exchange_t *self, unsigned status, const char *type, uint64_t size,
           const char *const (*fields) [2])
{
    unsigned char bytes [LWS_PRE + HEAD_BYTES], *start = bytes + LWS_PRE;
    head_t head = { self->wsi, start, bytes + sizeof bytes - 1, false };
    if (lws_add_http_common_headers (self->wsi, status, type, size, &head.at, head.end))
        return -1;
    head_add (&head, "x-content-type-options", "nosniff");
    head_add (&head, "referrer-policy", "no-referrer");
    for (size_t row = 0; fields [row][0]; row++)
        if (fields [row][1])
            head_add (&head, fields [row][0], fields [row][1]);
    if (head.failed || lws_finalize_write_http_header (self->wsi, start, &head.at, head.end))
        return -1;
    self->size = self->head_only ? 0 : size;
    self->has_answer = true;
    if (self->size == 0) {
        bool stop = self->close;
        exchange_end (self);
        return stop || lws_http_transaction_completed (self->wsi) ? -1 : 0;
    }
    lws_callback_on_writable (self->wsi);
    return 0;
}

static int
answer_send (exchange_t *self)
{
    const char *const fields [][2] = {
        { "content-security-policy", policy_api },
        { "cache-control", "no-store" },
        { "allow", self->allow },
        { NULL, NULL },
    };
    return head_send (self, self->answer.status, self->answer.type, self->answer.body.size, fields);
}

static int
error_send (exchange_t *self, unsigned status, const char *text)
{
    api_error (&self->answer, status, text);
    return answer_send (self);
}

void
http_answer (void *asker, api_answer_t *answer)
{
    exchange_t *self = asker;
    self->history = self->erase = 0;
    buffer_free (&self->answer.body);
    self->answer.body = answer->body;
    self->answer.status = answer->status;
    self->answer.type = answer->type;
    //  Headers are written when libwebsockets says so: this is another callback.
    lws_callback_on_writable (self->wsi);
}

//  ---- requests

static void
copy_header (struct lws *wsi, enum lws_token_indexes token, char *text, int size)
{
    text [0] = 0;
    if (lws_hdr_copy (wsi, text, size, token) < 0)
        text [0] = 0;
}

static int
page_send (exchange_t *self, const site_t *site, const char *path)
{
    char range [64], match [64], content_range [64];
    copy_header (self->wsi, WSI_TOKEN_HTTP_RANGE, range, sizeof range);
    copy_header (self->wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, match, sizeof match);
    pages_find (site->directory, path, range, match, &self->file);
    if (self->file.status == 404)
        return error_send (self, 404, "no such path");
    if (self->file.status == 206)
        snprintf (content_range, sizeof content_range, "bytes %llu-%llu/%llu",
                  (unsigned long long)self->file.from,
                  (unsigned long long)(self->file.from + self->file.size - 1),
                  (unsigned long long)self->file.total);
    else
        snprintf (content_range, sizeof content_range, "bytes */%llu", (unsigned long long)self->file.total);
    const char *const fields [][2] = {
        { "content-security-policy", site->policy },
        { "cache-control", self->file.cache },
        { "etag", self->file.etag },
        { "accept-ranges", "bytes" },
        { "content-range", self->file.status == 206 || self->file.status == 416 ? content_range : NULL },
        { NULL, NULL },
    };
    return head_send (self, self->file.status, self->file.type, self->file.size, fields);
}

//  Copies one URL parameter; empty where it is missing or too long.
static const char *
parameter (struct lws *wsi, const char *name, char *text, int size)
{
    const char *value = lws_get_urlarg_by_name (wsi, name, text, size);
    return value ? value : "";
}

static api_world_t
world_now (const exchange_t *self)
{
    struct gateway *gateway = self->http->gateway;
    usher_time_t now = service_now ();
    return (api_world_t){ .clients = gateway_clients (gateway),
                          .mirror = clients_mirror (gateway_clients (gateway)),
                          .mono_ms = now.mono_ms,
                          .wall_ms = now.wall_ms,
                          .metrics = gateway_all_metrics (gateway),
                          .raw_id_key = self->http->raw_id_key };
}

static const char store_busy [] = "too many questions to the store wait: try again";

static int
delete_send (exchange_t *self, const char *path)
{
    struct gateway *gateway = self->http->gateway;
    const api_world_t world = world_now (self);
    self->close = true;    //  a body may follow, which nobody reads
    api_delete (&world, path, &self->answer);
    if (self->answer.status == 405)
        self->allow = api_methods (path);
    if (self->answer.status)
        return answer_send (self);
    self->erase = erase_ask (gateway_erase (gateway), self, usher_str (self->answer.viewer_id), world.mono_ms,
                             gateway_outbox (gateway));
    return self->erase ? 0 : error_send (self, 503, store_busy);
}

static int
api_send (exchange_t *self, const char *path)
{
    char status [64], title [4200], q [256], limit [32], cursor [64];
    char resolution [16], from [32], to [32], metric [1024], by [32];
    struct gateway *gateway = self->http->gateway;
    const api_world_t world = world_now (self);
    const api_request_t request = {
        .path = path,
        .status = parameter (self->wsi, "status=", status, sizeof status),
        .title = parameter (self->wsi, "title=", title, sizeof title),
        .q = parameter (self->wsi, "q=", q, sizeof q),
        .limit = parameter (self->wsi, "limit=", limit, sizeof limit),
        .cursor = parameter (self->wsi, "cursor=", cursor, sizeof cursor),
        .series = { .resolution = parameter (self->wsi, "resolution=", resolution, sizeof resolution),
                    .from = parameter (self->wsi, "from=", from, sizeof from),
                    .to = parameter (self->wsi, "to=", to, sizeof to),
                    .metric = parameter (self->wsi, "metric=", metric, sizeof metric),
                    .by = parameter (self->wsi, "by=", by, sizeof by) },
    };
    api_get (&world, &request, &self->answer);
    if (self->answer.status)
        return answer_send (self);
    history_t *history = gateway_history (gateway);
    outbox_t *out = gateway_outbox (gateway);
    self->history = self->answer.limit
                        ? history_ask (history, self, usher_str (self->answer.viewer_id), self->answer.limit,
                                       world.mono_ms, out)
                        : history_ask_series (history, self, &self->answer.series, world.mono_ms, out);
    return self->history ? 0 : error_send (self, 503, store_busy);
}

static int
on_request (exchange_t *self, struct lws *wsi)
{
    const site_t *site = web_user (wsi);
    char *uri, path [4096];
    int size, method = lws_http_get_uri_and_method (wsi, &uri, &size);
    *self =
        (exchange_t){ .http = site->http, .wsi = wsi, .head_only = method == LWSHUMETH_HEAD, .file.fd = -1 };
    self->http->exchanges++;
    self->http->requests++;
    if (method < 0 || size < 1 || (size_t)size >= sizeof path || memchr (uri, 0, (size_t)size))
        return error_send (self, 400, "bad path");
    memcpy (path, uri, (size_t)size);
    path [size] = 0;
    if (method == LWSHUMETH_DELETE && site->api && api_knows (path))
        return delete_send (self, path);
    if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD) {
        self->close = true;    //  a body may follow, which nobody reads
        //  A page's site knows no path of the API unless it serves both.
        self->allow = api_methods (site->api ? path : "");
        api_refuse_method (site->api ? path : "", &self->answer);
        return answer_send (self);
    }
    if (site->directory && !(site->api && api_knows (path)))
        return page_send (self, site, path);
    return site->api ? api_send (self, path) : error_send (self, 404, "no such path");
}

//  Returns the bytes of the next piece, put behind LWS_PRE of the chunk; -1 the file could not be read.
static ssize_t
next_piece (exchange_t *self)
{
    unsigned char *start = self->http->chunk + LWS_PRE;
    uint64_t left = self->size - self->sent;
    size_t size = left < CHUNK ? (size_t)left : CHUNK;
    if (self->file.fd >= 0)
        return pread (self->file.fd, start, size, (off_t)(self->file.from + self->sent));
    memcpy (start, self->answer.body.data + self->sent, size);
    return (ssize_t)size;
}

static int
on_body_writable (exchange_t *self)
{
    if (!self->http)
        return 0;
    if (!self->has_answer)
        return self->history || self->erase ? 0 : answer_send (self);
    ssize_t size = next_piece (self);
    if (size <= 0)
        return -1;    //  the file became shorter; the client sees a cut connection, not a wrong file
    self->sent += (uint64_t)size;
    bool last = self->sent == self->size;
    if (lws_write (self->wsi, self->http->chunk + LWS_PRE, (size_t)size,
                   last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    if (!last) {
        lws_callback_on_writable (self->wsi);
        return 0;
    }
    bool stop = self->close;
    exchange_end (self);
    return stop || lws_http_transaction_completed (self->wsi) ? -1 : 0;
}

//  ---- WebSockets

static const struct {
    const char *path;
    client_kind_t kind;
} socket_paths [] = { { "/ws", CLIENT_WS }, { "/v1/live", CLIENT_LIVE } };

//  The row of the path that a connection asks for; -1 none.
static int
socket_row (struct lws *wsi)
{
    char path [64];
    copy_header (wsi, WSI_TOKEN_GET_URI, path, sizeof path);
    for (size_t row = 0; row < sizeof socket_paths / sizeof *socket_paths; row++)
        if (strcmp (path, socket_paths [row].path) == 0)
            return (int)row;
    return -1;
}

//  Before an upgrade: nonzero refuses, and the answer is sent.
static int
on_upgrade (struct lws *wsi)
{
    const site_t *site = web_user (wsi);
    unsigned status = 0;
    if (!site->api || socket_row (wsi) < 0)
        status = HTTP_STATUS_NOT_FOUND;
    else if (site->http->sockets.count >= site->http->max_clients)
        status = HTTP_STATUS_SERVICE_UNAVAILABLE;
    if (status && lws_return_http_status (wsi, status, NULL))
        return 1;
    return status != 0;
}

static int
on_established (exchange_t *self, struct lws *wsi)
{
    const site_t *site = web_user (wsi);
    int row = socket_row (wsi);
    if (row < 0)
        return -1;
    socket_open (&site->http->sockets, &self->socket, wsi, socket_paths [row].kind);
    lws_callback_on_writable (wsi);
    return 0;
}

static int
on_socket_writable (exchange_t *self)
{
    usher_time_t now = service_now ();
    return self->socket.list ? socket_writable (&self->socket, now.mono_ms, now.wall_ms) : 0;
}

static int
on_event (struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
    exchange_t *self = user;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return on_request (self, wsi);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return on_body_writable (self);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        if (self)
            exchange_end (self);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return on_upgrade (wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return on_established (self, wsi);
    case LWS_CALLBACK_RECEIVE:
        return self->socket.list ? socket_receive (&self->socket, in, size) : 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_socket_writable (self);
    case LWS_CALLBACK_CLOSED:
        if (self)
            socket_close (&self->socket);
        return 0;
    default:
        return 0;    //  not the default handler: it would answer for us
    }
}

//  ---- the ports

static const struct lws_protocols protocols [] = {
    { .name = "usher",
      .callback = on_event,
      .per_session_data_size = sizeof (exchange_t),
      .rx_buffer_size = 4096 },
    { 0 },
};

http_t *
http_new (service_t *service, const config_t *config, struct gateway *gateway)
{
    http_t *self = memory_new (1, sizeof *self);
    self->gateway = gateway;
    self->sockets.clients = gateway_clients (gateway);
    self->max_clients = config->gateway.max_clients;
    if (config->privacy.api_raw_ids)
        self->raw_id_key = usher_str (config->privacy.pseudonym_key);
    self->sites [0] = (site_t){ self, true, NULL, policy_api };
    self->sites [1] = (site_t){ self, true, config->gateway.dashboard.directory, policy_dashboard };
    self->sites [2] = (site_t){ self, false, config->gateway.tracker.directory, policy_tracker };
    const web_listener_t listeners [] = {
        { config->gateway.port, protocols, NULL, "gateway.port", &self->sites [0] },
        { config->gateway.dashboard.port, protocols, NULL, "gateway.dashboard.port", &self->sites [1] },
        { config->gateway.tracker.port, protocols, NULL, "gateway.tracker.port", &self->sites [2] },
    };
    if (config->gateway.dashboard.port)
        pages_look ("dashboard", config->gateway.dashboard.directory);
    if (config->gateway.tracker.port)
        pages_look ("tracker", config->gateway.tracker.directory);
    self->web = web_new (service, config->bind, listeners, sizeof listeners / sizeof *listeners);
    if (self->web)
        return self;
    free (self);
    return NULL;
}

void
http_destroy (http_t **self_p)
{
    http_t *self = *self_p;
    if (!self)
        return;
    web_destroy (&self->web);
    buffer_free (&self->sockets.text);
    buffer_free (&self->sockets.frame);
    free (self);
    *self_p = NULL;
}

void
http_wake (http_t *self, int64_t mono_ms)
{
    sockets_wake (&self->sockets, mono_ms);
}

void
http_tick (http_t *self, int64_t mono_ms)
{
    sockets_tick (&self->sockets, mono_ms);
}

void
http_farewell (http_t *self)
{
    web_stop_listening (self->web);
    sockets_farewell (&self->sockets);
}

size_t
http_connections (const http_t *self)
{
    return self->sockets.count + self->exchanges;
}

uint64_t
http_stuck (const http_t *self)
{
    return self->sockets.stuck;
}

uint64_t
http_requests (const http_t *self)
{
    return self->requests;
}
