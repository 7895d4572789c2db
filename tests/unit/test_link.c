//  test_link - hello, restarts, order and silence on real sockets

#include "link_bench.h"

static void
test_up_on_both_sides (void **state)
{
    bench_t *self = *state;
    node_t *client = &self->nodes [CLIENT], *binder = &self->nodes [BINDER];
    open_both (self);
    assert_false (link_is_up (client->link, 0));
    node_send (client, 0, 1, 10);
    wait_for (self, client->ups && binder->ups);
    assert_true (link_is_up (client->link, 0) && link_is_up (binder->link, binder->peer));
    assert_false (link_is_up (client->link, 1) || link_is_up (binder->link, 77));
    assert_string_equal (binder->name, "shard-0");
    assert_string_equal (client->name, "persister");
    //  Heartbeats for 15 seconds of its clock: once up is once up.
    for (int turn = 0; turn < 300; turn++)
        bench_turn (self);
    assert_string_equal (client->order, "u");
    assert_string_equal (binder->order, "u");
    assert_int_equal (binder->takes, 0);
}

static void
test_binder_comes_later (void **state)
{
    bench_t *self = *state;
    assert_true (node_open (self, CLIENT, connects, "shard-0", 0, 100));
    for (int turn = 0; turn < 30; turn++)
        bench_turn (self);
    assert_int_equal (self->nodes [CLIENT].ups, 0);
    assert_true (node_open (self, BINDER, binds, "persister", 0, 200));
    wait_for (self, self->nodes [CLIENT].ups && self->nodes [BINDER].ups);
}

//  Each side knows the other by the name that it gives itself, so a log tells which shard is up.
static void
test_names (void **state)
{
    bench_t *self = *state;
    assert_true (node_open (self, CLIENT, connects, "ingester", 0, 100));
    assert_true (node_open (self, BINDER, binds, "shard-1", 0, 200));
    wait_for (self, self->nodes [CLIENT].ups && self->nodes [BINDER].ups);
    assert_string_equal (self->nodes [CLIENT].name, "shard-1");
    assert_string_equal (self->nodes [BINDER].name, "ingester");
}

static void
test_in_order (void **state)
{
    bench_t *self = *state;
    node_t *client = &self->nodes [CLIENT], *binder = &self->nodes [BINDER];
    open_both (self);
    wait_for (self, client->ups && binder->ups);
    node_send (client, 0, 1, 5000);
    node_send (binder, binder->peer, 1, 5000);
    wait_for (self, client->takes >= 5000 && binder->takes >= 5000);
    assert_taken (client, 0, 1, 5000);
    assert_taken (binder, 0, 1, 5000);
}

//  What the client sent to a dead binder never reaches its successor, whether it was queued before the death was
//  seen or after; what it sends after peer_up all does.
static void
test_binder_restarts (void **state)
{
    bench_t *self = *state;
    node_t *client = &self->nodes [CLIENT], *binder = &self->nodes [BINDER];
    open_both (self);
    wait_for (self, client->ups && binder->ups);
    for (unsigned round = 1; round <= 10; round++) {
        node_send (client, 0, 1000000, 1000000 + 300 * (round % 3));
        node_send (binder, binder->peer, 2000000, 2000100);
        if (round % 2)
            bench_turn (self);
        link_destroy (&binder->link);
        node_send (client, 0, 3000000, 3000000 + 100 * (round % 4));
        if (round % 3 == 0)
            bench_turn (self);
        //  Between two hellos that name the dead one.
        for (int hello = 0; hello < 3; hello++) {
            link_tick (client->link, self->now_ms += 1000);
            node_send (client, 0, 5000000, 5000100);
        }
        assert_true (node_open (self, BINDER, binds, "persister", 0, 200 + round));
        node_send (client, 0, 4000000, 4000100);
        wait_for (self, client->ups == 1 + round);
        //  From here on everything counts, although the binder has not heard it yet.
        unsigned before = client->takes;
        node_send (client, 0, 1, 200);
        wait_for (self, binder->ups == 1 && binder->takes >= 200);
        node_send (binder, binder->peer, 1, 50);
        wait_for (self, client->takes >= before + 50);
        assert_taken (binder, 0, 1, 200);
        assert_taken (client, before, 1, 50);
    }
    assert_int_equal (client->downs, 0);
}

