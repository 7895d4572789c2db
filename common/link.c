//  link - one edge between processes: sockets, hello, who is there

#include "link.h"
#include "log.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <zmq.h>

enum {
    HELLO_OPENING_MS = 50,         //  how often an opening client says hello
    HELLO_OPEN_MS = 200,           //  and an open one: a binder that came back is found so soon
    SILENT_MS = 5000,              //  a peer not heard for so long is given up
    BLIND_MS = 1000,               //  ticks further apart than this: we did not listen
    COMPLAIN_MS = 10000,           //  between two lines about the same trouble
    READ_FRAMES = 64,              //  one socket, before others get their turn
    HIGH_WATER = 100000,           //  frames; credit keeps queues far below it
    FEED_HIGH_WATER = 20000,       //  frames; beyond it PUB drops, and the numbers tell
    MAX_FRAME = 4 * 1024 * 1024    //  bytes; the largest message with its neighbours
};

typedef struct {
    void *socket;    //  of a client only
    bool known;      //  greeted at least
    bool up;
    uint64_t incarnation;    //  of the other side, 0 unknown
    int64_t heard_ms, hello_ms;
    uint32_t route_size;    //  of a binder only: how ROUTER calls it
    uint8_t route [16];
    char name [64 + 1];
} peer_t;

struct link {
    service_link_t what;
    void *context;
    const char *run_dir;
    char name [64 + 1];    //  our own
    uint64_t incarnation;
    int64_t now_ms;
    int64_t complained_ms;    //  of another build's frames; 0 never
    link_events_t events;
    void *bound;    //  ROUTER, PUB or SUB
    int lock;
    size_t peer_count;
    peer_t *peers;
    char endpoint [256];
};

static bool
is_client (const link_t *self)
{
    return self->what.role == SERVICE_CONNECT || self->what.role == SERVICE_CONNECT_SHARDS;
}

static bool
is_binder (const link_t *self)
{
    return self->what.role == SERVICE_BIND || self->what.role == SERVICE_BIND_INSTANCE;
}

