//  usher_manage - usher up, status, restart, stop

#include "premises.h"
#include "usher.h"
#include "usher_ask.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANSWER_MS 5000
#define RESTART_MS 120000    //  a drain, a start and a backoff between them
#define STOP_MS 200000       //  the drain of each stage has its own deadline

int
usher_up (int argc, char **argv)
{
    usher_where_t where;
    const char *audience = "0";
    double viewers;
    const usher_option_t options [] = { { "audience", &audience, false }, { NULL, NULL, false } };
    if (!usher_options (argc, argv, options, NULL, &where))
        return 1;
    usher_where_term (&where);
    if (!usher_number ("--audience", audience, 0, 1000000, &viewers))
        return 1;
    char path [4200], folder [4096];
    if (!premises_programs_dir (folder, sizeof folder))
        return 1;
    snprintf (path, sizeof path, "%s/usher-supervisor", folder);
    execl (path, "usher-supervisor", "--dir", where.dir, "--audience", audience,
           where.config_file ? "--config" : NULL, where.config_file, NULL);
    fprintf (stderr, "usher: the program %s cannot be run (%s); build it with `make`\n", path,
             strerror (errno));
    return 1;
}

static void
print_duration (const json_t *ms, char *text, size_t size)
{
    long long s = json_integer_value (ms) / 1000;
    if (!json_is_integer (ms))
        snprintf (text, size, "-");
    else if (s < 60)
        snprintf (text, size, "%llds", s);
    else if (s < 3600)
        snprintf (text, size, "%lldm%02llds", s / 60, s % 60);
    else
        snprintf (text, size, "%lldh%02lldm", s / 3600, s / 60 % 60);
}

static void
print_process (const json_t *process)
{
    char uptime [32], beat [32] = "-", pid [32] = "-";
    const json_t *age = json_object_get (process, "beat_age_ms"), *id = json_object_get (process, "pid");
    print_duration (json_object_get (process, "uptime_ms"), uptime, sizeof uptime);
    if (json_is_integer (age))
        snprintf (beat, sizeof beat, "%.1fs", (double)json_integer_value (age) / 1000);
    if (json_is_integer (id))
        snprintf (pid, sizeof pid, "%" JSON_INTEGER_FORMAT, json_integer_value (id));
    printf ("%-12s %-9s %8s %8s %9" JSON_INTEGER_FORMAT " %6s\n",
            json_string_value (json_object_get (process, "name")),
            json_string_value (json_object_get (process, "state")), pid, uptime,
            json_integer_value (json_object_get (process, "restarts")), beat);
}

static void
print_note (const json_t *process)
{
    const char *note = json_string_value (json_object_get (process, "note"));
    if (note)
        printf ("\n%s: %s\n", json_string_value (json_object_get (process, "name")), note);
}

static int
print_status (const char *text)
{
    json_t *status = json_loads (text, 0, NULL), *supervisor = json_object_get (status, "supervisor"),
           *process;
    char uptime [32];
    size_t i;
    if (!status)
        return 1;
    print_duration (json_object_get (supervisor, "uptime_ms"), uptime, sizeof uptime);
    printf ("supervisor %s, pid %" JSON_INTEGER_FORMAT ", up %s\n\n",
            json_string_value (json_object_get (supervisor, "state")),
            json_integer_value (json_object_get (supervisor, "pid")), uptime);
    printf ("%-12s %-9s %8s %8s %9s %6s\n", "PROCESS", "STATE", "PID", "UPTIME", "RESTARTS", "BEAT");
    json_array_foreach (json_object_get (status, "processes"), i, process) print_process (process);
    json_array_foreach (json_object_get (status, "processes"), i, process) print_note (process);
    json_decref (status);
    return 0;
}

int
usher_status (int argc, char **argv)
{
    usher_where_t where;
    usher_outcome_t outcome;
    const char *json = NULL;
    const usher_option_t options [] = { { "json", &json, true }, { NULL, NULL, false } };
    if (!usher_options (argc, argv, options, NULL, &where))
        return 1;
    char *text = usher_ask (&where, "status", "", ANSWER_MS, &outcome);
    int code = 1;
    if (text && json)
        code = puts (text) < 0;
    else if (text)
        code = print_status (text);
    free (text);
    usher_where_term (&where);
    return code;
}

int
usher_restart (int argc, char **argv)
{
    usher_where_t where;
    usher_outcome_t outcome;
    const char *name;
    const usher_option_t options [] = { { NULL, NULL, false } };
    if (!usher_options (argc, argv, options, &name, &where))
        return 1;
    char *text = strlen (name) <= 64 ? usher_ask (&where, "restart", name, RESTART_MS, &outcome) : NULL;
    bool good = text && outcome == USHER_outcome_done;
    if (text)
        fprintf (good ? stdout : stderr, "usher: %s\n", text);
    free (text);
    usher_where_term (&where);
    return good ? 0 : 1;
}

//  Sleeps until the process has ended. Returns false when it has not within deadline_ms.
static bool
wait_for_end (int pid, int deadline_ms)
{
    int descriptor = (int)syscall (SYS_pidfd_open, pid, 0);
    if (descriptor < 0)
        return errno == ESRCH;
    struct pollfd item = { .fd = descriptor, .events = POLLIN };
    bool ended = poll (&item, 1, deadline_ms) == 1;
    close (descriptor);
    return ended;
}

int
usher_stop (int argc, char **argv)
{
    usher_where_t where;
    usher_outcome_t outcome;
    const usher_option_t options [] = { { NULL, NULL, false } };
    if (!usher_options (argc, argv, options, NULL, &where))
        return 1;
    char *text = usher_ask (&where, "stop", "", ANSWER_MS, &outcome);
    bool ended = text && wait_for_end (atoi (text), STOP_MS);
    if (text)
        fprintf (ended ? stdout : stderr, "usher: %s\n",
                 ended ? "stopped" : "still draining; `usher status` shows who");
    free (text);
    usher_where_term (&where);
    return ended ? 0 : 1;
}
