//  chain - a viewer's rows of video_events, newest first: the profile names the newest, each row the one before it

#include "chain.h"
#include "memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINK, OWNER, PUT, REWRITE, RELINK, REMOVE, READ, EXPIRED, LOOKED_AT, HEAD, HEAD_PUT, STATEMENTS };

//  Parameters are numbered in the order in which the functions below bind them; 0 is no row.
static const char *const statements [STATEMENTS] = {
    [LINK] = "SELECT collector_tstamp, previous FROM video_events WHERE row = ?1",
    [OWNER] = "SELECT viewer_id, collector_tstamp FROM video_events WHERE row = ?1"
              " AND previous IN (SELECT row FROM video_events)",
    [PUT] = "INSERT INTO video_events (viewer_id, collector_tstamp, video_ts, adsClicked, adsSkipped,"
            " adId, status, event_id, event_name, state, session_id, media_label, expires_at, previous)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [REWRITE] =
        "UPDATE video_events SET video_ts = ?3, adsClicked = ?4, adsSkipped = ?5, adId = ?6, status = ?7,"
        " event_id = ?8, event_name = ?9, state = ?10, session_id = ?11, media_label = ?12,"
        " expires_at = ?13 WHERE row = ?14",
    [RELINK] = "UPDATE video_events SET previous = ?2 WHERE row = ?1",
    [REMOVE] = "DELETE FROM video_events WHERE row = ?1",
    [READ] =
        "SELECT collector_tstamp, previous, event_id, event_name, video_ts, adsClicked, adsSkipped, adId,"
        " status, state, session_id, media_label, expires_at FROM video_events WHERE row = ?1",
    [EXPIRED] =
        "SELECT row FROM (SELECT row, expires_at FROM video_events WHERE row > ?1 ORDER BY row LIMIT ?2)"
        " WHERE expires_at <= ?3",
    [LOOKED_AT] = "SELECT coalesce (max (row), 0) FROM"
                  " (SELECT row FROM video_events WHERE row > ?1 ORDER BY row LIMIT ?2)",
    [HEAD] = "SELECT newest_row, newest_at FROM viewer_profiles WHERE viewer_id = ?1",
    [HEAD_PUT] = "UPDATE viewer_profiles SET newest_row = ?2, newest_at = ?3 WHERE viewer_id = ?1",
};

//  A name as the table has it.
typedef struct {
    char text [64];
    uint32_t size;
} name_t;

struct chain {
    sql_t *sql;
    sqlite3_stmt *statements [STATEMENTS];
    name_t statuses [USHER_STATUSES], states [USHER_STATES], events [USHER_EVENT_KINDS];
    uint64_t looked_at;    //  where the sweep's walk is
};

static sqlite3_stmt *
get (chain_t *self, int which)
{
    sqlite3_reset (self->statements [which]);
    return self->statements [which];
}

//  In capitals, as the reference spells a status.
static name_t
capitals_of (const char *name)
{
    name_t capitals = { 0 };
    for (; name [capitals.size] && capitals.size < sizeof capitals.text - 1; capitals.size++)
        capitals.text [capitals.size] = (char)toupper (name [capitals.size]);
    return capitals;
}

//  Made once: a row has three of them.
static void
names_make (chain_t *self)
{
    for (size_t at = 0; at < USHER_STATUSES; at++)
        self->statuses [at] = capitals_of (usher_status_names [at]);
    for (size_t at = 0; at < USHER_STATES; at++)
        self->states [at] = capitals_of (usher_state_names [at]);
    for (size_t at = 0; at < USHER_EVENT_KINDS; at++) {
        name_t *event = &self->events [at];
        event->size =
            (uint32_t)snprintf (event->text, sizeof event->text, "%s_event", usher_event_kind_names [at]);
    }
}

chain_t *
chain_new (sql_t *sql)
{
    chain_t *self = memory_new (1, sizeof *self);
    self->sql = sql;
    names_make (self);
    if (!sql_prepare (sql, statements, STATEMENTS, self->statements))
        chain_destroy (&self);
    return self;
}

void
chain_destroy (chain_t **self_p)
{
    chain_t *self = *self_p;
    if (!self)
        return;
    sql_finalize (self->statements, STATEMENTS);
    free (self);
    *self_p = NULL;
}