static void
test_client_restarts (void **state)
{
    bench_t *self = *state;
    node_t *client = &self->nodes [CLIENT], *binder = &self->nodes [BINDER];
    open_both (self);
    wait_for (self, client->ups && binder->ups);
    for (unsigned round = 1; round <= 5; round++) {
        node_send (binder, binder->peer, 1000000, 1000100);
        assert_true (node_open (self, CLIENT, connects, "shard-0", 0, 100 + round));
        node_send (binder, binder->peer, 2000000, 2000100);
        wait_for (self, client->ups == 1 && binder->ups == 1 + round);
        //  Its old place went down before the new one came up, and no third one is left.
        assert_int_equal (binder->downs, round);
        unsigned before = binder->takes;
        node_send (binder, binder->peer, 1, 100);
        node_send (client, 0, 1, 100);
        wait_for (self, client->takes >= 100 && binder->takes >= before + 100);
        assert_taken (client, 0, 1, 100);
        assert_taken (binder, before, 1, 100);
        assert_int_equal (binder->from [before], binder->peer);
    }
    assert_string_equal (binder->order, "ududududu"
                                        "du");
}

static void
test_several_clients (void **state)
{
    bench_t *self = *state;
    node_t *binder = &self->nodes [BINDER];
    open_both (self);
    assert_true (node_open (self, 2, connects, "shard-1", 0, 300));
    assert_true (node_open (self, 3, connects, "ingester", 0, 400));
    wait_for (self,
              binder->ups == 3 && self->nodes [CLIENT].ups && self->nodes [2].ups && self->nodes [3].ups);
    for (uint32_t peer = 0; peer < 3; peer++)
        node_send (binder, peer, peer + 1, peer + 1);
    wait_for (self, self->nodes [CLIENT].takes && self->nodes [2].takes && self->nodes [3].takes);
    uint64_t sum = self->nodes [CLIENT].seqs [0] + self->nodes [2].seqs [0] + self->nodes [3].seqs [0];
    assert_int_equal (sum, 6);
    assert_int_equal (binder->downs, 0);
}

//  Time goes by for one node, and it hears nothing.
static void
node_lives (bench_t *self, node_t *node, int64_t ms)
{
    for (int64_t until = self->now_ms + ms; self->now_ms < until; self->now_ms += 100)
        link_tick (node->link, self->now_ms);
}

//  A client that was stopped for long is given up; when it goes on, both sides start over.
static void
test_silent_client (void **state)
{
    bench_t *self = *state;
    node_t *client = &self->nodes [CLIENT], *binder = &self->nodes [BINDER];
    open_both (self);
    wait_for (self, client->ups && binder->ups);
    uint32_t peer = binder->peer;
    node_lives (self, binder, 6000);
    assert_int_equal (binder->downs, 1);
    assert_false (link_is_up (binder->link, peer));
    node_send (client, 0, 1000000, 1000100);
    wait_for (self, client->ups == 2 && binder->ups == 2);
    node_send (client, 0, 1, 10);
    wait_for (self, binder->takes >= 10);
    assert_taken (binder, 0, 1, 10);
    assert_string_equal (binder->order, "udu");
}

//  A binder that was stopped for long gets a fresh client, which takes the old one's place.
static void
test_silent_binder (void **state)
{
    bench_t *self = *state;
    node_t *client = &self->nodes [CLIENT], *binder = &self->nodes [BINDER];
    open_both (self);
    wait_for (self, client->ups && binder->ups);
    node_lives (self, client, 6000);
    assert_false (link_is_up (client->link, 0));
    wait_for (self, client->ups == 2 && binder->ups == 2);
    assert_string_equal (binder->order, "udu");
    node_send (client, 0, 1, 10);
    wait_for (self, binder->takes >= 10);
    assert_taken (binder, 0, 1, 10);
}

