"""audience - trackers that post a viewer's events until they are taken, and what must have come of it

    with Audience(house, "a name of the test") as audience:
        audience.wait_posts(100)
    assert not differences(wanted_rows(audience.viewers), by_event(house.rows("SELECT * FROM video_events")))

Trackers are threads with a fixed share of the viewers each. A tracker sends a viewer's next events, the same again until
the collector says 200, as real ones do. USHER_TEST_SEED=anything gives other events.
"""

import os
import random
import threading
import time
import uuid

from house import media_event, wait_until
from naive import fold, status_of

VIEWERS = 300
TRACKERS = 3
SEED = os.environ.get("USHER_TEST_SEED", "1")
KINDS = ["play", "pause", "ping", "ad_break_start", "ad_break_end", "ad_click", "ad_skip", "end", "percent_progress"]
WEIGHTS = [4, 4, 3, 3, 3, 1, 1, 1, 1]
COLUMNS = ("event_id", "event_name", "video_ts", "adsClicked", "adsSkipped", "status", "viewer_id", "session_id")


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
    """Posts inside `with`, at whose end it raises what went wrong in a tracker. Without pause; or each tracker a post every_s, for a
    store that takes less than the house: what waits for it would only be waited for at the end."""

    def __init__(self, house, seed, every_s=0):
        self.house, self.every_s = house, every_s
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
                    if self.every_s and self.leaving.wait(self.every_s):
                        break
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


def by_event(rows):
    """{event id: row} of a table's rows, whichever store they are from."""
    stored = {row["event_id"]: {key: row[key] for key in COLUMNS} for row in rows}
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
