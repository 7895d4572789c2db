//  config - usher.yaml and the environment, read once at start by every process
//
//  First the defaults, over them the file, over it the environment, and last what follows from all of that. A setting's
//  variable is its path in capitals: collector.port is USHER_COLLECTOR_PORT. What settings there are is in config_rows.c.

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_file.h"
#include "config_rows.h"
#include "memory.h"

//  ---- the defaults and the environment

static void
set_word (char **field, const char *word)
{
    free (*field);
    *field = config_text ("%s", word);
}

//  The reference's own variable: where it is set, its topic is the source and nobody wants a collector. All of
//  it can be said otherwise in the file.
static void
kafka_defaults (config_t *self)
{
    const char *brokers = getenv ("KAFKA_BOOTSTRAP_SERVERS");
    if (!brokers || !*brokers)
        return;
    set_word (&self->ingester.source, "kafka");
    self->collector.enabled = false;
}

//  It comes before the file's kafka.brokers, as every variable does, and behind USHER_KAFKA_BROKERS.
static bool
kafka_environment (config_t *self)
{
    const char *brokers = getenv ("KAFKA_BOOTSTRAP_SERVERS");
    if (!brokers || !*brokers)
        return true;
    if (strlen (brokers) > 4096) {
        fprintf (stderr, "environment: KAFKA_BOOTSTRAP_SERVERS is longer than 4096 bytes\n");
        return false;
    }
    set_word (&self->kafka.brokers, brokers);
    return true;
}

static bool
apply_environment (config_t *self)
{
    char name [160];
    for (size_t i = 0; i < config_row_count; i++) {
        const char *text = getenv (config_row_variable (&config_rows [i], name, sizeof name));
        if (!text || config_row_set (self, &config_rows [i], text))
            continue;
        fprintf (stderr, "environment: %s is '%.60s'; it must be ", name,
                 config_row_shown (&config_rows [i], text));
        config_row_allows (&config_rows [i], stderr);
        fprintf (stderr, "\n");
        return false;
    }
    return true;
}

//  The folder that holds the build folder: programs are in <here>/build/bin.
static void
find_home (char *home, size_t size)
{
    ssize_t length = readlink ("/proc/self/exe", home, size - 1);
    home [length < 0 ? 0 : length] = 0;
    for (int i = 0; i < 3; i++) {
        char *slash = strrchr (home, '/');
        if (slash)
            *slash = 0;
    }
}

//  The first of two variables that says something, else "".
static const char *
variable (const char *name, const char *other)
{
    const char *value = getenv (name);
    if (!value || !*value)
        value = getenv (other);
    return value ? value : "";
}

static void
place_defaults (config_t *self, const char *dir)
{
    char home [4096];
    find_home (home, sizeof home);
    self->run_dir = config_text ("%s/run", dir);
    self->data_dir = config_text ("%s/data", dir);
    self->gateway.dashboard.directory = config_text ("%s/frontends/viewer/dist", home);
    self->gateway.tracker.directory = config_text ("%s/frontends/tracker/dist", home);
    self->store.region = config_text ("%s", variable ("AWS_REGION", "AWS_DEFAULT_REGION"));
    self->store.endpoint = config_text ("%s", variable ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"));
    for (size_t i = 0; i < config_row_count; i++)
        if (config_rows [i].fallback)
            config_row_set (self, &config_rows [i], config_rows [i].fallback);
    kafka_defaults (self);
}

//  ---- what follows from others

//  The key may stand in a file, without the line's end that an editor leaves behind it.
static bool
read_key_file (config_t *self)
{
    const char *path = self->privacy.pseudonym_key_file;
    if (!*path)
        return true;
    char text [1024 + 2] = "";
    FILE *in = fopen (path, "re");
    if (in && fgets (text, sizeof text, in))
        text [strcspn (text, "\r\n")] = 0;
    if (in)
        fclose (in);
    if (strlen (text) < 16 || strlen (text) > 1024) {
        fprintf (stderr, "privacy.pseudonym_key_file: %s must be readable, its first line 16 to 1024 bytes\n",
                 path);
        return false;
    }
    set_word (&self->privacy.pseudonym_key, text);
    return true;
}

//  Settings of the store that follow from others where nobody has said. The reference is told by variables of Kafka
//  and AWS alone where it writes; the same ones mean DynamoDB here.
static void
decide_store (config_t *self)
{
    const char *brokers = getenv ("KAFKA_BOOTSTRAP_SERVERS");
    bool aws = *variable ("AWS_REGION", "AWS_DEFAULT_REGION") && brokers && *brokers;
    if (strcmp (self->store.kind, "auto") == 0)
        set_word (&self->store.kind, aws || *self->store.endpoint ? "dynamodb" : "sqlite");
    if (strcmp (self->store.create_tables, "auto") == 0)
        set_word (&self->store.create_tables, *self->store.endpoint ? "yes" : "no");
    //  What stands at an endpoint of one's own rarely minds; AWS does.
    if (!*self->store.region && *self->store.endpoint)
        set_word (&self->store.region, "us-east-1");
}

static bool
store_makes_sense (const config_t *self)
{
    const char *endpoint = self->store.endpoint;
    if (strcmp (self->store.kind, "dynamodb") != 0)
        return true;
    if (*endpoint && strncmp (endpoint, "http://", 7) != 0 && strncmp (endpoint, "https://", 8) != 0) {
        fprintf (stderr,
                 "store.endpoint (AWS_ENDPOINT_URL) is '%.60s'; it must begin with http:// or https://\n",
                 endpoint);
        return false;
    }
    if (!*self->store.region)
        fprintf (stderr, "store.kind is dynamodb, so AWS_REGION (or store.region) must name the region\n");
    return *self->store.region != 0;
}

//  What no single row can see.
static bool
makes_sense (const config_t *self)
{
    if (!store_makes_sense (self))
        return false;
    if (strcmp (self->ingester.source, "file") == 0 && !*self->ingester.file) {
        fprintf (stderr,
                 "ingester.source is file, so ingester.file (USHER_INGESTER_FILE) must name the file\n");
        return false;
    }
    if (strcmp (self->ingester.source, "kafka") == 0 && !*self->kafka.brokers) {
        fprintf (stderr,
                 "ingester.source is kafka, so KAFKA_BOOTSTRAP_SERVERS or kafka.brokers must name them\n");
        return false;
    }
    if (strcmp (self->collector.sink, "kafka") == 0 && !*self->kafka.brokers) {
        fprintf (stderr,
                 "collector.sink is kafka, so KAFKA_BOOTSTRAP_SERVERS or kafka.brokers must name them\n");
        return false;
    }
    return true;
}

config_t *
config_load (const char *file, const char *dir)
{
    config_t *self = memory_new (1, sizeof *self);
    place_defaults (self, dir);
    if ((!file || config_file_read (self, file)) && kafka_environment (self) && apply_environment (self) &&
        read_key_file (self)) {
        decide_store (self);
        if (makes_sense (self))
            return self;
    }
    config_destroy (&self);
    return NULL;
}

void
config_destroy (config_t **self_p)
{
    config_t *self = *self_p;
    if (!self)
        return;
    config_rows_free (self);
    free (self);
    *self_p = NULL;
}
