//  store - everything SQL: one SQLite file with profiles, history, quarantine, positions and counters

#include "store.h"
#include "chain.h"
#include "sql.h"
#include "store_file.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

//  A viewer's row as store_judge found it; head is what the row is to say after the rows that were put since.
typedef struct {
    uint64_t row, epoch, version;
    uint64_t expires_s, look_s;    //  expires_at, look_at
    uint32_t slot;
    bool any, live;
    chain_head_t head;
} found_t;

enum { PROFILES_STEP = 65536 };    //  that are expected beyond those seen

struct store {
    store_file_t *file;
    uint64_t expected;    //  profiles
    sql_t sql;            //  on the file
    tombstones_t *tombstones;
    spans_t *spans;
    chain_t *chain;
    found_t found;
};

//  ---- opening

//  Profiles are numbered one after the other. Gaps of those that are gone make the number larger than it is.
static void
expect (store_t *self, uint64_t last_row)
{
    if (last_row < self->expected)
        return;
    self->expected = last_row + PROFILES_STEP;
    store_file_expect (self->file, self->expected);
}

static bool
expect_as_before (store_t *self)
{
    uint64_t last_row;
    if (!sql_run_number (&self->sql, sql_get (&self->sql, SQL_LAST_ROW), &last_row))
        return false;
    expect (self, last_row);
    return true;
}

store_t *
store_new (const char *directory, store_opening_t *opening, char *why, size_t why_size)
{
    store_file_t *file = store_file_new (directory, opening, why, why_size);
    if (!file)
        return NULL;
    store_t *self = memory_new (1, sizeof *self);
    self->file = file;
    if (sql_open (&self->sql, store_file_db (file)) && expect_as_before (self)) {
        self->tombstones = tombstones_new (&self->sql);
        self->spans = self->tombstones ? spans_new (&self->sql) : NULL;
        self->chain = self->spans ? chain_new (&self->sql) : NULL;
    }
    if (self->chain)
        return self;
    //  Our own mark is on it, but its tables are not ours.
    *opening = STORE_UNUSABLE;
    snprintf (why, why_size, "%s: %s", store_file_path (file), self->sql.error);
    store_destroy (&self);
    return NULL;
}

void
store_destroy (store_t **self_p)
{
    store_t *self = *self_p;
    if (!self)
        return;
    tombstones_destroy (&self->tombstones);
    spans_destroy (&self->spans);
    chain_destroy (&self->chain);
    sql_close (&self->sql);
    store_file_destroy (&self->file);
    free (self);
    *self_p = NULL;
}

const char *
store_file (const store_t *self)
{
    return store_file_path (self->file);
}

const char *
store_error (const store_t *self)
{
    return self->sql.error;
}

spans_t *
store_spans (store_t *self)
{
    return self->spans;
}

tombstones_t *
store_tombstones (store_t *self)
{
    return self->tombstones;
}

void
store_limit_pages (store_t *self, uint32_t pages)
{
    char sql [64];
    snprintf (sql, sizeof sql, "PRAGMA max_page_count=%u", pages ? pages : 1073741823u);
    if (sqlite3_exec (self->sql.db, sql, NULL, NULL, NULL) != SQLITE_OK)
        abort ();
}

//  ---- transactions

bool
store_begin (store_t *self)
{
    return sql_run (&self->sql, sql_get (&self->sql, SQL_BEGIN));
}

bool
store_begin_reading (store_t *self)
{
    return sql_run (&self->sql, sql_get (&self->sql, SQL_BEGIN_READING));
}

bool
store_commit (store_t *self)
{
    return sql_run (&self->sql, sql_get (&self->sql, SQL_COMMIT));
}

void
store_rollback (store_t *self)
{
    //  A full disk makes SQLite roll back by itself.
    if (sqlite3_get_autocommit (self->sql.db))
        return;
    char why [sizeof self->sql.error];
    memcpy (why, self->sql.error, sizeof why);
    sql_run (&self->sql, sql_get (&self->sql, SQL_ROLLBACK));
    memcpy (self->sql.error, why, sizeof why);
}

//  ---- writing

