//  store_file - finds, locks, checks and opens store.db; gives it its tables

#include "store_file.h"
#include "checkpointer.h"
#include "memory.h"
#include "store_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

//  Marks a database as a store of ours ("Ushr") and its tables as of this build.
#define APPLICATION_ID 0x55736872
#define LAYOUT_VERSION 3

//  Up to this size the whole file is read for damage at each start; beyond it that would cost more than a
//  second, and damage shows when the page is read.
#define CHECK_BYTES_MAX (256L * 1024 * 1024)

#define STRING(x) #x
#define TEXT(x) STRING (x)

//  video_events is the reference's table and what Usher adds to it; its rows lie as they were written, and previous is the
//  viewer's row before (chain.h). AUTOINCREMENT: a row's number is never given again.
#define VIDEO_EVENTS                                                                                         \
    "CREATE TABLE video_events (row INTEGER PRIMARY KEY AUTOINCREMENT, viewer_id TEXT NOT NULL,"             \
    " collector_tstamp TEXT NOT NULL, previous INTEGER NOT NULL, video_ts REAL, adsClicked INTEGER NOT "     \
    "NULL,"                                                                                                  \
    " adsSkipped INTEGER NOT NULL, adId NOT NULL, status TEXT NOT NULL, event_id TEXT NOT NULL, event_name " \
    "TEXT "                                                                                                  \
    "NOT NULL, state TEXT NOT NULL, session_id TEXT NOT NULL, media_label TEXT NOT NULL, expires_at "        \
    "INTEGER NOT "                                                                                           \
    "NULL);"

//  live_profiles holds only who is live: a restarted shard reads just those. look_at is when the sweep looks at a profile: not
//  after expires_at, and mostly long before, so a write need not touch its index. newest_row and newest_at are the head of the
//  viewer's chain.
static const char tables [] = VIDEO_EVENTS
    "CREATE TABLE viewer_profiles (viewer_id TEXT PRIMARY KEY NOT NULL, epoch INTEGER NOT NULL,"
    " version INTEGER NOT NULL, live_slot INTEGER, expires_at INTEGER NOT NULL,"
    " look_at INTEGER NOT NULL DEFAULT 0, newest_row INTEGER NOT NULL DEFAULT 0,"
    " newest_at TEXT NOT NULL DEFAULT '', profile BLOB NOT NULL);"
    "CREATE INDEX live_profiles ON viewer_profiles (viewer_id) WHERE live_slot IS NOT NULL;"
    "CREATE INDEX viewer_profiles_look ON viewer_profiles (look_at);"
    "CREATE TABLE quarantine (source INTEGER NOT NULL, generation INTEGER NOT NULL, partition INTEGER NOT "
    "NULL,"
    " offset INTEGER NOT NULL, reason TEXT NOT NULL, payload BLOB NOT NULL, kept_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL, PRIMARY KEY (source, generation, partition, offset));"
    "CREATE INDEX quarantine_expire ON quarantine (expires_at);"
    "CREATE TABLE positions (source INTEGER NOT NULL, name TEXT NOT NULL, partition INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (source, name, partition)) WITHOUT "
    "ROWID;"
    "CREATE TABLE counters (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;";

//  Marks what has this build's layout, whatever it was before.
static const char mark [] =
    "PRAGMA application_id=" TEXT (APPLICATION_ID) "; PRAGMA user_version=" TEXT (LAYOUT_VERSION) "; COMMIT;";

//  Layout 1 kept expires_at of profiles in an index, which each write of a profile changed in two places. Here only a row that
//  may have expired is looked at; what layout 1 left is looked at first.
static const char from_1 [] = "DROP INDEX viewer_profiles_expire;"
                              "ALTER TABLE viewer_profiles ADD COLUMN look_at INTEGER NOT NULL DEFAULT 0;"
                              "CREATE INDEX viewer_profiles_look ON viewer_profiles (look_at);";

//  Up to layout 2 a viewer's history was one place in a tree of all. Its rows are numbered as they would have been written.
static const char from_2 [] =
    "ALTER TABLE viewer_profiles ADD COLUMN newest_row INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE viewer_profiles ADD COLUMN newest_at TEXT NOT NULL DEFAULT '';"
    "DROP INDEX video_events_expire; ALTER TABLE video_events RENAME TO older_events;" VIDEO_EVENTS
    "INSERT INTO video_events (row, viewer_id, collector_tstamp, previous, video_ts, adsClicked, adsSkipped, "
    "adId,"
    " status, event_id, event_name, state, session_id, media_label, expires_at)"
    " SELECT number, viewer_id, collector_tstamp,"
    " coalesce (lag (number) OVER (PARTITION BY viewer_id ORDER BY collector_tstamp), 0), video_ts, "
    "adsClicked,"
    " adsSkipped, adId, status, event_id, event_name, state, session_id, media_label, expires_at FROM"
    " (SELECT *, row_number () OVER (ORDER BY collector_tstamp, viewer_id) AS number FROM older_events) "
    "ORDER BY "
    "number;"
    "UPDATE viewer_profiles SET newest_row = newest.row, newest_at = newest.collector_tstamp FROM"
    " (SELECT max (row) AS row, viewer_id, collector_tstamp FROM video_events GROUP BY viewer_id) AS newest"
    " WHERE newest.viewer_id = viewer_profiles.viewer_id;"
    "DROP TABLE older_events;";

