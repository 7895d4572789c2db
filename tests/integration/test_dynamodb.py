"""Profiles and history in DynamoDB: on Amazon's own engine, through faults, and past a server that checks signatures

Viewers, events and the naive fold are those of the fault tests.
"""

import http.server
import json
import os
import pathlib
import re
import signal
import threading
import time

import pytest

from audience import Audience, by_event, differences, session_facts, wanted_facts, wanted_rows
from dynamodb import Checker, Engine, Faults, ask, environment, plain
from house import House, is_running, media_event, wait_until


@pytest.fixture(scope="module")
def engine():
    with Engine() as one:
        yield one


@pytest.fixture(scope="module")
def checker():
    """With a key that it knows, as checker.key."""
    with Checker() as one:
        one.key = one.make_key()
        yield one


def tables(name):
    """Of a test alone: the checker is shared."""
    return {"store_events_table": f"{name}_events", "store_profiles_table": f"{name}_profiles"}


def stored_rows(engine):
    return by_event([plain(item) for item in engine.items("video_events")])


def account(house, engine, viewers, deadline_s=180):
    """Everything acknowledged is in the table, and what the gateway tells is the fold. On a busy machine the engine takes its time:
    requests were seen to be given up after 10 s and asked again."""
    last = {}

    def same():
        stored = stored_rows(engine)
        names = {viewer.name for viewer in viewers}
        last["rows"] = differences(wanted_rows(viewers), {key: row for key, row in stored.items() if row["viewer_id"] in names})
        told = {name: session_facts(one) for name, one in house.viewers().items() if name in names}
        last["facts"] = differences(wanted_facts(viewers), told)
        return not last["rows"] and not last["facts"]
    try:
        wait_until(same, "rows and profiles are those of the fold", deadline_s, 0.5)
    except AssertionError:
        raise AssertionError(f"{metric(house, 'dynamodb_waiting'):.0f} wait; {len(last['rows'])} rows differ: {last['rows'][:3]}; "
                             f"{len(last['facts'])} profiles differ: {last['facts'][:3]}") from None


def metric(house, name):
    """The sum of a metric over its labels."""
    text = house.metrics_text()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"usher_{name}{{"))


def log(house):
    return pathlib.Path(house.log).read_text(errors="replace")


def audience_of(house, name):
    """Viewers of a test have names of their own: the engine is shared. They post no faster than it can take."""
    audience = Audience(house, name, every_s=0.03)
    for viewer in audience.viewers:
        viewer.name = f"{name} {viewer.name}"
    return audience


def test_tables_as_the_reference_has_them(engine):
    with House(env=environment(engine.port), shard_forget_s=1) as house:
        house.post([media_event("play", "ann", "s1", position=3.5), media_event("ping", "ben", "s2")])
        row = wait_until(lambda: next((item for item in engine.items("video_events") if item["viewer_id"]["S"] == "ann"), None), "a row")
        assert row["video_ts"] == {"N": "3.5"} and row["adId"] == {"N": "0"} and row["adsClicked"] == {"N": "0"}
        assert row["status"] == {"S": "WATCHING_VIDEO"} and row["event_name"] == {"S": "play_event"}
        stamp = row["collector_tstamp"]["S"]
        assert len(stamp) == 24 and stamp[19] == "." and stamp.endswith("Z")
        profile = wait_until(lambda: next((item for item in engine.items("viewer_profiles") if item["viewer_id"]["S"] == "ann"), None), "a profile")
        assert set(profile) == {"viewer_id", "epoch", "version", "expires_at", "profile", "live_slot"}
        assert profile["profile"].keys() == {"B"} and 0 <= int(profile["live_slot"]["N"]) < 1024
        for table, keys in (("video_events", ["viewer_id", "collector_tstamp"]), ("viewer_profiles", ["viewer_id"])):
            schema = ask(engine.port, "DescribeTable", TableName=table)["Table"]
            assert [key["AttributeName"] for key in schema["KeySchema"]] == keys
            ttl = ask(engine.port, "DescribeTimeToLive", TableName=table)["TimeToLiveDescription"]
            assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
        house.post([media_event("end", "ben", "s2", position=9)])
        wait_until(lambda: not any("live_slot" in item for item in engine.items("viewer_profiles") if item["viewer_id"]["S"] == "ben"),
                   "who has left is in the index no more")
        status, history = house.get("/v1/viewers/ann/history")
        assert status == 200 and [one["event_name"] for one in history["rows"]] == ["play_event"], history
        assert house.rows("SELECT * FROM viewer_profiles") == [] and house.rows("SELECT * FROM counters") == []


