//  pages - static files below one folder: paths, types, caching, ranges

#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define PATH_BYTES 4096

static const struct {
    const char *ending, *type;
} types [] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".mjs", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".json", "application/json" },
    { ".map", "application/json" },
    { ".svg", "image/svg+xml" },
    { ".png", "image/png" },
    { ".jpg", "image/jpeg" },
    { ".webp", "image/webp" },
    { ".ico", "image/x-icon" },
    { ".webm", "video/webm" },
    { ".mp4", "video/mp4" },
    { ".vtt", "text/vtt; charset=utf-8" },
    { ".woff2", "font/woff2" },
    { ".txt", "text/plain; charset=utf-8" },
    { ".webmanifest", "application/manifest+json" },
};

//  Vite puts a hash of the content into the names below /assets; anything else is asked for anew.
static const struct {
    const char *prefix, *cache;
} caches [] = {
    { "/assets/", "public, max-age=31536000, immutable" },
    { "/films/", "public, max-age=3600" },
    { "/", "no-cache" },
};

static const char *
type_of (const char *path)
{
    const char *ending = strrchr (path, '.');
    for (size_t row = 0; ending && row < sizeof types / sizeof *types; row++)
        if (strcmp (ending, types [row].ending) == 0)
            return types [row].type;
    return "application/octet-stream";
}

static const char *
cache_of (const char *path)
{
    size_t row = 0;
    while (strncmp (path, caches [row].prefix, strlen (caches [row].prefix)) != 0)
        row++;
    return caches [row].cache;
}

bool
pages_is_clean (const char *path)
{
    return path [0] == '/' && !strstr (path, "/.") && !strstr (path, "//") && !strchr (path, '\\');
}

//  Reads digits at *text and moves behind them. Returns false when there are none.
static bool
take_number (const char **text, uint64_t *value)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *value = strtoull (*text, &end, 10);
    *text = end;
    return errno == 0;
}

unsigned
pages_range (const char *range, uint64_t total, uint64_t *from, uint64_t *size)
{
    *from = 0;
    *size = total;
    if (strncmp (range, "bytes=", 6) != 0)
        return 200;
    uint64_t first = 0, last = UINT64_MAX;
    const char *at = range + 6;
    bool has_first = take_number (&at, &first);
    if (*at++ != '-')
        return 200;
    bool has_last = take_number (&at, &last);
    if (*at || (!has_first && !has_last) || (has_first && has_last && last < first))
        return 200;
    if (!has_first) {
        //  The last so many bytes.
        first = last < total ? total - last : 0;
        if (last == 0)
            first = total;
        last = UINT64_MAX;
    }
    if (first >= total)
        return 416;
    *from = first;
    *size = (last < total ? last + 1 : total) - first;
    return 206;
}

static int
file_open (const char *directory, const char *path, struct stat *about)
{
    char full [PATH_BYTES];
    bool folder = path [strlen (path) - 1] == '/';
    int size = snprintf (full, sizeof full, "%s%s%s", directory, path, folder ? "index.html" : "");
    if (size < 0 || (size_t)size >= sizeof full)
        return -1;
    int fd = open (full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && fstat (fd, about) == 0 && S_ISREG (about->st_mode))
        return fd;
    if (fd >= 0)
        close (fd);
    return -1;
}

void
pages_find (const char *directory, const char *path, const char *range, const char *match, pages_file_t *file)
{
    struct stat about;
    *file = (pages_file_t){ .status = 404, .fd = -1 };
    if (!directory || !pages_is_clean (path) || (file->fd = file_open (directory, path, &about)) < 0)
        return;
    file->total = (uint64_t)about.st_size;
    file->type = path [strlen (path) - 1] == '/' ? types [0].type : type_of (path);
    file->cache = cache_of (path);
    snprintf (file->etag, sizeof file->etag, "\"%" PRIx64 "-%" PRIx64 "\"", file->total,
              (uint64_t)about.st_mtim.tv_sec * 1000000000u + (uint64_t)about.st_mtim.tv_nsec);
    file->status = pages_range (range, file->total, &file->from, &file->size);
    if (strcmp (match, file->etag) == 0)
        file->status = 304;
    if (file->status != 304 && file->status != 416)
        return;
    close (file->fd);
    file->fd = -1;
    file->size = 0;
}

void
pages_look (const char *page, const char *directory)
{
    char path [PATH_BYTES];
    snprintf (path, sizeof path, "%s/index.html", directory);
    if (access (path, R_OK) != 0)
        log_warning (
            "page missing",
            "file=%s hint=\"build it with make pages, or set gateway.%s.directory or gateway.%s.port: 0\"",
            path, page, page);
}
