"""kill -9 of each process under load: nothing acknowledged is lost, nothing is made up, nothing counts twice

Trackers are threads with a fixed share of the viewers each. A tracker sends a viewer's next events, the same again until
the collector says 200, as real ones do. Afterwards the table, the profiles and the counters are those of the naive fold.
USHER_TEST_SEED=anything gives other events and other instants.
"""

import os
import random
import signal
import threading
import time
import uuid

import pytest

from house import SERVICES, House, is_running, media_event, wait_until
from naive import fold, status_of

VIEWERS = 300
TRACKERS = 3
KILLS = 4
SEED = os.environ.get("USHER_TEST_SEED", "1")
KINDS = ["play", "pause", "ping", "ad_break_start", "ad_break_end", "ad_click", "ad_skip", "end", "percent_progress"]
WEIGHTS = [4, 4, 3, 3, 3, 1, 1, 1, 1]


class Viewer:
    """One viewer with one session: what it has sent, and its next event."""

    def __init__(self, name, seed):
        self.name, self.session = name, f"session of {name}"
        self.dice = random.Random(f"{SEED} {seed} {name}")
        self.events, self.position, self.at_ms = [], 0, 0
        self.clicked = self.skipped = 0

    def next_event(self):
        kind = self.dice.choices(KINDS, WEIGHTS)[0] if self.events else "play"
        self.clicked += kind == "ad_click"
        self.skipped += kind == "ad_skip"
        self.position += self.dice.randint(0, 9)
        self.at_ms = max(self.at_ms + 1, int(time.time() * 1000))
        event_id = str(uuid.UUID(int=self.dice.getrandbits(128), version=4))
        self.events.append({"kind": kind, "event_id": event_id, "video_ts": self.position,
                            "clicked": self.clicked, "skipped": self.skipped})
        totals = {"adsClicked": self.clicked, "adsSkipped": self.skipped}
        return media_event(kind, self.name, self.session, self.at_ms, self.position, event_id, totals=totals)