bool
store_claim (store_t *self, uint64_t *epoch)
{
    return sql_run_number (&self->sql, sql_get (&self->sql, SQL_CLAIM), epoch);
}

//  Reads the row that a statement finds into found.
static bool
find_with (store_t *self, sqlite3_stmt *stmt)
{
    found_t *found = &self->found;
    bool failed;
    *found = (found_t){ .any = sql_step (&self->sql, stmt, &failed) };
    if (found->any) {
        found->row = sql_number (stmt, 0);
        found->epoch = sql_number (stmt, 1);
        found->version = sql_number (stmt, 2);
        found->live = sqlite3_column_type (stmt, 3) != SQLITE_NULL;
        found->slot = (uint32_t)sql_number (stmt, 3);
        found->expires_s = sql_number (stmt, 4);
        found->look_s = sql_number (stmt, 5);
        chain_head_set (&found->head, sql_number (stmt, 6), sql_text (stmt, 7));
    }
    sqlite3_reset (stmt);
    return !failed;
}

//  Is the viewer's row where it was last? Then it is found without the index, whose page would be read for that alone.
static bool
find_at (store_t *self, usher_str_t viewer_id, uint64_t number)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_FIND_AT);
    sql_bind_text (stmt, 1, viewer_id);
    sql_bind_number (stmt, 2, number);
    return find_with (self, stmt);
}

//  Reads the viewer's row into found. number is where it was last, 0 if that is not known.
static bool
find_row (store_t *self, usher_str_t viewer_id, uint64_t number)
{
    if (number && (!find_at (self, viewer_id, number) || self->found.any))
        return self->found.any;
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_FIND);
    sql_bind_text (stmt, 1, viewer_id);
    return find_with (self, stmt);
}

static bool
is_first (const usher_write_t *write)
{
    return write->old_epoch == 0 && write->old_version == 0;
}

//  Is it the row that the write replaces? An expired row is no row.
static bool
is_replaced (const found_t *found, const usher_write_t *write, uint64_t now_s)
{
    if (is_first (write))
        return !found->any || found->expires_s <= now_s;
    return found->any && found->epoch == write->old_epoch && found->version == write->old_version;
}

store_judgement_t
store_judge (store_t *self, const usher_write_t *write, uint64_t now_s)
{
    const found_t *found = &self->found;
    if (!find_row (self, write->viewer_id, write->row))
        return STORE_FAILED;
    if (is_replaced (found, write, now_s))
        return STORE_REPLACES;
    bool equal = found->any && found->epoch == write->epoch && found->version == write->version;
    return equal ? STORE_THERE : STORE_REFUSED;
}

bool
store_put_history (store_t *self, const usher_history_t *history)
{
    return chain_put (self->chain, &self->found.head, history);
}

//  Binds the row as it is to be, but for its key.
static sqlite3_stmt *
bind_write (store_t *self, int which, const usher_write_t *write)
{
    const chain_head_t *head = &self->found.head;
    sqlite3_stmt *stmt = sql_get (&self->sql, which);
    sql_bind_number (stmt, 2, write->epoch);
    sql_bind_number (stmt, 3, write->version);
    sql_bind_instant (stmt, 4, write->expires_s);
    sql_bind_number (stmt, 5, head->row);
    sql_bind_text (stmt, 6, usher_bytes (head->key, head->key_size));
    sql_bind_blob (stmt, 7, write->profile);
    return stmt;
}

static void
bind_indexed (sqlite3_stmt *stmt, const usher_write_t *write, uint64_t look_s)
{
    if (write->live)
        sql_bind_number (stmt, 8, write->slot);
    else
        sql_bind_null (stmt, 8);
    sql_bind_instant (stmt, 9, look_s);
}

//  Most writes change nothing that an index holds. SQLite goes by the columns that are named, and each index would be one
//  more page to write.
static bool
keeps_indexes (const found_t *found, const usher_write_t *write)
{
    return !is_first (write) && found->live == (write->live != 0) &&
           (!found->live || found->slot == write->slot) && found->look_s <= write->expires_s;
}

