//  dynamo_bench - a persister on a DynamoDB in memory

#include "dynamo_bench.h"
#include "chance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t
draw (void *arg, uint64_t below)
{
    dynamo_bench_t *self = arg;
    return chance_pick (&self->random, below);
}

void
dynamo_connect (dynamo_bench_t *self)
{
    const dynamo_options_t options = fake_dynamo_options (7);
    const dynamo_port_t port = fake_dynamo_port (self->dynamo);
    persister_use_dynamo (self->bench.persister, &options, &port);
}

int
dynamo_setup (void **state)
{
    dynamo_bench_t *self = calloc (1, sizeof *self);
    bench_open (&self->bench);
    self->dynamo = fake_dynamo_new (draw, self);
    dynamo_connect (self);
    *state = self;
    return 0;
}

int
dynamo_teardown (void **state)
{
    dynamo_bench_t *self = *state;
    bench_close (&self->bench);
    fake_dynamo_destroy (&self->dynamo);
    free (self);
    return 0;
}

void
dynamo_run (dynamo_bench_t *self, int answers)
{
    bench_t *bench = &self->bench;
    usher_msg_t msg;
    uint32_t peer;
    parcel_empty (&bench->answers);
    for (int turn = 0, count = 0; turn < DYNAMO_TURNS_MAX && count < answers; turn++) {
        bench->now.mono_ms += DYNAMO_TURN_MS;
        bench->now.wall_ms += DYNAMO_TURN_MS;
        persister_service.turn (bench->persister, bench->now, bench->out);
        outbox_flush (bench->out);
        count = 0;
        for (size_t at = 0; parcel_next (&bench->answers, &at, &peer, &msg);)
            count++;
    }
    bench->next = 0;
}

usher_outcome_t
dynamo_write_one (dynamo_bench_t *self, const usher_msg_t *write)
{
    bench_tell (&self->bench, write);
    dynamo_run (self, 1);
    usher_msg_t written = bench_answer (&self->bench, USHER_MSG_written);
    assert_true (usher_str_eq (written.written.viewer_id, write->write.viewer_id));
    bench_no_answer (&self->bench);
    return written.written.outcome;
}

usher_msg_t
dynamo_load_one (dynamo_bench_t *self, const char *viewer)
{
    usher_msg_t load = { .id = USHER_MSG_load, .load = { .viewer_id = usher_str (viewer) } };
    bench_tell (&self->bench, &load);
    dynamo_run (self, 1);
    return bench_answer (&self->bench, USHER_MSG_loaded);
}
