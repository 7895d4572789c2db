//  erase - erasures that somebody waits for

#include "erase.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "memory.h"

typedef struct {
    uint64_t request;    //  0: a free place
    void *asker;
    int64_t asked_ms;
    bool noted;    //  it is on disk that it has to be done
    uint32_t viewer_id_size;
    char viewer_id [1024];
} waiting_t;

struct erase {
    erase_done_fn *done;
    uint64_t last;
    waiting_t waiting [ERASE_WAITING];
};

erase_t *
erase_new (erase_done_fn *done)
{
    erase_t *self = memory_new (1, sizeof *self);
    self->done = done;
    return self;
}

void
erase_destroy (erase_t **self_p)
{
    free (*self_p);
    *self_p = NULL;
}

static waiting_t *
find (erase_t *self, uint64_t request)
{
    for (size_t at = 0; at < ERASE_WAITING; at++)
        if (self->waiting [at].request == request)
            return &self->waiting [at];
    return NULL;
}

static usher_str_t
viewer_of (const waiting_t *waiting)
{
    return usher_bytes (waiting->viewer_id, waiting->viewer_id_size);
}

static void
ask (const waiting_t *waiting, outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_erase, .erase = { waiting->request, viewer_of (waiting) } };
    outbox_put (out, USHER_LINK_store, 0, &msg);
}

uint64_t
erase_ask (erase_t *self, void *asker, usher_str_t viewer_id, int64_t mono_ms, outbox_t *out)
{
    waiting_t *waiting = find (self, 0);
    if (!waiting)
        return 0;
    *waiting = (waiting_t){ .request = ++self->last, .asker = asker, .asked_ms = mono_ms };
    waiting->viewer_id_size = viewer_id.size;
    memcpy (waiting->viewer_id, viewer_id.data, viewer_id.size);
    ask (waiting, out);
    return waiting->request;
}

void
erase_cancel (erase_t *self, uint64_t request)
{
    waiting_t *waiting = request ? find (self, request) : NULL;
    if (waiting)
        waiting->request = 0;
}

static void
finish (erase_t *self, waiting_t *waiting, api_answer_t *answer)
{
    waiting->request = 0;
    self->done (waiting->asker, answer);
}

//  erasure NULL: it is only noted.
static void
report (erase_t *self, waiting_t *waiting, const usher_erasure_t *erasure)
{
    api_answer_t answer = { .status = erasure ? 200 : 202, .type = "application/json; charset=utf-8" };
    buffer_t *out = &answer.body;
    json_open (out, '{');
    json_key (out, "viewer_id");
    json_text (out, viewer_of (waiting));
    json_key (out, "state");
    json_word (out, erasure ? "erased" : "noted");
    if (erasure) {
        json_key (out, "erased_up_to");
        json_time (out, erasure->erased_ms);
        json_key (out, "removed");
        json_open (out, '{');
        json_key (out, "profiles");
        json_uint (out, erasure->profiles);
        json_key (out, "history_rows");
        json_uint (out, erasure->rows);
        json_key (out, "bad_events");
        json_uint (out, erasure->bad);
        json_close (out, '}');
    }
    json_close (out, '}');
    finish (self, waiting, &answer);
}

static void
refuse (erase_t *self, waiting_t *waiting, unsigned status, const char *why)
{
    api_answer_t answer = { 0 };
    api_error (&answer, status, why);
    finish (self, waiting, &answer);
}

void
erase_answer (erase_t *self, const usher_erasure_t *erasure)
{
    waiting_t *waiting = erasure->request ? find (self, erasure->request) : NULL;
    if (!waiting)
        return;
    if (erasure->outcome != USHER_outcome_done)
        refuse (self, waiting, 503, "the store could not write it down: try again");
    else if (erasure->erased_ms)
        report (self, waiting, erasure);
    else
        waiting->noted = true;
}

void
erase_store_up (erase_t *self, outbox_t *out)
{
    for (size_t at = 0; at < ERASE_WAITING; at++)
        if (self->waiting [at].request)
            ask (&self->waiting [at], out);
}

void
erase_tick (erase_t *self, int64_t mono_ms)
{
    for (size_t at = 0; at < ERASE_WAITING; at++) {
        waiting_t *waiting = &self->waiting [at];
        if (!waiting->request || mono_ms - waiting->asked_ms < ERASE_MS)
            continue;
        if (waiting->noted)
            report (self, waiting, NULL);
        else
            refuse (self, waiting, 504, "the store did not answer in time: try again");
    }
}