void
chain_head_set (chain_head_t *head, uint64_t row, usher_str_t key)
{
    if (key.size > sizeof head->key)
        abort ();
    head->row = row;
    head->key_size = key.size;
    if (key.size)
        memcpy (head->key, key.data, key.size);
}

//  ---- finding

//  As SQLite orders texts: byte by byte.
static int
compare (usher_str_t left, usher_str_t right)
{
    int order = memcmp (left.data, right.data, left.size < right.size ? left.size : right.size);
    return order ? order : (left.size > right.size) - (left.size < right.size);
}

//  A row where it belongs in its chain.
typedef struct {
    uint64_t newer;    //  the row that names it; 0: the profile does
    uint64_t row;      //  the row with its key, or the one that it would name
    uint64_t previous;
    bool there;    //  row has its key
} place_t;

//  Looks at place->row: does the key belong there?
static bool
look_at_place (chain_t *self, usher_str_t key, place_t *place, bool *found)
{
    bool failed;
    sqlite3_stmt *stmt = get (self, LINK);
    sql_bind_number (stmt, 1, place->row);
    *found = !sql_step (self->sql, stmt, &failed);
    if (*found) {
        place->row = 0;
        return !failed;
    }
    int order = compare (sql_text (stmt, 0), key);
    place->there = order == 0;
    place->previous = sql_number (stmt, 1);
    *found = order <= 0;
    sqlite3_reset (stmt);
    return true;
}

//  Mostly a row is newer than all.
static bool
find_place (chain_t *self, const chain_head_t *head, usher_str_t key, place_t *place)
{
    *place = (place_t){ .row = head->row };
    bool found = compare (usher_bytes (head->key, head->key_size), key) < 0;
    while (place->row && !found) {
        if (!look_at_place (self, key, place, &found))
            return false;
        if (found)
            break;
        place->newer = place->row;
        place->row = place->previous;
    }
    return true;
}

//  ---- writing

//  The reference keeps ad ids as numbers; other texts stay what they are. 007 and 7 are two ads, so only the
//  usual spelling of a number counts as one.
static void
bind_ad_id (sqlite3_stmt *stmt, int column, usher_str_t ad_id)
{
    char text [16], again [16];
    if (ad_id.size == 0) {
        sql_bind_number (stmt, column, 0);
        return;
    }
    if (ad_id.size >= sizeof text) {
        sql_bind_text (stmt, column, ad_id);
        return;
    }
    memcpy (text, ad_id.data, ad_id.size);
    text [ad_id.size] = 0;
    long long number = strtoll (text, NULL, 10);
    snprintf (again, sizeof again, "%lld", number);
    if (number >= INT32_MIN && number <= INT32_MAX && strcmp (text, again) == 0)
        sql_bind_number (stmt, column, (uint64_t)number);
    else
        sql_bind_text (stmt, column, ad_id);
}

static void
bind_name (sqlite3_stmt *stmt, int column, const name_t *name)
{
    sql_bind_text (stmt, column, usher_bytes (name->text, name->size));
}

//  Runs PUT or REWRITE; last is what the first names and what the second replaces.
static bool
write_row (chain_t *self, int which, const usher_history_t *history, uint64_t last)
{
    sqlite3_stmt *stmt = get (self, which);
    sql_bind_text (stmt, 1, history->viewer_id);
    sql_bind_text (stmt, 2, history->key_tstamp);
    sql_bind_double (stmt, 3, history->video_s);
    sql_bind_number (stmt, 4, history->ads_clicked);
    sql_bind_number (stmt, 5, history->ads_skipped);
    bind_ad_id (stmt, 6, history->ad_id);
    bind_name (stmt, 7, &self->statuses [history->status]);
    sql_bind_text (stmt, 8, history->event_id);
    bind_name (stmt, 9, &self->events [history->kind]);
    bind_name (stmt, 10, &self->states [history->state]);
    sql_bind_text (stmt, 11, history->session_id);
    sql_bind_text (stmt, 12, history->media_label);
    sql_bind_instant (stmt, 13, history->expires_s);
    sql_bind_number (stmt, 14, last);
    return sql_run (self->sql, stmt);
}

