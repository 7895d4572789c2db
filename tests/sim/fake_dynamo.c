//  fake_dynamo - a DynamoDB of two naive tables in memory, which fails as the real one can

#include "fake_dynamo.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ITEMS = 2, REQUESTS_MAX = 256, KEY_BYTES = 2048 };

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
    fake_random_fn *random;
    void *arg;
    uint32_t percent;
    bool partly, slow;
    bool tables [2];    //  events, profiles
    json_t *events, *profiles, *requests;
    uint64_t epoch;
};

//  One client of it.
typedef struct {
    fake_dynamo_t *server;
    size_t count;
    pending_t pending [REQUESTS_MAX];
    char *told;    //  text of the last answer
} client_t;

static const char *
text_of (const json_t *item, const char *name)
{
    const char *text = json_string_value (json_object_get (json_object_get (item, name), "S"));
    return text ? text : json_string_value (json_object_get (json_object_get (item, name), "N"));
}

static json_t *
error_item (const char *code)
{
    return json_pack ("{s:{s:s,s:s}}", "Error", "Code", code, "Message", "so it is");
}

static bool
half (fake_dynamo_t *self)
{
    return self->random (self->arg, 2) == 0;
}

//  ---- rows

static char *
row_key (const json_t *item, char *key)
{
    snprintf (key, KEY_BYTES, "%s %s", text_of (item, "viewer_id"), text_of (item, "collector_tstamp"));
    return key;
}

static void
do_row (fake_dynamo_t *self, const json_t *request)
{
    char key [KEY_BYTES];
    json_t *put = json_object_get (json_object_get (request, "PutRequest"), "Item");
    const json_t *gone = json_object_get (json_object_get (request, "DeleteRequest"), "Key");
    if (put)
        json_object_set (self->events, row_key (put, key), put);
    else
        json_object_del (self->events, row_key (gone, key));
}

//  Two rows of one key in a request are refused by the real one.
static void
check_keys (const json_t *list)
{
    json_t *seen = json_object (), *request;
    char key [KEY_BYTES];
    size_t at;
    json_array_foreach (list, at, request)
    {
        const json_t *item = json_object_get (json_object_get (request, "PutRequest"), "Item");
        if (!item)
            item = json_object_get (json_object_get (request, "DeleteRequest"), "Key");
        if (json_object_get (seen, row_key (item, key)))
            abort ();
        json_object_set_new (seen, key, json_true ());
    }
    if (json_array_size (list) > DYNAMO_BATCH_WRITES)
        abort ();
    json_decref (seen);
}

static json_t *
do_rows (fake_dynamo_t *self, const json_t *body, bool partly)
{
    const json_t *list = json_object_get (json_object_get (body, "RequestItems"), "video_events");
    json_t *left = json_array (), *request;
    size_t at;
    check_keys (list);
    json_array_foreach (list, at, request)
    {
        if (partly && half (self))
            json_array_append (left, request);
        else
            do_row (self, request);
    }
    return json_pack ("{s:{s:o}}", "UnprocessedItems", "video_events", left);
}

//  ---- profiles

static json_t *
do_insert (fake_dynamo_t *self, const json_t *parameters)
{
    static const char *const names [] = { "viewer_id",  "epoch",   "version",
                                          "expires_at", "profile", "live_slot" };
    json_t *item = json_object (), *value;
    size_t at;
    json_array_foreach (parameters, at, value) json_object_set (item, names [at], value);
    const char *viewer_id = text_of (item, "viewer_id");
    bool there = json_object_get (self->profiles, viewer_id) != NULL;
    if (!there)
        json_object_set (self->profiles, viewer_id, item);
    json_decref (item);
    return there ? error_item ("DuplicateItem") : json_object ();
}

