//  report - what the supervisor tells people and machines about the roster

#include "report.h"
#include "json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACKER_COLLECTOR_PORT                                                                               \
    9090    //  where the tracking page posts by itself: COLLECTOR_PORT of its settings.ts

static void
print_age (FILE *out, const char *key, bool known, int64_t ms)
{
    if (known)
        fprintf (out, ",\"%s\":%" PRId64, key, ms);
    else
        fprintf (out, ",\"%s\":null", key);
}

//  What a process that runs wants people to know.
static void
print_note (FILE *out, const char *note)
{
    buffer_t text = { 0 };
    if (note && *note)
        json_text (&text, usher_str (note));
    else
        json_unknown (&text);
    fprintf (out, ",\"note\":%.*s", (int)text.size, text.data);
    buffer_free (&text);
}

static FILE *
text_open (char **text, size_t *size)
{
    FILE *out = open_memstream (text, size);
    if (!out)
        abort ();
    return out;
}

char *
report_status (const roster_t *roster, const char *state, int64_t started_ms, int64_t now_ms)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = text_open (&text, &size);
    fprintf (out, "{\"supervisor\":{\"pid\":%d,\"state\":\"%s\",\"uptime_ms\":%" PRId64 "},\"processes\":[",
             (int)getpid (), state, now_ms - started_ms);
    for (size_t i = 0; i < roster->count; i++) {
        const roster_entry_t *entry = &roster->entries [i];
        const child_t *child = &entry->child;
        bool runs = child_runs (child);
        fprintf (out, "%s{\"name\":\"%s\",\"state\":\"%s\"", i ? "," : "", entry->name,
                 child_state_names [child->state]);
        print_age (out, "pid", runs, entry->pid);
        print_age (out, "uptime_ms", runs, now_ms - child->started_ms);
        print_age (out, "restarts", true, child->restarts);
        print_age (out, "beat_age_ms", runs && child->watched && child->beat_ms, now_ms - child->beat_ms);
        print_note (out, runs ? entry->note : NULL);
        fprintf (out, "}");
    }
    fprintf (out, "]}");
    fclose (out);
    return text;
}

static void
print_states (const roster_entry_t *entry, FILE *out)
{
    for (size_t state = 0; state < CHILD_STATES; state++)
        fprintf (out, "usher_process_state{process=\"%s\",state=\"%s\"} %d\n", entry->name,
                 child_state_names [state], entry->child.state == state);
}

char *
report_metrics (const roster_t *roster, int64_t now_ms)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = text_open (&text, &size);
    fprintf (out, "# HELP usher_process_up Whether the process is ready.\n# TYPE usher_process_up gauge\n");
    for (size_t i = 0; i < roster->count; i++)
        fprintf (out, "usher_process_up{process=\"%s\"} %d\n", roster->entries [i].name,
                 roster->entries [i].child.state == CHILD_READY);
    fprintf (out, "# HELP usher_process_restarts_total Ends of the process that nobody asked for.\n"
                  "# TYPE usher_process_restarts_total counter\n");
    for (size_t i = 0; i < roster->count; i++)
        fprintf (out, "usher_process_restarts_total{process=\"%s\"} %u\n", roster->entries [i].name,
                 roster->entries [i].child.restarts);
    fprintf (out, "# HELP usher_process_uptime_seconds Time since the process was started.\n"
                  "# TYPE usher_process_uptime_seconds gauge\n");
    for (size_t i = 0; i < roster->count; i++)
        if (child_runs (&roster->entries [i].child))
            fprintf (out, "usher_process_uptime_seconds{process=\"%s\"} %.3f\n", roster->entries [i].name,
                     (double)(now_ms - roster->entries [i].child.started_ms) / 1000);
    fprintf (out, "# HELP usher_process_state The state of the process: 1 for the one that it is in.\n"
                  "# TYPE usher_process_state gauge\n");
    for (size_t i = 0; i < roster->count; i++)
        print_states (&roster->entries [i], out);
    fclose (out);
    return text;
}

void
report_where (const config_t *config, FILE *out)
{
    bool local = strcmp (config->bind, "127.0.0.1") == 0 || strcmp (config->bind, "0.0.0.0") == 0;
    const char *host = local ? "localhost" : config->bind;
    uint16_t collector = config->collector.enabled ? config->collector.port : 0;
    char tracker [300] = "";
    if (collector && collector != TRACKER_COLLECTOR_PORT)
        snprintf (tracker, sizeof tracker, "/?collector=http://%s:%u", host, collector);
    const struct {
        const char *what, *scheme, *path;
        uint16_t port;
    } places [] = {
        { "tracking page", "http", tracker, config->gateway.tracker.port },
        { "dashboard", "http", "", config->gateway.dashboard.port },
        { "feed", "ws", "/ws", config->gateway.port },
        { "collector", "http", "", collector },
    };
    fprintf (out, "\nUsher is up.\n\n");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places [i].port)
            fprintf (out, "  %-14s  %s://%s:%u%s\n", places [i].what, places [i].scheme, host,
                     places [i].port, places [i].path);
    fprintf (out, "\nCtrl-C drains and stops everything.\n\n");
    fflush (out);
}
