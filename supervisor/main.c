//  main - the command line of usher-supervisor, which `usher up` runs

#include "config_strays.h"
#include "log.h"
#include "supervisor.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

//  What services give back is wanted again at once, and a page that the kernel took away must be cleared and mapped anew:
//  their allocator waits a fifth of a second first. The name up to mimalloc 2.0, and since.
static void
allocators_keep (void)
{
    setenv ("MIMALLOC_DECOMMIT_DELAY", "200", 0);
    setenv ("MIMALLOC_PURGE_DELAY", "200", 0);
}

static int
usage (void)
{
    fprintf (stderr, "usage: usher-supervisor [--dir DIR] [--config FILE] [--audience N]\n");
    return 1;
}

int
main (int argc, char **argv)
{
    static const struct option names [] = { { "config", required_argument, NULL, 'c' },
                                            { "dir", required_argument, NULL, 'd' },
                                            { "audience", required_argument, NULL, 'a' },
                                            { NULL, 0, NULL, 0 } };
    supervisor_options_t options = { .dir = "demo" };
    for (int option; (option = getopt_long (argc, argv, "", names, NULL)) != -1;) {
        if (option == 'c')
            options.config_file = optarg;
        else if (option == 'd')
            options.dir = optarg;
        else if (option == 'a')
            options.audience = (uint32_t)strtoul (optarg, NULL, 10);
        else
            return usage ();
    }
    if (optind != argc)
        return usage ();
    config_t *config = config_load (options.config_file, options.dir);
    if (!config)
        return 1;
    log_open ("supervisor", config->log_level, config->log_format);
    config_strays_log ();
    allocators_keep ();
    int code = supervisor_run (config, &options);
    config_destroy (&config);
    return code;
}
