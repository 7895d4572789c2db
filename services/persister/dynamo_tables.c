//  dynamo_tables - are the two tables there? makes them on request

#include "dynamo_tables.h"
#include "json.h"
#include "log.h"

#include <string.h>

//  A table that is being made is asked for so often.
#define POLL_MS 300

//  ---- requests

static void
ask_table (buffer_t *out, const char *table)
{
    json_open (out, '{');
    json_key (out, "TableName");
    json_word (out, table);
    json_close (out, '}');
}

static void
expire_table (buffer_t *out, const char *table)
{
    json_open (out, '{');
    json_key (out, "TableName");
    json_word (out, table);
    static const char rest [] =
        "\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":\"expires_at\"}}";
    json_raw (out, rest, sizeof rest - 1);
}

//  The rest is the same for everybody, so it stands here as it is sent.
static void
create_table (buffer_t *out, const char *table, const char *rest)
{
    json_open (out, '{');
    json_key (out, "TableName");
    json_word (out, table);
    json_key (out, "BillingMode");
    json_word (out, "PAY_PER_REQUEST");
    json_raw (out, rest, strlen (rest));
    json_close (out, '}');
}

void
dynamo_create_events (buffer_t *out, const char *table)
{
    create_table (out, table,
                  "\"AttributeDefinitions\":[{\"AttributeName\":\"viewer_id\",\"AttributeType\":\"S\"},"
                  "{\"AttributeName\":\"collector_tstamp\",\"AttributeType\":\"S\"}],"
                  "\"KeySchema\":[{\"AttributeName\":\"viewer_id\",\"KeyType\":\"HASH\"},"
                  "{\"AttributeName\":\"collector_tstamp\",\"KeyType\":\"RANGE\"}]");
}

//  The index has no sort key: those end at 1024 bytes, and the counter's name is longer.
void
dynamo_create_profiles (buffer_t *out, const char *table)
{
    create_table (out, table,
                  "\"AttributeDefinitions\":[{\"AttributeName\":\"viewer_id\",\"AttributeType\":\"S\"},"
                  "{\"AttributeName\":\"live_slot\",\"AttributeType\":\"N\"}],"
                  "\"KeySchema\":[{\"AttributeName\":\"viewer_id\",\"KeyType\":\"HASH\"}],"
                  "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"" DYNAMO_LIVE_INDEX "\","
                  "\"KeySchema\":[{\"AttributeName\":\"live_slot\",\"KeyType\":\"HASH\"}],"
                  "\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}]");
}

//  ---- what comes next

const char *
dynamo_table_next (dynamo_table_t *self, int64_t now_ms, buffer_t *out)
{
    static const char *const operations [] = { "DescribeTable", "CreateTable", "UpdateTimeToLive", NULL };
    if (self->asked || self->state == TABLE_READY || now_ms < self->not_before_ms)
        return NULL;
    self->asked = true;
    if (self->state == TABLE_ASK)
        ask_table (out, self->name);
    else if (self->state == TABLE_CREATE)
        self->create (out, self->name);
    else
        expire_table (out, self->name);
    return operations [self->state];
}

static bool
has_index (const json_t *table, const char *index)
{
    size_t at;
    json_t *one;
    json_array_foreach (json_object_get (table, "GlobalSecondaryIndexes"), at, one)
    {
        const char *name = json_string_value (json_object_get (one, "IndexName"));
        if (name && strcmp (name, index) == 0)
            return true;
    }
    return false;
}

static void
take_description (dynamo_table_t *self, const json_t *answer, int64_t now_ms)
{
    const json_t *table = json_object_get (answer, "Table");
    const char *status = json_string_value (json_object_get (table, "TableStatus"));
    if (!status || (strcmp (status, "ACTIVE") != 0 && strcmp (status, "UPDATING") != 0)) {
        self->not_before_ms = now_ms + POLL_MS;
        return;
    }
    if (self->index && !has_index (table, self->index))
        log_error ("table without its index",
                   "table=%s index=%s hint=\"shards cannot load who is live: add it\"", self->name,
                   self->index);
    self->state = self->created ? TABLE_EXPIRE : TABLE_READY;
}

//  What a fault is to a table that is being looked for; false when it is only a fault.
static bool
take_fault (dynamo_table_t *self, dynamo_fault_t fault, bool may_create)
{
    if (self->state == TABLE_ASK && fault == DYNAMO_NO_TABLE && may_create)
        self->state = TABLE_CREATE;
    else if (self->state == TABLE_ASK && fault == DYNAMO_FORBIDDEN)
        //  Whoever may only read and write items finds out by doing it.
        self->state = TABLE_READY;
    else if (self->state == TABLE_CREATE && fault == DYNAMO_IN_USE)
        self->state = TABLE_ASK;
    else if (self->state == TABLE_EXPIRE && fault == DYNAMO_BAD)
        //  It was enabled already.
        self->state = TABLE_READY;
    else
        return false;
    return true;
}

bool
dynamo_table_answered (dynamo_table_t *self, dynamo_fault_t fault, const json_t *answer, bool may_create,
                       int64_t now_ms, int64_t delay_ms)
{
    self->asked = false;
    if (fault) {
        bool known = take_fault (self, fault, may_create);
        self->not_before_ms = known ? now_ms : now_ms + delay_ms;
        return known;
    }
    if (self->state == TABLE_ASK)
        take_description (self, answer, now_ms);
    else if (self->state == TABLE_CREATE) {
        log_info ("table made", "table=%s", self->name);
        self->created = true;
        self->state = TABLE_ASK;
    } else
        self->state = TABLE_READY;
    return true;
}
