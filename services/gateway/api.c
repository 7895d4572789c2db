//  api - what GET and DELETE answer: paths, parameters, status codes, JSON

#include "api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "keyed_digest.h"
#include "view.h"
#include "walk.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 500
#define HISTORY_DEFAULT 100
#define HISTORY_MAX 1000
#define TITLES_DEFAULT 50
#define TITLES_MAX 1000
//  Viewers looked at for one page; a rare match needs more pages, not a longer wait.
#define LOOK_MAX 20000

static const char type_json [] = "application/json; charset=utf-8";

void
api_error (api_answer_t *answer, unsigned status, const char *text)
{
    buffer_free (&answer->body);
    answer->status = status;
    answer->type = type_json;
    json_open (&answer->body, '{');
    json_key (&answer->body, "error");
    json_text (&answer->body, usher_str (text));
    json_close (&answer->body, '}');
}

//  Reads a number from 1 to max; standard where the parameter is missing. Returns 0 when it is wrong.
static uint32_t
limit_of (const char *text, uint32_t standard, uint32_t max)
{
    if (!*text)
        return standard;
    char *end;
    unsigned long value = strtoul (text, &end, 10);
    return *end || *text == '-' || value == 0 || value > max ? 0 : (uint32_t)value;
}

//  ---- /v1/viewers

typedef struct {
    const api_world_t *world;
    const api_request_t *request;
    buffer_t *out;
    walk_t *walk;
    size_t looked;
} list_t;

//  Does text contain part, letters of ASCII being equal in both cases?
static bool
contains (usher_str_t text, const char *part)
{
    size_t size = strlen (part);
    for (size_t at = 0; at + size <= text.size; at++)
        if (strncasecmp (text.data + at, part, size) == 0)
            return true;
    return false;
}

static bool
matches (const api_request_t *request, const view_viewer_t *viewer)
{
    const usher_session_t *best = &viewer->sessions [0];
    if (*request->status && strcasecmp (request->status, usher_status_names [best->status]) != 0 &&
        strcasecmp (request->status, usher_state_names [best->state]) != 0)
        return false;
    bool titled = !*request->title, found = !*request->q || contains (viewer->viewer_id, request->q);
    for (size_t at = 0; at < viewer->count; at++) {
        titled = titled || usher_str_eq (viewer->sessions [at].media_label, usher_str (request->title));
        found = found || contains (viewer->sessions [at].media_label, request->q);
    }
    return titled && found;
}

static bool
is_name (const char *text, const char *const *names, int count)
{
    for (int at = 0; at < count; at++)
        if (strcasecmp (text, names [at]) == 0)
            return true;
    return false;
}

static bool
list_viewer (void *arg, uint32_t slot, usher_str_t viewer_id)
{
    list_t *list = arg;
    view_viewer_t viewer;
    if (!view_read (&viewer, mirror_sessions (list->world->mirror), slot, viewer_id))
        return false;
    bool match = matches (list->request, &viewer);
    if (match)
        view_write_viewer (list->out, &viewer, mirror_slot_partial (list->world->mirror, slot));
    //  What was only looked at counts to the page as well once it was much.
    return match || ++list->looked > LOOK_MAX;
}

static void
get_viewers (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)name;
    walk_t walk = { 0 };
    uint32_t limit = limit_of (request->limit, LIMIT_DEFAULT, LIMIT_MAX);
    if (!limit) {
        api_error (answer, 400, "limit: expected a number from 1 to 500");
        return;
    }
    if (*request->cursor && !walk_parse (&walk, request->cursor)) {
        api_error (answer, 400, "cursor: expected next_cursor of the page before");
        return;
    }
    if (*request->status && !is_name (request->status, usher_status_names, USHER_STATUSES) &&
        !is_name (request->status, usher_state_names, USHER_STATES)) {
        api_error (answer, 400,
                   "status: expected a status such as WATCHING_VIDEO, or a state such as REBUFFERING");
        return;
    }
    buffer_t *out = &answer->body;
    json_open (out, '{');
    json_key (out, "viewers");
    json_open (out, '[');
    list_t list = { world, request, out, &walk, 0 };
    walk_on (&walk, mirror_sessions (world->mirror), limit, list_viewer, &list);
    json_close (out, ']');
    json_key (out, "next_cursor");
    char text [25];
    walk_print (&walk, text);
    if (walk.slot < USHER_SLOTS)
        json_word (out, text);
    else
        json_unknown (out);
    json_key (out, "partial");
    json_bool (out, mirror_partial (world->mirror, world->mono_ms));
    json_close (out, '}');
}

static void
get_viewer (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)request;
    view_viewer_t viewer;
    usher_str_t viewer_id = usher_str (name);
    uint32_t slot = usher_slot (viewer_id);
    if (view_read (&viewer, mirror_sessions (world->mirror), slot, viewer_id))
        view_write_viewer (&answer->body, &viewer, mirror_slot_partial (world->mirror, slot));
    else if (mirror_slot_partial (world->mirror, slot))
        api_error (answer, 503, "not known yet: the picture is still being filled");
    else
        api_error (answer, 404, "no such viewer is live");
}

