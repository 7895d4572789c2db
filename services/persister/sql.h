//  sql - the store's statements, prepared once, and the way to bind, run and read them

#ifndef SQL_H
#define SQL_H

#include "message.h"

#include <sqlite3.h>

enum {
    SQL_BEGIN,
    SQL_BEGIN_READING,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_CLAIM,
    SQL_FIND,
    SQL_FIND_AT,
    SQL_LAST_ROW,
    SQL_WRITE_FIRST,
    SQL_WRITE_IN_PLACE,
    SQL_WRITE_NEXT,
    SQL_QUARANTINE,
    SQL_POSITION_PUT,
    SQL_ERASE_PROFILE,
    SQL_EXPIRED_PROFILES,
    SQL_NEWEST_ROW,
    SQL_LOOK_LATER,
    SQL_SWEEP_QUARANTINE,
    SQL_LOAD,
    SQL_LOAD_LIVE,
    SQL_POSITIONS,
    SQL_STATEMENTS
};

typedef struct {
    sqlite3 *db;
    sqlite3_stmt *statements [SQL_STATEMENTS];
    char error [256];    //  SQLite's words about the last failure
} sql_t;

//  Prepares all statements on an open database; what fails from here on is told in error. On false call sql_close as well.
bool sql_open (sql_t *self, sqlite3 *db);
void sql_close (sql_t *self);

//  Runs a text of statements that nothing is bound to.
bool sql_execute (sql_t *self, const char *text);

//  For tables that have statements of their own: prepares all, or some of them and returns false; frees them, NULL or not.
bool sql_prepare (sql_t *self, const char *const *texts, size_t count, sqlite3_stmt **prepared);
void sql_finalize (sqlite3_stmt **prepared, size_t count);

//  A statement, ready to be bound anew. What is bound to it must live until it has run.
sqlite3_stmt *sql_get (sql_t *self, int which);

//  True when there is a row. *failed is set when SQLite said no, else cleared.
bool sql_step (sql_t *self, sqlite3_stmt *stmt, bool *failed);

//  Runs a statement whose rows, if any, are of no interest; one that gives one number. False: SQLite said no.
bool sql_run (sql_t *self, sqlite3_stmt *stmt);
bool sql_run_number (sql_t *self, sqlite3_stmt *stmt, uint64_t *number);

//  Runs a statement that gives a number a row, of which there are at most room; more end the process.
bool sql_run_numbers (sql_t *self, sqlite3_stmt *stmt, uint64_t *numbers, size_t room, size_t *count);

//  Columns from 1. An instant beyond what SQLite counts means "never"; an empty string is '', not NULL; NaN is NULL.
void sql_bind_number (sqlite3_stmt *stmt, int column, uint64_t value);
void sql_bind_instant (sqlite3_stmt *stmt, int column, uint64_t seconds);
void sql_bind_double (sqlite3_stmt *stmt, int column, double value);
void sql_bind_null (sqlite3_stmt *stmt, int column);
void sql_bind_text (sqlite3_stmt *stmt, int column, usher_str_t text);
void sql_bind_blob (sqlite3_stmt *stmt, int column, usher_str_t bytes);

//  Columns from 0. Strings are valid until the next step.
uint64_t sql_number (sqlite3_stmt *stmt, int column);
double sql_double (sqlite3_stmt *stmt, int column);
usher_str_t sql_text (sqlite3_stmt *stmt, int column);
usher_str_t sql_blob (sqlite3_stmt *stmt, int column);

#endif