static bool
relink (chain_t *self, uint64_t row, uint64_t previous)
{
    sqlite3_stmt *stmt = get (self, RELINK);
    sql_bind_number (stmt, 1, row);
    sql_bind_number (stmt, 2, previous);
    return sql_run (self->sql, stmt);
}

static bool
remove_row (chain_t *self, uint64_t row)
{
    sqlite3_stmt *stmt = get (self, REMOVE);
    sql_bind_number (stmt, 1, row);
    return sql_run (self->sql, stmt);
}

static bool
insert (chain_t *self, chain_head_t *head, const usher_history_t *history, const place_t *place)
{
    if (!write_row (self, PUT, history, place->row))
        return false;
    uint64_t row = (uint64_t)sqlite3_last_insert_rowid (self->sql->db);
    if (place->newer)
        return relink (self, place->newer, row);
    chain_head_set (head, row, history->key_tstamp);
    return true;
}

//  The newest row goes, and this one, if it is there, is the newest.
static bool
lower_head (chain_t *self, chain_head_t *head, uint64_t row)
{
    bool failed;
    sqlite3_stmt *stmt = get (self, LINK);
    sql_bind_number (stmt, 1, row);
    if (sql_step (self->sql, stmt, &failed))
        chain_head_set (head, row, sql_text (stmt, 0));
    else
        chain_head_set (head, 0, usher_str (""));
    sqlite3_reset (stmt);
    return !failed;
}

static bool
take_out (chain_t *self, chain_head_t *head, const place_t *place)
{
    bool good = place->newer ? relink (self, place->newer, place->previous)
                             : lower_head (self, head, place->previous);
    return good && remove_row (self, place->row);
}

bool
chain_put (chain_t *self, chain_head_t *head, const usher_history_t *history)
{
    place_t place;
    if (!find_place (self, head, history->key_tstamp, &place))
        return false;
    if (history->remove)
        return !place.there || take_out (self, head, &place);
    if (place.there)
        return write_row (self, REWRITE, history, place.row);
    return insert (self, head, history, &place);
}

bool
chain_erase (chain_t *self, uint64_t row, uint64_t *rows)
{
    bool failed = false;
    while (row) {
        sqlite3_stmt *stmt = get (self, LINK);
        sql_bind_number (stmt, 1, row);
        if (!sql_step (self->sql, stmt, &failed))
            break;
        uint64_t previous = sql_number (stmt, 1);
        sqlite3_reset (stmt);
        if (!remove_row (self, row))
            return false;
        ++*rows;
        row = previous;
    }
    return !failed;
}

//  ---- the sweep

//  Whose row it is, and its key; as the history message that takes it back.
typedef struct {
    usher_history_t removal;
    char viewer_id [1024], key [CHAIN_KEY_MAX];
} owned_t;

static usher_str_t
copy (char *to, size_t room, usher_str_t text)
{
    if (text.size > room)
        abort ();
    memcpy (to, text.data, text.size);
    return usher_bytes (to, text.size);
}

//  Does the row name one that is there? Only then its chain needs to be mended.
static bool
read_owner (chain_t *self, uint64_t row, owned_t *owned, bool *goes_on)
{
    bool failed;
    sqlite3_stmt *stmt = get (self, OWNER);
    sql_bind_number (stmt, 1, row);
    *goes_on = sql_step (self->sql, stmt, &failed);
    if (*goes_on)
        owned->removal =
            (usher_history_t){ .viewer_id =
                                   copy (owned->viewer_id, sizeof owned->viewer_id, sql_text (stmt, 0)),
                               .key_tstamp = copy (owned->key, sizeof owned->key, sql_text (stmt, 1)),
                               .remove = 1 };
    sqlite3_reset (stmt);
    return !failed;
}

static bool
read_head (chain_t *self, usher_str_t viewer_id, chain_head_t *head)
{
    bool failed;
    sqlite3_stmt *stmt = get (self, HEAD);
    sql_bind_text (stmt, 1, viewer_id);
    if (sql_step (self->sql, stmt, &failed))
        chain_head_set (head, sql_number (stmt, 0), sql_text (stmt, 1));
    else
        chain_head_set (head, 0, usher_str (""));
    sqlite3_reset (stmt);
    return !failed;
}

