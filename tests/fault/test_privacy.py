"""Erasure on real processes: what is erased stays erased, whoever is killed meanwhile and whatever is sent again. And nobody's id
is in a log line or a metric, nor behind the ingester's door where there is a key for pseudonyms.
"""

import glob
import hashlib
import hmac
import http.client
import json
import os
import random
import sqlite3
import threading
import time

import pytest

from house import SERVICES, House, media_event, wait_until

SEED = os.environ.get("USHER_TEST_SEED", "1")
TOKEN = "xq7marked7qx"
KEY = "a key that only this test knows"
KINDS = ["play", "pause", "play", "ad_break_start", "ad_break_end", "pause"]


def session_of(viewer, number=0):
    """Events of one session, each a change."""
    at_ms = int(time.time() * 1000)
    return [media_event(kind, viewer, f"session {number}", at_ms + i, 10.0 * i) for i, kind in enumerate(KINDS)]


def rows_of(house, viewer):
    return [row["event_id"] for row in house.rows("SELECT event_id FROM video_events WHERE viewer_id = ?", viewer)]


def profiles_of(house, viewer):
    return house.rows("SELECT epoch FROM viewer_profiles WHERE viewer_id = ?", viewer)


def is_nowhere(house, viewer):
    return not rows_of(house, viewer) and not profiles_of(house, viewer) and house.viewer(viewer) is None


def all_metrics(house):
    """Once every process has sent its own."""
    def condition():
        text = house.metrics_text()
        return text if all(f'usher_frames_in_total{{process="{name}"' in text for name in SERVICES) else None
    return wait_until(condition, "metrics of all processes")


def total(house, name):
    return sum(int(line.rsplit(" ", 1)[1]) for line in house.metrics_text().splitlines() if line.startswith(f"usher_{name}{{"))


def arrive(house, viewer, events):
    house.post(events)
    house.wait_for(lambda: len(rows_of(house, viewer)) == len(events), "the viewer's rows")
    house.wait_for(lambda: house.viewer(viewer), "the viewer is live")


def refused(house, method, path, port="feed"):
    """Of a method that a path does not take: (status, what the header Allow names, what the text names)."""
    connection = http.client.HTTPConnection("127.0.0.1", house.ports[port], timeout=20)
    connection.request(method, path)
    answer = connection.getresponse()
    text = json.loads(answer.read())["error"]
    connection.close()
    return answer.status, answer.headers["Allow"], text.removeprefix("allowed here: ")


def test_an_erasure_takes_everything_and_a_replay_brings_nothing_back():
    with House() as house:
        other, events = session_of("bob"), session_of("alice")
        arrive(house, "bob", other)
        arrive(house, "alice", events)
        answer = house.erase("alice")
        assert (answer["viewer_id"], answer["state"]) == ("alice", "erased")
        assert answer["removed"] == {"profiles": 1, "history_rows": len(events), "bad_events": 0}
        assert house.rows("SELECT wished FROM tombstones") == [{"wished": None}]
        assert not rows_of(house, "alice") and not profiles_of(house, "alice")
        house.wait_for(lambda: house.viewer("alice") is None, "the feed says that the session is gone")
        assert house.get("/v1/viewers/alice/history")[1]["rows"] == []
        again = session_of("alice", 2)
        arrive(house, "alice", again)
        one, other_paths = "GET, HEAD, DELETE", "GET, HEAD"
        assert refused(house, "POST", "/v1/viewers/alice") == (405, one, one)
        assert refused(house, "DELETE", "/v1/viewers") == refused(house, "POST", "/v1/stats") == (405, other_paths, other_paths)
        assert refused(house, "DELETE", "/v1/viewers/alice", "tracker") == (405, other_paths, other_paths)
        verb = house.usher("erase", "nobody knows/me?")
        assert verb.returncode == 0 and json.loads(verb.stdout)["removed"]["profiles"] == 0, verb
        assert json.loads(verb.stdout)["viewer_id"] == "nobody knows/me?"
        assert set(rows_of(house, "alice")) == {event["eid"] for event in again}
        assert set(rows_of(house, "bob")) == {event["eid"] for event in other}
        assert house.stop() == 0