static json_t *
do_update (fake_dynamo_t *self, const json_t *parameters, bool live)
{
    static const char *const names [] = { "epoch", "version", "expires_at", "profile", "live_slot" };
    size_t condition = live ? 5 : 4;
    const char *viewer_id = json_string_value (json_object_get (json_array_get (parameters, condition), "S"));
    json_t *item = json_object_get (self->profiles, viewer_id);
    if (!item || !json_equal (json_object_get (item, "epoch"), json_array_get (parameters, condition + 1)) ||
        !json_equal (json_object_get (item, "version"), json_array_get (parameters, condition + 2)))
        return error_item ("ConditionalCheckFailed");
    for (size_t at = 0; at < condition; at++)
        json_object_set (item, names [at], json_array_get (parameters, at));
    if (!live)
        json_object_del (item, "live_slot");
    return json_object ();
}

static json_t *
do_statements (fake_dynamo_t *self, const json_t *body, bool partly)
{
    json_t *answers = json_array (), *statement;
    size_t at;
    json_array_foreach (json_object_get (body, "Statements"), at, statement)
    {
        const char *text = json_string_value (json_object_get (statement, "Statement"));
        const json_t *parameters = json_object_get (statement, "Parameters");
        json_t *answer;
        if (partly && half (self))
            answer = error_item ("ThrottlingError");
        else if (strncmp (text, "INSERT", 6) == 0)
            answer = do_insert (self, parameters);
        else
            answer = do_update (self, parameters, strstr (text, "SET \"live_slot\"") != NULL);
        json_array_append_new (answers, answer);
    }
    return json_pack ("{s:o}", "Responses", answers);
}

static json_t *
do_reads (fake_dynamo_t *self, const json_t *body, bool partly)
{
    json_t *found = json_array (), *left = json_array (), *key;
    size_t at;
    json_array_foreach (
        json_object_get (json_object_get (json_object_get (body, "RequestItems"), "viewer_profiles"), "Keys"),
        at, key)
    {
        json_t *item = json_object_get (self->profiles, text_of (key, "viewer_id"));
        if (partly && half (self))
            json_array_append (left, key);
        else if (item)
            json_array_append (found, item);
    }
    return json_pack ("{s:{s:o},s:{s:{s:o}}}", "Responses", "viewer_profiles", found, "UnprocessedKeys",
                      "viewer_profiles", "Keys", left);
}

//  ---- queries

static int
key_order (const void *a, const void *b)
{
    return strcmp (*(const char *const *)a, *(const char *const *)b);
}

//  A page of the items that match, by key, from behind start on.
static json_t *
page (const json_t *table, bool (*matches) (const json_t *item, const char *wanted), const char *wanted,
      const char *start, bool backward, size_t most)
{
    const char *keys [4096];
    size_t count = 0, taken = 0;
    const char *key;
    json_t *item, *items = json_array (), *answer = json_object ();
    json_object_foreach ((json_t *)(uintptr_t)table, key, item) if (matches (item, wanted)) keys [count++] =
        key;
    qsort (keys, count, sizeof *keys, key_order);
    for (size_t at = 0; at < count; at++) {
        key = keys [backward ? count - 1 - at : at];
        if (start && (backward ? strcmp (key, start) >= 0 : strcmp (key, start) <= 0))
            continue;
        item = json_object_get (table, key);
        json_array_append (items, item);
        if (++taken == most) {
            json_object_set (answer, "LastEvaluatedKey", item);
            break;
        }
    }
    json_object_set_new (answer, "Items", items);
    return answer;
}

static bool
is_in_slot (const json_t *item, const char *slot)
{
    const char *live = text_of (item, "live_slot");
    return live && strcmp (live, slot) == 0;
}

static bool
is_of_viewer (const json_t *item, const char *viewer_id)
{
    return strcmp (text_of (item, "viewer_id"), viewer_id) == 0;
}