def test_shards_and_hosts_come_back(engine):
    """Killed shards load who is live by the index; a host with an empty data directory goes on above the rows' epochs."""
    def epochs():
        return {item["viewer_id"]["S"]: int(item["epoch"]["N"]) for item in engine.items("viewer_profiles")}
    with House(env=environment(engine.port)) as house:
        with audience_of(house, "back") as audience:
            audience.wait_posts(200)
            for name in ("shard-0", "persister", "shard-1"):
                killed = house.kill(name)
                house.wait_replaced(name, killed)
                audience.wait_posts(30)
        account(house, engine, audience.viewers)
        assert house.stop() == 0
    before = epochs()
    with House(env=environment(engine.port)) as house:
        watching = wanted_facts(audience.viewers)
        wait_until(lambda: differences(watching, {name: session_facts(one) for name, one in house.viewers().items() if name in watching}) == [],
                   "a new host shows who was live", 60, 0.3)
        house.post([media_event("end", audience.viewers[0].name, audience.viewers[0].session)])
        wait_until(lambda: epochs()[audience.viewers[0].name] > max(before.values()), "the new host's epoch is above all")


def test_store_is_killed_and_comes_back(engine):
    """The feed goes on without it; afterwards everything is there."""
    with House(env=environment(engine.port)) as house:
        with audience_of(house, "gone") as audience:
            audience.wait_posts(300)
            wait_until(lambda: len(house.viewers()) >= len(audience.viewers), "all viewers are known")
            engine.kill()
            audience.wait_posts(300)
            viewer = audience.viewers[0]
            wait_until(lambda: metric(house, "dynamodb_waiting") > 0, "writes wait")
            feed = house.feed()
            house.post([media_event("error", viewer.name, "another session")])
            message = json.loads(feed.recv())
            assert message["viewer_id"].startswith("gone")
            feed.close()
            pid = house.pid("persister")
            engine.start()
            audience.wait_posts(100)
        for viewer in audience.viewers[:1]:
            house.post([media_event("end", viewer.name, "another session")])
        others = audience.viewers[1:]
        account(house, engine, others)
        assert house.pid("persister") == pid
        assert "store fails" in log(house) and "store works again" in log(house)
        wait_until(lambda: metric(house, "dynamodb_waiting") == 0, "nothing waits")
        assert house.stop() == 0


def test_erased_viewers_are_in_neither_table(engine):
    with Faults(engine.port) as faults, House(env=environment(faults.port)) as house:
        kinds = ["play", "pause"] * 60
        begin = int(time.time() * 1000) - 200
        house.post([media_event(kind, "eve", "s1", begin + at, at) for at, kind in enumerate(kinds)] + [media_event("play", "adam", "s2")])

        def rows_of(viewer):
            return [item for item in engine.items("video_events") if item["viewer_id"]["S"] == viewer]
        wait_until(lambda: len(rows_of("eve")) == len(kinds) and rows_of("adam"), "all rows are there")
        faults.how = {"partly": 0.5, "drop": 0.2}
        assert house.erase("eve")["state"] == "erased"
        faults.how = {}
        assert rows_of("eve") == [] and len(rows_of("adam")) == 1
        assert [item for item in engine.items("viewer_profiles") if item["viewer_id"]["S"] == "eve" and "profile" in item] == []


def test_only_what_failed_is_asked_again(engine):
    with Faults(engine.port) as faults, House(env=environment(faults.port)) as house:
        faults.how = {"throttle": 0.1, "busy": 0.05, "drop": 0.1, "partly": 0.3}
        with audience_of(house, "faults") as audience:
            audience.wait_posts(500)
            faults.how = {"throttle": 1.0}
            throttled = faults.done.get("throttle", 0)
            wait_until(lambda: faults.done.get("throttle", 0) > throttled + 5, "everything is throttled")
            faults.how = {"partly": 0.5, "drop": 0.1}
            audience.wait_posts(100)
        faults.how = {}
        account(house, engine, audience.viewers)
        assert all(faults.done.get(fault, 0) > 0 for fault in ("throttle", "busy", "drop", "partly")), faults.done
        assert metric(house, "dynamodb_retries_total") > 0 and metric(house, "dynamodb_throttles_total") > 0
        assert house.stop() == 0


def write_flattened(path, viewer, begin_s, events):
    """A file of flattened messages, each (name, seconds), in this order."""
    def line(name, at):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(begin_s + at))
        return json.dumps({"collector_tstamp": stamp, "event_id": f"{at:08d}-0000-4000-8000-000000000000", "event_name": f"{name}_event",
                           "viewer_id": viewer, "adsClicked": 0, "adsSkipped": 0, "adId": 0, "video_ts": at}) + "\n"
    fresh = pathlib.Path(f"{path}.fresh")
    fresh.write_text("".join(line(*event) for event in events))
    fresh.rename(path)


def test_a_write_that_never_ended_leaves_no_row(engine, tmp_path):
    """Rows are put, their profile is not, everybody dies, and the events come again in an order in which one of the rows was never
    wanted (decision 026)."""
    def positions():
        return sorted(float(item["video_ts"]["N"]) for item in engine.items("video_events") if item["viewer_id"]["S"] == "cut short")
    begin_s = int(time.time()) - 60
    write_flattened(tmp_path / "events", "cut short", begin_s, [("play", 0), ("pause", 20)])
    with Faults(engine.port) as faults:
        faults.refused = {"BatchExecuteStatement"}
        with House(env=environment(faults.port), ingester_source="file", ingester_file=tmp_path / "events") as house:
            wait_until(lambda: positions() == [0, 20], "both rows are put")
            pids = [house.process.pid, *(entry["pid"] for entry in house.status())]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            house.process.wait()
            wait_until(lambda: not any(is_running(pid) for pid in pids[1:]), "all are dead")
            write_flattened(tmp_path / "events", "cut short", begin_s, [("pause", 10), ("play", 0), ("pause", 20)])
            faults.refused = set()
            house.start()
            wait_until(lambda: positions() == [0, 10], "only the rows that the fold wants")
            wait_until(lambda: metric(house, "dynamodb_unsure_loads_total") == 1, "one viewer was told")
            assert house.stop() == 0
            assert pathlib.Path(house.directory, "data/store.db.unsure").stat().st_size == 0


