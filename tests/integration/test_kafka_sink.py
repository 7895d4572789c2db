"""The collector in front of a real Kafka broker: keys, answers behind acknowledgements, and what a broker that is gone costs."""

import http.client
import json
import time

import pytest

from house import DATA, House, media_event, wait_until

RECORDED = "requests-browser-4.10.json"


def sink_house(broker, topic, **settings):
    names = {"kafka_topic": topic, "kafka_bad_topic": f"{topic}-bad", "kafka_group": f"{topic}-group"}
    return House({"KAFKA_BOOTSTRAP_SERVERS": broker.address}, collector_enabled="true", collector_sink="kafka", **names, **settings)


@pytest.fixture
def topics(broker, topic):
    """A topic, and one beside it for what the collector refuses."""
    broker.create_topic(topic, 4)
    broker.create_topic(f"{topic}-bad", 1)
    return topic


def replay(house):
    answer = house.usher("replay", str(DATA / RECORDED), "--speed", "0", "--url", f"http://127.0.0.1:{house.ports['collector']}")
    assert answer.returncode == 0 and " 0 not answered with 2xx" in answer.stdout, answer


def viewer_of(row):
    columns = row.decode().split("\t")
    assert len(columns) == 131
    return (columns[12] or columns[15]).encode()


def statuses(house):
    return {row["event_id"]: row["status"] for row in house.rows("SELECT event_id, status FROM video_events")}


def test_a_recorded_session_goes_round_through_kafka(broker, topics):
    with House() as house:
        replay(house)
        house.wait_for(lambda: house.metric("events_in_flight") == 0 and house.metric("events_read_total") == house.metric("collector_journal_last"), "all is read")
        house.wait_for(lambda: statuses(house), "rows")
        house.stop()
        wanted = statuses(house)
        bad = [bytes(row["payload"]) for row in house.rows("SELECT payload FROM quarantine")]
    with sink_house(broker, topics) as house:
        replay(house)
        messages = broker.read(topics)
        house.wait_for(lambda: broker.committed(topics, f"{topics}-group") == {each: high for each, (_, high) in broker.ends(topics).items()}, "all is committed", 60)
        assert house.stop() == 0
        assert statuses(house) == wanted and len(wanted) > 10
        assert house.rows("SELECT * FROM quarantine") == []
    assert all((key or b"") == viewer_of(value) for _, _, key, value, _ in messages)
    where = {}
    for partition, _, key, _, _ in messages:
        if key:
            where.setdefault(key, set()).add(partition)
    assert len(where) > 2 and all(len(partitions) == 1 for partitions in where.values())
    refused = broker.read(f"{topics}-bad")
    assert len(refused) == len(bad) == 1
    assert json.loads(refused[0][3]).keys() == json.loads(bad[0]).keys() and dict(refused[0][4])["reason"]


def health(house):
    connection = http.client.HTTPConnection("127.0.0.1", house.ports["collector"], timeout=10)
    connection.request("GET", "/health")
    return connection.getresponse().status


@pytest.mark.parametrize("trouble", ["killed", "frozen"])
def test_a_broker_that_is_gone_is_a_503_and_nothing_is_lost(broker, topics, trouble):
    with sink_house(broker, topics) as house:
        poster = house.poster()
        poster.post_until_taken([media_event("play", "alice", "s1", event_id="11111111-1111-4111-8111-111111111111")])
        broker.kill() if trouble == "killed" else broker.freeze()
        later = [media_event("pause", "alice", "s1", event_id="22222222-2222-4222-8222-222222222222")]
        assert poster.post(later) == 503
        wait_until(lambda: health(house) == 503, "health tells of it")
        broker.start() if trouble == "killed" else broker.thaw()
        poster.post_until_taken(later)
        assert health(house) == 200
        ids = [value.decode().split("\t")[6] for _, _, _, value, _ in broker.read(topics)]
        assert ids [0] == "11111111-1111-4111-8111-111111111111" and set(ids [1:]) == {"22222222-2222-4222-8222-222222222222"}
        house.wait_for(lambda: (house.viewer("alice") or {}).get("status") == "PAUSED_VIDEO", "the profile follows", 60)
        house.wait_for(lambda: house.metric("collector_kafka_waiting") == 0, "no row waits for an answer")
        assert house.stop() == 0


def test_a_row_larger_than_the_topic_takes_is_a_bad_row(broker, topic):
    broker.create_topic(topic, 1, max_message_bytes=200000)
    broker.create_topic(f"{topic}-bad", 1)
    with sink_house(broker, topic, collector_max_body_bytes=8 << 20) as house:
        poster = house.poster()
        for size in (300_000, 2_000_000):
            event = media_event("play", "alice", f"s{size}", label="L" * 10)
            event["co"] = json.dumps({**json.loads(event["co"]), "data": json.loads(event["co"])["data"] + [
                {"schema": "iglu:com.acme/big/jsonschema/1-0-0", "data": {"text": "x" * size}}]})
            poster.post_until_taken([event])
        poster.post_until_taken([media_event("play", "bob", "s")])
        refused = broker.read(f"{topic}-bad")
        assert len(refused) == 2
        for _, _, _, value, headers in refused:
            assert dict(headers)["reason"].startswith(b"size_violation") and len(value) == 65536
        assert len(broker.read(topic)) == 1


def test_a_viewer_stays_in_order_under_load(broker, topics):
    with sink_house(broker, topics) as house:
        poster = house.poster()
        start = int(time.time() * 1000) - 60_000
        for step in range(300):
            poster.post_until_taken([media_event("ping", f"viewer-{n}", "s", at_ms=start + step * 100, event_id=f"{n:08x}-0000-4000-8000-{step:012x}") for n in range(5)])
        seen = {}
        for _, _, key, value, _ in broker.read(topics):
            seen.setdefault(key, []).append(int(value.decode().split("\t")[6][-12:], 16))
        assert seen == {f"viewer-{n}".encode(): list(range(300)) for n in range(5)}
