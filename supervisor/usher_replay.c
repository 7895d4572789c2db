//  usher_replay - sends recorded tracker requests to a collector
//
//  FILE holds what a collector received: a JSON array of requests, or one request a line, each with method, url, t (Unix
//  ms), headers and bodyRaw (tests/data/requests-browser-4.10.json is one). They are sent in their order and with their
//  distances in time, divided by --speed.

#include "usher.h"

#include <curl/curl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct {
    const char *url;
    double speed;
    CURL *curl;
    size_t sent, failed;
} replay_t;

//  What a collector looks at; others, such as Host and Content-Length, belong to the connection.
static const char *const headers_kept [] = { "content-type", "user-agent", "cookie",      "accept-language",
                                             "origin",       "referer",    "sp-anonymous" };

static struct curl_slist *
headers_of (const json_t *request)
{
    //  curl would ask "Expect: 100-continue" for large bodies.
    struct curl_slist *list = curl_slist_append (NULL, "Expect:");
    const char *name;
    json_t *value;
    json_object_foreach (json_object_get (request, "headers"), name,
                         value) for (size_t i = 0; i < sizeof headers_kept / sizeof *headers_kept;
                                     i++) if (strcasecmp (name, headers_kept [i]) == 0 &&
                                              json_is_string (value))
    {
        size_t size = strlen (name) + json_string_length (value) + 3;
        char *line = malloc (size);
        if (!line)
            abort ();
        snprintf (line, size, "%s: %s", name, json_string_value (value));
        list = curl_slist_append (list, line);
        free (line);
    }
    return list;
}

static size_t
ignore_body (char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

//  Returns false when the collector cannot be reached; an answer that is not 200 is counted.
static bool
request_send (replay_t *self, const json_t *request)
{
    char url [16384], reason [CURL_ERROR_SIZE] = "";
    const char *body = json_string_value (json_object_get (request, "bodyRaw"));
    const char *method = json_string_value (json_object_get (request, "method"));
    snprintf (url, sizeof url, "%s%s", self->url, json_string_value (json_object_get (request, "url")));
    struct curl_slist *headers = headers_of (request);
    curl_easy_reset (self->curl);
    curl_easy_setopt (self->curl, CURLOPT_URL, url);
    curl_easy_setopt (self->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt (self->curl, CURLOPT_WRITEFUNCTION, ignore_body);
    curl_easy_setopt (self->curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt (self->curl, CURLOPT_TIMEOUT, 30L);
    if (strcmp (method, "POST") == 0)
        curl_easy_setopt (self->curl, CURLOPT_COPYPOSTFIELDS, body ? body : "");
    CURLcode result = curl_easy_perform (self->curl);
    long code = 0;
    curl_easy_getinfo (self->curl, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all (headers);
    if (result != CURLE_OK)
        fprintf (stderr,
                 "usher: %s did not take the request: %s; is the collector up? (--url names another)\n",
                 self->url, reason);
    self->sent++;
    self->failed += code < 200 || code > 299;
    return result == CURLE_OK;
}

static bool
is_request (const json_t *request)
{
    const char *method = json_string_value (json_object_get (request, "method"));
    return method && json_is_string (json_object_get (request, "url"));
}

//  Preflights are the browser's business.
static bool
is_event (const json_t *request)
{
    const char *method = json_string_value (json_object_get (request, "method"));
    return strcmp (method, "POST") == 0 || strcmp (method, "GET") == 0;
}

//  An array of all requests in the file, or NULL after saying what a good file is.
static json_t *
requests_load (const char *file)
{
    json_error_t error;
    FILE *in = fopen (file, "re");
    if (!in) {
        fprintf (stderr, "usher: %s cannot be read; name a file of recorded requests\n", file);
        return NULL;
    }
    json_t *all = json_array (), *one;
    while ((one = json_loadf (in, JSON_DISABLE_EOF_CHECK, &error))) {
        if (json_is_array (one))
            json_array_extend (all, one);
        else
            json_array_append (all, one);
        json_decref (one);
    }
    bool at_end = feof (in);
    fclose (in);
    bool good = at_end && json_array_size (all) > 0;
    for (size_t i = 0; good && i < json_array_size (all); i++)
        good = is_request (json_array_get (all, i));
    if (good)
        return all;
    bool flattened = json_object_get (json_array_get (all, 0), "collector_tstamp") != NULL;
    json_decref (all);
    if (flattened)
        fprintf (
            stderr,
            "usher: %s holds enriched events, which no collector takes; start with ingester.source: file and "
            "ingester.file: %s\n",
            file, file);
    else
        fprintf (stderr,
                 "usher: %s is no recording; needed is JSON, an array of requests or one a line, each with "
                 "method, "
                 "url, t, headers and bodyRaw\n",
                 file);
    return NULL;
}

static void
pause_between (const replay_t *self, const json_t *before, const json_t *request)
{
    if (!before || self->speed <= 0)
        return;
    json_int_t ms = json_integer_value (json_object_get (request, "t")) -
                    json_integer_value (json_object_get (before, "t"));
    if (ms > 0)
        poll (NULL, 0, (int)((double)ms / self->speed));
}

static int
replay (replay_t *self, const json_t *requests)
{
    const json_t *before = NULL;
    json_t *request;
    size_t i;
    json_array_foreach (requests, i, request)
    {
        if (!is_event (request))
            continue;
        pause_between (self, before, request);
        if (!request_send (self, request))
            return 1;
        before = request;
    }
    printf ("usher: %zu requests sent, %zu not answered with 2xx\n", self->sent, self->failed);
    return self->failed ? 1 : 0;
}

int
usher_replay (int argc, char **argv)
{
    usher_where_t where;
    char own_url [64];
    const char *file, *speed = "1", *url = NULL;
    const usher_option_t options [] = { { "speed", &speed, false },
                                        { "url", &url, false },
                                        { NULL, NULL, false } };
    if (!usher_options (argc, argv, options, &file, &where))
        return 1;
    snprintf (own_url, sizeof own_url, "http://127.0.0.1:%u", where.config->collector.port);
    usher_where_term (&where);
    replay_t self = { .url = url ? url : own_url };
    if (!usher_number ("--speed", speed, 0, 1e6, &self.speed))
        return 1;
    json_t *requests = requests_load (file);
    if (!requests)
        return 1;
    curl_global_init (CURL_GLOBAL_DEFAULT);
    self.curl = curl_easy_init ();
    int code = replay (&self, requests);
    curl_easy_cleanup (self.curl);
    curl_global_cleanup ();
    json_decref (requests);
    return code;
}