//  What makes of a file with each layout one of the next; a new one gets all at once.
static const char *const steps [LAYOUT_VERSION] = { tables, from_1, from_2 };

//  Of the WAL, when they are copied into the file: 128 MiB.
#define WAL_PAGES 32768

//  Of the file in memory: 64 MiB, and one for so many profiles, since each change reads the page of another one; 512 MiB at most
//  (decision 039).
enum { CACHE_PAGES = 16384, CACHE_PAGES_MAX = 131072, PROFILES_A_PAGE = 16 };

struct store_file {
    store_vfs_t *vfs;
    sqlite3 *db;
    checkpointer_t *checkpointer;
    int lock;    //  descriptor of the lock file
    char path [PATH_MAX];
};

//  Where a refusal is told.
typedef struct {
    store_opening_t *opening;
    char *why;
    size_t size;
} refusal_t;

static bool __attribute__ ((format (printf, 3, 4)))
refuse (refusal_t *refusal, store_opening_t opening, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    vsnprintf (refusal->why, refusal->size, format, args);
    va_end (args);
    *refusal->opening = opening;
    return false;
}

//  In SQLite's words; its code tells whether trying again may help.
static bool
refuse_sqlite (refusal_t *refusal, store_file_t *self)
{
    switch (sqlite3_errcode (self->db)) {
    case SQLITE_NOTADB:
        return refuse (refusal, STORE_UNUSABLE, "%s is no SQLite database: move it away, or set data_dir",
                       self->path);
    case SQLITE_CORRUPT:
        return refuse (refusal, STORE_UNUSABLE, "%s is damaged (%s): restore a copy, or move it away",
                       self->path, sqlite3_errmsg (self->db));
    case SQLITE_FULL:
    case SQLITE_IOERR:
        return refuse (refusal, STORE_NO_ROOM, "%s: %s", self->path, sqlite3_errmsg (self->db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return refuse (refusal, STORE_LOCKED, "%s is in use by another program", self->path);
    default:
        return refuse (refusal, STORE_UNUSABLE, "%s: %s", self->path, sqlite3_errmsg (self->db));
    }
}

static bool
take_lock (store_file_t *self, refusal_t *refusal)
{
    char path [PATH_MAX + 8];
    snprintf (path, sizeof path, "%s.lock", self->path);
    self->lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock < 0)
        return refuse (refusal, errno == ENOSPC ? STORE_NO_ROOM : STORE_UNUSABLE, "%s cannot be written: %s",
                       path, strerror (errno));
    if (flock (self->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    return refuse (refusal, STORE_LOCKED, "%s is locked: another persister writes there", path);
}

static bool
execute (store_file_t *self, refusal_t *refusal, const char *sql)
{
    return sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK || refuse_sqlite (refusal, self);
}

//  Reads the first column of the first row; text holds at least "".
static bool
ask (store_file_t *self, refusal_t *refusal, const char *sql, char *text, size_t size)
{
    sqlite3_stmt *stmt = NULL;
    *text = 0;
    int code = sqlite3_prepare_v2 (self->db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step (stmt);
    bool good = code == SQLITE_ROW || code == SQLITE_DONE || refuse_sqlite (refusal, self);
    if (code == SQLITE_ROW)
        snprintf (text, size, "%s", (const char *)sqlite3_column_text (stmt, 0));
    sqlite3_finalize (stmt);
    return good;
}

static bool
ask_number (store_file_t *self, refusal_t *refusal, const char *sql, long *number)
{
    char text [32];
    bool good = ask (self, refusal, sql, text, sizeof text);
    *number = strtol (text, NULL, 10);
    return good;
}

//  Is it ours, or new? *layout: which one it has, 0 if none yet.
static bool
check_owner (store_file_t *self, refusal_t *refusal, long *layout)
{
    long tables_found, application, version;
    if (!ask_number (self, refusal, "SELECT count (*) FROM sqlite_master", &tables_found) ||
        !ask_number (self, refusal, "PRAGMA application_id", &application) ||
        !ask_number (self, refusal, "PRAGMA user_version", &version))
        return false;
    bool fresh = tables_found == 0 && application == 0;
    *layout = fresh ? 0 : version;
    if (!fresh && application != APPLICATION_ID)
        return refuse (refusal, STORE_UNUSABLE, "%s belongs to another program: set data_dir", self->path);
    if (!fresh && (version < 1 || version > LAYOUT_VERSION))
        return refuse (refusal, STORE_UNUSABLE, "%s has layout %ld, this build knows %d", self->path, version,
                       LAYOUT_VERSION);
    return true;
}

static bool
check_sound (store_file_t *self, refusal_t *refusal)
{
    struct stat info;
    char verdict [256];
    if (stat (self->path, &info) == 0 && info.st_size > CHECK_BYTES_MAX)
        return true;
    if (!ask (self, refusal, "PRAGMA quick_check(1)", verdict, sizeof verdict))
        return false;
    if (strcmp (verdict, "ok") == 0)
        return true;
    return refuse (refusal, STORE_UNUSABLE, "%s is damaged (%s): restore a copy, or move it away", self->path,
                   verdict);
}

//  In one transaction. A file without a layout gets the tables as they are now.
static bool
bring_up_to_date (store_file_t *self, refusal_t *refusal, long layout)
{
    bool good = execute (self, refusal, "BEGIN IMMEDIATE");
    for (long next = layout; good && next < (layout ? LAYOUT_VERSION : 1); next++)
        good = execute (self, refusal, steps [next]);
    return good && execute (self, refusal, mark);
}

static bool
open_database (store_file_t *self, refusal_t *refusal)
{
    long layout = 0;
    char mode [16];
    if (sqlite3_open_v2 (self->path, &self->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                         store_vfs_name (self->vfs)) != SQLITE_OK)
        return refuse_sqlite (refusal, self);
    sqlite3_extended_result_codes (self->db, 0);
    sqlite3_busy_timeout (self->db, 200);
    //  A damaged file keeps its WAL beside it as it is, for whoever repairs it.
    sqlite3_db_config (self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (!check_owner (self, refusal, &layout) || !check_sound (self, refusal))
        return false;
    if (!ask (self, refusal, "PRAGMA journal_mode=WAL", mode, sizeof mode))
        return false;
    if (strcmp (mode, "wal") != 0)
        return refuse (refusal, STORE_UNUSABLE, "%s: this file system cannot keep a WAL", self->path);
    //  What is deleted is overwritten: an erased viewer is not to be found in free pages. Writes of many viewers touch
    //  pages all over the file: a checkpoint each 128 MiB of WAL, and not the 4 that SQLite has by default (decision 033). What is
    //  written during a checkpoint comes on top, so a WAL is cut only beyond 384 MiB: blocks given up are wanted again (036).
    if (!execute (self, refusal,
                  "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=402653184; PRAGMA secure_delete=ON;"))
        return false;
    self->checkpointer = checkpointer_new (self->db, self->path, store_vfs_name (self->vfs), WAL_PAGES);
    sqlite3_db_config (self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    store_file_expect (self, 0);
    return layout == LAYOUT_VERSION || bring_up_to_date (self, refusal, layout);
}

//  The directory and its file hold people's data: nobody else may read them.
static bool
find_path (store_file_t *self, refusal_t *refusal, const char *directory)
{
    int size = snprintf (self->path, sizeof self->path, "%s/" STORE_FILE, directory);
    if (size < 0 || (size_t)size >= sizeof self->path)
        return refuse (refusal, STORE_UNUSABLE, "data_dir is too long a path");
    if (mkdir (directory, 0700) == 0 || errno == EEXIST)
        return true;
    return refuse (refusal, STORE_UNUSABLE, "%s cannot be made: %s", directory, strerror (errno));
}

store_file_t *
store_file_new (const char *directory, store_opening_t *opening, char *why, size_t why_size)
{
    refusal_t refusal = { opening, why, why_size };
    store_file_t *self = memory_new (1, sizeof *self);
    self->lock = -1;
    self->vfs = store_vfs_new ();
    *opening = STORE_OPENED;
    mode_t mask = umask (0077);
    bool good =
        find_path (self, &refusal, directory) && take_lock (self, &refusal) && open_database (self, &refusal);
    umask (mask);
    if (!good)
        store_file_destroy (&self);
    return self;
}

void
store_file_destroy (store_file_t **self_p)
{
    store_file_t *self = *self_p;
    if (!self)
        return;
    checkpointer_destroy (&self->checkpointer);
    sqlite3_close (self->db);
    store_vfs_destroy (&self->vfs);
    if (self->lock >= 0)
        close (self->lock);
    free (self);
    *self_p = NULL;
}

void
store_file_expect (store_file_t *self, uint64_t profiles)
{
    uint64_t pages = CACHE_PAGES + profiles / PROFILES_A_PAGE;
    char sql [64];
    snprintf (sql, sizeof sql, "PRAGMA cache_size=%" PRIu64,
              pages < CACHE_PAGES_MAX ? pages : CACHE_PAGES_MAX);
    //  Where it fails, what asked for it fails next, or less is in memory.
    sqlite3_exec (self->db, sql, NULL, NULL, NULL);
}

sqlite3 *
store_file_db (store_file_t *self)
{
    return self->db;
}

const char *
store_file_path (const store_file_t *self)
{
    return self->path;
}
