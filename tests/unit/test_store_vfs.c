//  test_store_vfs - a WAL that is written in pieces is the file that it would be without them

#include "store_vfs.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_BYTES (1024 * 1024)

typedef struct {
    char directory [32], path [64];    //  path: what is behind its NUL is NUL, too, as SQLite wants it
    store_vfs_t *vfs;
    sqlite3_file *file;
    uint8_t expected [FILE_BYTES], found [FILE_BYTES];
    sqlite3_int64 size;    //  of expected
    uint32_t seed;
} bench_t;

static int
setup (void **state)
{
    bench_t *self = calloc (1, sizeof *self);
    strcpy (self->directory, "/tmp/usher-vfs-XXXXXX");
    assert_non_null (mkdtemp (self->directory));
    //  SQLite gives a WAL the rights of its database.
    snprintf (self->path, sizeof self->path, "%s/db", self->directory);
    fclose (fopen (self->path, "w"));
    strcat (self->path, "-wal");
    self->vfs = store_vfs_new ();
    sqlite3_vfs *vfs = sqlite3_vfs_find (store_vfs_name (self->vfs));
    self->file = calloc (1, (size_t)vfs->szOsFile);
    int flags = SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal (vfs->xOpen (vfs, self->path, self->file, flags, &flags), SQLITE_OK);
    *state = self;
    return 0;
}

static int
teardown (void **state)
{
    bench_t *self = *state;
    if (self->file->pMethods)
        assert_int_equal (self->file->pMethods->xClose (self->file), SQLITE_OK);
    store_vfs_destroy (&self->vfs);
    unlink (self->path);
    *strrchr (self->path, '-') = 0;
    unlink (self->path);
    rmdir (self->directory);
    free (self->file);
    free (self);
    return 0;
}

//  What is in the file for everybody else.
static long
bytes_on_disk (bench_t *self)
{
    FILE *file = fopen (self->path, "rb");
    assert_non_null (file);
    long size = (long)fread (self->found, 1, sizeof self->found, file);
    fclose (file);
    return size;
}

static uint32_t
chance (bench_t *self, uint32_t below)
{
    self->seed = self->seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)self->seed * below >> 32);
}

static void
write_some (bench_t *self, sqlite3_int64 at, int size)
{
    if (at + size > FILE_BYTES)
        return;
    for (int byte = 0; byte < size; byte++)
        self->expected [at + byte] = (uint8_t)chance (self, 256);
    if (at + size > self->size)
        self->size = at + size;
    assert_int_equal (self->file->pMethods->xWrite (self->file, self->expected + at, size, at), SQLITE_OK);
}

static void
assert_reads_as_written (bench_t *self, sqlite3_int64 at, int size)
{
    if (at + size > self->size)
        return;
    assert_int_equal (self->file->pMethods->xRead (self->file, self->found, size, at), SQLITE_OK);
    assert_memory_equal (self->found, self->expected + at, (size_t)size);
}

static void
assert_on_disk_after_sync (bench_t *self)
{
    assert_int_equal (self->file->pMethods->xSync (self->file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    assert_int_equal (bytes_on_disk (self), self->size);
    assert_memory_equal (self->found, self->expected, (size_t)self->size);
}

static void
cut (bench_t *self)
{
    self->size = chance (self, (uint32_t)self->size + 1);
    memset (self->expected + self->size, 0, (size_t)(FILE_BYTES - self->size));
    assert_int_equal (self->file->pMethods->xTruncate (self->file, self->size), SQLITE_OK);
}

//  As SQLite does, a header and a page; in the middle, at the end, over the end, in any order.
static void
do_something (bench_t *self)
{
    sqlite3_int64 size;
    uint32_t any = chance (self, (uint32_t)self->size + 1);
    switch (chance (self, 40)) {
    case 0:
        cut (self);
        break;
    case 1:
        assert_on_disk_after_sync (self);
        break;
    case 2:
        assert_int_equal (self->file->pMethods->xFileSize (self->file, &size), SQLITE_OK);
        assert_int_equal (size, self->size);
        break;
    case 3:
        assert_reads_as_written (self, any, (int)chance (self, 5000));
        break;
    case 4:
        write_some (self, any, (int)chance (self, 126000));
        break;
    case 5:
    case 6:
        write_some (self, any, (int)chance (self, 5000));
        break;
    default:
        write_some (self, self->size, 24);
        write_some (self, self->size, 4096);
    }
}

static void
test_it_is_the_file_that_it_would_be (void **state)
{
    bench_t *self = *state;
    for (int step = 0; step < 5000; step++)
        do_something (self);
    assert_on_disk_after_sync (self);
}

static void
test_pages_wait_for_the_sync (void **state)
{
    bench_t *self = *state;
    for (int page = 0; page < 10; page++)
        write_some (self, self->size, 4096);
    assert_int_equal (bytes_on_disk (self), 0);
    assert_on_disk_after_sync (self);
}

static void
test_closing_writes_what_waits (void **state)
{
    bench_t *self = *state;
    write_some (self, 0, 4096);
    assert_int_equal (self->file->pMethods->xClose (self->file), SQLITE_OK);
    self->file->pMethods = NULL;
    assert_int_equal (bytes_on_disk (self), 4096);
}

//  What SQLite believes written is not lost by a write that fails behind its back, and is never said to be on disk.
static void
test_what_could_not_be_written_stays (void **state)
{
    bench_t *self = *state;
    struct rlimit before, small;
    getrlimit (RLIMIT_FSIZE, &before);
    signal (SIGXFSZ, SIG_IGN);
    small = (struct rlimit){ 8192, before.rlim_max };
    for (int page = 0; page < 10; page++)
        write_some (self, self->size, 4096);
    setrlimit (RLIMIT_FSIZE, &small);
    int first = self->file->pMethods->xSync (self->file, SQLITE_SYNC_NORMAL),
        second = self->file->pMethods->xSync (self->file, SQLITE_SYNC_NORMAL);
    setrlimit (RLIMIT_FSIZE, &before);
    assert_int_not_equal (first, SQLITE_OK);
    assert_int_not_equal (second, SQLITE_OK);
    assert_reads_as_written (self, 0, 40960);
    assert_on_disk_after_sync (self);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
        TEST (test_it_is_the_file_that_it_would_be),
        TEST (test_pages_wait_for_the_sync),
        TEST (test_closing_writes_what_waits),
        TEST (test_what_could_not_be_written_stays),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