bool
store_write (store_t *self, const usher_write_t *write)
{
    found_t *found = &self->found;
    bool in_place = found->any && keeps_indexes (found, write);
    bool sooner = is_first (write) || write->expires_s < found->look_s;
    sqlite3_stmt *stmt = bind_write (self,
                                     in_place     ? SQL_WRITE_IN_PLACE
                                     : found->any ? SQL_WRITE_NEXT
                                                  : SQL_WRITE_FIRST,
                                     write);
    if (found->any)
        sql_bind_number (stmt, 1, found->row);
    else
        sql_bind_text (stmt, 1, write->viewer_id);
    if (!in_place)
        bind_indexed (stmt, write, sooner ? write->expires_s : found->look_s);
    if (!sql_run (&self->sql, stmt))
        return false;
    if (found->any)
        return true;
    found->row = (uint64_t)sqlite3_last_insert_rowid (self->sql.db);
    expect (self, found->row);
    return true;
}

uint64_t
store_row (const store_t *self)
{
    return self->found.row;
}

bool
store_quarantine (store_t *self, const usher_quarantine_t *bad, uint64_t now_s, uint64_t expires_s,
                  bool *added)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_QUARANTINE);
    sql_bind_number (stmt, 1, bad->source);
    sql_bind_number (stmt, 2, bad->generation);
    sql_bind_number (stmt, 3, bad->partition);
    sql_bind_number (stmt, 4, bad->offset);
    sql_bind_text (stmt, 5, bad->reason);
    sql_bind_blob (stmt, 6, bad->payload);
    sql_bind_instant (stmt, 7, now_s);
    sql_bind_instant (stmt, 8, expires_s);
    bool good = sql_run (&self->sql, stmt);
    *added = good && sqlite3_changes (self->sql.db) > 0;
    return good;
}

bool
store_commit_position (store_t *self, const usher_commit_t *commit, uint64_t *next)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_POSITION_PUT);
    sql_bind_number (stmt, 1, commit->source);
    sql_bind_text (stmt, 2, commit->name);
    sql_bind_number (stmt, 3, commit->partition);
    sql_bind_number (stmt, 4, commit->generation);
    sql_bind_number (stmt, 5, commit->next);
    return sql_run_number (&self->sql, stmt, next);
}

//  Removes the row of viewer_profiles and the rows that it leads to. Adds to *profiles and *rows.
static bool
erase_row (store_t *self, uint64_t row, uint64_t newest_row, uint64_t *profiles, uint64_t *rows)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_ERASE_PROFILE);
    sql_bind_number (stmt, 1, row);
    ++*profiles;
    return chain_erase (self->chain, newest_row, rows) && sql_run (&self->sql, stmt);
}

bool
store_erase (store_t *self, usher_str_t viewer_id, uint64_t *profiles, uint64_t *rows)
{
    const found_t *found = &self->found;
    *profiles = *rows = 0;
    if (!find_row (self, viewer_id, 0))
        return false;
    return !found->any || erase_row (self, found->row, found->head.row, profiles, rows);
}

//  Runs a statement of the sweep; *changed: how many rows.
static bool
sweep_with (store_t *self, int which, uint64_t now_s, uint32_t limit, int *changed)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, which);
    sql_bind_instant (stmt, 1, now_s);
    sql_bind_number (stmt, 2, limit);
    bool good = sql_run (&self->sql, stmt);
    *changed = good ? sqlite3_changes (self->sql.db) : 0;
    return good;
}

//  An expired profile goes with what it leads to, which is no younger.
static bool
sweep_profiles (store_t *self, uint64_t now_s, uint32_t limit, uint64_t *deleted)
{
    uint64_t ids [CHAIN_SWEEP_MAX], newest_row;
    size_t count;
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_EXPIRED_PROFILES);
    sql_bind_instant (stmt, 1, now_s);
    sql_bind_number (stmt, 2, limit);
    if (!sql_run_numbers (&self->sql, stmt, ids, CHAIN_SWEEP_MAX, &count))
        return false;
    for (size_t at = 0; at < count; at++) {
        stmt = sql_get (&self->sql, SQL_NEWEST_ROW);
        sql_bind_number (stmt, 1, ids [at]);
        if (!sql_run_number (&self->sql, stmt, &newest_row) ||
            !erase_row (self, ids [at], newest_row, deleted, deleted))
            return false;
    }
    return true;
}

