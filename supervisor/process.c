//  process - starts a program of the roster as our child

#include "process.h"
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ARGUMENTS_MOST 12

typedef struct {
    char path [4200], instance [16], viewers [16], url [64];
    const char *list [ARGUMENTS_MOST];
    size_t count;
} arguments_t;

static void
add (arguments_t *self, const char *option, const char *value)
{
    self->list [self->count++] = option;
    if (value)
        self->list [self->count++] = value;
}

static void
add_service (arguments_t *self, const roster_entry_t *entry, const supervisor_options_t *options)
{
    if (options->config_file)
        add (self, "--config", options->config_file);
    add (self, "--dir", options->dir);
    if (entry->instance >= 0) {
        snprintf (self->instance, sizeof self->instance, "%d", entry->instance);
        add (self, "--instance", self->instance);
    }
    add (self, "--supervised", NULL);
}

static void
add_audience (arguments_t *self, const config_t *config, const supervisor_options_t *options)
{
    const char *host = strcmp (config->bind, "0.0.0.0") == 0 ? "127.0.0.1" : config->bind;
    snprintf (self->viewers, sizeof self->viewers, "%u", options->audience);
    snprintf (self->url, sizeof self->url, "http://%s:%u", host, config->collector.port);
    add (self, "simulate", NULL);
    add (self, "--viewers", self->viewers);
    add (self, "--url", self->url);
}

//  In the child. PR_SET_PDEATHSIG counts from now on, so a parent that died before is looked for by hand.
static void
become (const arguments_t *arguments, pid_t parent)
{
    sigset_t none;
    sigemptyset (&none);
    setpgid (0, 0);
    prctl (PR_SET_PDEATHSIG, SIGTERM);
    if (getppid () != parent)
        _exit (EXIT_DRAINED);
    sigprocmask (SIG_SETMASK, &none, NULL);
    signal (SIGPIPE, SIG_DFL);
    execv (arguments->path, (char *const *)(uintptr_t)arguments->list);
    fprintf (stderr, "usher: cannot run %s: %s\n", arguments->path, strerror (errno));
    _exit (EXIT_MISCONFIGURED);
}

pid_t
process_spawn (const roster_entry_t *entry, const char *programs_dir, const config_t *config,
               const supervisor_options_t *options)
{
    arguments_t arguments = { .count = 0 };
    snprintf (arguments.path, sizeof arguments.path, "%s/%s", programs_dir, entry->program);
    add (&arguments, entry->program, NULL);
    if (entry->child.watched)
        add_service (&arguments, entry, options);
    else
        add_audience (&arguments, config, options);
    pid_t parent = getpid (), pid = fork ();
    if (pid == 0)
        become (&arguments, parent);
    return pid;
}