def enriched(viewer):
    """A file of flattened events, collected long ago."""
    row = ('{{"collector_tstamp":"2026-01-01T00:00:{:02}.000Z","event_id":"e{}","event_name":"{}_event","viewer_id":"{}",'
           '"adsClicked":0,"adsSkipped":0,"adId":"1","video_ts":{}}}\n')
    return "".join(row.format(i, i, kind, viewer, i) for i, kind in enumerate(KINDS))


def test_the_source_read_once_more_from_its_start(tmp_path):
    """The same events at new positions: as when offsets are set back, or a topic is copied."""
    source = tmp_path / "events.ndjson"
    source.write_text(enriched("alice") + enriched("bob"))
    with House(ingester_source="file", ingester_file=source) as house:
        house.wait_for(lambda: len(rows_of(house, "alice")) == len(KINDS) == len(rows_of(house, "bob")), "both viewers' rows")
        house.erase("alice")
        with open(source, "a", encoding="utf-8") as file:
            file.write(enriched("alice") + enriched("bob"))
        house.wait_for(lambda: total(house, "events_erased_total") == len(KINDS), "the replayed events are counted as erased")
        assert is_nowhere(house, "alice")
        read = total(house, "events_read_total")
        parts = ("applied", "duplicate", "late", "erased", "passed_by", "quarantined")
        assert read == sum(total(house, f"events_{part}_total") for part in parts) == 4 * len(KINDS)
        assert len(rows_of(house, "bob")) == len(KINDS)


@pytest.mark.parametrize("name", SERVICES)
def test_killed_while_viewers_are_erased(name):
    """Kills of one process at random instants; each viewer stopped before it is erased, so nothing of it may be left."""
    dice = random.Random(f"{SEED} erase {name}")
    viewers = [f"viewer-{i}" for i in range(12)]
    with House() as house:
        for viewer in viewers:
            house.post(session_of(viewer))
        house.wait_for(lambda: all(len(rows_of(house, viewer)) == len(KINDS) for viewer in viewers), "everybody's rows")
        erased, failed = viewers[::2], []

        def erase(viewer):
            try:
                house.erase(viewer)
            except BaseException as error:
                failed.append(error)

        for first in range(0, len(erased), 2):
            threads = [threading.Thread(target=erase, args=(viewer,)) for viewer in erased[first:first + 2]]
            pid = house.pid(name)
            for thread in threads:
                thread.start()
            threading.Event().wait(dice.random() * 0.02)
            os.kill(pid, 9)
            for thread in threads:
                thread.join()
            house.wait_replaced(name, pid)
        assert not failed, failed
        house.wait_ready()
        house.wait_for(lambda: all(is_nowhere(house, viewer) for viewer in erased), "the erased are nowhere")
        kept = set(viewers) - set(erased)
        house.wait_for(lambda: all(house.viewer(viewer) for viewer in kept), "the others are live")
        assert all(len(rows_of(house, viewer)) == len(KINDS) for viewer in kept)
        assert house.rows("SELECT count(*) AS n FROM tombstones WHERE wished IS NULL") == [{"n": len(erased)}]
        assert house.stop() == 0


def test_an_erasure_whose_owner_is_away_is_done_when_it_is_back():
    """Noted is a promise: the shard is stopped, the client hears nothing, and all of them die before it goes on."""
    def ask():
        try:
            answers.append(house.get("/v1/viewers/alice", method="DELETE")[0])
        except (OSError, http.client.HTTPException):
            answers.append(0)

    answers = []
    with House() as house:
        arrive(house, "alice", session_of("alice"))
        stopped = [house.pid("shard-0"), house.pid("shard-1")]
        for pid in stopped:
            os.kill(pid, 19)
        asker = threading.Thread(target=ask)
        asker.start()
        house.wait_for(lambda: house.rows("SELECT wished FROM tombstones") == [{"wished": "alice"}], "the wish is on disk")
        assert rows_of(house, "alice")
        for name in ("persister", "gateway"):
            pid = house.kill(name)
            house.wait_for(lambda: house.pid(name) != pid, f"another {name}")
        for pid in stopped:
            os.kill(pid, 9)
        asker.join()
        house.wait_ready()
        assert answers == [0]
        house.wait_for(lambda: is_nowhere(house, "alice"), "nobody had to ask again")
        assert house.rows("SELECT wished FROM tombstones") == [{"wished": None}]


