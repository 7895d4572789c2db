//  tracker_url - a page's address taken apart into its six columns

#include "snowplow/tracker_url.h"

#include <string.h>

#define URL_PORT_MAX 2147483647    //  Java keeps any int

static bool
is_alpha (char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool
is_digit (char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool
is_one_of (char byte, const char *set)
{
    return byte && strchr (set, byte);
}

static int
hex_value (char byte)
{
    static const char digits [] = "0123456789abcdef";
    char lower = is_alpha (byte) ? (char)(byte | 0x20) : byte;
    const char *found = byte ? strchr (digits, lower) : NULL;
    return found ? (int)(found - digits) : -1;
}

static bool
is_escape (const char *at, const char *end)
{
    return end - at >= 3 && *at == '%' && hex_value (at [1]) >= 0 && hex_value (at [2]) >= 0;
}

//  Where a byte of the set stands first; the end if none does.
static const char *
find_any (const char *at, const char *end, const char *set)
{
    while (at < end && !is_one_of (*at, set))
        at++;
    return at;
}

//  ---- Schemes

//  The colon behind a scheme; NULL if the address has none. *broken tells a colon behind what is no scheme.
static const char *
find_colon (span_t url, bool *broken)
{
    const char *end = url.data + url.size;
    const char *colon = find_any (url.data, end, ":/?#");
    *broken = false;
    if (colon == end || *colon != ':')
        return NULL;
    bool good = colon > url.data && is_alpha (*url.data);
    for (const char *at = url.data; at < colon; at++)
        good = good && (is_alpha (*at) || is_digit (*at) || is_one_of (*at, "+-."));
    *broken = !good;
    return good ? colon : NULL;
}

//  ---- Encoding

//  May the byte at `at` stand in a URI as it is? '#' only once, '[' and ']' not in a path; what is not ASCII
//  is legal to Java.
static bool
is_legal (const char *at, const char *end, bool in_path, bool in_fragment)
{
    if (*at == '%')
        return is_escape (at, end);
    if (*at == '#')
        return !in_fragment;
    if (in_path && is_one_of (*at, "[]"))
        return false;
    return is_alpha (*at) || is_digit (*at) || (unsigned char)*at >= 0x80 ||
           is_one_of (*at, "-_.!~*'();/?:@&=+$,[]");
}

//  Where the path begins: behind scheme and authority, for there brackets are legal.
static const char *
find_path (span_t url)
{
    bool broken;
    const char *colon = find_colon (url, &broken);
    const char *at = colon ? colon + 1 : url.data;
    const char *end = url.data + url.size;
    if (end - at >= 2 && at [0] == '/' && at [1] == '/')
        return find_any (at + 2, end, "/?#");
    return at;
}

//  Append the address with its illegal bytes encoded; `strict` encodes what is not ASCII too. Returns whether
//  all but blanks was legal.
static bool
encode (span_t raw, bool strict, tracker_text_t *out)
{
    const char *path = find_path (raw);
    const char *end = raw.data + raw.size;
    bool legal = true, in_query = false, in_fragment = false, broken_scheme;
    find_colon (raw, &broken_scheme);
    for (const char *at = raw.data; at < end; at++) {
        bool in_path = at >= path && !in_query && !in_fragment;
        bool good = is_legal (at, end, in_path, in_fragment);
        if (broken_scheme && in_path && *at == ':')
            good = false;
        legal = legal && (good || *at == ' ');
        if (good && !(strict && (unsigned char)*at >= 0x80))
            tracker_text_putc (out, *at);
        else
            tracker_text_printf (out, "%%%02X", (unsigned)(unsigned char)*at);
        in_query = in_query || *at == '?';
        in_fragment = in_fragment || *at == '#';
    }
    return legal;
}

void
tracker_url_encode (span_t raw, tracker_text_t *out)
{
    size_t before = out->size;
    if (encode (raw, false, out))
        return;
    out->size = before;
    encode (raw, true, out);
}

//  ---- Splitting

static bool
is_ipv4 (span_t host)
{
    unsigned parts = 1, value = 0, digits = 0;
    for (size_t index = 0; index < host.size; index++) {
        if (is_digit (host.data [index]) && digits < 3) {
            value = value * 10 + (unsigned)(host.data [index] - '0');
            digits++;
        } else if (host.data [index] == '.' && digits > 0 && parts < 4) {
            parts++;
            value = digits = 0;
        } else
            return false;
        if (value > 255)
            return false;
    }
    return parts == 4 && digits > 0;
}

//  Labels of letters, digits and inner hyphens; the last begins with a letter; one dot may follow.
static bool
is_dns_name (span_t host)
{
    const char *end = host.data + host.size;
    if (host.size && end [-1] == '.')
        end--;
    const char *label = host.data;
    bool last_is_alpha = false;
    while (label < end) {
        const char *stop = find_any (label, end, ".");
        if (stop == label || *label == '-' || stop [-1] == '-')
            return false;
        for (const char *at = label; at < stop; at++)
            if (!is_alpha (*at) && !is_digit (*at) && *at != '-')
                return false;
        last_is_alpha = is_alpha (*label);
        if (stop + 1 == end)
            return false;
        label = stop < end ? stop + 1 : end;
    }
    return last_is_alpha;
}

//  The inside of brackets; Java checks the groups too, which no browser gets wrong.
static bool
is_ipv6 (span_t host)
{
    if (host.size < 4 || host.data [0] != '[' || host.data [host.size - 1] != ']')
        return false;
    size_t colons = 0;
    for (size_t index = 1; index + 1 < host.size && host.data [index] != '%'; index++) {
        if (hex_value (host.data [index]) < 0 && !is_one_of (host.data [index], ":."))
            return false;
        colons += host.data [index] == ':';
    }
    return colons >= 2;
}

//  Digits behind a colon, perhaps none. False if it is no port.
static bool
read_port (const char *at, const char *end, uint32_t *port)
{
    uint64_t value = 0;
    for (; at < end; at++) {
        if (!is_digit (*at))
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
        if (value > URL_PORT_MAX)
            return false;
        *port = (uint32_t)value;
    }
    return true;
}

//  `[user@]host[:port]`. If any part is odd then Java takes the whole for a registry name: no host, no port.
static void
split_authority (span_t authority, tracker_url_t *parts)
{
    const char *end = authority.data + authority.size;
    const char *at = find_any (authority.data, end, "@");
    at = at < end ? at + 1 : authority.data;
    const char *stop = at < end && *at == '[' ? find_any (at, end, "]") : find_any (at, end, ":");
    if (stop < end && *stop == ']')
        stop++;
    span_t host = { at, (size_t)(stop - at) };
    uint32_t port = parts->port;
    if (stop < end && (*stop != ':' || !read_port (stop + 1, end, &port)))
        return;
    if (is_ipv4 (host) || is_dns_name (host) || is_ipv6 (host)) {
        parts->host = host;
        parts->port = port;
    }
}

//  A scheme whose colon no slash follows makes an opaque address, of which Java gives neither path nor query.
static void
split_behind_scheme (const char *at, const char *end, tracker_url_t *parts)
{
    if (end - at >= 2 && at [0] == '/' && at [1] == '/') {
        const char *stop = find_any (at + 2, end, "/?#");
        split_authority ((span_t){ at + 2, (size_t)(stop - at - 2) }, parts);
        at = stop;
    }
    const char *fragment = find_any (at, end, "#");
    const char *query = find_any (at, fragment, "?");
    parts->path = (span_t){ at, (size_t)(query - at) };
    if (query < fragment)
        parts->query = (span_t){ query + 1, (size_t)(fragment - query - 1) };
    if (fragment < end)
        parts->fragment = (span_t){ fragment + 1, (size_t)(end - fragment - 1) };
}

void
tracker_url_split (span_t url, tracker_url_t *parts)
{
    static const span_t none = { "", 0 };
    *parts = (tracker_url_t){ none, none, none, none, none, 80 };
    bool broken;
    const char *colon = find_colon (url, &broken);
    if (colon)
        parts->scheme = (span_t){ url.data, (size_t)(colon - url.data) };
    if (span_is (parts->scheme, "https"))
        parts->port = 443;
    const char *end = url.data + url.size;
    split_behind_scheme (colon ? colon + 1 : url.data, end, parts);
    if (colon && (colon + 1 == end || colon [1] != '/'))
        parts->path = parts->query = none;
}

//  ---- Query strings

int
tracker_url_decode (span_t text, tracker_text_t *out)
{
    const char *end = text.data + text.size;
    size_t before = out->size;
    for (const char *at = text.data; at < end; at++) {
        if (*at == '%') {
            if (!is_escape (at, end)) {
                out->size = before;
                return -1;
            }
            tracker_text_putc (out, (char)(hex_value (at [1]) << 4 | hex_value (at [2])));
            at += 2;
        } else
            tracker_text_putc (out, *at == '+' ? ' ' : *at);
    }
    return 0;
}

bool
tracker_url_next_pair (span_t *rest, span_t *key, span_t *value)
{
    while (rest->size && *rest->data == '&') {
        rest->data++;
        rest->size--;
    }
    if (rest->size == 0)
        return false;
    const char *end = rest->data + rest->size;
    const char *stop = find_any (rest->data, end, "&");
    const char *equals = find_any (rest->data, stop, "=");
    *key = (span_t){ rest->data, (size_t)(equals - rest->data) };
    *value = (span_t){ equals < stop ? equals + 1 : stop, equals < stop ? (size_t)(stop - equals - 1) : 0 };
    *rest = (span_t){ stop, (size_t)(end - stop) };
    return true;
}
