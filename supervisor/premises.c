//  premises - what a host must offer before anybody is started: programs, directories, a lock, free ports

#include "premises.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

//  A service gives up its drain after 20 s, and is told to drain when its supervisor dies.
#define FAMILY_DEADLINE_MS 30000
#define OWN_DEADLINE_MS 5000
#define OWN_STEP_MS 20
//  sun_path holds 107 bytes (unix(7)); "/snapshots.lock" is the longest name below run_dir.
#define RUN_DIR_BYTES (107 - 15)

bool
premises_programs_dir (char *path, size_t size)
{
    ssize_t length = readlink ("/proc/self/exe", path, size - 1);
    path [length < 0 ? 0 : length] = 0;
    char *slash = strrchr (path, '/');
    if (slash)
        *slash = 0;
    else
        fprintf (stderr, "usher: cannot find my own program (%s); is /proc mounted?\n", strerror (errno));
    return slash != NULL;
}

bool
premises_check_programs (const roster_t *roster, const char *programs_dir)
{
    char path [4200];
    for (size_t i = 0; i < roster->count; i++) {
        snprintf (path, sizeof path, "%s/%s", programs_dir, roster->entries [i].program);
        if (access (path, X_OK) == 0)
            continue;
        fprintf (stderr, "usher: the program %s is missing (%s); build it with `make`\n", path,
                 strerror (errno));
        return false;
    }
    return true;
}

static bool
make_path (const char *path, mode_t mode)
{
    char part [4200];
    snprintf (part, sizeof part, "%s", path);
    for (char *slash = strchr (part + 1, '/'); slash; slash = strchr (slash + 1, '/')) {
        *slash = 0;
        mkdir (part, 0755);
        *slash = '/';
    }
    return mkdir (part, mode) == 0 || errno == EEXIST;
}

