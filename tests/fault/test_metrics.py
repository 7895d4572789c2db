"""The gateway's /metrics, read by Prometheus' own parser, and the sum that must come out: no event is anywhere but in one place."""

import json

from prometheus_client.parser import text_string_to_metric_families

from house import DATA, House, wait_until

PROCESSES = {"collector", "gateway", "ingester", "persister", "publisher", "shard-0", "shard-1"}


def families(house):
    return {family.name: family for family in text_string_to_metric_families(house.metrics_text())}


def total(found, name):
    return sum(sample.value for sample in found[name].samples)


def replayed(house):
    """Replays both recordings; returns the metrics once every row was read."""
    for file in ("requests-browser-4.10.json", "requests-node-4.8.0.json"):
        house.usher("replay", str(DATA / file), "--speed", "1000", "--url", f"http://127.0.0.1:{house.ports['collector']}")

    def settled():
        found = families(house)
        if not {"usher_events_read", "usher_events_applied", "usher_collector_journal_last"} <= found.keys():
            return None
        rows = total(found, "usher_collector_journal_last")
        done = rows > 0 and total(found, "usher_events_read") == rows and total(found, "usher_events_in_flight") == 0
        return found if done else None

    return wait_until(settled, "the metrics of all rows")


def test_every_event_is_in_one_place():
    with House() as house:
        found = replayed(house)
        read, routed = total(found, "usher_events_read"), total(found, "usher_events_routed")
        assert read == routed + total(found, "usher_events_passed_by") + total(found, "usher_events_quarantined")
        shards = ("usher_events_applied", "usher_events_duplicate", "usher_events_late", "usher_events_erased", "usher_events_held")

        def counted():
            now = families(house)
            return sum(total(now, name) for name in shards) == routed

        wait_until(counted, "the shards' share of the metrics")


def test_metrics_have_help_type_and_process():
    with House() as house:
        found = replayed(house)
        for name, family in found.items():
            assert name.startswith("usher_") and family.documentation.endswith("."), name
            assert family.type in ("counter", "gauge"), name
            assert all(sample.labels.get("process") for sample in family.samples), name
        up = {sample.labels["process"]: sample.value for sample in found["usher_process_up"].samples}
        assert up == dict.fromkeys(PROCESSES, 1), json.dumps(up)