static json_t *
do_query (fake_dynamo_t *self, const json_t *body)
{
    char start [KEY_BYTES];
    const json_t *values = json_object_get (body, "ExpressionAttributeValues");
    const json_t *from = json_object_get (body, "ExclusiveStartKey");
    if (json_object_get (body, "IndexName"))
        return page (self->profiles, is_in_slot, text_of (values, ":slot"),
                     from ? text_of (from, "viewer_id") : NULL, false, PAGE_ITEMS);
    //  Pages of an erasure have no start: what was there is gone by then.
    size_t limit = (size_t)json_integer_value (json_object_get (body, "Limit"));
    return page (self->events, is_of_viewer, text_of (values, ":viewer"), from ? row_key (from, start) : NULL,
                 true, limit < PAGE_ITEMS ? limit : PAGE_ITEMS);
}

//  ---- a request

static json_t *
do_table (fake_dynamo_t *self, const char *operation, const json_t *body, int *status)
{
    const char *name = json_string_value (json_object_get (body, "TableName"));
    bool *there = &self->tables [strcmp (name, "video_events") != 0];
    if (strcmp (operation, "CreateTable") == 0)
        *there = true;
    if (*there)
        return json_pack ("{s:{s:s,s:[{s:s}]}}", "Table", "TableStatus", "ACTIVE", "GlobalSecondaryIndexes",
                          "IndexName", "live_slot");
    *status = 400;
    return json_pack ("{s:s}", "__type", "ResourceNotFoundException");
}

static json_t *
execute (fake_dynamo_t *self, const pending_t *pending, bool partly, int *status)
{
    const char *operation = pending->operation;
    const json_t *body = pending->body;
    *status = 200;
    if (strstr (operation, "Table") || strcmp (operation, "UpdateTimeToLive") == 0)
        return do_table (self, operation, body, status);
    if (!self->tables [0] || !self->tables [1]) {
        *status = 400;
        return json_pack ("{s:s}", "__type", "ResourceNotFoundException");
    }
    if (strcmp (operation, "UpdateItem") == 0) {
        char number [24];
        snprintf (number, sizeof number, "%llu", (unsigned long long)++self->epoch);
        return json_pack ("{s:{s:{s:s}}}", "Attributes", "epoch", "N", number);
    }
    if (strcmp (operation, "DeleteItem") == 0) {
        const char *key = text_of (json_object_get (body, "Key"), "viewer_id");
        json_t *old = json_incref (json_object_get (self->profiles, key));
        json_object_del (self->profiles, key);
        return old ? json_pack ("{s:o}", "Attributes", old) : json_object ();
    }
    if (strcmp (operation, "BatchWriteItem") == 0)
        return do_rows (self, body, partly);
    if (strcmp (operation, "BatchExecuteStatement") == 0)
        return do_statements (self, body, partly);
    return strcmp (operation, "BatchGetItem") == 0 ? do_reads (self, body, partly) : do_query (self, body);
}

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
    json_t *answer = execute (self, pending, trouble == PARTLY, &pending->status);
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
        if (!pending->answered && half (self->server))
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
    self->events = json_object ();
    self->profiles = json_object ();
    self->requests = json_object ();
    return self;
}

void
fake_dynamo_destroy (fake_dynamo_t **self_p)
{
    fake_dynamo_t *self = *self_p;
    json_decref (self->events);
    json_decref (self->profiles);
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
    self->tables [0] = self->tables [1] = false;
    json_object_clear (self->events);
    json_object_clear (self->profiles);
}

const json_t *
fake_dynamo_profile (const fake_dynamo_t *self, const char *viewer_id)
{
    return json_object_get (self->profiles, viewer_id);
}

void
fake_dynamo_put_profile (fake_dynamo_t *self, const char *viewer_id, json_t *item)
{
    json_object_set_new (self->profiles, viewer_id, item);
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
    json_object_foreach (self->events, key, item) for (size_t at = 0; at < sizeof names / sizeof *names; at++)
        fprintf (out, "%s%s", text_of (item, names [at]), at + 1 < sizeof names / sizeof *names ? "|" : "\n");
    fclose (out);
    return text;
}