def make_trouble(house, viewer):
    """Bad rows, kills, an erasure and a damaged profile of marked viewers. Returns what all processes said meanwhile."""
    poster = house.poster()
    bad = dict(session_of(viewer)[0], tv=None, dtm=f"no time, {TOKEN}", nuid=TOKEN)
    house.post([bad, dict(session_of(viewer)[0], co=f"no contexts of {TOKEN}"), {"e": "ue", "uid": TOKEN, "ue_pr": TOKEN}])
    poster.post([{"not": f"an event of {TOKEN}"}])
    poster.close()
    house.get(f"/v1/viewers/{viewer}?limit={TOKEN}")
    house.get(f"/v1/viewers/{viewer}/history?limit={TOKEN}")
    house.get(f"/v1/{TOKEN}")
    for name in ("persister", "shard-0", "shard-1", "ingester", "gateway"):
        house.wait_replaced(name, house.kill(name))
    house.wait_ready()
    house.post(session_of(viewer, 3))
    house.wait_for(lambda: house.viewer(viewer), "the viewer is live again")
    text = all_metrics(house)
    house.erase(f"{viewer} of whom nobody knows")
    assert house.stop() == 0
    return text + metrics_after_damage(house, viewer)


def metrics_after_damage(house, viewer):
    with sqlite3.connect(os.path.join(house.directory, "data/store.db")) as store:
        assert store.execute("UPDATE viewer_profiles SET profile = ?", (TOKEN.encode(),)).rowcount
    store.close()
    house.start()
    house.post(session_of(viewer, 4))
    house.wait_for(lambda: house.viewer(viewer), "a damaged profile begins anew")
    house.erase(viewer)
    house.wait_for(lambda: house.viewer(viewer) is None, "the viewer is gone")
    text = all_metrics(house)
    assert house.stop() == 0
    return text


def said_by(house):
    with open(house.log, encoding="utf-8", errors="replace") as log:
        return log.read()


def lines_with(text, word):
    return [line for line in text.splitlines() if word in line][:5]


@pytest.mark.parametrize("how", [{"log_level": "info"}, {"log_level": "debug", "trace": "1"}])
def test_nobody_is_named_in_logs_and_metrics(how):
    viewer = f"viewer-{TOKEN}"
    with House(**how) as house:
        arrive(house, viewer, session_of(viewer))
        said = make_trouble(house, viewer) + said_by(house)
    assert "profile damaged" in said and "usher_events_erased_total" in said
    assert not lines_with(said, TOKEN)


def test_pseudonyms_hide_the_id_behind_the_door():
    viewer = f"viewer-{TOKEN}"
    pseudonym = hmac.new(KEY.encode(), viewer.encode(), hashlib.sha256).hexdigest()
    with House(privacy_pseudonym_key=KEY, privacy_api_raw_ids="true") as house:
        events = session_of(viewer)
        house.post(events)
        house.wait_for(lambda: len(rows_of(house, pseudonym)) == len(events), "the rows stand under the pseudonym")
        assert house.wait_for(lambda: house.viewer(pseudonym), "the pseudonym is known")["viewer_id"] == pseudonym
        assert house.viewer(viewer)["viewer_id"] == pseudonym
        house.post([dict(events[0], co=f"no contexts of {TOKEN}"), {"e": "ue", "uid": TOKEN, "ue_pr": TOKEN}])
        bad = house.wait_for(lambda: house.rows("SELECT reason, payload FROM quarantine"), "the bad events are kept")
        assert all(b"HMAC-SHA256" in row["payload"] for row in bad), bad
        for name in glob.glob(f"{house.directory}/data/store.db*"):
            with open(name, "rb") as file:
                assert TOKEN.encode() not in file.read(), name
        said = make_trouble(house, viewer) + said_by(house)
        assert not rows_of(house, pseudonym) and not profiles_of(house, pseudonym)
        for name in glob.glob(f"{house.directory}/data/store.db*"):
            with open(name, "rb") as file:
                content = file.read()
            #  The damaged profile is the test's own.
            assert viewer.encode() not in content and KEY.encode() not in content, name
    assert not lines_with(said, TOKEN) and not lines_with(said, KEY)
