//  fake_tables - two naive tables in memory that understand the requests the persister writes

#include "fake_tables.h"
#include "dynamo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ITEMS = 2, KEY_BYTES = 2048 };

const char *
fake_tables_text (const json_t *item, const char *name)
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
half (fake_tables_t *self)
{
    return self->random (self->arg, 2) == 0;
}

//  ---- rows

static char *
row_key (const json_t *item, char *key)
{
    snprintf (key, KEY_BYTES, "%s %s", fake_tables_text (item, "viewer_id"),
              fake_tables_text (item, "collector_tstamp"));
    return key;
}

static void
do_row (fake_tables_t *self, const json_t *request)
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
do_rows (fake_tables_t *self, const json_t *body, bool partly)
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
do_insert (fake_tables_t *self, const json_t *parameters)
{
    static const char *const names [] = { "viewer_id",  "epoch",   "version",
                                          "expires_at", "profile", "live_slot" };
    json_t *item = json_object (), *value;
    size_t at;
    json_array_foreach (parameters, at, value) json_object_set (item, names [at], value);
    const char *viewer_id = fake_tables_text (item, "viewer_id");
    bool there = json_object_get (self->profiles, viewer_id) != NULL;
    if (!there)
        json_object_set (self->profiles, viewer_id, item);
    json_decref (item);
    return there ? error_item ("DuplicateItem") : json_object ();
}

static json_t *
do_update (fake_tables_t *self, const json_t *parameters, bool live)
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
do_statements (fake_tables_t *self, const json_t *body, bool partly)
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
do_reads (fake_tables_t *self, const json_t *body, bool partly)
{
    json_t *found = json_array (), *left = json_array (), *key;
    size_t at;
    json_array_foreach (
        json_object_get (json_object_get (json_object_get (body, "RequestItems"), "viewer_profiles"), "Keys"),
        at, key)
    {
        json_t *item = json_object_get (self->profiles, fake_tables_text (key, "viewer_id"));
        if (partly && half (self))
            json_array_append (left, key);
        else if (item)
            json_array_append (found, item);
    }
    return json_pack ("{s:{s:o},s:{s:{s:o}}}", "Responses", "viewer_profiles", found, "UnprocessedKeys",
                      "viewer_profiles", "Keys", left);
}

static json_t *
do_delete (fake_tables_t *self, const json_t *body)
{
    const char *key = fake_tables_text (json_object_get (body, "Key"), "viewer_id");
    json_t *old = json_incref (json_object_get (self->profiles, key));
    json_object_del (self->profiles, key);
    return old ? json_pack ("{s:o}", "Attributes", old) : json_object ();
}

static json_t *
do_epoch (fake_tables_t *self)
{
    char number [24];
    snprintf (number, sizeof number, "%llu", (unsigned long long)++self->epoch);
    return json_pack ("{s:{s:{s:s}}}", "Attributes", "epoch", "N", number);
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
    const char *live = fake_tables_text (item, "live_slot");
    return live && strcmp (live, slot) == 0;
}

static bool
is_of_viewer (const json_t *item, const char *viewer_id)
{
    return strcmp (fake_tables_text (item, "viewer_id"), viewer_id) == 0;
}

static json_t *
do_query (fake_tables_t *self, const json_t *body)
{
    char start [KEY_BYTES];
    const json_t *values = json_object_get (body, "ExpressionAttributeValues");
    const json_t *from = json_object_get (body, "ExclusiveStartKey");
    if (json_object_get (body, "IndexName"))
        return page (self->profiles, is_in_slot, fake_tables_text (values, ":slot"),
                     from ? fake_tables_text (from, "viewer_id") : NULL, false, PAGE_ITEMS);
    //  Pages of an erasure have no start: what was there is gone by then.
    size_t limit = (size_t)json_integer_value (json_object_get (body, "Limit"));
    return page (self->events, is_of_viewer, fake_tables_text (values, ":viewer"),
                 from ? row_key (from, start) : NULL, true, limit < PAGE_ITEMS ? limit : PAGE_ITEMS);
}

//  ---- a request

static json_t *
do_table (fake_tables_t *self, const char *operation, const json_t *body, int *status)
{
    const char *name = json_string_value (json_object_get (body, "TableName"));
    bool *there = &self->there [strcmp (name, "video_events") != 0];
    if (strcmp (operation, "CreateTable") == 0)
        *there = true;
    if (*there)
        return json_pack ("{s:{s:s,s:[{s:s}]}}", "Table", "TableStatus", "ACTIVE", "GlobalSecondaryIndexes",
                          "IndexName", "live_slot");
    *status = 400;
    return json_pack ("{s:s}", "__type", "ResourceNotFoundException");
}

json_t *
fake_tables_do (fake_tables_t *self, const char *operation, const json_t *body, bool partly, int *status)
{
    *status = 200;
    if (strstr (operation, "Table") || strcmp (operation, "UpdateTimeToLive") == 0)
        return do_table (self, operation, body, status);
    if (!self->there [0] || !self->there [1]) {
        *status = 400;
        return json_pack ("{s:s}", "__type", "ResourceNotFoundException");
    }
    if (strcmp (operation, "UpdateItem") == 0)
        return do_epoch (self);
    if (strcmp (operation, "DeleteItem") == 0)
        return do_delete (self, body);
    if (strcmp (operation, "BatchWriteItem") == 0)
        return do_rows (self, body, partly);
    if (strcmp (operation, "BatchExecuteStatement") == 0)
        return do_statements (self, body, partly);
    return strcmp (operation, "BatchGetItem") == 0 ? do_reads (self, body, partly) : do_query (self, body);
}

void
fake_tables_open (fake_tables_t *self, fake_random_fn *random, void *arg)
{
    *self =
        (fake_tables_t){ .random = random, .arg = arg, .events = json_object (), .profiles = json_object () };
}

void
fake_tables_close (fake_tables_t *self)
{
    json_decref (self->events);
    json_decref (self->profiles);
}

void
fake_tables_forget (fake_tables_t *self)
{
    self->there [0] = self->there [1] = false;
    json_object_clear (self->events);
    json_object_clear (self->profiles);
}
