//  test_store_file - as much of the file is in memory as suits the profiles that are expected

#include "store_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGES_MIN = 16384, PAGES_MAX = 131072, MILLION = 1000000 };

static int
cache_pages (store_file_t *file)
{
    sqlite3_stmt *stmt;
    assert_int_equal (sqlite3_prepare_v2 (store_file_db (file), "PRAGMA cache_size", -1, &stmt, NULL),
                      SQLITE_OK);
    assert_int_equal (sqlite3_step (stmt), SQLITE_ROW);
    int pages = sqlite3_column_int (stmt, 0);
    sqlite3_finalize (stmt);
    return pages;
}

static void
remove_all (const char *directory)
{
    static const char *const names [] = { "", "-wal", "-shm", ".lock" };
    char path [96];
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        snprintf (path, sizeof path, "%s/" STORE_FILE "%s", directory, names [at]);
        unlink (path);
    }
    assert_int_equal (rmdir (directory), 0);
}

static void
test_memory_goes_with_the_profiles (void **state)
{
    (void)state;
    char directory [] = "/tmp/usher-file-XXXXXX", why [256];
    assert_non_null (mkdtemp (directory));
    store_opening_t opening;
    store_file_t *file = store_file_new (directory, &opening, why, sizeof why);
    assert_non_null (file);
    assert_int_equal (cache_pages (file), PAGES_MIN);
    store_file_expect (file, MILLION);
    assert_in_range (cache_pages (file), PAGES_MIN + 1, PAGES_MAX - 1);
    //  What is set while something is being written counts, too.
    assert_int_equal (sqlite3_exec (store_file_db (file), "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_file_expect (file, 1000ull * MILLION);
    assert_int_equal (sqlite3_exec (store_file_db (file), "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal (cache_pages (file), PAGES_MAX);
    store_file_destroy (&file);
    remove_all (directory);
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_memory_goes_with_the_profiles) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