class Audience:
    """Posts without pause inside `with`, at whose end it raises what went wrong in a tracker."""

    def __init__(self, house, seed):
        self.house = house
        self.viewers = [Viewer(f"viewer-{i}", seed) for i in range(VIEWERS)]
        self.leaving, self.error, self.posts = threading.Event(), None, 0
        self.threads = [threading.Thread(target=self.track, args=(i,), daemon=True) for i in range(TRACKERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.leaving.set()
        for thread in self.threads:
            thread.join(90)
        assert kind or not self.error, self.error

    def track(self, number):
        poster, dice = self.house.poster(), random.Random(f"{SEED} {number}")
        mine = self.viewers[number::TRACKERS]
        try:
            while not self.leaving.is_set():
                for viewer in mine:
                    poster.post_until_taken([viewer.next_event() for _ in range(dice.randint(1, 3))])
                    self.posts += 1
        except BaseException as error:
            self.error = error
        poster.close()

    def wait_posts(self, more):
        """So many more posts were answered."""
        goal = self.posts + more
        wait_until(lambda: self.error or self.posts >= goal, f"{more} more posts", 60)


def wanted_rows(viewers):
    return {row["event_id"]: {**row, "viewer_id": viewer.name, "session_id": viewer.session}
            for viewer in viewers for row in fold(viewer.events).rows}


def stored_rows(house):
    rows = house.rows("SELECT * FROM video_events")
    keys = ("event_id", "event_name", "video_ts", "adsClicked", "adsSkipped", "status", "viewer_id", "session_id")
    stored = {row["event_id"]: {key: row[key] for key in keys} for row in rows}
    assert len(stored) == len(rows), "an event has two rows"
    return stored


def session_facts(viewer):
    """The hard ones. A position is soft: a process that is killed may take its last 300 s along."""
    session, = viewer["sessions"]
    return (viewer["status"], session["state"], session["ads_clicked"], session["ads_skipped"])


def wanted_facts(viewers):
    facts = {}
    for viewer in viewers:
        folded = fold(viewer.events)
        facts[viewer.name] = (status_of(folded.state), folded.state, viewer.clicked, viewer.skipped)
    return facts


def differences(one, other):
    return [(key, one.get(key), other.get(key)) for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]


def account(house, viewers, only_live=False):
    """Everything acknowledged is there, and nothing else."""
    last = {}

    def told_and_stored():
        facts = {name: session_facts(viewer) for name, viewer in house.viewers().items()}
        wanted = {name: each for name, each in wanted_facts(viewers).items() if name in facts or not only_live or each[1] != "ENDED"}
        last["facts"] = differences(wanted, facts)
        last["rows"] = differences(wanted_rows(viewers), stored_rows(house))
        return not last["facts"] and not last["rows"]
    try:
        wait_until(told_and_stored, "profiles and rows are those of the fold", 40, 0.3)
    except AssertionError:
        facts, rows = last.get("facts", []), last.get("rows", [])
        raise AssertionError(f"{len(facts)} profiles differ (wanted, told): {facts[:3]}; "
                             f"{len(rows)} rows differ (wanted, stored): {rows[:3]}") from None
    assert house.rows("SELECT * FROM quarantine") == []


@pytest.mark.parametrize("name", SERVICES)
def test_killed_under_load(name):
    dice = random.Random(f"{SEED} kill {name}")
    with House() as house:
        with Audience(house, name) as audience:
            audience.wait_posts(100)
            for _ in range(KILLS):
                killed = house.kill(name)
                house.wait_replaced(name, killed)
                audience.wait_posts(dice.randint(1, 150))
        house.wait_ready()
        account(house, audience.viewers)
        restarts = {entry["name"]: entry["restarts"] for entry in house.status()}
        assert restarts[name] == KILLS, restarts
        assert house.stop() == 0


def test_all_killed_at_once():
    with House() as house:
        with Audience(house, "all") as audience:
            for _ in range(2):
                audience.wait_posts(150)
                killed = {name: house.kill(name) for name in SERVICES}
                for name, pid in killed.items():
                    house.wait_replaced(name, pid)
        house.wait_ready()
        account(house, audience.viewers)


def test_supervisor_killed():
    """Its children go, and the next `usher up` in the same directory goes on."""
    with House() as house:
        with Audience(house, "supervisor") as audience:
            for _ in range(2):
                audience.wait_posts(200)
                children = [entry["pid"] for entry in house.status()]
                house.process.kill()
                house.process.wait()
                house.launch()
                wait_until(lambda: not any(is_running(pid) for pid in children), "the orphans are gone", 15)
                house.wait_ready()
        account(house, audience.viewers, only_live=True)


def test_stopped_shard_is_replaced():
    """SIGSTOP: no beat for 10 s, so the watchdog kills it."""
    with House() as house:
        with Audience(house, "watchdog") as audience:
            audience.wait_posts(100)
            stopped = house.kill("shard-0", signal.SIGSTOP)
            begin = time.monotonic()
            house.wait_replaced("shard-0", stopped, 30)
            assert 5 < time.monotonic() - begin < 25
            assert not is_running(stopped)
        house.wait_ready()
        account(house, audience.viewers)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_drain_and_second_start(how):
    with House() as house:
        with Audience(house, "drain") as audience:
            audience.wait_posts(400)
        pids = [entry["pid"] for entry in house.status()]
        assert house.stop(how) == 0
        assert not any(is_running(pid) for pid in pids)
        #  Everything acknowledged is in the store already, before anything starts again.
        assert differences(wanted_rows(audience.viewers), stored_rows(house)) == []
        house.start()
        account(house, audience.viewers, only_live=True)


def test_stop_command():
    with House() as house:
        pids = [entry["pid"] for entry in house.status()]
        answer = house.usher("stop")
        assert answer.returncode == 0, answer
        assert house.process.wait(30) == 0
        assert not any(is_running(pid) for pid in pids)
        assert house.usher("status").returncode != 0
