//  answer - which HTTP reply a request gets, and who the collector takes its sender for

#include "answer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400LL
#define PREFLIGHT_LIFE "3600"
#define P3P "policyref=\"/w3c/p3p.xml\", CP=\"NOI DSP COR NID PSA OUR IND COM NAV STA\""
#define TP2 "com.snowplowanalytics.snowplow/tp2"
#define TEXT "text/plain; charset=UTF-8"
//  As Snowplow's Collector 3.2 takes them.
#define LINE_MAX_BYTES 20480u
#define HEADERS_MAX_BYTES 40960u

static const char pixel [] =
    "GIF89a\x01\x00\x01\x00\xf0\x00\x00\xff\xff\xff\x00\x00\x00\x21\xf9\x04\x01\x00\x00\x00"
    "\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";

typedef enum { PREFLIGHT, HEALTH, NO_REDIRECTS, TAKE_POST, TAKE_PIXEL, NOT_FOUND } reply_t;

//  Which paths a row means, if not just one.
#define ANY_PATH NULL
#define TWO_SEGMENTS "/*/*"
#define REDIRECTS "/r/*"

//  The first row that fits decides. A NULL method fits all.
static const struct {
    const char *method;
    const char *path;
    reply_t reply;
} routes [] = {
    { "OPTIONS", ANY_PATH, PREFLIGHT },   { "GET", "/health", HEALTH },
    { "HEAD", "/health", HEALTH },        { "GET", "/sink-health", HEALTH },
    { "HEAD", "/sink-health", HEALTH },   { NULL, REDIRECTS, NO_REDIRECTS },
    { "POST", TWO_SEGMENTS, TAKE_POST },  { "GET", TWO_SEGMENTS, TAKE_PIXEL },
    { "HEAD", TWO_SEGMENTS, TAKE_PIXEL }, { "GET", "/i", TAKE_PIXEL },
    { "HEAD", "/i", TAKE_PIXEL },         { "GET", "/ice.png", TAKE_PIXEL },
    { "HEAD", "/ice.png", TAKE_PIXEL },   { NULL, ANY_PATH, NOT_FOUND },
};

//  ---- Routes

//  Does the path follow the pattern, where * stands for one segment that is not empty?
static bool
path_fits (span_t path, const char *pattern)
{
    const char *at = path.data;
    const char *end = path.data + path.size;
    for (; *pattern; pattern++) {
        if (*pattern != '*') {
            if (at == end || *at++ != *pattern)
                return false;
            continue;
        }
        const char *start = at;
        while (at < end && *at != '/')
            at++;
        if (at == start)
            return false;
    }
    return at == end;
}

static reply_t
find_reply (const ask_t *ask)
{
    size_t index = 0;
    for (;; index++) {
        bool method = !routes [index].method || span_is (ask->method, routes [index].method);
        if (method && (!routes [index].path || path_fits (ask->path, routes [index].path)))
            return routes [index].reply;
    }
}

//  One entry of the list of mapped paths: FROM=TO, or FROM, which means tp2; without the first slashes.
typedef struct {
    span_t whole, from, to;
} mapping_t;

//  A path as the list has it, with or without the first slash.
static span_t
list_path (const char *start, const char *end)
{
    start += start < end && *start == '/';
    return (span_t){ start, (size_t)(end - start) };
}

static bool
next_mapping (const char **list, mapping_t *mapping)
{
    *list = *list ? *list + strspn (*list, " ,") : "";
    const char *start = *list;
    const char *end = *list += strcspn (start, " ,");
    const char *equals = memchr (start, '=', (size_t)(end - start));
    mapping->whole = (span_t){ start, (size_t)(end - start) };
    mapping->from = list_path (start, equals ? equals : end);
    mapping->to = equals ? list_path (equals + 1, end) : span_of (TP2);
    return start < end;
}

static bool
is_two_segments (span_t path)
{
    const char *slash = path.size ? memchr (path.data, '/', path.size) : NULL;
    size_t rest = slash ? path.size - (size_t)(slash - path.data) - 1 : 0;
    return slash > path.data && rest > 0 && !memchr (slash + 1, '/', rest);
}

bool
answer_check_paths (const char *list, span_t *bad)
{
    mapping_t mapping;
    while (next_mapping (&list, &mapping)) {
        *bad = mapping.whole;
        if (!is_two_segments (mapping.from) || !is_two_segments (mapping.to) ||
            mapping.to.size > ANSWER_PATH_MAX - 2)
            return false;
    }
    return true;
}

