//  roster - the processes of one host: who there is, who needs whom, who drains before whom

#include "roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *kind, *program;
    const char *needs [5];
    uint32_t drain_stage;
} row_t;

//  Consumers start first, producers stop first, so every stage drains into a living one. The gateway stays to the
//  last but one: browsers see the shards' last words.
static const row_t rows [] = {
    //  kind         program            needs                                         drains
    { "persister", "usher-persister", { NULL }, 6 },
    { "publisher", "usher-publisher", { "persister", NULL }, 4 },
    { "shard", "usher-shard", { "persister", "publisher", NULL }, 3 },
    { "gateway", "usher-gateway", { "persister", "publisher", "shard", NULL }, 5 },
    { "ingester", "usher-ingester", { "persister", "shard", "gateway", NULL }, 2 },
    { "collector", "usher-collector", { "ingester", NULL }, 1 },
    { "audience", "usher", { "collector", "gateway", NULL }, 0 },
};
#define ROWS (sizeof rows / sizeof *rows)

static void
roster_add (roster_t *self, const row_t *row, int instance)
{
    roster_entry_t *entry = &self->entries [self->count++];
    if (instance < 0)
        snprintf (entry->name, sizeof entry->name, "%s", row->kind);
    else
        snprintf (entry->name, sizeof entry->name, "%s-%d", row->kind, instance);
    entry->kind = row->kind;
    entry->program = row->program;
    entry->needs = row->needs;
    entry->instance = instance;
    entry->drain_stage = row->drain_stage;
    entry->peer = entry->waiter = ROSTER_NOBODY;
    entry->child = child_init (strcmp (row->kind, "audience") != 0);
}

void
roster_init (roster_t *self, uint32_t shards, bool collector, bool audience)
{
    memset (self, 0, sizeof *self);
    for (size_t i = 0; i < ROWS; i++) {
        const char *kind = rows [i].kind;
        if ((strcmp (kind, "collector") == 0 && !collector) || (strcmp (kind, "audience") == 0 && !audience))
            continue;
        if (strcmp (kind, "shard") != 0)
            roster_add (self, &rows [i], -1);
        else
            for (uint32_t n = 0; n < shards; n++)
                roster_add (self, &rows [i], (int)n);
    }
}

void
roster_term (roster_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free (self->entries [i].metrics);
        free (self->entries [i].note);
    }
    memset (self, 0, sizeof *self);
}

roster_entry_t *
roster_find (roster_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->entries [i].name, name) == 0)
            return &self->entries [i];
    return NULL;
}

roster_entry_t *
roster_find_pid (roster_t *self, pid_t pid)
{
    for (size_t i = 0; i < self->count; i++)
        if (pid > 0 && self->entries [i].pid == pid)
            return &self->entries [i];
    return NULL;
}

//  A kind that is not in the roster is needed by nobody.
static bool
kind_is_ready (const roster_t *self, const char *kind)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->entries [i].kind, kind) == 0 && self->entries [i].child.state != CHILD_READY)
            return false;
    return true;
}

bool
roster_may_start (const roster_t *self, const roster_entry_t *entry)
{
    for (const char *const *need = entry->needs; *need; need++)
        if (!kind_is_ready (self, *need))
            return false;
    return true;
}

static bool
at_rest (const roster_entry_t *entry)
{
    return entry->child.state == CHILD_DOWN || entry->child.state == CHILD_FAILED;
}

bool
roster_may_drain (const roster_t *self, const roster_entry_t *entry)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->entries [i].drain_stage < entry->drain_stage && !at_rest (&self->entries [i]))
            return false;
    return true;
}

void
roster_want_all (roster_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->entries [i].child.wanted = true;
}

void
roster_drain_next (roster_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (roster_may_drain (self, &self->entries [i]))
            self->entries [i].child.wanted = false;
}

bool
roster_all_ready (const roster_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->entries [i].child.wanted && self->entries [i].child.state != CHILD_READY)
            return false;
    return true;
}

bool
roster_all_at_rest (const roster_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (!at_rest (&self->entries [i]))
            return false;
    return true;
}