static bool
write_head (chain_t *self, usher_str_t viewer_id, const chain_head_t *head)
{
    sqlite3_stmt *stmt = get (self, HEAD_PUT);
    sql_bind_text (stmt, 1, viewer_id);
    sql_bind_number (stmt, 2, head->row);
    sql_bind_text (stmt, 3, usher_bytes (head->key, head->key_size));
    return sql_run (self->sql, stmt);
}

//  Where a chain ends its last row just goes, and nobody is told: nearly always, for the oldest rows are written first. So does
//  one whose profile somebody deleted by hand.
static bool
sweep_row (chain_t *self, uint64_t row)
{
    owned_t owned = { 0 };
    chain_head_t head;
    bool goes_on;
    if (!read_owner (self, row, &owned, &goes_on))
        return false;
    usher_str_t viewer_id = owned.removal.viewer_id;
    if (goes_on && !read_head (self, viewer_id, &head))
        return false;
    if (!goes_on || !head.row)
        return remove_row (self, row);
    return chain_put (self, &head, &owned.removal) && write_head (self, viewer_id, &head);
}

//  Of the rows behind this one, at most limit, those that have expired go. Adds to *swept.
static bool
sweep_behind (chain_t *self, uint64_t row, uint64_t now_s, uint32_t limit, int *swept)
{
    uint64_t rows [CHAIN_SWEEP_MAX];
    size_t count;
    sqlite3_stmt *stmt = get (self, EXPIRED);
    sql_bind_number (stmt, 1, row);
    sql_bind_number (stmt, 2, limit);
    sql_bind_instant (stmt, 3, now_s);
    if (!sql_run_numbers (self->sql, stmt, rows, CHAIN_SWEEP_MAX, &count))
        return false;
    for (size_t at = 0; at < count; at++)
        if (!sweep_row (self, rows [at]))
            return false;
    *swept += (int)count;
    return true;
}

int
chain_sweep (chain_t *self, uint64_t now_s, uint32_t limit)
{
    int swept = 0;
    uint64_t before = self->looked_at;
    sqlite3_stmt *stmt = get (self, LOOKED_AT);
    sql_bind_number (stmt, 1, before);
    sql_bind_number (stmt, 2, limit);
    if (!sql_run_number (self->sql, stmt, &self->looked_at) ||
        !sweep_behind (self, 0, now_s, limit, &swept) || !sweep_behind (self, before, now_s, limit, &swept))
        return -1;
    return swept;
}

//  ---- reading

static usher_msg_t
history_row (sqlite3_stmt *stmt, uint64_t request)
{
    usher_msg_t msg = { .id = USHER_MSG_history_row };
    usher_history_row_t *row = &msg.history_row;
    row->request = request;
    row->key_tstamp = sql_text (stmt, 0);
    row->event_id = sql_text (stmt, 2);
    row->event_name = sql_text (stmt, 3);
    row->video_s = sql_double (stmt, 4);
    row->ads_clicked = (uint32_t)sql_number (stmt, 5);
    row->ads_skipped = (uint32_t)sql_number (stmt, 6);
    row->ad_id = sql_text (stmt, 7);
    row->status = sql_text (stmt, 8);
    row->state = sql_text (stmt, 9);
    row->session_id = sql_text (stmt, 10);
    row->media_label = sql_text (stmt, 11);
    return msg;
}

bool
chain_read (chain_t *self, const usher_history_get_t *question, uint64_t now_s, chain_answer_fn *answer,
            void *arg)
{
    chain_head_t head;
    bool failed = !read_head (self, question->viewer_id, &head);
    uint32_t left = question->limit;
    for (uint64_t row = head.row; row && left && !failed;) {
        sqlite3_stmt *stmt = get (self, READ);
        sql_bind_number (stmt, 1, row);
        if (!sql_step (self->sql, stmt, &failed))
            break;
        row = sql_number (stmt, 1);
        if (sql_number (stmt, 12) > now_s) {
            usher_msg_t msg = history_row (stmt, question->request);
            answer (arg, &msg);
            left--;
        }
        sqlite3_reset (stmt);
    }
    usher_msg_t end = { .id = USHER_MSG_history_row,
                        .history_row = { .request = question->request, .last = 1 } };
    if (!failed)
        answer (arg, &end);
    return !failed;
}