# ---- signatures and keys


def answered(house):
    """Tables were made, an epoch was granted, a row was put: each a signed request. (moto cannot do PartiQL, so no profile.)"""
    put = re.search(r'^usher_dynamodb_items_total\{[^}]*operation="rows"\} [1-9]', house.metrics_text(), re.M)
    return put and "epoch granted" in log(house)


def test_signatures_are_right(checker):
    with House(env=environment(checker.port, *checker.key), **tables("signed")) as house:
        house.post([media_event("play", "ann", "s1")])
        wait_until(lambda: answered(house), "the store answers")
        assert "table made" in log(house) and "status=403" not in log(house)
        house.abandon()


@pytest.mark.parametrize("wrong, word", [("secret", "AWS_SECRET_ACCESS_KEY"), ("key", "AWS_ACCESS_KEY_ID")])
def test_wrong_keys_are_refused_in_words(checker, wrong, word):
    """The process does not die of it: it goes on asking."""
    key, secret = checker.key
    pair = (key, "not" + secret[3:]) if wrong == "secret" else ("AKIAIOSFODNN7EXAMPLE", secret)
    house = House(env=environment(checker.port, *pair), **tables("refused"))
    try:
        house.launch()
        line = wait_until(lambda: next((line for line in log(house).splitlines() if "store fails" in line), None), "a reason")
        assert word in line and "DescribeTable" in line and "status=403" in line, line
        pid = house.pid("persister")
        asked = checker.asked()
        wait_until(lambda: checker.asked() > asked + 3, "it asks again")
        assert house.pid("persister") == pid and "epoch granted" not in log(house)
    finally:
        house.abandon()
        house.__exit__(None, None, None)


def test_keys_that_nobody_gives_are_named(engine):
    env = environment(engine.port) | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}
    house = House(env={name: value for name, value in env.items() if "KEY" not in name})
    try:
        house.launch()
        line = wait_until(lambda: next((line for line in log(house).splitlines() if "store fails" in line), None), "a reason")
        assert 'hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY' in line, line
    finally:
        house.abandon()
        house.__exit__(None, None, None)


class Metadata:
    """Gives keys as a container's or an instance's service does; each time the next of a list, the last one again."""

    def __init__(self, keys):
        self.keys, self.given, self.asked = keys, 0, []
        metadata = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self):
                metadata.asked.append((self.command, self.path, self.headers.get("Authorization") or
                                       self.headers.get("X-aws-ec2-metadata-token")))
                text = metadata.text(self.command, self.path).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def text(self, method, path):
        if path == "/latest/api/token":
            return "metadata-token" if method == "PUT" else ""
        if path.endswith("/security-credentials/"):
            return "usher-role\n"
        key, secret, lives_s = self.keys[min(self.given, len(self.keys) - 1)]
        self.given += 1
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + lives_s))
        return json.dumps({"AccessKeyId": key, "SecretAccessKey": secret, "Expiration": until})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("source", ["container", "instance"])
def test_keys_from_metadata_are_fetched_again(checker, source):
    """Keys that the server does not know are doubted and fetched anew; those that end soon before they end."""
    with Metadata([("AKIAIOSFODNN7EXAMPLE", "secret", 3600), (*checker.key, 5)]) as metadata:
        env = {name: value for name, value in environment(checker.port).items() if "KEY" not in name}
        if source == "container":
            env |= {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{metadata.url}/keys", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "word"}
        else:
            env |= {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
        house = House(env=env, **tables(source))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            house.env.pop(name, None)
        with house:
            assert "AWS_ACCESS_KEY_ID is not known there" in log(house)
            given = metadata.given
            wait_until(lambda: metadata.given >= given + 2, "keys are fetched again before they end")
            refused = log(house).count("status=403")
            house.post([media_event("play", "ann", "s1")])
            wait_until(lambda: answered(house), "the store answers")
            assert log(house).count("status=403") == refused
            house.abandon()
        words = {word for _, path, word in metadata.asked if path.endswith(("/keys", "/usher-role"))}
        assert words == {"word" if source == "container" else "metadata-token"}


def test_settings_that_cannot_work():
    for env, word in (({"USHER_STORE_KIND": "dynamodb"}, "AWS_REGION"),
                      ({"AWS_ENDPOINT_URL": "127.0.0.1:8000"}, "http://")):
        house = House(env=env)
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            house.env.pop(name, None)
        house.launch()
        assert house.process.wait(20) != 0 and word in log(house)
        house.__exit__(None, None, None)
