//  aws_credentials - the keys to sign with, and when to fetch new ones

#include "aws_credentials.h"
#include "memory.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONTAINER_HOST "http://169.254.170.2"
#define INSTANCE_HOST "http://169.254.169.254"
#define ROLE_PATH "/latest/meta-data/iam/security-credentials/"

//  New ones are fetched so long before the old ones expire; after a failure, or when they are doubted, not at once.
#define EARLY_MS (5 * 60 * 1000)
#define RETRY_MS 2000

//  Of the token with which instance metadata may be read.
#define TOKEN_SECONDS "21600"

typedef enum { FROM_ENVIRONMENT, FROM_CONTAINER, FROM_INSTANCE, FROM_NOWHERE } source_t;
typedef enum { FETCH_TOKEN, FETCH_ROLE, FETCH_KEYS } fetch_t;

struct aws_credentials {
    source_t source;
    fetch_t fetch;
    bool asked;
    int64_t next_ms;       //  of the next fetch, Unix ms
    int64_t expires_ms;    //  INT64_MAX: never
    int64_t doubted_ms;    //  when they were doubted last
    char base [1024];      //  address of the container's keys, of the instance's service
    char role [256];
    char url [2048], header [4096], authorization [3072], metadata_token [1024];
    char *key, *secret, *token;
    char error [512];
};

static void __attribute__ ((format (printf, 2, 3))) say (aws_credentials_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    vsnprintf (self->error, sizeof self->error, format, args);
    va_end (args);
}

static void
replace (char **text, const char *with)
{
    free (*text);
    *text = memory_copy (with ? with : "", with ? strlen (with) : 0);
}

//  ---- the environment

static const char *
setting (char *(*get) (const char *name), const char *name)
{
    const char *value = get (name);
    return value && *value ? value : NULL;
}

//  Keys may come unencrypted from this host and from the container's own address only, as AWS's programs have it.
static bool
is_trusted (const char *url)
{
    static const char *const hosts [] = { "http://127.0.0.1",      "http://localhost",
                                          "http://[::1]",          "http://169.254.170.2",
                                          "http://169.254.170.23", "http://[fd00:ec2::23]" };
    if (strncmp (url, "https://", 8) == 0)
        return true;
    for (size_t at = 0; at < sizeof hosts / sizeof *hosts; at++) {
        size_t size = strlen (hosts [at]);
        if (strncmp (url, hosts [at], size) == 0 && (url [size] == ':' || url [size] == '/'))
            return true;
    }
    return false;
}

//  The file's first line, which may change while we run.
static void
read_authorization (const char *path, char *line, size_t size)
{
    FILE *file = fopen (path, "re");
    if (!file || !fgets (line, (int)size, file))
        *line = 0;
    if (file)
        fclose (file);
    line [strcspn (line, "\r\n")] = 0;
}

