//  config_strays - variables of the environment that look like settings and are none

#include "config_strays.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config_complaint.h"
#include "config_rows.h"
#include "log.h"

#define PREFIX "USHER_"
#define NAME_MAX_BYTES 64

//  Not of usher.yaml, but no mistakes: our own switch, what tests and benches are told, and what Kubernetes tells every
//  pod beside a service called usher. A name that ends in _ stands for all that begin so.
static const char *const others [] = {
    "USHER_TRACE", "USHER_BIN", "USHER_BUILD", "USHER_BENCH_", "USHER_TEST_", "USHER_SERVICE_", "USHER_PORT_",
};

static bool
is_other (const char *name)
{
    for (size_t at = 0; at < sizeof others / sizeof *others; at++) {
        size_t size = strlen (others [at]);
        if (strncmp (name, others [at], size) == 0 && (others [at][size - 1] == '_' || name [size] == 0))
            return true;
    }
    return false;
}

static bool
ends_with (const char *text, const char *end)
{
    size_t size = strlen (text), end_size = strlen (end);
    return size >= end_size && strcmp (text + size - end_size, end) == 0;
}

//  Finds the variable that was probably meant: its section may have been left out, or a few letters are wrong. Returns 0
//  where name is one itself, else how far it is away; beyond the limit meant stays as it is.
static size_t
nearest (const char *name, char meant [160])
{
    char variable [160];
    size_t best = 4;    //  typing errors are fewer letters apart
    for (size_t row = 0; row < config_row_count && best; row++) {
        config_row_variable (&config_rows [row], variable, sizeof variable);
        size_t away = config_distance (name, variable);
        if (away && ends_with (variable, name + strlen (PREFIX) - 1))
            away = 1;
        if (away < best) {
            best = away;
            snprintf (meant, 160, "%s", variable);
        }
    }
    return best;
}

void
config_strays (char *const *environment, config_stray_fn *stray, void *arg)
{
    for (; *environment; environment++) {
        char name [NAME_MAX_BYTES], meant [160] = "";
        if (strncmp (*environment, PREFIX, strlen (PREFIX)) != 0)
            continue;
        snprintf (name, sizeof name, "%.*s", (int)strcspn (*environment, "="), *environment);
        if (is_other (name) || nearest (name, meant) == 0)
            continue;
        for (char *byte = name; *byte; byte++)
            if (!isalnum ((unsigned char)*byte) && *byte != '_')
                *byte = '?';
        stray (arg, name, *meant ? meant : NULL);
    }
}

static void
stray_log (void *arg, const char *name, const char *meant)
{
    (void)arg;
    if (meant)
        log_warning ("unknown variable", "name=%s hint=\"it is ignored; did you mean %s?\"", name, meant);
    else
        log_warning ("unknown variable",
                     "name=%s hint=\"it is ignored; usher.yaml.example lists what there is\"", name);
}

void
config_strays_log (void)
{
    config_strays (environ, stray_log, NULL);
}
