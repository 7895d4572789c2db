//  tracker_ip - an address with its last parts masked, as Enrich's IP anonymisation does it

#ifndef TRACKER_IP_H_INCLUDED
#define TRACKER_IP_H_INCLUDED

#include "snowplow/tracker_text.h"

#include <stdbool.h>

//  How many parts at the end become `x`: of IPv4 octets (0 to 4), of IPv6 segments (0 to 8). 0 leaves it alone.
typedef struct {
    unsigned octets;
    unsigned segments;
} tracker_ip_mask_t;

//  Append the address, masked: 94.15.223.x, or 2605:2700:0:3:x:x:x:x, whose segments are written out first. What is
//  no address is masked at its dots or colons, if it has any. Masking twice changes nothing.
void tracker_ip_put (span_t ip, tracker_ip_mask_t mask, tracker_text_t *out);

#endif