//  What the path is mapped to; `whole` holds it.
static span_t
map_path (span_t path, const char *list, char whole [ANSWER_PATH_MAX])
{
    mapping_t mapping;
    while (next_mapping (&list, &mapping)) {
        size_t size = mapping.from.size;
        if (path.size != size + 1 || memcmp (path.data + 1, mapping.from.data, size) != 0)
            continue;
        snprintf (whole, ANSWER_PATH_MAX, "/%.*s", (int)mapping.to.size, mapping.to.data);
        return span_of (whole);
    }
    return path;
}

//  ---- Who sent it

//  May the id stand as a cookie's value? What came percent-encoded in nuid could end the header line.
static bool
is_cookie_value (const char *id)
{
    for (const char *at = id; *at; at++)
        if (*at <= 0x20 || *at == 0x7F || strchr ("\",;\\", *at))
            return false;
    return *id != 0;
}

//  Find `name=value` in a list with this separator, as the query and the Cookie header are.
static bool
find_pair (span_t list, char separator, const char *name, span_t *value)
{
    size_t size = strlen (name);
    const char *at = list.data;
    const char *end = list.data + list.size;
    bool found = false;
    while (at < end) {
        const char *stop = memchr (at, separator, (size_t)(end - at));
        stop = stop ? stop : end;
        while (at < stop && *at == ' ')
            at++;
        if ((size_t)(stop - at) > size && memcmp (at, name, size) == 0 && at [size] == '=') {
            *value = (span_t){ at + size + 1, (size_t)(stop - at) - size - 1 };
            found = true;
        }
        at = stop < end ? stop + 1 : end;
    }
    return found;
}

static int
hex_digit (char byte)
{
    static const char digits [] = "0123456789abcdef";
    const char *found = byte ? strchr (digits, byte >= 'A' && byte <= 'F' ? byte | 0x20 : byte) : NULL;
    return found ? (int)(found - digits) : -1;
}

//  The id as it is, but without a zero byte, with the percent-escapes of a query undone. One that is too long to be an id is cut, and so stays
//  none.
static void
copy_id (char id [ANSWER_ID_MAX], span_t text, bool escaped)
{
    size_t size = 0;
    for (size_t at = 0; at < text.size && size < ANSWER_ID_MAX - 1; at++, size++) {
        bool two = escaped && text.data [at] == '%' && text.size - at > 2;
        int high = two ? hex_digit (text.data [at + 1]) : -1, low = two ? hex_digit (text.data [at + 2]) : -1;
        bool escape = high >= 0 && low >= 0;
        id [size] = escape ? (char)(uint8_t)(high * 16 + low) : text.data [at];
        if (id [size] == 0)
            id [size] = '?';
        at += escape ? 2 : 0;
    }
    id [size] = 0;
}

//  nuid in the query, else the cookie's value as it came, else a new id. An empty one counts as none. Whether it is a
//  UUID is for Enrich to judge.
static void
set_network_userid (answer_t *self, const answer_rules_t *rules, const ask_t *ask, const char *new_id)
{
    span_t value;
    if (find_pair (ask->query, '&', "nuid", &value) && value.size)
        copy_id (self->network_userid, value, true);
    else if (rules->cookie_days && find_pair (ask->cookie, ';', rules->cookie_name, &value) && value.size)
        copy_id (self->network_userid, value, false);
    else
        copy_id (self->network_userid, span_of (new_id), false);
}

//  The first of X-Forwarded-For, else the peer.
static void
set_ip (answer_t *self, const ask_t *ask)
{
    span_t ip = ask->forwarded_for;
    while (ip.size && *ip.data == ' ') {
        ip.data++;
        ip.size--;
    }
    size_t size = 0;
    while (size < ip.size && ip.data [size] != ',' && ip.data [size] != ' ')
        size++;
    ip.size = size;
    if (ip.size == 0 || ip.size >= ANSWER_IP_MAX)
        ip = ask->peer;
    int length = (int)(ip.size < ANSWER_IP_MAX ? ip.size : ANSWER_IP_MAX - 1);
    snprintf (self->ip, sizeof self->ip, "%.*s", length, ip.data);
}

//  ---- Headers

static void
add_header (answer_t *self, const char *name, const char *value)
{
    answer_header_t *header = &self->headers [self->header_count++];
    header->name = name;
    snprintf (header->value, sizeof header->value, "%s", value);
}

