//  filter - what a client of /v1/live has subscribed to
//
//  Names of viewers and titles are kept as their walk_hash.

#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  Names that one client may subscribe to, of viewers and of titles each.
#define FILTER_NAMES 64

typedef struct {
    bool all, stats, messages;
    uint64_t viewers [FILTER_NAMES], titles [FILTER_NAMES];
    size_t viewer_count, title_count;
} filter_t;

//  Everything: what a client gets that has not subscribed.
filter_t filter_all (void);

//  Reads {"subscribe":[...]}. Returns NULL, or what is wrong with it in words; the filter is as it was then.
const char *filter_read (filter_t *filter, const char *text, size_t size);

//  Does it let any viewer through? And this one, who has these titles?
bool filter_has_viewers (const filter_t *filter);
bool filter_wants (const filter_t *filter, uint64_t viewer, const uint64_t *titles, size_t title_count);

#endif