int
store_sweep (store_t *self, uint64_t now_s, uint32_t limit)
{
    uint64_t profiles = 0;
    int changed, later, rows = chain_sweep (self->chain, now_s, limit);
    if (rows < 0 || !sweep_profiles (self, now_s, limit, &profiles) ||
        !sweep_with (self, SQL_LOOK_LATER, now_s, limit, &later) ||
        !sweep_with (self, SQL_SWEEP_QUARANTINE, now_s, limit, &changed))
        return -1;
    return rows + (int)profiles + changed;
}

//  ---- reading

static usher_msg_t
loaded_row (sqlite3_stmt *stmt)
{
    usher_msg_t msg = { .id = USHER_MSG_loaded };
    msg.loaded.viewer_id = sql_text (stmt, 0);
    msg.loaded.epoch = sql_number (stmt, 1);
    msg.loaded.version = sql_number (stmt, 2);
    msg.loaded.profile = sql_blob (stmt, 3);
    msg.loaded.row = sql_number (stmt, 4);
    return msg;
}

bool
store_load (store_t *self, const usher_load_t *load, uint64_t now_s, store_answer_fn *answer, void *arg)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_LOAD);
    sql_bind_text (stmt, 1, load->viewer_id);
    sql_bind_instant (stmt, 2, now_s);
    bool failed;
    usher_msg_t msg = { .id = USHER_MSG_loaded, .loaded = { .viewer_id = load->viewer_id } };
    if (sql_step (&self->sql, stmt, &failed))
        msg = loaded_row (stmt);
    if (!failed)
        answer (arg, &msg);
    sqlite3_reset (stmt);
    return !failed;
}

bool
store_load_live (store_t *self, const usher_load_live_t *load, uint64_t now_s, store_answer_fn *answer,
                 void *arg)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_LOAD_LIVE);
    const char shard = (char)load->shard;
    sql_bind_text (stmt, 1, load->after);
    sql_bind_instant (stmt, 2, now_s);
    sql_bind_blob (stmt, 3, load->owners);
    sql_bind_blob (stmt, 4, usher_bytes (&shard, 1));
    sql_bind_number (stmt, 5, STORE_LIVE_PAGE + 1);
    char after [1024];    //  as long as a viewer_id can be
    usher_msg_t end = { .id = USHER_MSG_live_page, .live_page = { .after = load->after, .last = 1 } };
    bool failed;
    for (int count = 0; sql_step (&self->sql, stmt, &failed); count++) {
        if (count == STORE_LIVE_PAGE) {
            end.live_page.last = 0;
            break;
        }
        usher_msg_t msg = loaded_row (stmt);
        end.live_page.after = usher_bytes (after, msg.loaded.viewer_id.size);
        memcpy (after, msg.loaded.viewer_id.data, msg.loaded.viewer_id.size);
        answer (arg, &msg);
    }
    sqlite3_reset (stmt);
    if (!failed)
        answer (arg, &end);
    return !failed;
}

bool
store_positions (store_t *self, const usher_positions_t *positions, store_answer_fn *answer, void *arg)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_POSITIONS);
    sql_bind_number (stmt, 1, positions->source);
    sql_bind_text (stmt, 2, positions->name);
    usher_msg_t none = { .id = USHER_MSG_position,
                         .position = { .source = positions->source, .name = positions->name } };
    bool failed, any = false;
    for (; sql_step (&self->sql, stmt, &failed); any = true) {
        usher_msg_t msg = none;
        msg.position.partition = (uint32_t)sql_number (stmt, 2);
        msg.position.generation = sql_number (stmt, 3);
        msg.position.next = sql_number (stmt, 4);
        answer (arg, &msg);
    }
    if (!any && !failed)
        answer (arg, &none);
    return !failed;
}

bool
store_history (store_t *self, const usher_history_get_t *get, uint64_t now_s, store_answer_fn *answer,
               void *arg)
{
    return chain_read (self->chain, get, now_s, answer, arg);
}
