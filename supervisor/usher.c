//  usher - the command line: one row a verb
//
//  Most verbs talk to the supervisor that runs in --dir; erase to the gateway, replay and simulate to the collector.

#include "usher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS_MOST 12

typedef struct {
    const char *name;
    int (*run) (int argc, char **argv);
    const char *arguments, *help;
} verb_t;

static int usher_help (int argc, char **argv);

static const verb_t verbs [] = {
    { "up", usher_up, "[--audience N]", "start everything and stay in front; Ctrl-C drains and stops it" },
    { "status", usher_status, "[--json]", "who runs, since when, restarted how often" },
    { "restart", usher_restart, "NAME", "drain one process and start it again; returns when it is ready" },
    { "stop", usher_stop, "", "drain and stop everything; returns when it is done" },
    { "watch", usher_watch, "[--all]", "print the feed: status changes; with --all every message" },
    { "erase", usher_erase, "VIEWER", "erase everything of a viewer that was collected so far" },
    { "replay", usher_replay, "FILE [--speed N] [--url URL]",
      "send recorded tracker requests to the collector; --speed 0: at once" },
    { "simulate", usher_simulate,
      "[--viewers N] [--url URL] [--seed S] [--speed X] [--duration S] [--ping S]",
      "send the requests of simulated viewers to the collector" },
    { "help", usher_help, "", "this" },
};

static int
usher_help (int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf ("usher VERB [--dir DIR] [--config FILE] ...\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        printf ("  usher %s %s\n      %s\n", verbs [i].name, verbs [i].arguments, verbs [i].help);
    printf ("\nDIR keeps sockets and data (default: demo). FILE has the settings (default: usher.yaml here, "
            "if there is one;\n"
            "usher.yaml.example lists them).\n");
    return 0;
}

//  ---- options

static bool
options_parse (int argc, char **argv, const usher_option_t *options, usher_where_t *where)
{
    struct option names [OPTIONS_MOST] = { { "dir", required_argument, NULL, 'd' },
                                           { "config", required_argument, NULL, 'c' } };
    for (size_t i = 0; options [i].name && i < OPTIONS_MOST - 3; i++)
        names [i + 2] = (struct option){ options [i].name, options [i].flag ? no_argument : required_argument,
                                         NULL, (int)i + 256 };
    for (int option; (option = getopt_long (argc, argv, "", names, NULL)) != -1;) {
        if (option == 'd')
            where->dir = optarg;
        else if (option == 'c')
            where->config_file = optarg;
        else if (option >= 256)
            *options [option - 256].text = options [option - 256].flag ? "1" : optarg;
        else
            return false;
    }
    return true;
}

bool
usher_options (int argc, char **argv, const usher_option_t *options, const char **word, usher_where_t *where)
{
    *where = (usher_where_t){ .dir = "demo" };
    bool good = options_parse (argc, argv, options, where);
    int left = argc - optind;
    if (!good || left > (word ? 1 : 0) || (word && left == 0)) {
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
            if (strcmp (verbs [i].name, argv [0]) == 0)
                fprintf (stderr, "usage: usher %s [--dir DIR] [--config FILE] %s\n", argv [0],
                         verbs [i].arguments);
        return false;
    }
    if (word)
        *word = argv [optind];
    if (!where->config_file && access ("usher.yaml", F_OK) == 0)
        where->config_file = "usher.yaml";
    where->config = config_load (where->config_file, where->dir);
    return where->config != NULL;
}

void
usher_where_term (usher_where_t *where)
{
    config_destroy (&where->config);
}

bool
usher_number (const char *option, const char *text, double min, double max, double *number)
{
    char *end;
    *number = strtod (text, &end);
    if (*text && !*end && *number >= min && *number <= max)
        return true;
    fprintf (stderr, "usher: %s is '%s'; it must be a number from %.15g to %.15g\n", option, text, min, max);
    return false;
}

int
main (int argc, char **argv)
{
    const char *name = argc > 1 ? argv [1] : "help";
    if (strcmp (name, "--help") == 0 || strcmp (name, "-h") == 0)
        name = "help";
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp (verbs [i].name, name) == 0)
            return verbs [i].run (argc - 1, argv + 1);
    fprintf (stderr, "usher: there is no verb %s; `usher help` lists them\n", name);
    return 1;
}
