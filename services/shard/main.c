//  main - starts a shard

#include "shard.h"
#include "log.h"

#include <stdlib.h>

static void *
open_shard (service_t *service, const config_t *config, uint32_t instance, int *exit_code)
{
    (void)service, (void)exit_code;
    return shard_new (config, instance, service_now ());
}

static void
close_shard (void **self_p)
{
    shard_destroy ((shard_t **)self_p);
}

//  A stale owner has nothing to save: what it holds is somebody else's now.
static bool
turn_shard (void *self, usher_time_t now, outbox_t *out)
{
    if (shard_is_stale (self)) {
        log_error ("stale owner", "hint=\"a newer owner of these slots has written; this one ends\"");
        exit (EXIT_TRY_AGAIN);
    }
    return shard_turn (self, now, out);
}

int
main (int argc, char **argv)
{
    const service_spec_t spec = {
        .name = "shard",
        .links = shard_links,
        .link_count = shard_link_count,
        .routes = shard_routes,
        .route_count = shard_route_count,
        .open = open_shard,
        .peer_up = shard_peer_up,
        .peer_down = shard_peer_down,
        .lot_link = USHER_LINK_events,
        .lot = shard_events,
        .expect_link = USHER_LINK_store,
        .expect = shard_expect,
        .turn = turn_shard,
        .tick = shard_tick,
        .ready = shard_ready,
        .drained = shard_drained,
        .metrics = shard_metrics,
        .note = shard_note,
        .close = close_shard,
    };
    return service_main (argc, argv, &spec);
}