//  The origin as it came, as a header value must be.
static void
add_cors (answer_t *self, const ask_t *ask)
{
    char origin [ANSWER_VALUE_MAX] = "*";
    bool good = ask->origin.size > 0 && ask->origin.size < sizeof origin;
    for (size_t index = 0; good && index < ask->origin.size; index++)
        good = ask->origin.data [index] > 0x20 && ask->origin.data [index] != 0x7F;
    if (good)
        snprintf (origin, sizeof origin, "%.*s", (int)ask->origin.size, ask->origin.data);
    add_header (self, "Access-Control-Allow-Origin", origin);
    add_header (self, "Access-Control-Allow-Credentials", "true");
}

static void
add_cookie (answer_t *self, const answer_rules_t *rules, int64_t now_ms)
{
    char expires [40], value [ANSWER_VALUE_MAX];
    time_t when = (time_t)(now_ms / 1000 + rules->cookie_days * DAY_S);
    struct tm date;
    gmtime_r (&when, &date);
    strftime (expires, sizeof expires, "%a, %d %b %Y %H:%M:%S GMT", &date);
    snprintf (value, sizeof value, "%.64s=%s; Expires=%s; Path=/%s%s%s%s", rules->cookie_name,
              self->network_userid, expires, rules->cookie_secure ? "; Secure" : "",
              rules->cookie_http_only ? "; HttpOnly" : "", rules->cookie_same_site ? "; SameSite=" : "",
              rules->cookie_same_site ? rules->cookie_same_site : "");
    add_header (self, "Set-Cookie", value);
}

//  ---- Replies

static void
set_text (answer_t *self, int status, const char *body)
{
    self->status = status;
    self->content_type = TEXT;
    self->body = body;
    self->body_size = strlen (body);
}

static void
reply_preflight (answer_t *self, const ask_t *ask)
{
    self->status = 200;
    self->content_type = NULL;
    self->body = "";
    add_cors (self, ask);
    add_header (self, "Access-Control-Allow-Headers", "Content-Type, SP-Anonymous");
    add_header (self, "Access-Control-Max-Age", PREFLIGHT_LIFE);
}

static void
reply_take (answer_t *self, const answer_rules_t *rules, const ask_t *ask, int64_t now_ms, const char *new_id)
{
    self->take = true;
    self->path = map_path (ask->path, rules->paths, self->mapped_path);
    set_network_userid (self, rules, ask, new_id);
    set_ip (self, ask);
    add_cors (self, ask);
    add_header (self, "P3P", P3P);
    if (!ask->anonymous && rules->cookie_days && is_cookie_value (self->network_userid))
        add_cookie (self, rules, now_ms);
}

static void
reply_pixel (answer_t *self)
{
    self->status = 200;
    self->content_type = "image/gif";
    self->body = pixel;
    self->body_size = sizeof pixel - 1;
    add_header (self, "Cache-Control", "no-cache, no-store, must-revalidate");
}

void
answer_decide (answer_t *self, const answer_rules_t *rules, const ask_t *ask, int64_t now_ms, bool healthy,
               const char *new_id)
{
    *self = (answer_t){ 0 };
    if (ask->line_size > LINE_MAX_BYTES || ask->headers_size > HEADERS_MAX_BYTES) {
        answer_refuse (self, ask, ANSWER_HEAD_TOO_LARGE);
        return;
    }
    switch (find_reply (ask)) {
    case PREFLIGHT:
        reply_preflight (self, ask);
        break;
    case HEALTH:
        set_text (self, healthy ? 200 : 503, healthy ? "OK" : "Service Unavailable");
        break;
    case NO_REDIRECTS:
        set_text (self, 404, "redirects disabled");
        break;
    case TAKE_POST:
        if (ask->body_size > rules->max_body_bytes) {
            answer_refuse (self, ask, ANSWER_TOO_LARGE);
            break;
        }
        set_text (self, 200, "ok");
        reply_take (self, rules, ask, now_ms, new_id);
        break;
    case TAKE_PIXEL:
        reply_pixel (self);
        reply_take (self, rules, ask, now_ms, new_id);
        break;
    case NOT_FOUND:
        set_text (self, 404, "404 not found");
        break;
    }
}

void
answer_refuse (answer_t *self, const ask_t *ask, answer_refusal_t why)
{
    static const struct {
        int status;
        const char *text;
    } refusals [] = {
        [ANSWER_TOO_LARGE] = { 413, "request body too large" },
        [ANSWER_HEAD_TOO_LARGE] = { 400, "request line or headers too large" },
        [ANSWER_UNAVAILABLE] = { 503, "Service Unavailable" },
    };
    *self = (answer_t){ 0 };
    set_text (self, refusals [why].status, refusals [why].text);
    add_cors (self, ask);
}
