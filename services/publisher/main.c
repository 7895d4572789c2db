//  usher-publisher - the links and routes of the publisher; see publisher.h

#include "publisher.h"

static const service_link_t links [] = {
    { USHER_LINK_changes, SERVICE_BIND },
    { USHER_LINK_snapshots, SERVICE_BIND },
    { USHER_LINK_feed, SERVICE_PUBLISH },
    { USHER_LINK_store, SERVICE_CONNECT },
};

static const service_route_t routes [] = {
    { USHER_LINK_snapshots, USHER_MSG_snapshot_request, publisher_snapshot_request },
    { USHER_LINK_store, USHER_MSG_aggregate_kept, publisher_aggregate_kept },
};

static void
publish (void *arg, const void *topic, size_t topic_size, const void *data, size_t size)
{
    service_publish (arg, USHER_LINK_feed, topic, topic_size, data, size);
}

static void *
publisher_open (service_t *service, const config_t *config, uint32_t instance, int *exit_code)
{
    (void)config;
    (void)instance;
    (void)exit_code;
    return publisher_new ((uint64_t)service_now ().wall_ms, publish, service);
}

int
main (int argc, char **argv)
{
    const service_spec_t spec = {
        .name = "publisher",
        .links = links,
        .link_count = sizeof links / sizeof *links,
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .lot_link = USHER_LINK_changes,
        .lot = publisher_changes,
        .open = publisher_open,
        .peer_up = publisher_peer_up,
        .peer_down = publisher_peer_down,
        .turn = publisher_turn,
        .tick = publisher_tick,
        .drained = publisher_drained,
        .metrics = publisher_metrics,
        .close = publisher_destroy,
    };
    return service_main (argc, argv, &spec);
}
