//  head - what the head of a request says, as libmicrohttpd gives it

#include "head.h"

#include <stdlib.h>
#include <string.h>

static span_t
find_header (struct MHD_Connection *connection, const char *name)
{
    return span_of (MHD_lookup_connection_value (connection, MHD_HEADER_KIND, name));
}

//  The other end's address; `bind` is IPv4, so it is too.
static void
read_peer (head_t *self, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || info->client_addr->sa_family != AF_INET)
        return;
    const struct sockaddr_in *address = (const void *)info->client_addr;
    inet_ntop (AF_INET, &address->sin_addr, self->peer, sizeof self->peer);
}

//  What stands behind the request line.
static size_t
headers_size (struct MHD_Connection *connection, size_t line_size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info (connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info && info->header_size > line_size ? info->header_size - line_size : 0;
}

void
head_read (head_t *self, struct MHD_Connection *connection, const char *method)
{
    span_t uri = tracker_text_span (&self->uri);
    size_t line_size = strlen (method) + uri.size + sizeof "  HTTP/1.1\r\n" - 1;
    const char *mark = memchr (uri.data, '?', uri.size);
    size_t path_size = mark ? (size_t)(mark - uri.data) : uri.size;
    read_peer (self, connection);
    self->told_length = strtoull (find_header (connection, "Content-Length").data, NULL, 10);
    self->content_type = find_header (connection, "Content-Type");
    self->user_agent = find_header (connection, "User-Agent");
    self->referer = find_header (connection, "Referer");
    self->ask = (ask_t){
        .method = span_of (method),
        .path = { uri.data, path_size },
        .query = mark ? (span_t){ mark + 1, uri.size - path_size - 1 } : span_of (NULL),
        .origin = find_header (connection, "Origin"),
        .cookie = find_header (connection, "Cookie"),
        .forwarded_for = find_header (connection, "X-Forwarded-For"),
        .peer = span_of (self->peer),
        .anonymous = MHD_lookup_connection_value (connection, MHD_HEADER_KIND, "SP-Anonymous") != NULL,
        .line_size = line_size,
        .headers_size = headers_size (connection, line_size),
    };
}

void
head_free (head_t *self)
{
    tracker_text_free (&self->uri);
}
