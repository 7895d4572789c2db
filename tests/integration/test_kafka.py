"""A real Kafka broker in front: what is read, when it is committed, and what deaths, rebalances and lost offsets cost."""

import datetime
import json
import os
import random
import signal
import subprocess
import time

import pytest

from house import House, free_ports, programs, wait_until
from naive import statuses_of
from test_samples import young_flattened, young_sdk, young_tsv

ROW = "viewer_id, collector_tstamp, event_id, event_name, video_ts, adsClicked, adsSkipped, adId, status, state"


def kafka_house(broker, topic, more=None, **settings):
    env = {"KAFKA_BOOTSTRAP_SERVERS": broker.address, **(more or {})}
    return House(env, shards=2, kafka_topic=topic, kafka_group=f"{topic}-group", **settings)


def committed(broker, topic):
    return broker.committed(topic, f"{topic}-group")


def all_committed(broker, topic):
    return committed(broker, topic) == {partition: high for partition, (_, high) in broker.ends(topic).items()}


def wait_committed(broker, topic, deadline_s=90):
    wait_until(lambda: all_committed(broker, topic), f"{topic} is read, durable and committed", deadline_s, 0.3)


# ---- an audience of our own


def instant(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def audience(viewers, events, seed, until_ms=None):
    """Flattened messages of viewers who play and pause as the seed says, a second apart, the last one at until_ms."""
    chance = random.Random(seed)
    until_ms = until_ms or int(time.time() * 1000)
    for step in range(events):
        for number in range(viewers):
            kind = "play" if step == 0 else chance.choices(["ping", "pause", "play", "ad_break_start", "ad_break_end"], [16, 1, 1, 1, 1])[0]
            yield {"collector_tstamp": instant(until_ms - (events - step) * 1000), "event_id": f"{seed}-{number}-{step}",
                   "event_name": f"{kind}_event", "viewer_id": f"viewer-{seed}-{number}", "video_ts": step, "adsClicked": 0,
                   "adsSkipped": 0, "adId": 0}


def keyed(events):
    return [(event["viewer_id"].encode(), json.dumps(event).encode()) for event in events]


def stored_rows(house):
    rows = house.rows("SELECT event_id, status FROM video_events")
    assert len({row["event_id"] for row in rows}) == len(rows), "an event has two rows"
    return {row["event_id"]: row["status"] for row in rows}


# ---- the same as the other sources


def without_epoch(found):
    """Epochs go to shards in the order in which they start."""
    if isinstance(found, dict):
        return {key: without_epoch(value) for key, value in found.items() if key != "epoch"}
    return [without_epoch(each) for each in found] if isinstance(found, list) else found


def taken_in(house):
    return without_epoch(house.viewers()), house.rows(f"SELECT {ROW} FROM video_events ORDER BY viewer_id, collector_tstamp")


@pytest.mark.parametrize("young", [young_flattened, young_tsv, young_sdk])
def test_recorded_session_is_the_same_as_from_a_file(broker, topic, tmp_path, young):
    file = tmp_path / "events"
    young(file)
    lines = file.read_text().splitlines()
    broker.create_topic(topic, 1)
    broker.produce(topic, [(None, line.encode()) for line in lines])
    settings = {"shard_forget_s": 604800, "shard_feed_soft_s": 0}
    with House(ingester_source="file", ingester_file=file, **settings) as one, kafka_house(broker, topic, **settings) as other:
        one.wait_for(lambda: one.metric("source_committed_offset") == file.stat().st_size, "the file is committed")
        wait_committed(broker, topic)
        other.wait_for(lambda: taken_in(one) == taken_in(other), "the same rows and profiles")
        viewers, rows = taken_in(other)
        assert len(rows) > 10 and len(viewers) >= 3
        assert other.stop() == 0


# ---- commits


def test_nothing_is_committed_before_it_is_durable(broker, topic):
    broker.create_topic(topic, 2)
    events = list(audience(20, 10, seed=1))
    with kafka_house(broker, topic) as house:
        wait_until(lambda: len(committed(broker, topic)) == 2, "both partitions are ours")
        house.kill("persister", signal.SIGSTOP)
        broker.produce(topic, keyed(events))
        house.wait_for(lambda: house.metric("events_read_total") == len(events), "all is read")
        assert set(committed(broker, topic).values()) == {0}
        house.kill("persister", signal.SIGCONT)
        wait_committed(broker, topic)
        assert stored_rows(house) == statuses_of(events)


def test_malformed_and_oversized_messages_are_quarantined(broker, topic):
    broker.create_topic(topic, 1, max_message_bytes=4 << 20)
    good = list(audience(3, 3, seed=2))
    bad = [b"", b"{", b"\xff\xfe", b"[1,2]", b'{"event_name":"play_event"}', b"x" * 100, b'{"a":"' + b"y" * (2 << 20) + b'"', None]
    messages = keyed(good)
    for at, body in enumerate(bad):
        messages.insert(at + 1, (b"key", body))
    broker.produce(topic, messages)
    with kafka_house(broker, topic) as house:
        wait_committed(broker, topic)
        rows = house.rows('SELECT source, "offset", reason, length(payload) AS size FROM quarantine ORDER BY "offset"')
        assert [(row["source"], row["offset"]) for row in rows] == [(2, at + 1) for at in range(len(bad))]
        assert all(row["reason"] for row in rows) and rows[6]["size"] == 1 << 20
        assert stored_rows(house) == statuses_of(good)


# ---- deaths


def assert_no_commit_goes_back(broker, topic):
    """librdkafka keeps commits while the coordinator is away and sends them in any order."""
    commits = broker.commits(topic, f"{topic}-group")
    assert commits
    for partition in broker.ends(topic):
        offsets = [offset for of, offset in commits if of == partition]
        assert offsets == sorted(offsets), f"partition {partition}: {offsets}"


@pytest.mark.parametrize("victim", ["ingester", "broker"])
def test_kill_in_midstream(broker, topic, victim):
    broker.create_topic(topic, 3)
    events = list(audience(200, 100, seed=3))
    messages = keyed(events)
    with kafka_house(broker, topic) as house:
        for part in range(4):
            broker.produce(topic, messages[part * 5000:(part + 1) * 5000])
            house.wait_for(lambda: (house.metric("events_read_total") or 0) > 0, "it reads")
            if victim == "ingester":
                house.wait_replaced("ingester", house.kill("ingester"))
            else:
                broker.kill()
                broker.start()
        wait_committed(broker, topic, 120)
        assert stored_rows(house) == statuses_of(events)
        assert house.metric("kafka_offset_alarms_total") == 0
        assert_no_commit_goes_back(broker, topic)
        assert house.stop() == 0


def test_one_commit_is_under_way_at_a_time(broker, topic):
    broker.create_topic(topic, 2)
    events = list(audience(20, 50, seed=16))
    with kafka_house(broker, topic) as house:
        wait_until(lambda: len(committed(broker, topic)) == 2, "both partitions are ours")
        house.kill("persister", signal.SIGSTOP)
        broker.produce(topic, keyed(events))
        house.wait_for(lambda: house.metric("events_read_total") == len(events), "all is read")
        before = house.metric("kafka_commits_total")
        broker.freeze()
        house.kill("persister", signal.SIGCONT)
        house.wait_for(lambda: house.metric("kafka_commits_total") > before, "a commit is sent")
        #  Who is not answered asks again each 2 s.
        end = time.monotonic() + 6
        house.wait_for(lambda: house.metric("kafka_commits_total") > before + 1 or time.monotonic() > end, "three times 2 s pass")
        assert house.metric("kafka_commits_total") == before + 1
        broker.thaw()
        wait_committed(broker, topic)
        assert_no_commit_goes_back(broker, topic)


def test_stop_in_midstream(broker, topic):
    """A drain hands on what was taken; the next start goes on behind it."""
    broker.create_topic(topic, 3)
    events = list(audience(200, 150, seed=13))
    broker.produce(topic, keyed(events))
    with kafka_house(broker, topic) as house:
        house.wait_for(lambda: sum(committed(broker, topic).values()) > 0, "it reads")
        assert house.stop() == 0
        assert sum(committed(broker, topic).values()) > 0
        house.start()
        wait_committed(broker, topic)
        house.wait_for(lambda: house.metric("events_in_flight") == 0, "all is applied")
        assert house.metric("events_duplicate_total") == 0
        assert stored_rows(house) == statuses_of(events)


def clock(house):
    return house.metrics().get("source_clock_milliseconds", {}).get('process="shard-0"')


def test_a_broker_that_is_gone_stops_the_clock(broker, topic):
    broker.create_topic(topic, 2)
    with kafka_house(broker, topic) as house:
        broker.produce(topic, keyed(audience(10, 1, seed=4)))
        first = house.wait_for(lambda: clock(house), "the clock is known")
        house.wait_for(lambda: clock(house) > first + 2000, "the clock goes on at the end of a live topic")
        broker.freeze()
        house.wait_for(lambda: house.metric("kafka_lag") is not None, "metrics go on")
        stood = wait_standing(house)
        broker.thaw()
        house.wait_for(lambda: clock(house) > stood + 2000, "the clock goes on")
        broker.kill()
        house.wait_for(lambda: house.metric("kafka_brokers_up") == 0, "the broker is seen to be gone")
        stood = wait_standing(house)
        assert house.metric("sessions_lost_total") == 0
        broker.start()
        broker.produce(topic, keyed(audience(10, 1, seed=5)))
        house.wait_for(lambda: len(house.viewers()) == 20, "caught up without a hand", 60)
        house.wait_for(lambda: clock(house) > stood + 2000, "the clock goes on", 60)


def test_a_fetcher_that_stops_is_begun_anew(broker, topic, tmp_path):
    """librdkafka's fetchers have stopped for ever after brokers went and came; here something preloaded stops them."""
    stall, library = tmp_path / "stall", programs().parent / "tests/libstalled_fetch.so"
    broker.create_topic(topic, 2)
    first, second = list(audience(20, 10, seed=14)), list(audience(20, 10, seed=15))
    broker.produce(topic, keyed(first))
    with kafka_house(broker, topic, {"LD_PRELOAD": str(library), "USHER_TEST_STALL": str(stall)}, kafka_stall_s=1) as house:
        wait_committed(broker, topic)
        stall.touch()
        wait_until(lambda: not stall.exists(), "nothing is fetched any more")
        broker.produce(topic, keyed(second))
        wait_committed(broker, topic)
        house.wait_for(lambda: house.metric("kafka_stalls_total") >= 1, "it is told")
        assert stored_rows(house) == statuses_of(first + second)
        assert house.metric("events_duplicate_total") == 0


def wait_standing(house):
    """Returns the clock once it has stood still for 4 beats of the shard."""
    seen = {"clock": None, "beats": 0}

    def condition():
        frames = house.metrics()["frames_in_total"]['process="shard-0"']
        now = clock(house)
        if now != seen["clock"]:
            seen.update(clock=now, beats=frames)
        return frames >= seen["beats"] + 4 and now
    return house.wait_for(condition, "the clock stands still", 30)


def test_a_broker_that_comes_late(broker, topic):
    broker.kill()
    with kafka_house(broker, topic) as house:
        broker.start()
        house.wait_for(lambda: house.metric("kafka_brokers_up"), "the broker is seen")
        broker.create_topic(topic, 1)
        events = list(audience(5, 3, seed=6))
        broker.produce(topic, keyed(events))
        wait_committed(broker, topic)
        assert stored_rows(house) == statuses_of(events)


# ---- the group


def test_a_second_house_joins_and_leaves(broker, topic):
    """Keyed by viewer: each event is applied by one of them, once, whoever has the partition."""
    broker.create_topic(topic, 4)
    events = list(audience(100, 90, seed=7))
    messages = keyed(events)
    quick = {"kafka_properties": "session.timeout.ms=6000"}
    with kafka_house(broker, topic, **quick) as one:
        one.wait_for(lambda: one.metric("kafka_partitions_reading") == 4, "the first has all")
        broker.produce(topic, messages[:3000])
        with kafka_house(broker, topic, **quick) as two:
            one.wait_for(lambda: one.metric("kafka_partitions_reading") == 2, "the second has its share", 60)
            broker.produce(topic, messages[3000:6000])
            wait_committed(broker, topic)

            def applied():
                return [house.metric("events_applied_total") for house in (one, two)]
            shares = wait_until(lambda: sum(applied()) == 6000 and applied(), "each event was applied once")
            assert min(shares) > 0
            assert [house.metric("events_duplicate_total") for house in (one, two)] == [0, 0]
            assert two.stop() == 0
        broker.produce(topic, messages[6000:])
        one.wait_for(lambda: one.metric("kafka_partitions_reading") == 4, "the first has all again", 60)
        wait_committed(broker, topic)
        one.wait_for(lambda: one.metric("events_applied_total") == shares[0] + 3000, "the rest was applied once")
        assert one.metric("events_duplicate_total") == 0 and one.metric("kafka_offset_alarms_total") == 0


# ---- offsets that are not there


def test_events_deleted_unread_raise_an_alarm(broker, topic):
    broker.create_topic(topic, 1)
    events = list(audience(10, 10, seed=8))
    broker.produce(topic, keyed(events[:40]))
    with kafka_house(broker, topic) as house:
        wait_committed(broker, topic)
        house.stop()
        broker.produce(topic, keyed(events[40:]))
        broker.delete_records(topic, {0: 60})
        house.start()
        wait_committed(broker, topic)
        house.wait_for(lambda: house.metric("kafka_offset_alarms_total") == 1, "an alarm")
        house.wait_for(lambda: house.metric("events_read_total") == 40, "what is left was read")
        assert "begins behind the group's offset" in open(house.log).read()


def test_policy_stop_leaves_the_partition_alone(broker, topic):
    broker.create_topic(topic, 2)
    broker.produce(topic, keyed(audience(10, 2, seed=9)), partition=0)
    with kafka_house(broker, topic, kafka_out_of_range="stop") as house:
        wait_committed(broker, topic)
        house.stop()
        broker.produce(topic, keyed(audience(10, 2, seed=10)), partition=0)
        broker.produce(topic, keyed(audience(10, 2, seed=10)), partition=1)
        broker.delete_records(topic, {0: 30})
        house.start()
        house.wait_for(lambda: house.metric("kafka_partitions_stopped") == 1, "partition 0 is stopped")
        wait_until(lambda: committed(broker, topic) == {0: 20, 1: 20}, "partition 1 is read")
        house.wait_for(lambda: house.metric("events_read_total") == 20, "only partition 1 was read")


@pytest.mark.parametrize("running", [True, False], ids=["while_it_runs", "while_it_is_down"])
def test_a_topic_made_anew_is_no_replay(broker, topic, running):
    broker.create_topic(topic, 1)
    before, after = list(audience(10, 4, seed=11)), list(audience(10, 2, seed=12))
    broker.produce(topic, keyed(before))
    with kafka_house(broker, topic) as house:
        wait_committed(broker, topic)
        if not running:
            house.stop()
        broker.delete_topic(topic)
        wait_until(lambda: topic not in broker.topics(), "the topic is gone")
        broker.create_topic(topic, 1)
        broker.produce(topic, keyed(after))
        if not running:
            house.start()
        house.wait_for(lambda: len(stored_rows(house)) == len({**statuses_of(before), **statuses_of(after)}), "the new topic's rows", 90)
        assert stored_rows(house) == {**statuses_of(before), **statuses_of(after)}
        house.wait_for(lambda: house.metric("events_applied_total") == len(after) + running * len(before), "all was applied")
        assert house.metric("events_duplicate_total") == 0
        house.wait_for(lambda: house.metric("kafka_offset_alarms_total") == running, "an alarm where it was being read")


# ---- settings


def secure(broker, password):
    return "\n".join(["security.protocol=SASL_SSL", "sasl.mechanisms=PLAIN", "sasl.username=usher", f"sasl.password={password}",
                      f"ssl.ca.location={broker.certificate}"])


def test_tls_and_password(broker, topic):
    broker.create_topic(topic, 1)
    events = list(audience(5, 5, seed=14))
    broker.produce(topic, keyed(events))
    env = {"KAFKA_BOOTSTRAP_SERVERS": broker.secure_address}
    with House(env, kafka_topic=topic, kafka_group=f"{topic}-group", kafka_properties=secure(broker, "wrong")) as house:
        house.wait_for(lambda: "Authentication failed" in open(house.log).read(), "the log says so")
        assert committed(broker, topic) == {}
        assert house.stop() == 0
    with House(env, kafka_topic=topic, kafka_group=f"{topic}-group", kafka_properties=secure(broker, "right")) as house:
        wait_committed(broker, topic)
        assert stored_rows(house) == statuses_of(events)


@pytest.mark.parametrize("program, env", [
    ("ingester", {}), ("collector", {"USHER_COLLECTOR_ENABLED": "true", "USHER_COLLECTOR_SINK": "kafka"})])
def test_a_fault_is_told_once(tmp_path, program, env):
    """librdkafka tells of a connection that fails by two ways; the second and third time it counts them."""
    port, nobody = free_ports(2)
    env = {**os.environ, **env, "USHER_COLLECTOR_PORT": str(port), "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{nobody}"}
    log = tmp_path / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen([programs() / f"usher-{program}", "--dir", tmp_path], env=env, stderr=out)
    try:
        wait_until(lambda: "identical error" in log.read_text(), "it has failed again")
    finally:
        process.kill()
        process.wait()
    told = [line for line in log.read_text().splitlines() if "Connection refused" in line]
    assert [("identical error" in line) for line in told] == [False, True], told


@pytest.mark.parametrize("line, said", [
    ("bogus=1", "line 1: bogus: No such configuration property"),
    ("fetch.wait.max.ms=soon", "line 1: fetch.wait.max.ms: Invalid value"),
    ("enable.auto.commit=true", "enable.auto.commit cannot be set"),
    ("sasl.mechanisms", "'sasl.mechanisms' is not name=value"),
    ("security.protocol=SASL_SSL\nsasl.mechanisms=PLAIN\nsasl.username=me\nsasl.password=secret\nssl.ca.location=/nowhere", "ssl.ca.location"),
])
def test_a_wrong_property_is_named(tmp_path, line, said):
    env = {**os.environ, "USHER_KAFKA_PROPERTIES": line, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    answer = subprocess.run([programs() / "usher-ingester", "--dir", tmp_path], env=env, capture_output=True, text=True, timeout=30)
    assert answer.returncode == 100 and said in answer.stderr