//  A binder that was itself stopped must not take that for the silence of clients that were there all the time.
static void
test_own_stop (void **state)
{
    bench_t *self = *state;
    node_t *client = &self->nodes [CLIENT], *binder = &self->nodes [BINDER];
    open_both (self);
    wait_for (self, client->ups && binder->ups);
    for (int64_t until = self->now_ms + 60000; self->now_ms < until; self->now_ms += 10000) {
        link_tick (binder->link, self->now_ms);
        link_tick (client->link, self->now_ms);
    }
    node_send (client, 0, 1, 10);
    wait_for (self, binder->takes >= 10);
    assert_string_equal (client->order, "u");
    assert_string_equal (binder->order, "u");
}

static void
test_second_bind_refused (void **state)
{
    bench_t *self = *state;
    open_both (self);
    assert_false (node_open (self, 2, binds, "persister", 0, 300));
    //  The first one is none the worse.
    wait_for (self, self->nodes [CLIENT].ups && self->nodes [BINDER].ups);
    link_destroy (&self->nodes [BINDER].link);
    assert_true (node_open (self, 2, binds, "persister", 0, 300));
    wait_for (self, self->nodes [CLIENT].ups == 2 && self->nodes [2].ups);
}

static void
test_long_path_refused (void **state)
{
    bench_t *self = *state;
    char dir [128];
    memset (dir, 'x', sizeof dir - 1);
    dir [0] = '/';
    dir [sizeof dir - 1] = 0;
    link_events_t events = { 0 };
    assert_null (link_new (self->context, binds, dir, "persister", 0, 1, 1, &events));
    assert_null (link_new (self->context, connects, dir, "shard-0", 0, 1, 1, &events));
}

static void
test_one_binder_a_shard (void **state)
{
    bench_t *self = *state;
    service_link_t to_shards = { USHER_LINK_events, SERVICE_CONNECT_SHARDS };
    service_link_t shard = { USHER_LINK_events, SERVICE_BIND_INSTANCE };
    assert_true (node_open (self, 0, to_shards, "ingester", 0, 100));
    assert_true (node_open (self, 1, shard, "shard-0", 0, 200));
    assert_true (node_open (self, 2, shard, "shard-1", 1, 300));
    wait_for (self, self->nodes [0].ups == 2 && self->nodes [1].ups && self->nodes [2].ups);
    assert_int_equal (link_id (self->nodes [0].link), USHER_LINK_events);
    node_send (&self->nodes [0], 0, 10, 19);
    node_send (&self->nodes [0], 1, 20, 29);
    wait_for (self, self->nodes [1].takes >= 10 && self->nodes [2].takes >= 10);
    assert_taken (&self->nodes [1], 0, 10, 19);
    assert_taken (&self->nodes [2], 0, 20, 29);
}

static void
test_feed (void **state)
{
    bench_t *self = *state;
    service_link_t publishes = { USHER_LINK_feed, SERVICE_PUBLISH },
                   subscribes = { USHER_LINK_feed, SERVICE_SUBSCRIBE };
    assert_true (node_open (self, 0, publishes, "publisher", 0, 100));
    assert_true (node_open (self, 1, subscribes, "gateway", 0, 200));
    assert_false (node_open (self, 2, publishes, "publisher", 0, 300));
    int64_t deadline = real_ms () + DEADLINE_MS;
    //  A subscriber hears nothing from before it was there, so this goes out until it does.
    while (self->nodes [1].feeds == 0 && real_ms () < deadline) {
        link_publish (self->nodes [0].link, "top", 3, "body", 4);
        bench_turn (self);
    }
    assert_true (self->nodes [1].feeds > 0);
    assert_string_equal (self->nodes [1].topic, "top");
}

//  ---- a stranger on the socket

static size_t
hello_write (uint64_t incarnation, uint64_t expected, uint8_t data [64])
{
    usher_msg_t msg = { .id = USHER_MSG_hello, .hello = { usher_str ("stranger"), incarnation, expected } };
    size_t head = usher_frame_begin (data, 64);
    return head + usher_encode (&msg, data + head, 64 - head);
}

