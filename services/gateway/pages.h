//  pages - static files below one folder: paths, types, caching, ranges
//
//  Our own because a film needs ranges to be sought in, and libwebsockets of Debian 12 has none.

#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    unsigned status;        //  200, 206, 304, 404, 416
    int fd;                 //  -1 where there is nothing to send; the caller's to close
    uint64_t from, size;    //  bytes to send
    uint64_t total;         //  of the file
    const char *type, *cache;
    char etag [48];
} pages_file_t;

//  Finds the file of a decoded URL path. range and match are the headers Range and If-None-Match, or empty.
void pages_find (const char *directory, const char *path, const char *range, const char *match,
                 pages_file_t *file);

//  The part of a file of total bytes that a Range header names (RFC 9110, 14.2; one range). Returns 200 for the whole
//  file (no range, or one we need not obey), 206, or 416 when it lies behind the end.
unsigned pages_range (const char *range, uint64_t total, uint64_t *from, uint64_t *size);

//  May this path be looked for? Not when it leaves the folder or names hidden files.
bool pages_is_clean (const char *path);

//  Warns in the log where the folder of that page ("dashboard", "tracker") holds none: no reason not to start.
void pages_look (const char *page, const char *directory);

#endif