//  Writing is tried rather than asked for: access() says yes to root on a read-only file system's folder.
static bool
can_write (const char *path)
{
    char name [4300];
    snprintf (name, sizeof name, "%s/.write-test", path);
    int file = open (name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    close (file);
    return unlink (name) == 0;
}

static bool
make_directory (const char *path, mode_t mode, const char *setting, const char *variable)
{
    if (make_path (path, mode) && can_write (path))
        return true;
    fprintf (stderr, "usher: the directory %s cannot be written (%s); choose another with --dir, %s or %s\n",
             path, strerror (errno), setting, variable);
    return false;
}

bool
premises_make_directories (const config_t *config)
{
    if (strlen (config->run_dir) > RUN_DIR_BYTES) {
        fprintf (
            stderr,
            "usher: the path %s is longer than %d bytes, too long for sockets; choose another with --dir or "
            "USHER_RUN_DIR\n",
            config->run_dir, RUN_DIR_BYTES);
        return false;
    }
    return make_directory (config->run_dir, 0700, "run_dir", "USHER_RUN_DIR") &&
           make_directory (config->data_dir, 0755, "data_dir", "USHER_DATA_DIR");
}

//  ---- words for people

const char *
premises_quote (const char *word, char *text, size_t size)
{
    static const char plain [] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=:,@%";
    if (*word && strspn (word, plain) == strlen (word)) {
        snprintf (text, size, "%s", word);
        return text;
    }
    size_t used = 1;
    text [0] = '\'';
    //  Room for the longest piece, the quote behind it and the zero.
    for (; *word && used + 6 < size; word++)
        used += (size_t)sprintf (text + used, *word == '\'' ? "'\\''" : "%c", *word);
    memcpy (text + used, "'", 2);
    return text;
}

//  ---- locks

static int
lock_open (const char *run_dir, const char *name, int flags)
{
    char path [4300];
    snprintf (path, sizeof path, "%s/%s", run_dir, name);
    int file = open (path, O_CREAT | O_RDWR | flags, 0600);
    if (file < 0)
        fprintf (stderr, "usher: cannot open %s: %s\n", path, strerror (errno));
    return file;
}

//  Who wrote the lock, or 0.
static pid_t
lock_owner (int file)
{
    char pid [32] = "";
    return pread (file, pid, sizeof pid - 1, 0) > 0 ? (pid_t)strtol (pid, NULL, 10) : 0;
}

//  The lock of one that has just ended may be held for a moment: by a child that is about to become another program, or by
//  whoever looks at its descriptors in /proc.
static bool
lock_take (int file)
{
    for (int waited_ms = 0; flock (file, LOCK_EX | LOCK_NB) != 0; waited_ms += OWN_STEP_MS) {
        pid_t owner = lock_owner (file);
        bool ended = owner > 0 && kill (owner, 0) != 0 && errno == ESRCH;
        if (!ended || waited_ms >= OWN_DEADLINE_MS)
            return false;
        poll (NULL, 0, OWN_STEP_MS);
    }
    return true;
}

static bool
lock_own (premises_t *self, const char *run_dir, const char *dir)
{
    char pid [32];
    self->own = lock_open (run_dir, "supervisor.lock", O_CLOEXEC);
    if (self->own < 0)
        return false;
    if (!lock_take (self->own)) {
        char quoted [4300];
        pid_t owner = lock_owner (self->own);
        snprintf (pid, sizeof pid, owner ? "%d" : "unknown", (int)owner);
        fprintf (
            stderr,
            "usher: a supervisor (pid %s) already runs in %s; `usher stop --dir %s` ends it, another --dir "
            "starts a second one\n",
            pid, run_dir, premises_quote (dir, quoted, sizeof quoted));
        return false;
    }
    int length = snprintf (pid, sizeof pid, "%d\n", (int)getpid ());
    return ftruncate (self->own, 0) == 0 && pwrite (self->own, pid, (size_t)length, 0) == length;
}

static bool
lock_family (premises_t *self, const char *run_dir)
{
    self->family = lock_open (run_dir, "family.lock", 0);
    if (self->family < 0)
        return false;
    for (int waited_ms = 0; flock (self->family, LOCK_EX | LOCK_NB) != 0; waited_ms += 100) {
        if (waited_ms == 0)
            fprintf (stderr, "usher: processes of a supervisor that died still drain; waiting for them\n");
        if (waited_ms >= FAMILY_DEADLINE_MS) {
            fprintf (stderr,
                     "usher: processes of a supervisor that died do not end; end those that `fuser "
                     "%s/family.lock` lists\n",
                     run_dir);
            return false;
        }
        poll (NULL, 0, 100);
    }
    return true;
}

//  Sockets only: run_dir may be a folder with other things in it.
static void
clean (const char *run_dir)
{
    DIR *folder = opendir (run_dir);
    for (struct dirent *entry; folder && (entry = readdir (folder));) {
        struct stat about;
        if (fstatat (dirfd (folder), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISSOCK (about.st_mode))
            unlinkat (dirfd (folder), entry->d_name, 0);
    }
    if (folder)
        closedir (folder);
}

bool
premises_lock (premises_t *self, const char *run_dir, const char *dir)
{
    self->own = self->family = -1;
    if (!lock_own (self, run_dir, dir) || !lock_family (self, run_dir)) {
        premises_unlock (self);
        return false;
    }
    clean (run_dir);
    return true;
}

void
premises_unlock (premises_t *self)
{
    if (self->family >= 0)
        close (self->family);
    if (self->own >= 0)
        close (self->own);
    self->own = self->family = -1;
}

//  ---- ports

static bool
check_port (const char *bind_address, uint16_t port, const char *setting, const char *variable)
{
    if (port == 0)
        return true;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
    inet_pton (AF_INET, bind_address, &address.sin_addr);
    int yes = 1, test = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt (test, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bool good = bind (test, (struct sockaddr *)&address, sizeof address) == 0 && listen (test, 1) == 0;
    int reason = errno;
    close (test);
    if (good)
        return true;
    if (reason == EADDRINUSE)
        fprintf (stderr,
                 "usher: port %u (%s) is in use on %s; stop what listens there, or choose another with "
                 "%s=PORT or in "
                 "usher.yaml\n",
                 port, setting, bind_address, variable);
    else if (reason == EADDRNOTAVAIL)
        fprintf (stderr,
                 "usher: %s (bind) is no address of this host; use 127.0.0.1 or 0.0.0.0 (USHER_BIND)\n",
                 bind_address);
    else
        fprintf (
            stderr,
            "usher: port %u (%s) on %s cannot be had: %s; choose another with %s=PORT or in usher.yaml\n",
            port, setting, bind_address, strerror (reason), variable);
    return false;
}

bool
premises_check_ports (const config_t *config)
{
    const struct {
        uint16_t port;
        const char *setting, *variable;
    } ports [] = {
        { config->collector.enabled ? config->collector.port : 0, "collector.port", "USHER_COLLECTOR_PORT" },
        { config->gateway.port, "gateway.port", "USHER_GATEWAY_PORT" },
        { config->gateway.dashboard.port, "gateway.dashboard.port", "USHER_GATEWAY_DASHBOARD_PORT" },
        { config->gateway.tracker.port, "gateway.tracker.port", "USHER_GATEWAY_TRACKER_PORT" },
    };
    const size_t count = sizeof ports / sizeof *ports;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            if (ports [i].port && ports [i].port == ports [j].port) {
                fprintf (stderr, "usher: %s and %s are both port %u; give one of them another\n",
                         ports [j].setting, ports [i].setting, ports [i].port);
                return false;
            }
        if (!check_port (config->bind, ports [i].port, ports [i].setting, ports [i].variable))
            return false;
    }
    return true;
}