static void *
stranger_open (bench_t *self)
{
    char endpoint [128];
    snprintf (endpoint, sizeof endpoint, "ipc://%s/store", self->dir);
    void *socket = self->stranger = zmq_socket (self->context, ZMQ_DEALER);
    int none = 0;
    zmq_setsockopt (socket, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal (zmq_connect (socket, endpoint), 0);
    return socket;
}

static void
stranger_hello (void *socket, uint64_t incarnation, uint64_t expected)
{
    uint8_t data [64];
    zmq_send (socket, data, hello_write (incarnation, expected, data), 0);
}

static void
stranger_send (void *socket, uint64_t seq)
{
    uint8_t data [64];
    zmq_send (socket, data, applied_write (seq, data), 0);
}

static bool
stranger_has (void *socket)
{
    zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };
    return zmq_poll (&item, 1, 0) > 0;
}

//  Waits for the binder's hello and returns its incarnation.
static uint64_t
stranger_answer (bench_t *self, void *socket)
{
    uint8_t data [256];
    wait_for (self, stranger_has (socket));
    int size = zmq_recv (socket, data, sizeof data, 0);
    assert_in_range (size, 1, sizeof data);
    usher_frame_t frame;
    usher_msg_t msg;
    assert_int_equal (usher_frame_open (&frame, data, (size_t)size), USHER_OK);
    assert_int_equal (usher_decode (&frame, &msg), USHER_OK);
    assert_int_equal (msg.id, USHER_MSG_hello);
    return msg.hello.incarnation;
}

static void
test_nothing_before_hello (void **state)
{
    bench_t *self = *state;
    node_t *binder = &self->nodes [BINDER];
    assert_true (node_open (self, BINDER, binds, "persister", 0, 200));
    void *socket = stranger_open (self);
    stranger_send (socket, 1);
    zmq_send (socket, "garbage", 7, 0);
    zmq_send (socket, "", 0, 0);
    zmq_send (socket, "three", 5, ZMQ_SNDMORE);
    zmq_send (socket, "parts", 5, 0);
    stranger_hello (socket, 900, 0);
    assert_int_equal (stranger_answer (self, socket), 200);
    stranger_send (socket, 2);
    stranger_hello (socket, 900, 201);    //  of another binder
    assert_int_equal (stranger_answer (self, socket), 200);
    stranger_send (socket, 3);
    assert_int_equal (binder->ups, 0);
    stranger_hello (socket, 900, 200);
    stranger_send (socket, 4);
    wait_for (self, binder->takes);
    assert_int_equal (binder->ups, 1);
    assert_taken (binder, 0, 4, 4);
    assert_string_equal (binder->name, "stranger");
}

//  Whoever names the binder without having greeted it on this connection may have lost frames: start over.
static void
test_hello_out_of_nowhere (void **state)
{
    bench_t *self = *state;
    assert_true (node_open (self, BINDER, binds, "persister", 0, 200));
    void *socket = stranger_open (self);
    stranger_hello (socket, 900, 200);
    stranger_send (socket, 1);
    assert_int_equal (stranger_answer (self, socket), 0);
    stranger_hello (socket, 900, 0);
    assert_int_equal (stranger_answer (self, socket), 200);
    assert_int_equal (self->nodes [BINDER].ups, 0);
    assert_int_equal (self->nodes [BINDER].takes, 0);
}

#define linked(test) cmocka_unit_test_setup_teardown (test, bench_setup, bench_teardown)

int
main (void)
{
    const struct CMUnitTest tests [] = {
        linked (test_up_on_both_sides),
        linked (test_binder_comes_later),
        linked (test_names),
        linked (test_in_order),
        linked (test_binder_restarts),
        linked (test_client_restarts),
        linked (test_several_clients),
        linked (test_silent_client),
        linked (test_silent_binder),
        linked (test_own_stop),
        linked (test_second_bind_refused),
        linked (test_long_path_refused),
        linked (test_one_binder_a_shard),
        linked (test_feed),
        linked (test_nothing_before_hello),
        linked (test_hello_out_of_nowhere),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
