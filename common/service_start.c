//  service_start - starts and ends a service: options, signals, directories

#include "service_private.h"
#include "config_strays.h"
#include "log.h"
#include "memory.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

static int
usage (const service_spec_t *spec)
{
    fprintf (stderr, "usage: usher-%s --config FILE --dir DIR [--instance N] [--supervised]\n", spec->name);
    return EXIT_MISCONFIGURED;
}

static bool
options_read (service_t *self, int argc, char **argv, const char **file, const char **dir)
{
    static const struct option options [] = { { "config", required_argument, NULL, 'c' },
                                              { "dir", required_argument, NULL, 'd' },
                                              { "instance", required_argument, NULL, 'i' },
                                              { "supervised", no_argument, NULL, 's' },
                                              { NULL, 0, NULL, 0 } };
    bool numbered = false;
    for (int option; (option = getopt_long (argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            *file = optarg;
            break;
        case 'd':
            *dir = optarg;
            break;
        case 'i':
            self->instance = (uint32_t)strtoul (optarg, NULL, 10);
            numbered = true;
            break;
        case 's':
            self->supervised = true;
            break;
        default:
            return false;
        }
    }
    if (numbered)
        snprintf (self->name, sizeof self->name, "%s-%u", self->spec->name, self->instance);
    else
        snprintf (self->name, sizeof self->name, "%s", self->spec->name);
    return optind == argc && *dir;
}

//  SIGTERM and SIGINT become readable; a broken connection is an error code, not a death.
static void
signals_open (service_t *self)
{
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGTERM);
    sigaddset (&set, SIGINT);
    sigprocmask (SIG_BLOCK, &set, NULL);
    signal (SIGPIPE, SIG_IGN);
    self->signals = signalfd (-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool
dir_make (const char *path, mode_t mode)
{
    if (mkdir (path, mode) == 0 || errno == EEXIST)
        return true;
    log_error ("cannot make directory", "path=%s reason=\"%s\" hint=\"choose another --dir\"", path,
               strerror (errno));
    return false;
}

static int
service_open (service_t *self)
{
    int code = EXIT_MISCONFIGURED;
    if (!dir_make (self->config->run_dir, 0700) || !dir_make (self->config->data_dir, 0700))
        return code;
    if (getrandom (&self->incarnation, sizeof self->incarnation, 0) != sizeof self->incarnation)
        return EXIT_TRY_AGAIN;
    self->incarnation |= 1;    //  never 0
    for (size_t row = 0; row < self->spec->route_count; row++)
        self->handlers [self->spec->routes [row].link][self->spec->routes [row].id] =
            self->spec->routes [row].handler;
    self->context = zmq_ctx_new ();
    self->outbox = outbox_new (service_send, self);
    if (!service_links_open (self))
        return EXIT_TRY_AGAIN;
    self->state = self->spec->open (self, self->config, self->instance, &code);
    return self->state ? EXIT_DRAINED : code;
}

static void
service_close (service_t *self)
{
    if (self->state)
        self->spec->close (&self->state);
    for (size_t at = 0; at < self->link_count; at++)
        link_destroy (&self->links [at]);
    outbox_destroy (&self->outbox);
    if (self->context)
        zmq_ctx_term (self->context);
    if (self->signals >= 0)
        close (self->signals);
    config_destroy (&self->config);
}

int
service_main (int argc, char **argv, const service_spec_t *spec)
{
    service_t *self = memory_new (1, sizeof *self);
    const char *file = NULL, *dir = NULL;
    self->spec = spec;
    self->signals = -1;
    self->parent = getppid ();
    self->trace = getenv ("USHER_TRACE") != NULL;
    int code = EXIT_MISCONFIGURED;
    if (!options_read (self, argc, argv, &file, &dir))
        code = usage (spec);
    else if ((self->config = config_load (file, dir))) {
        log_open (self->name, self->config->log_level, self->config->log_format);
        if (!self->supervised)    //  else the supervisor has told, once for all
            config_strays_log ();
        signals_open (self);
        code = service_open (self);
        if (code == EXIT_DRAINED)
            code = service_loop (self);
    }
    service_close (self);
    free (self);
    return code;
}
