"""The store is gone for long: the feed goes on, who cannot be loaded is shown as partial, the source pauses before memory grows,
and all of it is in the store and whole in the feed afterwards.
"""

import contextlib
import fcntl
import os

from audience import Audience
from house import House, is_running, media_event, wait_until
from test_kill import account

LIMIT = 1024 * 1024
#  What one frame may bring on top: 64 KiB of events, of viewers with 4 KiB each.
FRAME = LIMIT


@contextlib.contextmanager
def store_gone(house):
    """Kills the persister and takes its lock before the next one does, which then finds the store in use, again and again."""
    with open(os.path.join(house.directory, "data", "store.db.lock"), "rb+") as lock:
        def taken():
            killed = house.kill("persister")
            #  It holds the lock until the kernel has taken it apart, which takes a sanitized one longer than a look at the lock.
            wait_until(lambda: not is_running(killed), "the killed persister is gone", every_s=0.001)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                return False
        wait_until(taken, "the lock of the store", every_s=0.01)
        yield


def is_shown(house, name, state, partial):
    viewer = house.viewer(name)
    return viewer and viewer["state"] == state and viewer["partial"] == partial


def unwritten(house):
    """Of each shard."""
    return house.metrics().get("unwritten_bytes", {})


def notes(house):
    return [entry["note"] for entry in house.status() if entry["note"]]


def test_store_gone_and_back():
    with House(shard_unwritten_bytes=LIMIT, ingester_in_flight_bytes=65536) as house:
        house.post([media_event("play", "known", "s")])
        house.wait_for(lambda: house.rows("SELECT * FROM video_events"), "the first row")
        assert not notes(house)
        with Audience(house, "store gone") as audience, store_gone(house):
            house.post([media_event("pause", "known", "s")])
            house.wait_for(lambda: is_shown(house, "known", "PAUSED", False), "the feed goes on for who is known")
            house.post([media_event("play", "new", "s")])
            house.wait_for(lambda: is_shown(house, "new", "WATCHING", True), "who is not known is partial")
            house.wait_for(lambda: house.metric("source_pauses_total"), "the source pauses", 60)
            house.wait_for(lambda: notes(house), "and it is said")
            assert "the source pauses: 1 MiB wait for the store" in house.usher("status").stdout
            audience.wait_posts(200)
            assert all(size < LIMIT + FRAME for size in unwritten(house).values()), unwritten(house)
        house.wait_ready(90)
        house.wait_for(lambda: house.metric("source_paused") == 0 and not notes(house), "the source goes on", 60)
        house.wait_for(lambda: is_shown(house, "new", "WATCHING", False), "who was partial is whole")
        #  What is left is the audience's.
        house.erase("known")
        house.erase("new")
        account(house, audience.viewers)
        house.wait_for(lambda: sum(unwritten(house).values()) == 0, "all is written")
        assert house.metric("viewers_partial") == 0
        assert house.stop() == 0