static bool
use_container (aws_credentials_t *self, char *(*get) (const char *name), char *why, size_t size)
{
    const char *relative = setting (get, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = setting (get, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *file = setting (get, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *word = setting (get, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    self->source = FROM_CONTAINER;
    self->fetch = FETCH_KEYS;
    snprintf (self->base, sizeof self->base, "%s%s", relative ? CONTAINER_HOST : "",
              relative ? relative : full);
    if (file)
        snprintf (self->authorization, sizeof self->authorization, "@%s", file);
    else if (word)
        snprintf (self->authorization, sizeof self->authorization, "%s", word);
    if (is_trusted (self->base))
        return true;
    snprintf (
        why, size,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI is '%.200s': keys are fetched by https only, or from this host",
        self->base);
    return false;
}

static bool
use_environment (aws_credentials_t *self, char *(*get) (const char *name), char *why, size_t size)
{
    const char *key = setting (get, "AWS_ACCESS_KEY_ID"), *secret = setting (get, "AWS_SECRET_ACCESS_KEY");
    self->source = FROM_ENVIRONMENT;
    if (!key || !secret) {
        snprintf (why, size, "%s is set and %s is not: keys come in pairs",
                  key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                  key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return false;
    }
    replace (&self->key, key);
    replace (&self->secret, secret);
    replace (&self->token, setting (get, "AWS_SESSION_TOKEN"));
    self->expires_ms = INT64_MAX;
    return true;
}

static bool
find_source (aws_credentials_t *self, char *(*get) (const char *name), char *why, size_t size)
{
    const char *disabled = setting (get, "AWS_EC2_METADATA_DISABLED");
    const char *service = setting (get, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (setting (get, "AWS_ACCESS_KEY_ID") || setting (get, "AWS_SECRET_ACCESS_KEY"))
        return use_environment (self, get, why, size);
    if (setting (get, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
        setting (get, "AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        return use_container (self, get, why, size);
    if (disabled && strcmp (disabled, "true") == 0) {
        self->source = FROM_NOWHERE;
        snprintf (why, size, "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        return false;
    }
    self->source = FROM_INSTANCE;
    self->fetch = FETCH_TOKEN;
    snprintf (self->base, sizeof self->base, "%s", service ? service : INSTANCE_HOST);
    if (self->base [strlen (self->base) - 1] == '/')
        self->base [strlen (self->base) - 1] = 0;
    return true;
}

aws_credentials_t *
aws_credentials_new (char *(*get) (const char *name), char *why, size_t size)
{
    aws_credentials_t *self = memory_new (1, sizeof *self);
    replace (&self->key, "");
    replace (&self->secret, "");
    replace (&self->token, "");
    say (self, "no credentials yet");
    if (!find_source (self, get, why, size))
        aws_credentials_destroy (&self);
    return self;
}

void
aws_credentials_destroy (aws_credentials_t **self_p)
{
    aws_credentials_t *self = *self_p;
    if (!self)
        return;
    free (self->key);
    free (self->secret);
    free (self->token);
    free (self);
    *self_p = NULL;
}

bool
aws_credentials_valid (const aws_credentials_t *self, int64_t wall_ms)
{
    return *self->key && wall_ms < self->expires_ms;
}

const char *
aws_credentials_key (const aws_credentials_t *self)
{
    return self->key;
}

const char *
aws_credentials_secret (const aws_credentials_t *self)
{
    return self->secret;
}

const char *
aws_credentials_token (const aws_credentials_t *self)
{
    return self->token;
}

const char *
aws_credentials_error (const aws_credentials_t *self)
{
    return self->error;
}

void
aws_credentials_doubt (aws_credentials_t *self, int64_t wall_ms)
{
    if (self->source == FROM_ENVIRONMENT || wall_ms - self->doubted_ms < RETRY_MS)
        return;
    self->doubted_ms = wall_ms;
    self->next_ms = wall_ms;
}

//  ---- fetching

static void
container_request (aws_credentials_t *self)
{
    char word [sizeof self->authorization];
    snprintf (word, sizeof word, "%s", self->authorization);
    if (*self->authorization == '@')
        read_authorization (self->authorization + 1, word, sizeof word);
    snprintf (self->url, sizeof self->url, "%s", self->base);
    *self->header = 0;
    if (*word)
        snprintf (self->header, sizeof self->header, "Authorization: %s", word);
}

static void
instance_request (aws_credentials_t *self)
{
    if (self->fetch == FETCH_TOKEN) {
        snprintf (self->url, sizeof self->url, "%s/latest/api/token", self->base);
        snprintf (self->header, sizeof self->header, "X-aws-ec2-metadata-token-ttl-seconds: " TOKEN_SECONDS);
        return;
    }
    snprintf (self->url, sizeof self->url, "%s" ROLE_PATH "%s", self->base,
              self->fetch == FETCH_KEYS ? self->role : "");
    snprintf (self->header, sizeof self->header, "X-aws-ec2-metadata-token: %s", self->metadata_token);
}

bool
aws_credentials_next (aws_credentials_t *self, int64_t wall_ms, aws_request_t *request)
{
    if (self->source == FROM_ENVIRONMENT || self->asked || wall_ms < self->next_ms)
        return false;
    self->asked = true;
    if (self->source == FROM_CONTAINER)
        container_request (self);
    else
        instance_request (self);
    *request = (aws_request_t){ .method = self->source == FROM_INSTANCE && self->fetch == FETCH_TOKEN ? "PUT"
                                                                                                      : "GET",
                                .url = self->url,
                                .header = self->header };
    return true;
}

//  "2026-11-23T14:00:00Z" as Unix ms; INT64_MAX where there is none.
static int64_t
read_instant (const char *text)
{
    struct tm parts = { 0 };
    if (!text || !strptime (text, "%Y-%m-%dT%H:%M:%S", &parts))
        return INT64_MAX;
    return (int64_t)timegm (&parts) * 1000;
}

static bool
take_keys (aws_credentials_t *self, int64_t wall_ms, const char *text, size_t size)
{
    json_t *json = json_loadb (text, size, 0, NULL);
    const char *key = json_string_value (json_object_get (json, "AccessKeyId"));
    const char *secret = json_string_value (json_object_get (json, "SecretAccessKey"));
    bool good = key && secret && *key && *secret;
    if (good) {
        replace (&self->key, key);
        replace (&self->secret, secret);
        replace (&self->token, json_string_value (json_object_get (json, "Token")));
        self->expires_ms = read_instant (json_string_value (json_object_get (json, "Expiration")));
        self->next_ms = self->expires_ms == INT64_MAX ? INT64_MAX : self->expires_ms - EARLY_MS;
        //  Those that live shorter than that are fetched again soon, not at once.
        if (self->next_ms < wall_ms + RETRY_MS)
            self->next_ms = wall_ms + RETRY_MS;
        say (self, "credentials from %s have expired", self->url);
    } else
        say (self, "%s answers no AccessKeyId and SecretAccessKey", self->url);
    json_decref (json);
    return good;
}

//  A text of one line into a field.
static bool
take_line (aws_credentials_t *self, char *field, size_t room, const char *text, size_t size)
{
    size_t length = strcspn (text, "\r\n");
    if (length > size)
        length = size;
    if (length == 0 || length >= room) {
        say (self, "%s answers nothing useful: has the instance a role?", self->url);
        return false;
    }
    memcpy (field, text, length);
    field [length] = 0;
    self->fetch++;
    return true;
}

static bool
take_answer (aws_credentials_t *self, int64_t wall_ms, int status, const char *text, size_t size)
{
    if (status != 200) {
        say (self, "no credentials: AWS_ACCESS_KEY_ID is not set, and %s answers %d %.200s", self->url,
             status, status ? "" : text);
        return false;
    }
    if (self->fetch == FETCH_TOKEN)
        return take_line (self, self->metadata_token, sizeof self->metadata_token, text, size);
    if (self->fetch == FETCH_ROLE)
        return take_line (self, self->role, sizeof self->role, text, size);
    bool good = take_keys (self, wall_ms, text, size);
    self->fetch = self->source == FROM_INSTANCE ? FETCH_TOKEN : FETCH_KEYS;
    return good;
}

bool
aws_credentials_answered (aws_credentials_t *self, int64_t wall_ms, int status, const char *text, size_t size)
{
    self->asked = false;
    if (take_answer (self, wall_ms, status, text, size))
        return true;
    self->fetch = self->source == FROM_INSTANCE ? FETCH_TOKEN : FETCH_KEYS;
    self->next_ms = wall_ms + RETRY_MS;
    return false;
}
