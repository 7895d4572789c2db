//  history - questions to the store that browsers wait for

#include "history.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "memory.h"
#include "view.h"

typedef struct {
    uint64_t request;    //  0: a free place
    void *asker;
    int64_t asked_ms;
    uint32_t limit;
    usher_str_t viewer_id;    //  ours
    buffer_t body;
    series_t *series;    //  NULL: a viewer's history is asked for
} waiting_t;

struct history {
    history_done_fn *done;
    uint64_t last;
    waiting_t waiting [HISTORY_WAITING];
};

history_t *
history_new (history_done_fn *done)
{
    history_t *self = memory_new (1, sizeof *self);
    self->done = done;
    return self;
}

static void
forget (waiting_t *waiting)
{
    free ((char *)(uintptr_t)waiting->viewer_id.data);
    buffer_free (&waiting->body);
    series_destroy (&waiting->series);
    *waiting = (waiting_t){ 0 };
}

void
history_destroy (history_t **self_p)
{
    if (!*self_p)
        return;
    for (size_t at = 0; at < HISTORY_WAITING; at++)
        forget (&(*self_p)->waiting [at]);
    free (*self_p);
    *self_p = NULL;
}

static waiting_t *
find (history_t *self, uint64_t request)
{
    for (size_t at = 0; at < HISTORY_WAITING; at++)
        if (self->waiting [at].request == request)
            return &self->waiting [at];
    return NULL;
}

static void
begin (waiting_t *waiting)
{
    if (waiting->series) {
        series_clear (waiting->series);
        return;
    }
    buffer_clear (&waiting->body, SIZE_MAX);
    json_open (&waiting->body, '{');
    json_key (&waiting->body, "viewer_id");
    json_text (&waiting->body, waiting->viewer_id);
    json_key (&waiting->body, "rows");
    json_open (&waiting->body, '[');
}

static void
ask (const waiting_t *waiting, outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_history_get,
                        .history_get = { waiting->request, waiting->viewer_id, waiting->limit } };
    if (waiting->series) {
        const series_query_t *query = series_query (waiting->series);
        msg =
            (usher_msg_t){ .id = USHER_MSG_aggregate_get,
                           .aggregate_get = { waiting->request, query->step_s, query->from_s, query->to_s } };
    }
    outbox_put (out, USHER_LINK_store, 0, &msg);
}

uint64_t
history_ask (history_t *self, void *asker, usher_str_t viewer_id, uint32_t limit, int64_t mono_ms,
             outbox_t *out)
{
    waiting_t *waiting = find (self, 0);
    if (!waiting)
        return 0;
    *waiting = (waiting_t){ .request = ++self->last, .asker = asker, .asked_ms = mono_ms, .limit = limit };
    waiting->viewer_id = usher_bytes (memory_copy (viewer_id.data, viewer_id.size), viewer_id.size);
    begin (waiting);
    ask (waiting, out);
    return waiting->request;
}

uint64_t
history_ask_series (history_t *self, void *asker, const series_query_t *query, int64_t mono_ms, outbox_t *out)
{
    waiting_t *waiting = find (self, 0);
    size_t series = 0;
    for (size_t at = 0; at < HISTORY_WAITING; at++)
        series += self->waiting [at].series != NULL;
    if (!waiting || series == HISTORY_SERIES)
        return 0;
    *waiting = (waiting_t){
        .request = ++self->last, .asker = asker, .asked_ms = mono_ms, .series = series_new (query)
    };
    ask (waiting, out);
    return waiting->request;
}

void
history_cancel (history_t *self, uint64_t request)
{
    waiting_t *waiting = request ? find (self, request) : NULL;
    if (waiting)
        forget (waiting);
}

static void
finish (history_t *self, waiting_t *waiting, api_answer_t *answer)
{
    void *asker = waiting->asker;
    forget (waiting);
    self->done (asker, answer);
}

//  The body is whole.
static void
finish_body (history_t *self, waiting_t *waiting)
{
    api_answer_t answer = { .status = 200, .type = "application/json; charset=utf-8", .body = waiting->body };
    waiting->body = (buffer_t){ 0 };
    finish (self, waiting, &answer);
}

void
history_aggregate_row (history_t *self, const usher_aggregate_row_t *row)
{
    waiting_t *waiting = row->request ? find (self, row->request) : NULL;
    if (!waiting || !waiting->series)
        return;
    if (!row->last) {
        series_add (waiting->series, row->body);
        return;
    }
    series_write (waiting->series, &waiting->body);
    finish_body (self, waiting);
}

void
history_row (history_t *self, const usher_history_row_t *row)
{
    waiting_t *waiting = row->request ? find (self, row->request) : NULL;
    if (!waiting || waiting->series)
        return;
    if (!row->last) {
        view_write_history (&waiting->body, row);
        return;
    }
    json_close (&waiting->body, ']');
    json_close (&waiting->body, '}');
    finish_body (self, waiting);
}

void
history_store_up (history_t *self, outbox_t *out)
{
    for (size_t at = 0; at < HISTORY_WAITING; at++)
        if (self->waiting [at].request) {
            begin (&self->waiting [at]);
            ask (&self->waiting [at], out);
        }
}

void
history_tick (history_t *self, int64_t mono_ms)
{
    for (size_t at = 0; at < HISTORY_WAITING; at++) {
        waiting_t *waiting = &self->waiting [at];
        if (!waiting->request || mono_ms - waiting->asked_ms < HISTORY_MS)
            continue;
        api_answer_t answer = { 0 };
        api_error (&answer, 504, "the store did not answer in time");
        finish (self, waiting, &answer);
    }
}
