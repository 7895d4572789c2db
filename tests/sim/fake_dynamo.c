//  fake_dynamo - a DynamoDB of two naive tables in memory, which fails as the real one can

#include "fake_dynamo.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS_MAX = 256 };

//  What is answered instead of the truth.
typedef enum {
    LOST,           //  never arrived
    ANSWER_LOST,    //  done, and nobody heard
    NONSENSE,       //  done, and a proxy's page came back
    BUSY,           //  500
    THROTTLED,      //  400
    DENIED,         //  400, the session token has expired
    PARTLY,         //  some items throttled inside a 200
    TWICE,          //  done and told, and told again later
    TROUBLES
} trouble_t;

typedef struct {
    uint32_t tag;
    char operation [40];
    json_t *body;
    bool answered;    //  waits to be told again
    int status;
    char *text;
} pending_t;

struct fake_dynamo {
    fake_tables_t tables;
    fake_random_fn *random;
    void *arg;
    uint32_t percent;
    bool partly, slow;
    json_t *requests;    //  how many of each operation
};

//  One client of it.
typedef struct {
    fake_dynamo_t *server;
    size_t count;
    pending_t pending [REQUESTS_MAX];
    char *told;    //  text of the last answer
} client_t;

static void
set_text (pending_t *pending, int status, const char *text)
{
    pending->status = status;
    pending->text = memory_copy (text, strlen (text));
}

static void
do_pending (fake_dynamo_t *self, pending_t *pending, trouble_t trouble)
{
    if (trouble == LOST || trouble == BUSY || trouble == THROTTLED || trouble == DENIED) {
        static const char *const texts [] = { [LOST] = "timeout",
                                              [BUSY] = "{\"__type\":\"InternalServerError\"}",
                                              [THROTTLED] = "{\"__type\":\"ThrottlingException\"}",
                                              [DENIED] = "{\"__type\":\"ExpiredTokenException\"}" };
        set_text (pending, trouble == LOST ? 0 : trouble == BUSY ? 500 : 400, texts [trouble]);
        return;
    }
    json_t *answer = fake_tables_do (&self->tables, pending->operation, pending->body, trouble == PARTLY,
                                     &pending->status);
    if (trouble == ANSWER_LOST)
        set_text (pending, 0, "connection reset");
    else if (trouble == NONSENSE)
        set_text (pending, 200, "<html>");
    else
        pending->text = json_dumps (answer, 0);
    json_decref (answer);
}

//  ---- the port

static void
send_request (void *arg, const dynamo_request_t *request)
{
    client_t *self = arg;
    json_t *count = json_object_get (self->server->requests, request->operation);
    json_object_set_new (self->server->requests, request->operation,
                         json_integer (json_integer_value (count) + 1));
    if (self->count == REQUESTS_MAX)
        abort ();
    pending_t *pending = &self->pending [self->count++];
    *pending = (pending_t){ .tag = request->tag, .body = json_loadb (request->body, request->size, 0, NULL) };
    if (!pending->body || strlen (request->body) != request->size)
        abort ();
    snprintf (pending->operation, sizeof pending->operation, "%s", request->operation);
}

static void
forget (client_t *self, size_t at)
{
    json_decref (self->pending [at].body);
    self->pending [at] = self->pending [--self->count];
}

static bool
receive (void *arg, dynamo_answer_t *answer)
{
    client_t *self = arg;
    fake_dynamo_t *server = self->server;
    bool just_told = self->told != NULL;
    free (self->told);
    self->told = NULL;
    if (server->slow && just_told)
        return false;
    if (!self->count || server->random (server->arg, 8) == 0)
        return false;
    size_t at = server->random (server->arg, self->count);
    pending_t *pending = &self->pending [at];
    trouble_t trouble = TROUBLES;
    if (!pending->answered) {
        if (server->partly || server->percent > 100)
            trouble = server->partly ? PARTLY : LOST;
        else if (server->random (server->arg, 100) < server->percent)
            trouble = (trouble_t)server->random (server->arg, TROUBLES);
        do_pending (server, pending, trouble);
    }
    *answer = (dynamo_answer_t){ pending->tag, pending->status, pending->text, strlen (pending->text) };
    self->told = pending->text;
    if (trouble == TWICE) {
        pending->answered = true;
        pending->text = memory_copy (self->told, strlen (self->told));
    } else
        forget (self, at);
    return true;
}

static void
close_client (void *arg)
{
    client_t *self = arg;
    while (self->count) {
        pending_t *pending = &self->pending [0];
        if (!pending->answered && self->server->random (self->server->arg, 2) == 0)
            do_pending (self->server, pending, TROUBLES);
        free (pending->text);
        forget (self, 0);
    }
    free (self->told);
    free (self);
}

dynamo_port_t
fake_dynamo_port (fake_dynamo_t *self)
{
    client_t *client = memory_new (1, sizeof *client);
    client->server = self;
    return (dynamo_port_t){ client, send_request, receive, close_client };
}

//  ---- the server

fake_dynamo_t *
fake_dynamo_new (fake_random_fn *random, void *arg)
{
    fake_dynamo_t *self = memory_new (1, sizeof *self);
    *self = (fake_dynamo_t){ .random = random, .arg = arg };
    fake_tables_open (&self->tables, random, arg);
    self->requests = json_object ();
    return self;
}

void
fake_dynamo_destroy (fake_dynamo_t **self_p)
{
    fake_dynamo_t *self = *self_p;
    fake_tables_close (&self->tables);
    json_decref (self->requests);
    free (self);
    *self_p = NULL;
}

void
fake_dynamo_trouble (fake_dynamo_t *self, uint32_t percent)
{
    self->percent = percent;
}

void
fake_dynamo_partly (fake_dynamo_t *self)
{
    self->partly = true;
}

void
fake_dynamo_slow (fake_dynamo_t *self)
{
    self->slow = true;
}

dynamo_options_t
fake_dynamo_options (uint64_t seed)
{
    return (dynamo_options_t){
        .tables = { "video_events", "viewer_profiles" }, .create_tables = true, .connections = 4, .seed = seed
    };
}

void
fake_dynamo_forget (fake_dynamo_t *self)
{
    fake_tables_forget (&self->tables);
}

const json_t *
fake_dynamo_profile (const fake_dynamo_t *self, const char *viewer_id)
{
    return json_object_get (self->tables.profiles, viewer_id);
}

void
fake_dynamo_put_profile (fake_dynamo_t *self, const char *viewer_id, json_t *item)
{
    json_object_set_new (self->tables.profiles, viewer_id, item);
}

uint64_t
fake_dynamo_requests (const fake_dynamo_t *self, const char *operation)
{
    return (uint64_t)json_integer_value (json_object_get (self->requests, operation));
}

char *
fake_dynamo_rows (const fake_dynamo_t *self)
{
    static const char *const names [] = { "viewer_id",  "collector_tstamp", "status",
                                          "adsClicked", "adsSkipped",       "adId",
                                          "video_ts",   "event_id" };
    char *text = NULL;
    size_t size = 0;
    const char *key;
    json_t *item;
    FILE *out = open_memstream (&text, &size);
    json_object_foreach (self->tables.events, key, item) for (size_t at = 0;
                                                              at < sizeof names / sizeof *names; at++)
        fprintf (out, "%s%s", fake_tables_text (item, names [at]),
                 at + 1 < sizeof names / sizeof *names ? "|" : "\n");
    fclose (out);
    return text;
}