//  One place for the options of every socket.
static void *
socket_open (link_t *self, int type)
{
    void *socket = zmq_socket (self->context, type);
    if (!socket) {
        log_error ("no socket", "link=%s reason=\"%s\"", usher_links [self->what.link].name,
                   zmq_strerror (errno));
        abort ();
    }
    bool feed = type == ZMQ_PUB || type == ZMQ_SUB;
    int none = 0, water = feed ? FEED_HIGH_WATER : HIGH_WATER, yes = 1;
    int64_t max = MAX_FRAME;
    zmq_setsockopt (socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt (socket, ZMQ_SNDHWM, &water, sizeof water);
    zmq_setsockopt (socket, ZMQ_RCVHWM, &water, sizeof water);
    zmq_setsockopt (socket, ZMQ_MAXMSGSIZE, &max, sizeof max);
    if (type == ZMQ_ROUTER)
        zmq_setsockopt (socket, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes);
    if (type == ZMQ_SUB)
        zmq_setsockopt (socket, ZMQ_SUBSCRIBE, "", 0);
    int retry_ms = 20, retry_max_ms = 500;
    zmq_setsockopt (socket, ZMQ_RECONNECT_IVL, &retry_ms, sizeof retry_ms);
    zmq_setsockopt (socket, ZMQ_RECONNECT_IVL_MAX, &retry_max_ms, sizeof retry_max_ms);
    return socket;
}

//  ipc://RUN/<link>, or <link>-<number> where every shard has its own.
static bool
endpoint_set (link_t *self, bool numbered, uint32_t number)
{
    const char *name = usher_links [self->what.link].name;
    int length =
        numbered
            ? snprintf (self->endpoint, sizeof self->endpoint, "ipc://%s/%s-%u", self->run_dir, name, number)
            : snprintf (self->endpoint, sizeof self->endpoint, "ipc://%s/%s", self->run_dir, name);
    //  sun_path holds 107 bytes and a zero (unix(7)).
    if (length - 6 <= 107)
        return true;
    log_error ("path too long", "path=%s limit=107 hint=\"choose a shorter --dir\"", self->endpoint + 6);
    return false;
}

//  A second bind on an ipc path would silently steal it, so a lock comes first.
static bool
bind_locked (link_t *self)
{
    char path [300];
    snprintf (path, sizeof path, "%s.lock", self->endpoint + 6);
    self->lock = open (path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (self->lock < 0 || flock (self->lock, LOCK_EX | LOCK_NB)) {
        log_error ("endpoint taken", "path=%s reason=\"%s\" hint=\"another process serves it\"", path,
                   strerror (errno));
        return false;
    }
    if (zmq_bind (self->bound, self->endpoint) == 0)
        return true;
    log_error ("cannot bind", "path=%s reason=\"%s\"", self->endpoint + 6, zmq_strerror (errno));
    return false;
}

static void
client_connect (link_t *self, uint32_t number)
{
    peer_t *peer = &self->peers [number];
    if (peer->socket)
        zmq_close (peer->socket);
    *peer = (peer_t){ .known = true };
    peer->socket = socket_open (self, ZMQ_DEALER);
    //  The length was checked when the link was made.
    endpoint_set (self, self->what.role == SERVICE_CONNECT_SHARDS, number);
    zmq_connect (peer->socket, self->endpoint);
}

static bool
link_open (link_t *self, uint32_t instance, uint32_t shards)
{
    bool numbered = self->what.role == SERVICE_CONNECT_SHARDS || self->what.role == SERVICE_BIND_INSTANCE;
    if (!endpoint_set (self, numbered, numbered && is_client (self) ? shards - 1 : instance))
        return false;
    switch (self->what.role) {
    case SERVICE_CONNECT:
    case SERVICE_CONNECT_SHARDS:
        self->peer_count = numbered ? shards : 1;
        self->peers = memory_new (self->peer_count, sizeof *self->peers);
        for (uint32_t number = 0; number < self->peer_count; number++)
            client_connect (self, number);
        return true;
    case SERVICE_BIND:
    case SERVICE_BIND_INSTANCE:
        self->bound = socket_open (self, ZMQ_ROUTER);
        return bind_locked (self);
    case SERVICE_PUBLISH:
        self->bound = socket_open (self, ZMQ_PUB);
        return bind_locked (self);
    case SERVICE_SUBSCRIBE:
        self->bound = socket_open (self, ZMQ_SUB);
        return zmq_connect (self->bound, self->endpoint) == 0;
    }
    return false;
}

link_t *
link_new (void *context, service_link_t what, const char *run_dir, const char *name, uint32_t instance,
          uint32_t shards, uint64_t incarnation, const link_events_t *events)
{
    link_t *self = memory_new (1, sizeof *self);
    self->what = what;
    self->context = context;
    self->run_dir = run_dir;
    self->incarnation = incarnation;
    self->events = *events;
    self->lock = -1;
    snprintf (self->name, sizeof self->name, "%s", name);
    if (!link_open (self, instance, shards))
        link_destroy (&self);
    return self;
}

void
link_destroy (link_t **self_p)
{
    link_t *self = *self_p;
    if (!self)
        return;
    for (size_t number = 0; number < self->peer_count; number++)
        if (self->peers [number].socket)
            zmq_close (self->peers [number].socket);
    if (self->bound)
        zmq_close (self->bound);
    if (self->lock >= 0)
        close (self->lock);
    free (self->peers);
    free (self);
    *self_p = NULL;
}

usher_link_id_t
link_id (const link_t *self)
{
    return self->what.link;
}

size_t
link_sockets (const link_t *self, void **sockets, size_t max)
{
    size_t count = 0;
    if (self->what.role == SERVICE_PUBLISH)
        return 0;
    if (self->bound && count < max)
        sockets [count++] = self->bound;
    for (size_t number = 0; is_client (self) && number < self->peer_count && count < max; number++)
        sockets [count++] = self->peers [number].socket;
    return count;
}

bool
link_is_up (const link_t *self, uint32_t peer)
{
    return peer < self->peer_count && self->peers [peer].up;
}

//  ---- hello

static void peer_drop (link_t *self, uint32_t number);

static void
frame_send (link_t *self, uint32_t number, const void *data, size_t size)
{
    peer_t *peer = &self->peers [number];
    if (is_client (self)) {
        //  A full queue means that the binder has not read for very long: it gets a fresh start.
        if (zmq_send (peer->socket, data, size, ZMQ_DONTWAIT) < 0 && errno == EAGAIN)
            client_connect (self, number);
        return;
    }
    if (zmq_send (self->bound, peer->route, peer->route_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_send (self->bound, data, size, ZMQ_DONTWAIT) < 0)
        peer_drop (self, number);
}

static size_t
hello_write (const link_t *self, uint64_t incarnation, uint64_t expected, void *data, size_t size)
{
    usher_msg_t msg = { .id = USHER_MSG_hello };
    msg.hello = (usher_hello_t){ usher_str (self->name), incarnation, expected };
    size_t head = usher_frame_begin (data, size);
    return head + usher_encode (&msg, (uint8_t *)data + head, size - head);
}

static void
hello_send (link_t *self, uint32_t number)
{
    uint8_t data [256];
    self->peers [number].hello_ms = self->now_ms;
    frame_send (self, number, data,
                hello_write (self, self->incarnation, self->peers [number].incarnation, data, sizeof data));
}

static void
client_take_hello (link_t *self, uint32_t number, const usher_hello_t *hello)
{
    peer_t *peer = &self->peers [number];
    if (hello->incarnation == 0) {
        client_connect (self, number);
        return;
    }
    if (hello->expected != self->incarnation || hello->incarnation == peer->incarnation)
        return;
    //  Of several binders of one link, the shards, this tells which one it is.
    snprintf (peer->name, sizeof peer->name, "%.*s", (int)hello->name.size, hello->name.data);
    peer->incarnation = hello->incarnation;
    peer->up = true;
    hello_send (self, number);
    self->events.up (self->events.arg, self->what.link, number, peer->name);
}

static uint32_t
binder_find (link_t *self, const void *route, size_t size)
{
    for (uint32_t number = 0; number < self->peer_count; number++)
        if (self->peers [number].known && self->peers [number].route_size == size &&
            memcmp (self->peers [number].route, route, size) == 0)
            return number;
    return UINT32_MAX;
}

static uint32_t
binder_add (link_t *self, const void *route, size_t size)
{
    uint32_t number = 0;
    while (number < self->peer_count && self->peers [number].known)
        number++;
    if (number == self->peer_count)
        self->peers = memory_resize (self->peers, ++self->peer_count, sizeof *self->peers);
    self->peers [number] = (peer_t){ .known = true, .route_size = (uint32_t)size, .heard_ms = self->now_ms };
    memcpy (self->peers [number].route, route, size);
    return number;
}

static void
peer_drop (link_t *self, uint32_t number)
{
    peer_t *peer = &self->peers [number];
    bool was_up = peer->up;
    peer->known = peer->up = false;
    if (was_up)
        self->events.down (self->events.arg, self->what.link, number);
}

//  A process that came back, or opened its socket again, takes its own old place.
static void
binder_replace (link_t *self, uint32_t number)
{
    for (uint32_t other = 0; other < self->peer_count; other++)
        if (other != number && self->peers [other].known &&
            strcmp (self->peers [other].name, self->peers [number].name) == 0)
            peer_drop (self, other);
}

//  Says to a route that has no peer: start over.
static void
binder_refuse (link_t *self, const void *route, size_t size)
{
    uint8_t data [256];
    size_t length = hello_write (self, 0, 0, data, sizeof data);
    if (zmq_send (self->bound, route, size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send (self->bound, data, length, ZMQ_DONTWAIT);
}

static void
binder_take_hello (link_t *self, const void *route, size_t size, const usher_hello_t *hello)
{
    uint32_t number = binder_find (self, route, size);
    bool right = hello->expected == self->incarnation;
    if (number == UINT32_MAX && right) {
        binder_refuse (self, route, size);
        return;
    }
    if (number == UINT32_MAX)
        number = binder_add (self, route, size);
    peer_t *peer = &self->peers [number];
    snprintf (peer->name, sizeof peer->name, "%.*s", (int)hello->name.size, hello->name.data);
    peer->incarnation = hello->incarnation;
    peer->heard_ms = self->now_ms;
    if (right && !peer->up) {
        peer->up = true;
        binder_replace (self, number);
        self->events.up (self->events.arg, self->what.link, number, self->peers [number].name);
    }
    if (self->peers [number].known)
        hello_send (self, number);
}

//  ---- reading

//  Two builds that do not know each other's messages say so, now and then: the other side keeps trying.
static void
schema_complain (link_t *self)
{
    if (self->complained_ms && self->now_ms - self->complained_ms < COMPLAIN_MS)
        return;
    self->complained_ms = self->now_ms;
    log_warning (
        "other build",
        "link=%s schema=%08x hint=\"its messages.def is another one: restart all processes of one build\"",
        usher_links [self->what.link].name, usher_schema ());
}

//  A hello travels alone in its frame.
static bool
frame_is_hello (link_t *self, const void *data, size_t size, usher_msg_t *msg)
{
    usher_frame_t frame;
    usher_error_t error = usher_frame_open (&frame, data, size);
    if (error == USHER_E_SCHEMA)
        schema_complain (self);
    return error == USHER_OK && usher_decode (&frame, msg) == USHER_OK && msg->id == USHER_MSG_hello;
}

static void
client_take (link_t *self, uint32_t number, const void *data, size_t size)
{
    usher_msg_t msg;
    self->peers [number].heard_ms = self->now_ms;
    if (frame_is_hello (self, data, size, &msg))
        client_take_hello (self, number, &msg.hello);
    else if (self->peers [number].up)
        self->events.take (self->events.arg, self->what.link, number, data, size);
}

static void
binder_take (link_t *self, const void *route, size_t route_size, const void *data, size_t size)
{
    usher_msg_t msg;
    if (route_size > sizeof self->peers->route)
        return;
    if (frame_is_hello (self, data, size, &msg)) {
        binder_take_hello (self, route, route_size, &msg.hello);
        return;
    }
    uint32_t number = binder_find (self, route, route_size);
    if (number == UINT32_MAX || !self->peers [number].up)
        return;
    self->peers [number].heard_ms = self->now_ms;
    self->events.take (self->events.arg, self->what.link, number, data, size);
}

//  Reads one whole message of at most two parts. Returns the number of parts, 0 when there is none.
static int
parts_read (void *socket, zmq_msg_t parts [2])
{
    int count = 0;
    zmq_msg_init (&parts [0]);
    zmq_msg_init (&parts [1]);
    bool more = true;
    while (more) {
        zmq_msg_t extra, *part = count < 2 ? &parts [count] : &extra;
        if (part == &extra)
            zmq_msg_init (&extra);
        if (zmq_msg_recv (part, socket, ZMQ_DONTWAIT) < 0)
            break;
        more = zmq_msg_more (part);
        count++;
        if (part == &extra)
            zmq_msg_close (&extra);
    }
    return count;
}

static void
parts_take (link_t *self, uint32_t number, zmq_msg_t parts [2], int count)
{
    if (is_client (self) && count == 1)
        client_take (self, number, zmq_msg_data (&parts [0]), zmq_msg_size (&parts [0]));
    else if (is_binder (self) && count == 2)
        binder_take (self, zmq_msg_data (&parts [0]), zmq_msg_size (&parts [0]), zmq_msg_data (&parts [1]),
                     zmq_msg_size (&parts [1]));
    else if (self->what.role == SERVICE_SUBSCRIBE && count == 2)
        self->events.feed (self->events.arg, self->what.link, zmq_msg_data (&parts [0]),
                           zmq_msg_size (&parts [0]), zmq_msg_data (&parts [1]), zmq_msg_size (&parts [1]));
}

static bool
socket_read (link_t *self, uint32_t number)
{
    for (int frames = 0; frames < READ_FRAMES; frames++) {
        //  A hello may have given the peer a new socket.
        void *socket = is_client (self) ? self->peers [number].socket : self->bound;
        zmq_msg_t parts [2];
        int count = parts_read (socket, parts);
        if (count)
            parts_take (self, number, parts, count);
        zmq_msg_close (&parts [0]);
        zmq_msg_close (&parts [1]);
        if (count == 0)
            return false;
    }
    return true;
}

bool
link_read (link_t *self)
{
    bool more = false;
    if (self->bound && self->what.role != SERVICE_PUBLISH)
        more = socket_read (self, 0);
    for (uint32_t number = 0; is_client (self) && number < self->peer_count; number++)
        more = socket_read (self, number) || more;
    return more;
}

//  ---- time and sending

static void
client_tick (link_t *self, uint32_t number)
{
    peer_t *peer = &self->peers [number];
    if (peer->up && self->now_ms - peer->heard_ms > SILENT_MS)
        client_connect (self, number);
    if (self->now_ms - peer->hello_ms >= (peer->up ? HELLO_OPEN_MS : HELLO_OPENING_MS))
        hello_send (self, number);
}

void
link_tick (link_t *self, int64_t mono_ms)
{
    //  Time in which we did not look is not the peers' silence: before the first tick, or when we were stopped.
    int64_t blind_ms = mono_ms - self->now_ms > BLIND_MS ? mono_ms - self->now_ms : 0;
    self->now_ms = mono_ms;
    for (uint32_t number = 0; number < self->peer_count; number++) {
        self->peers [number].heard_ms += blind_ms;
        if (is_client (self))
            client_tick (self, number);
        else if (self->peers [number].known && mono_ms - self->peers [number].heard_ms > SILENT_MS)
            peer_drop (self, number);
    }
}

void
link_send (link_t *self, uint32_t peer, const void *data, size_t size)
{
    if (link_is_up (self, peer))
        frame_send (self, peer, data, size);
}

void
link_publish (link_t *self, const void *topic, size_t topic_size, const void *data, size_t size)
{
    //  PUB never blocks: at the high-water mark of a subscriber it drops, and the numbering tells.
    if (zmq_send (self->bound, topic, topic_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send (self->bound, data, size, ZMQ_DONTWAIT);
}
