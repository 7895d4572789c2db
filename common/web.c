//  web - libwebsockets inside the service loop
//
//  libwebsockets (4.1 of Debian 12 has no external poll) runs on a libuv loop of ours; that loop's descriptor is
//  watched by the service loop, which runs it once more before each wait. The listening sockets are our own: so a port
//  that is taken is known by its errno, and listening can stop while connections go on.

#include "web.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "listen.h"
#include "log.h"
#include "memory.h"

//  Connections taken in one go.
#define ACCEPTS 64
//  Turns of libuv's loop before others get theirs, and for closing.
#define RUNS_MAX 32
#define CLOSING_RUNS 200
//  Request line and headers together, as Snowplow's Collector 3.2 takes them: 20 KiB and 40 KiB.
#define HEADERS_MAX 61440
//  A connection that says nothing at all within this time is closed.
#define IDLE_S 20

typedef struct {
    web_t *web;
    uv_poll_t poll;
    int fd;    //  -1: not listening
    struct lws_vhost *vhost;
    void *user;
} listener_t;

struct web {
    int spare;    //  a descriptor to give up when there are no more, so that a new connection can be refused
    uv_loop_t loop;
    struct lws_context *context;
    listener_t *listeners;
    size_t count;
};

//  Silent WebSockets are asked, and closed when they don't answer: a vanished browser tells nobody.
static const lws_retry_bo_t patience = { .secs_since_valid_ping = 30, .secs_since_valid_hangup = 60 };

static void
on_lws_log (int level, const char *line)
{
    int size = (int)strcspn (line, "\n");
    if (level & LLL_ERR)
        log_warning ("libwebsockets", "text=\"%.*s\"", size, line);
}

//  ---- listening

//  Out of descriptors: takes the connection to refuse it, else the loop would spin on it.
static void
refuse (listener_t *self)
{
    close (self->web->spare);
    int fd = accept (self->fd, NULL, NULL);
    if (fd >= 0)
        close (fd);
    self->web->spare = open ("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
on_connection (uv_poll_t *poll, int status, int events)
{
    listener_t *self = poll->data;
    (void)status;
    (void)events;
    for (size_t count = 0; count < ACCEPTS; count++) {
        int fd = accept4 (self->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                refuse (self);
            return;
        }
        //  A reply goes out as head and body. With Nagle's algorithm on, the body would wait for the client's delayed
        //  acknowledgement of the head: 40 ms.
        int yes = 1;
        setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct lws *wsi = lws_adopt_socket_vhost (self->vhost, fd);    //  closes fd where it cannot
        if (wsi)
            lws_set_opaque_user_data (wsi, self->user);
    }
}

static bool
listener_open (web_t *self, listener_t *listener, const char *bind_address, const web_listener_t *what)
{
    listener->fd = listen_open (what->name, bind_address, what->port);
    if (listener->fd < 0)
        return false;
    struct lws_context_creation_info info = { 0 };
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.vhost_name = what->name;
    info.protocols = what->protocols;
    info.mounts = what->mounts;
    info.user = what->user;
    info.timeout_secs = IDLE_S;
    info.keepalive_timeout = IDLE_S;
    info.retry_and_idle_policy = &patience;
    listener->vhost = lws_create_vhost (self->context, &info);
    if (!listener->vhost) {
        log_error ("cannot listen", "what=%s reason=\"libwebsockets refuses\"", what->name);
        close (listener->fd);
        listener->fd = -1;
        return false;
    }
    listener->user = what->user;
    listener->poll.data = listener;
    uv_poll_init (&self->loop, &listener->poll, listener->fd);
    uv_poll_start (&listener->poll, UV_READABLE, on_connection);
    return true;
}

void *
web_user (struct lws *wsi)
{
    return lws_get_opaque_user_data (wsi);
}

void
web_stop_listening (web_t *self)
{
    for (size_t at = 0; at < self->count; at++) {
        listener_t *listener = &self->listeners [at];
        if (listener->fd < 0)
            continue;
        uv_poll_stop (&listener->poll);
        uv_close ((uv_handle_t *)&listener->poll, NULL);
        close (listener->fd);
        listener->fd = -1;
    }
}

//  ---- the loop

//  Callbacks change what libuv waits for, and it tells the kernel only when it runs again: so run until it has
//  told all. The head of this queue is its first field in every libuv 1.x; no public function tells.
static bool
is_behind (const uv_loop_t *loop)
{
    const void *first;
    memcpy (&first, &loop->watcher_queue, sizeof first);
    return first != (const void *)&loop->watcher_queue;
}

static int
before_wait (void *arg)
{
    web_t *self = arg;
    int runs = 0;
    do
        uv_run (&self->loop, UV_RUN_NOWAIT);
    while (is_behind (&self->loop) && ++runs < RUNS_MAX);
    return is_behind (&self->loop) ? 0 : uv_backend_timeout (&self->loop);
}

//  The work is done in before_wait, which comes next; this only ends the wait.
static void
on_readable (void *arg)
{
    (void)arg;
}

web_t *
web_new (service_t *service, const char *bind_address, const web_listener_t *listeners, size_t count)
{
    web_t *self = memory_new (1, sizeof *self);
    void *loops [] = { &self->loop };
    struct lws_context_creation_info info = { 0 };
    uv_loop_init (&self->loop);
    self->spare = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    lws_set_log_level (LLL_ERR, on_lws_log);
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    info.foreign_loops = loops;
    info.max_http_header_data = HEADERS_MAX;
    info.pcontext = &self->context;
    self->context = lws_create_context (&info);
    self->listeners = memory_new (count, sizeof *self->listeners);
    bool good = self->context != NULL;
    if (!good)
        log_error ("no web server",
                   "reason=\"libwebsockets did not start\" hint=\"is its libuv plugin installed?\"");
    for (size_t at = 0; good && at < count; at++) {
        if (listeners [at].port == 0)
            continue;
        self->listeners [self->count].web = self;
        good = listener_open (self, &self->listeners [self->count], bind_address, &listeners [at]);
        self->count += good;
    }
    good = good && service_watch (service, uv_backend_fd (&self->loop), on_readable, self) == 0;
    if (!good) {
        web_destroy (&self);
        return NULL;
    }
    service_before_wait (service, before_wait, self);
    return self;
}

static void
handle_close (uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing (handle))
        uv_close (handle, NULL);
}

void
web_destroy (web_t **self_p)
{
    web_t *self = *self_p;
    if (!self)
        return;
    web_stop_listening (self);
    if (self->context)
        lws_context_destroy (self->context);
    for (int runs = 0; runs < CLOSING_RUNS && self->context; runs++)
        uv_run (&self->loop, UV_RUN_NOWAIT);
    if (self->context)
        lws_context_destroy (self->context);
    uv_walk (&self->loop, handle_close, NULL);
    for (int runs = 0; runs < CLOSING_RUNS && uv_run (&self->loop, UV_RUN_NOWAIT); runs++)
        ;
    uv_loop_close (&self->loop);
    close (self->spare);
    free (self->listeners);
    free (self);
    *self_p = NULL;
}