static void
get_history (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)world;
    (void)name;
    answer->limit = limit_of (request->limit, HISTORY_DEFAULT, HISTORY_MAX);
    answer->status = 0;
    if (!answer->limit)
        api_error (answer, 400, "limit: expected a number from 1 to 1000");
}

//  ---- the rest

static void
get_stats (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)request;
    (void)name;
    clients_write_stats (world->clients, &answer->body, world->mono_ms, world->wall_ms);
}

static void
get_series (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)name;
    char wrong [SERIES_WRONG];
    answer->status = 0;
    if (!series_read_query (&answer->series, &request->series, (uint64_t)world->wall_ms / 1000, wrong))
        api_error (answer, 400, wrong);
}

static void
get_titles (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)name;
    uint32_t limit = limit_of (request->limit, TITLES_DEFAULT, TITLES_MAX);
    if (limit)
        stats_write_titles (clients_stats (world->clients), &answer->body, limit,
                            clients_partial (world->clients, world->mono_ms));
    else
        api_error (answer, 400, "limit: expected a number from 1 to 1000");
}

static void
get_title (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)request;
    stats_write_title (clients_stats (world->clients), &answer->body, usher_str (name),
                       clients_partial (world->clients, world->mono_ms));
}

static void
get_health (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)world;
    (void)request;
    (void)name;
    buffer_add_text (&answer->body, "{\"status\":\"ok\"}");
}

static void
get_ready (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)request;
    (void)name;
    if (mirror_complete (world->mirror))
        buffer_add_text (&answer->body, "{\"status\":\"ready\"}");
    else
        api_error (answer, 503, "the picture of the live sessions is not complete yet");
}

static void
get_metrics (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)request;
    (void)name;
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    buffer_add_text (&answer->body, world->metrics);
}

static void
get_socket (const api_world_t *world, const api_request_t *request, const char *name, api_answer_t *answer)
{
    (void)world;
    (void)request;
    (void)name;
    api_error (answer, 426, "this is a WebSocket: connect with ws://");
}

//  before name after, where name is a viewer id or a title; a row without after names a whole path.
static const struct {
    const char *before, *after;
    void (*get) (const api_world_t *world, const api_request_t *request, const char *name,
                 api_answer_t *answer);
} routes [] = {
    { "/ws", NULL, get_socket },
    { "/v1/live", NULL, get_socket },
    { "/v1/viewers", NULL, get_viewers },
    { "/v1/viewers/", "/history", get_history },
    { "/v1/viewers/", "", get_viewer },
    { "/v1/stats", NULL, get_stats },
    { "/v1/stats/series", NULL, get_series },
    { "/v1/titles", NULL, get_titles },
    { "/v1/titles/", "/count", get_title },
    { "/healthz", NULL, get_health },
    { "/readyz", NULL, get_ready },
    { "/metrics", NULL, get_metrics },
};

//  Returns the row for a path, and the name in it; -1 none.
static int
route_find (const char *path, char name [1025])
{
    name [0] = 0;
    for (size_t row = 0; row < sizeof routes / sizeof *routes; row++) {
        size_t before = strlen (routes [row].before), size = strlen (path);
        if (!routes [row].after) {
            if (strcmp (path, routes [row].before) == 0)
                return (int)row;
            continue;
        }
        size_t after = strlen (routes [row].after);
        if (strncmp (path, routes [row].before, before) != 0 || size <= before + after ||
            size - before - after > 1024 || strcmp (path + size - after, routes [row].after) != 0)
            continue;
        memcpy (name, path + before, size - before - after);
        name [size - before - after] = 0;
        return (int)row;
    }
    return -1;
}

bool
api_knows (const char *path)
{
    char name [1025];
    return route_find (path, name) >= 0;
}

const char *
api_methods (const char *path)
{
    char name [1025];
    int row = route_find (path, name);
    return row >= 0 && routes [row].get == get_viewer ? "GET, HEAD, DELETE" : "GET, HEAD";
}

void
api_refuse_method (const char *path, api_answer_t *answer)
{
    char text [64];
    snprintf (text, sizeof text, "allowed here: %s", api_methods (path));
    api_error (answer, 405, text);
}

//  The name under which a viewer is known inside.
static void
name_viewer (const api_world_t *world, char name [1025])
{
    usher_str_t id = usher_str (name);
    if (world->raw_id_key.size && id.size && !keyed_digest_is_hex (id))
        keyed_digest_hex (world->raw_id_key, id, name);
}

void
api_delete (const api_world_t *world, const char *path, api_answer_t *answer)
{
    int row = route_find (path, answer->viewer_id);
    answer->status = 0;
    answer->type = type_json;
    if (row < 0)
        api_error (answer, 404, "no such path");
    else if (routes [row].get != get_viewer)
        api_refuse_method (path, answer);
    else
        name_viewer (world, answer->viewer_id);
}

void
api_get (const api_world_t *world, const api_request_t *request, api_answer_t *answer)
{
    answer->status = 200;
    answer->type = type_json;
    int row = route_find (request->path, answer->viewer_id);
    name_viewer (world, answer->viewer_id);
    if (row < 0)
        api_error (answer, 404, "no such path");
    else
        routes [row].get (world, request, answer->viewer_id, answer);
}
