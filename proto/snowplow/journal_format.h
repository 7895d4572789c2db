//  journal_format - the file between collector and ingester: its SQL, and what its numbers mean
//
//  journal.db is an SQLite file in WAL mode. The collector alone writes it, the ingester opens it read-only
//  and looks for rows behind the position that it has; neither needs the other to be there. A position is
//  never given twice: AUTOINCREMENT remembers the last one even when all rows are pruned. A journal that was
//  made anew has another generation, so that its positions are not taken for a replay of the old one's.

#ifndef JOURNAL_FORMAT_H_INCLUDED
#define JOURNAL_FORMAT_H_INCLUDED

#define JOURNAL_FILE "journal.db"

//  PRAGMA user_version; a file with a later one is refused.
#define JOURNAL_FORMAT 1

//  What a row holds.
enum {
    JOURNAL_EVENT = 0,    //  body: an enriched event, one TSV line of 131 columns without a newline
    JOURNAL_BAD = 1       //  body: a JSON object that tells of a bad row; reason: why, for people
};

#define JOURNAL_SQL_CREATE                                                                                   \
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"         \
    "CREATE TABLE IF NOT EXISTS rows ("                                                                      \
    " position INTEGER PRIMARY KEY AUTOINCREMENT,"                                                           \
    " collected_ms INTEGER NOT NULL,"                                                                        \
    " kind INTEGER NOT NULL,"                                                                                \
    " reason TEXT NOT NULL,"                                                                                 \
    " body BLOB NOT NULL);"

//  One row, one column: the generation, 64 bits as a signed integer, never 0.
#define JOURNAL_SQL_GENERATION "SELECT value FROM meta WHERE name = 'generation'"

//  One row, one column, or none while nothing was ever written: the last position given.
#define JOURNAL_SQL_LAST "SELECT seq FROM sqlite_sequence WHERE name = 'rows'"

//  Rows behind position ?1, at most ?2, in order: position, collected_ms, kind, reason, body.
#define JOURNAL_SQL_READ                                                                                     \
    "SELECT position, collected_ms, kind, reason, body FROM rows WHERE position > ?1 ORDER BY position "     \
    "LIMIT ?2"

#endif
