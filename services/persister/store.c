//  store - everything SQL: one SQLite file with profiles, history, quarantine, positions and counters

#include "store.h"
#include "sql.h"
#include "store_file.h"
#include "memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store {
    store_file_t *file;
    sql_t sql;    //  on the file
    tombstones_t *tombstones;
    spans_t *spans;
};

//  ---- opening

store_t *
store_new (const char *directory, store_opening_t *opening, char *why, size_t why_size)
{
    store_file_t *file = store_file_new (directory, opening, why, why_size);
    if (!file)
        return NULL;
    store_t *self = memory_new (1, sizeof *self);
    self->file = file;
    if (sql_open (&self->sql, store_file_db (file))) {
        self->tombstones = tombstones_new (&self->sql);
        self->spans = self->tombstones ? spans_new (&self->sql) : NULL;
    }
    if (self->spans)
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

//  Nothing was changed: is the row what we wanted, or somebody else's?
static store_write_t
judge_write (store_t *self, const usher_write_t *write)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_VERSION);
    sql_bind_text (stmt, 1, write->viewer_id);
    bool failed;
    if (!sql_step (&self->sql, stmt, &failed))
        return failed ? STORE_FAILED : STORE_REFUSED;
    bool equal = sql_number (stmt, 0) == write->epoch && sql_number (stmt, 1) == write->version;
    sqlite3_reset (stmt);
    return equal ? STORE_THERE : STORE_REFUSED;
}

//  Binds the row as it is to be.
static sqlite3_stmt *
bind_write (store_t *self, int which, const usher_write_t *write)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, which);
    sql_bind_text (stmt, 1, write->viewer_id);
    sql_bind_number (stmt, 2, write->epoch);
    sql_bind_number (stmt, 3, write->version);
    if (write->live)
        sql_bind_number (stmt, 4, write->slot);
    else
        sql_bind_null (stmt, 4);
    sql_bind_instant (stmt, 5, write->expires_s);
    sql_bind_blob (stmt, 6, write->profile);
    return stmt;
}

static bool
write_first (store_t *self, const usher_write_t *write, uint64_t now_s)
{
    sqlite3_stmt *stmt = bind_write (self, SQL_WRITE_FIRST, write);
    sql_bind_instant (stmt, 7, now_s);
    return sql_run (&self->sql, stmt);
}

static bool
write_next (store_t *self, int which, const usher_write_t *write)
{
    sqlite3_stmt *stmt = bind_write (self, which, write);
    sql_bind_number (stmt, 7, write->old_epoch);
    sql_bind_number (stmt, 8, write->old_version);
    return sql_run (&self->sql, stmt);
}

store_write_t
store_write (store_t *self, const usher_write_t *write, uint64_t now_s)
{
    bool first = write->old_epoch == 0 && write->old_version == 0;
    if (first ? !write_first (self, write, now_s) : !write_next (self, SQL_WRITE_IN_PLACE, write))
        return STORE_FAILED;
    if (sqlite3_changes (self->sql.db))
        return STORE_WRITTEN;
    if (!first && !write_next (self, SQL_WRITE_NEXT, write))
        return STORE_FAILED;
    return !first && sqlite3_changes (self->sql.db) ? STORE_WRITTEN : judge_write (self, write);
}

//  The reference keeps ad ids as numbers; other texts stay what they are. 007 and 7 are two ads, so only the
//  usual spelling of a number counts as one.
static void
bind_ad_id (sqlite3_stmt *stmt, int column, usher_str_t ad_id)
{
    char text [16] = "0", again [16];
    if (ad_id.size >= sizeof text) {
        sql_bind_text (stmt, column, ad_id);
        return;
    }
    if (ad_id.size) {
        memcpy (text, ad_id.data, ad_id.size);
        text [ad_id.size] = 0;
    }
    long long number = strtoll (text, NULL, 10);
    snprintf (again, sizeof again, "%lld", number);
    if (number >= INT32_MIN && number <= INT32_MAX && strcmp (text, again) == 0)
        sql_bind_number (stmt, column, (uint64_t)number);
    else
        sql_bind_text (stmt, column, ad_id);
}

