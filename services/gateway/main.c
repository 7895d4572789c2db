//  usher-gateway - the links and routes of the gateway; see gateway.h

#include "gateway.h"

static const service_link_t links [] = {
    { USHER_LINK_feed, SERVICE_SUBSCRIBE },
    { USHER_LINK_snapshots, SERVICE_CONNECT },
    { USHER_LINK_store, SERVICE_CONNECT },
};

static const service_route_t routes [] = {
    { USHER_LINK_snapshots, USHER_MSG_snapshot_slot, gateway_snapshot_slot },
    { USHER_LINK_snapshots, USHER_MSG_session, gateway_session },
    { USHER_LINK_store, USHER_MSG_history_row, gateway_history_row },
    { USHER_LINK_store, USHER_MSG_erasure, gateway_erasure },
    { USHER_LINK_store, USHER_MSG_aggregate_row, gateway_aggregate_row },
    { USHER_LINK_control, USHER_MSG_metrics, gateway_take_metrics },
};

int
main (int argc, char **argv)
{
    const service_spec_t spec = {
        .name = "gateway",
        .links = links,
        .link_count = sizeof links / sizeof *links,
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .open = gateway_open,
        .peer_up = gateway_peer_up,
        .turn = gateway_turn,
        .tick = gateway_tick,
        .ready = gateway_ready,
        .drained = gateway_drained,
        .metrics = gateway_metrics,
        .close = gateway_close,
    };
    return service_main (argc, argv, &spec);
}
