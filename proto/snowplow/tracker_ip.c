//  tracker_ip - an address with its last parts masked, as Enrich's IP anonymisation does it

#include "snowplow/tracker_ip.h"

#include <arpa/inet.h>
#include <string.h>

#define OCTETS 4u
#define SEGMENTS 8u

//  Is it IPv6 proper? One that carries an IPv4 address is masked as that.
static bool
read_segments (span_t ip, uint16_t segments [SEGMENTS])
{
    char text [INET6_ADDRSTRLEN] = "";
    struct in6_addr address;
    if (ip.size >= sizeof text)
        return false;
    memcpy (text, ip.data, ip.size);
    if (inet_pton (AF_INET6, text, &address) != 1 || IN6_IS_ADDR_V4MAPPED (&address))
        return false;
    for (unsigned index = 0; index < SEGMENTS; index++)
        segments [index] = (uint16_t)(address.s6_addr [2 * index] << 8 | address.s6_addr [2 * index + 1]);
    return true;
}

static void
put_segments (const uint16_t segments [SEGMENTS], unsigned kept, tracker_text_t *out)
{
    for (unsigned index = 0; index < SEGMENTS; index++) {
        if (index > 0)
            tracker_text_putc (out, ':');
        if (index < kept)
            tracker_text_printf (out, "%x", (unsigned)segments [index]);
        else
            tracker_text_putc (out, 'x');
    }
}

//  Keep so many parts of a text; each part after them becomes `x`, and so do those it lacks of `whole`.
static void
put_parts (span_t ip, char separator, unsigned kept, unsigned whole, tracker_text_t *out)
{
    const char *at = ip.data;
    const char *end = ip.data + ip.size;
    for (unsigned index = 0; at || index < whole; index++) {
        const char *stop = at ? memchr (at, separator, (size_t)(end - at)) : NULL;
        if (index > 0)
            tracker_text_putc (out, separator);
        if (index < kept && at)
            tracker_text_put (out, at, (size_t)((stop ? stop : end) - at));
        else
            tracker_text_putc (out, 'x');
        at = stop ? stop + 1 : NULL;
    }
}

void
tracker_ip_put (span_t ip, tracker_ip_mask_t mask, tracker_text_t *out)
{
    uint16_t segments [SEGMENTS];
    bool dots = ip.size && memchr (ip.data, '.', ip.size);
    bool colons = ip.size && memchr (ip.data, ':', ip.size);
    bool proper = colons && read_segments (ip, segments);
    if (mask.segments && proper)
        put_segments (segments, SEGMENTS - mask.segments, out);
    else if (mask.octets && dots && !proper)
        put_parts (ip, '.', OCTETS - mask.octets, 0, out);
    else if (mask.segments && colons && !dots)
        put_parts (ip, ':', SEGMENTS - mask.segments, SEGMENTS, out);
    else
        tracker_text_put (out, ip.data, ip.size);
}