//  Binds a name in capitals, as the reference spells a status.
static void
bind_capitals (sqlite3_stmt *stmt, int column, const char *name)
{
    char capitals [32] = "";
    for (size_t at = 0; name [at] && at < sizeof capitals - 1; at++)
        capitals [at] = (char)toupper (name [at]);
    sql_bind_copy (stmt, column, capitals);
}

static void
bind_event_name (sqlite3_stmt *stmt, int column, usher_event_kind_t kind)
{
    char name [64];
    snprintf (name, sizeof name, "%s_event", usher_event_kind_names [kind]);
    sql_bind_copy (stmt, column, name);
}

bool
store_put_history (store_t *self, const usher_history_t *history)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, history->remove ? SQL_HISTORY_REMOVE : SQL_HISTORY_PUT);
    sql_bind_text (stmt, 1, history->viewer_id);
    sql_bind_text (stmt, 2, history->key_tstamp);
    if (history->remove)
        return sql_run (&self->sql, stmt);
    sql_bind_double (stmt, 3, history->video_s);
    sql_bind_number (stmt, 4, history->ads_clicked);
    sql_bind_number (stmt, 5, history->ads_skipped);
    bind_ad_id (stmt, 6, history->ad_id);
    bind_capitals (stmt, 7, usher_status_names [history->status]);
    sql_bind_text (stmt, 8, history->event_id);
    bind_event_name (stmt, 9, history->kind);
    bind_capitals (stmt, 10, usher_state_names [history->state]);
    sql_bind_text (stmt, 11, history->session_id);
    sql_bind_text (stmt, 12, history->media_label);
    sql_bind_instant (stmt, 13, history->expires_s);
    return sql_run (&self->sql, stmt);
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

static bool
erase_from (store_t *self, int which, usher_str_t viewer_id, uint64_t *removed)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, which);
    sql_bind_text (stmt, 1, viewer_id);
    if (!sql_run (&self->sql, stmt))
        return false;
    *removed = (uint64_t)sqlite3_changes (self->sql.db);
    return true;
}

bool
store_erase (store_t *self, usher_str_t viewer_id, uint64_t *profiles, uint64_t *rows)
{
    return erase_from (self, SQL_ERASE_PROFILE, viewer_id, profiles) &&
           erase_from (self, SQL_ERASE_EVENTS, viewer_id, rows);
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

int
store_sweep (store_t *self, uint64_t now_s, uint32_t limit)
{
    int deleted = 0, changed;
    for (int which = SQL_SWEEP_PROFILES; which <= SQL_SWEEP_QUARANTINE; which++) {
        if (!sweep_with (self, which, now_s, limit, &changed))
            return -1;
        deleted += changed;
    }
    return sweep_with (self, SQL_LOOK_LATER, now_s, limit, &changed) ? deleted : -1;
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

static usher_msg_t
history_row (sqlite3_stmt *stmt, uint64_t request)
{
    usher_msg_t msg = { .id = USHER_MSG_history_row };
    usher_history_row_t *row = &msg.history_row;
    row->request = request;
    row->key_tstamp = sql_text (stmt, 0);
    row->event_id = sql_text (stmt, 1);
    row->event_name = sql_text (stmt, 2);
    row->video_s = sql_double (stmt, 3);
    row->ads_clicked = (uint32_t)sql_number (stmt, 4);
    row->ads_skipped = (uint32_t)sql_number (stmt, 5);
    row->ad_id = sql_text (stmt, 6);
    row->status = sql_text (stmt, 7);
    row->state = sql_text (stmt, 8);
    row->session_id = sql_text (stmt, 9);
    row->media_label = sql_text (stmt, 10);
    return msg;
}

bool
store_history (store_t *self, const usher_history_get_t *get, uint64_t now_s, store_answer_fn *answer,
               void *arg)
{
    sqlite3_stmt *stmt = sql_get (&self->sql, SQL_HISTORY_GET);
    sql_bind_text (stmt, 1, get->viewer_id);
    sql_bind_instant (stmt, 2, now_s);
    sql_bind_number (stmt, 3, get->limit);
    bool failed;
    while (sql_step (&self->sql, stmt, &failed)) {
        usher_msg_t msg = history_row (stmt, get->request);
        answer (arg, &msg);
    }
    usher_msg_t end = { .id = USHER_MSG_history_row, .history_row = { .request = get->request, .last = 1 } };
    if (!failed)
        answer (arg, &end);
    return !failed;
}
