"""A seeded audience on a topic, processes killed meanwhile: in the end table, profiles and counters are those of the naive model

USHER_TEST_SEED=anything gives another audience and other deaths; the seed is printed when a test fails.
"""

import os
import random

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker import Broker
from dynamodb import Engine, environment, plain
from house import SERVICES, House, wait_until
from model import Picture
from subscriber import Subscriber
from topic import topic

SEED = os.environ.get("USHER_TEST_SEED", "1")
VIEWERS, EVENTS = 200, 60
FACTS = ("event_id", "event_name", "video_ts", "adsClicked", "adsSkipped", "status", "adId")


class File:
    """A file that grows as the source. A message is a line, so those of the audience hold no line feed."""

    processes = []

    def __init__(self, directory):
        self.path = os.path.join(directory, "topic.ndjson")
        open(self.path, "wb").close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def house(self):
        return House(ingester_source="file", ingester_file=self.path)

    def tables(self, house):
        """The rows of both tables."""
        return house.rows("SELECT * FROM video_events"), house.rows("SELECT * FROM viewer_profiles")

    def write(self, messages):
        with open(self.path, "ab") as file:
            file.writelines(message.value + b"\n" for message in messages)


class Topic(Broker):
    """A topic of four partitions, keyed by viewer, on a broker that is one of those who are killed."""

    processes = ["broker"]

    def __init__(self, directory):
        super().__init__()

    def house(self):
        self.create_topic("snowplow-enriched-good", 4)
        return House({"KAFKA_BOOTSTRAP_SERVERS": self.address})

    tables = File.tables

    def write(self, messages):
        self.produce("snowplow-enriched-good", [(message.key, message.value) for message in messages])

    def replace(self, name):
        self.kill()
        self.start()


class Cloud(Topic):
    """In the reference's place: a topic, and the tables in DynamoDB, whose engine is killed too."""

    processes = ["broker", "store"]

    def __init__(self, directory):
        super().__init__(directory)
        self.engine = Engine()

    def __enter__(self):
        self.engine.start()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.engine.__exit__(*error)

    def house(self):
        self.create_topic("snowplow-enriched-good", 4)
        return House({"KAFKA_BOOTSTRAP_SERVERS": self.address, **environment(self.engine.port)})

    def tables(self, house):
        profiles = [item for item in self.engine.items("viewer_profiles") if "profile" in item]    # and not the counter of epochs
        return [plain(item) for item in self.engine.items("video_events")], [plain(item) for item in profiles]

    def replace(self, name):
        if name == "broker":
            return super().replace(name)
        self.engine.kill()
        self.engine.start()


def keyed(rows):
    return {(row["viewer_id"], row["collector_tstamp"]): {key: row[key] for key in FACTS} for row in rows}


def told(viewers):
    """What the gateway says of the viewers, each of whom has one session."""
    return {name: {"status": viewer["status"], "adsClicked": viewer["sessions"][0]["ads_clicked"],
                   "adsSkipped": viewer["sessions"][0]["ads_skipped"]} for name, viewer in viewers.items()}


def differences(wanted, found):
    return [(key, wanted.get(key), found.get(key)) for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]


def account(source, house, subscriber, picture):
    """Waits until everything is what the model says."""
    last = {}
    viewers = {name: {key: facts[key] for key in ("status", "adsClicked", "adsSkipped")} for name, facts in picture.viewers.items()}

    def agrees():
        rows, profiles = source.tables(house)
        last["rows"] = differences(picture.rows, keyed(rows))
        last["profiles"] = sorted(viewers.keys() ^ {profile["viewer_id"] for profile in profiles})
        last["viewers"] = differences(viewers, told(house.viewers()))
        last["seen"] = differences(viewers, told(dict(subscriber.viewers or {})))
        bad = house.rows("SELECT count(*) AS count FROM quarantine")
        last["bad"] = bad and bad[0]["count"] - picture.bad
        return not any(last.values())

    try:
        wait_until(agrees, "store, gateway and subscriber agree with the model", 180, 0.5)
    except AssertionError:
        found = {what: (len(some), some[:3]) if isinstance(some, list) else some for what, some in last.items()}
        raise AssertionError(f"seed {SEED}: wanted, found: {found}") from None
    ids = {event["event_id"] for events in picture.events.values() for event in events.values()}
    assert {message["event_id"] for message in subscriber.messages} <= ids


def counted(house):
    """Events by what became of them, as the processes count."""
    families = {family.name: family for family in text_string_to_metric_families(house.metrics_text())}
    names = ("read", "passed_by", "quarantined", "applied", "duplicate", "late", "held", "in_flight")
    return {name: sum(sample.value for sample in families[f"usher_events_{name}"].samples)
            for name in names if f"usher_events_{name}" in families}


def check_conservation(house, picture):
    """Each event is in one place, and nothing was applied twice."""
    wanted = {"read": picture.read, "passed_by": picture.passed_by, "quarantined": picture.bad, "duplicate": picture.duplicates,
              "applied": sum(len(events) for events in picture.events.values()), "late": 0, "held": 0, "in_flight": 0}
    last = {}

    def agrees():
        last.update(counted(house))
        return last == wanted

    try:
        wait_until(agrees, "the counters agree with the model", 20, 0.3)
    except AssertionError:
        raise AssertionError(f"seed {SEED}: counters, wanted and found: {differences(wanted, last)}") from None


def write_in_parts(source, messages, dice):
    at = 0
    while at < len(messages):
        step = dice.randint(1, max(1, len(messages) // 20))
        source.write(messages[at:at + step])
        at += step
        yield


def kill(name, house, source):
    if name in source.processes:
        source.replace(name)
    else:
        house.wait_replaced(name, house.kill(name))


@pytest.mark.parametrize("killed", ["nobody", "everybody in turn"])
@pytest.mark.parametrize("kind", [File, Topic, Cloud])
def test_house_agrees_with_the_model(kind, killed, tmp_path):
    dice = random.Random(f"{SEED} {killed}")
    messages = topic(f"{SEED} {killed}", VIEWERS, EVENTS)
    with kind(tmp_path) as source, source.house() as house, Subscriber(house) as subscriber:
        names = [name for name in SERVICES if name != "collector"] + source.processes if killed != "nobody" else []
        for _ in write_in_parts(source, messages, dice):
            if names and dice.random() < 0.4:
                kill(names.pop(dice.randrange(len(names))), house, source)
        picture = Picture([message.value for message in messages])
        account(source, house, subscriber, picture)
        if killed == "nobody":
            check_conservation(house, picture)
        assert house.stop() == 0
