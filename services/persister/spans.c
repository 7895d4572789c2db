//  spans - what seconds and minutes came to: a table of store.db, whichever store keeps the profiles

#include "spans.h"
#include "memory.h"

#include <stdlib.h>

enum { PUT, GET, SWEEP, STATEMENTS };

static const char table [] =
    "CREATE TABLE IF NOT EXISTS spans (step INTEGER NOT NULL, at INTEGER NOT NULL, part INTEGER NOT NULL,"
    " body BLOB NOT NULL, PRIMARY KEY (step, at, part)) WITHOUT ROWID";

static const char *const statements [STATEMENTS] = {
    [PUT] = "INSERT OR REPLACE INTO spans (step, at, part, body) VALUES (?1, ?2, ?3, ?4)",
    [GET] = "SELECT body FROM spans WHERE step = ?1 AND at >= ?2 AND at < ?3 ORDER BY at, part",
    //  One more of each, so that an answer of a whole hour or day lacks none at its edge.
    [SWEEP] = "DELETE FROM spans WHERE (step, at, part) IN (SELECT step, at, part FROM spans"
              " WHERE step = 1 AND at < ?1 - 3601 OR step = 60 AND at < ?1 - 86460 LIMIT ?2)",
};

struct spans {
    sql_t *sql;
    sqlite3_stmt *statements [STATEMENTS];
};

spans_t *
spans_new (sql_t *sql)
{
    spans_t *self = memory_new (1, sizeof *self);
    self->sql = sql;
    if (!sql_execute (sql, table) || !sql_prepare (sql, statements, STATEMENTS, self->statements))
        spans_destroy (&self);
    return self;
}

void
spans_destroy (spans_t **self_p)
{
    spans_t *self = *self_p;
    if (!self)
        return;
    sql_finalize (self->statements, STATEMENTS);
    free (self);
    *self_p = NULL;
}

bool
spans_put (spans_t *self, const usher_aggregate_put_t *put)
{
    sqlite3_stmt *stmt = self->statements [PUT];
    sql_bind_number (stmt, 1, put->step_s);
    sql_bind_number (stmt, 2, put->at_s);
    sql_bind_number (stmt, 3, put->part);
    sql_bind_blob (stmt, 4, put->body);
    return sql_run (self->sql, stmt);
}

int
spans_sweep (spans_t *self, uint64_t now_s, uint32_t limit)
{
    sqlite3_stmt *stmt = self->statements [SWEEP];
    sql_bind_instant (stmt, 1, now_s);
    sql_bind_number (stmt, 2, limit);
    return sql_run (self->sql, stmt) ? sqlite3_changes (self->sql->db) : -1;
}

bool
spans_get (spans_t *self, const usher_aggregate_get_t *get, spans_answer_fn *answer, void *arg)
{
    sqlite3_stmt *stmt = self->statements [GET];
    sql_bind_number (stmt, 1, get->step_s);
    sql_bind_instant (stmt, 2, get->from_s);
    sql_bind_instant (stmt, 3, get->to_s);
    usher_msg_t msg = { .id = USHER_MSG_aggregate_row, .aggregate_row = { .request = get->request } };
    bool failed;
    while (sql_step (self->sql, stmt, &failed)) {
        msg.aggregate_row.body = sql_blob (stmt, 0);
        answer (arg, &msg);
    }
    usher_msg_t end = { .id = USHER_MSG_aggregate_row,
                        .aggregate_row = { .request = get->request, .last = 1 } };
    if (!failed)
        answer (arg, &end);
    return !failed;
}
