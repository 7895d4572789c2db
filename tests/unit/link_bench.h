//  link_bench - a few links in one process, each as if it were a process of its own
//
//  Real sockets in a directory of the test's own. The clock is the test's: it moves 50 ms a turn. Waiting is for a
//  condition, with a deadline on the real clock.

#ifndef LINK_BENCH_H
#define LINK_BENCH_H

#include "link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include <cmocka.h>

enum { DEADLINE_MS = 20000, TAKEN = 8192, NODES = 4 };

//  One process: a link and what it told its loop.
typedef struct {
    link_t *link;
    unsigned ups, downs, takes, feeds;
    uint32_t peer;    //  the last one that came up
    uint32_t from [TAKEN];
    uint64_t seqs [TAKEN];    //  of the applied messages taken
    char name [65], order [256], topic [16];
} node_t;

typedef struct {
    void *context;
    char dir [64];
    int64_t now_ms;
    node_t nodes [NODES];
    void *stranger;    //  a socket that is no link; closed at the end
} bench_t;

enum { CLIENT, BINDER };

//  cmocka's setup and teardown: an empty bench.
int bench_setup (void **state);
int bench_teardown (void **state);

//  Opens a link in place of what the node had; counts begin anew. Returns whether it was not refused.
bool node_open (bench_t *self, int at, service_link_t what, const char *name, uint32_t instance,
                uint64_t incarnation);

//  Opens a client and a binder of the store link.
extern const service_link_t binds, connects;
void open_both (bench_t *self);

//  Waits at most 10 ms for any socket, then lets every node read and tick.
void bench_turn (bench_t *self);

//  Milliseconds of the real clock.
int64_t real_ms (void);

//  Turns until condition holds; fails the test at the deadline.
#define wait_for(self, condition)                                                                            \
    do {                                                                                                     \
        int64_t deadline_ = real_ms () + DEADLINE_MS;                                                        \
        while (!(condition)) {                                                                               \
            if (real_ms () > deadline_)                                                                      \
                fail_msg ("waited in vain for %s", #condition);                                              \
            bench_turn (self);                                                                               \
        }                                                                                                    \
    } while (0)

//  Writes a frame with one applied message. Returns its size.
size_t applied_write (uint64_t seq, uint8_t data [64]);

//  Sends the frames first to last.
void node_send (node_t *self, uint32_t peer, uint64_t first, uint64_t last);

//  What was taken since from is first to last, in order and nothing else.
void assert_taken (const node_t *self, unsigned from, uint64_t first, uint64_t last);

#endif
