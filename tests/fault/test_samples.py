"""Recorded traffic of real trackers goes in at the collector or as a file; profiles, table and feed say what the samples say."""

import datetime
import json

import pytest

from house import DATA, House, receive_until
from naive import RANK, fold, status_of, statuses_of

BROWSER, NODE = "requests-browser-4.10.json", "requests-node-4.8.0.json"
TSV = ("enriched-browser-4.10.tsv", "enriched-node-4.8.0.tsv")
SDK = "snowbridge-sdk-json-browser-4.10.ndjson"
FLATTENED = "snowbridge-flattened-browser-4.10.ndjson"
WS_FIELDS = ["viewer_id", "collector_tstamp", "event_id", "event_name", "video_ts", "adsClicked", "adsSkipped", "adId", "status"]
TOLD = ("event_id", "event_name", "video_ts", "adsClicked", "adsSkipped", "status")


def read_event(line):
    """A media event of an enriched TSV line, or None."""
    columns = line.rstrip("\n").split("\t")
    if columns[125] != "com.snowplowanalytics.snowplow.media":
        return None
    entities = {}
    for entity in json.loads(columns[52])["data"]:
        entities.setdefault(entity["schema"].split("/")[1], entity["data"])
    player, session = entities["media_player"], entities.get("session", {})
    return {
        "viewer": columns[12] or columns[15], "session": session.get("mediaSessionId", ""), "device_tstamp": columns[4],
        "kind": columns[126].removesuffix("_event"), "event_id": columns[6], "video_ts": player["currentTime"],
        "clicked": session.get("adsClicked", 0), "skipped": session.get("adsSkipped", 0), "totals": session, "player": player,
        "data": json.loads(columns[58])["data"]["data"], "app_id": columns[0], "platform": columns[1],
        "running": sum(session.get(key, 0) for key in ("timePlayed", "timePaused", "timeBuffering", "timeSpentAds")),
    }


def in_order(events):
    return sorted(events, key=lambda event: (event["device_tstamp"], event["running"], RANK.get(event["kind"], 3), event["event_id"]))


def expected_sessions(*files):
    """{(viewer, session): its events in order}, as the enriched files tell them."""
    sessions = {}
    for file in files:
        for line in (DATA / file).read_text().splitlines():
            event = read_event(line)
            if event:
                sessions.setdefault((event["viewer"], event["session"]), []).append(event)
    return {key: in_order(events) for key, events in sessions.items()}


def newest(events, key, where="player", default=None):
    return next((event[where][key] for event in reversed(events) if key in event[where]), default)


def total(events, key):
    return max(event["totals"].get(key, 0) for event in events)


def count(events, kind):
    return sum(event["kind"] == kind for event in events)


def expected_session(session_id, events):
    folded = fold(events)
    return {
        "session_id": session_id, "state": folded.state, "status": status_of(folded.state), "position": events[-1]["video_ts"],
        "media_label": newest(events, "label", default=""), "media_type": newest(events, "mediaType", default=""),
        "player_type": newest(events, "playerType", default=""), "duration": newest(events, "duration"),
        "ads": total(events, "ads"), "ad_breaks": total(events, "adBreaks"),
        "ads_clicked": total(events, "adsClicked"), "ads_skipped": total(events, "adsSkipped"),
        "ads_completed": count(events, "ad_complete"), "time_played": pytest.approx(total(events, "timePlayed")),
        "time_paused": pytest.approx(total(events, "timePaused")), "time_in_ads": pytest.approx(total(events, "timeSpentAds")),
        "time_buffering": pytest.approx(total(events, "timeBuffering")), "content_watched": total(events, "contentWatched"),
        "stalls": count(events, "buffer_start"), "errors": count(events, "error"),
        "last_error": newest(events, "errorName", "data", ""), "quality": newest(events, "newQuality", "data", ""),
        "platform": events[-1]["platform"], "app_id": events[-1]["app_id"], "live": False,
    }


def part(full, keys):
    return {key: full[key] for key in keys}


@pytest.fixture(scope="module")
def replayed():
    """A house that has taken both recordings in, and what its feed said meanwhile."""
    with House() as house:
        feed = house.feed()
        for file in (BROWSER, NODE):
            answer = house.usher("replay", str(DATA / file), "--speed", "20", "--url", f"http://127.0.0.1:{house.ports['collector']}")
            assert answer.returncode == 0 and " 0 not answered with 2xx" in answer.stdout, answer
        wanted = sum(len(fold(events).messages) for events in expected_sessions(*TSV).values())
        messages = receive_until(feed, lambda came: len(came) >= wanted, f"{wanted} messages")
        feed.close()
        yield house, messages


@pytest.mark.parametrize("key", expected_sessions(*TSV), ids=lambda key: "-".join(key))
def test_profile(replayed, key):
    house, _ = replayed
    events = expected_sessions(*TSV)[key]
    expected = expected_session(key[1], events)

    def session():
        viewer = house.viewer(key[0])
        found = [each for each in viewer["sessions"] if each["session_id"] == key[1]] if viewer else []
        return found[0] if found and found[0]["status"] == expected["status"] else None
    assert part(house.wait_for(session, f"session {key}"), expected) == expected


def test_viewers_are_those_of_the_sample(replayed):
    house, _ = replayed
    assert set(house.viewers()) == {viewer for viewer, _ in expected_sessions(*TSV)}
    assert house.viewer("nobody") is None


def test_history(replayed):
    house, _ = replayed
    stored = {row["event_id"]: row for row in house.rows("SELECT * FROM video_events")}
    wanted = {}
    for (viewer, session), events in expected_sessions(*TSV).items():
        for row in fold(events).rows:
            wanted[row["event_id"]] = {**row, "viewer_id": viewer, "session_id": session}
    assert {key: part(row, (*TOLD, "viewer_id", "session_id")) for key, row in stored.items()} == wanted
    alice = [row["event_id"] for row in house.get("/v1/viewers/alice@example.com/history")[1]["rows"]]
    assert alice == [row["event_id"] for row in reversed(fold(expected_sessions(*TSV)["alice@example.com",
                                                         "e3a82b1d-e44e-4bbf-a797-672b4e879af3"]).rows)]


def test_quarantine(replayed):
    house, _ = replayed
    rows = house.wait_for(lambda: house.rows("SELECT * FROM quarantine"), "the POST to a path that nobody configured is kept")
    assert len(rows) == 1
    assert "/com.acme/track" in rows[0]["reason"] and b"/com.acme/track" in bytes(rows[0]["payload"])


def test_feed(replayed):
    _, messages = replayed
    for message in messages:
        assert list(message) == WS_FIELDS
        assert datetime.datetime.strptime(message["collector_tstamp"], "%Y-%m-%dT%H:%M:%S.%fZ")
        assert len(message["collector_tstamp"]) == len("2026-01-01T00:00:00.000Z")
    for (viewer, session), events in expected_sessions(*TSV).items():
        wanted = fold(events).messages
        ids = {event["event_id"] for event in events}
        assert [part(message, TOLD) for message in messages if message["event_id"] in ids] == wanted
        assert all(message["viewer_id"] == viewer for message in messages if message["event_id"] in ids)
    clicked = next(message for message in messages if message["event_name"] == "ad_click_event")
    assert clicked["adId"] == 288


# ---- the source `file`


def shifted(text, format_in, seconds):
    moment = datetime.datetime.strptime(text, format_in) + datetime.timedelta(seconds=seconds)
    return moment.strftime(format_in)


def since_sample():
    """Seconds from the recording until shortly ago: rows expire after a week, the recording does not get younger."""
    return int((datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.datetime(2026, 11, 23, 6, 50)).total_seconds())


def young_flattened(path):
    seconds, lines = since_sample(), []
    for line in (DATA / FLATTENED).read_text().splitlines():
        event = json.loads(line)
        event["collector_tstamp"] = shifted(event["collector_tstamp"], "%Y-%m-%dT%H:%M:%S.%fZ", seconds)
        lines.append(json.dumps(event))
    path.write_text("\n".join(lines) + "\n")
    return [json.loads(line) for line in lines]


def young_tsv(path):
    seconds, lines = since_sample(), []
    for line in (DATA / TSV[0]).read_text().splitlines():
        columns = line.split("\t")
        for column in (3, 4):
            columns[column] = shifted(columns[column], "%Y-%m-%d %H:%M:%S.%f", seconds)[:-3]
        lines.append("\t".join(columns))
    path.write_text("\n".join(lines) + "\n")


def young_sdk(path):
    seconds, lines = since_sample(), []
    for line in (DATA / SDK).read_text().splitlines():
        event = json.loads(line)
        for member in ("collector_tstamp", "dvce_created_tstamp"):
            if member in event:
                whole, _, decimals = event[member].removesuffix("Z").partition(".")
                whole = shifted(whole, "%Y-%m-%dT%H:%M:%S", seconds)
                event[member] = f"{whole}.{decimals}Z" if decimals else f"{whole}Z"
        lines.append(json.dumps(event))
    path.write_text("\n".join(lines) + "\n")


def stored_statuses(house):
    return {row["event_id"]: row["status"] for row in house.rows("SELECT event_id, status FROM video_events")}


def test_file_of_flattened_messages(tmp_path):
    events = young_flattened(tmp_path / "events.ndjson")
    wanted = statuses_of(events)
    with House(ingester_source="file", ingester_file=tmp_path / "events.ndjson") as house:
        house.wait_for(lambda: len(stored_statuses(house)) >= len(wanted), "the rows of the file")
        house.stop()
        assert stored_statuses(house) == wanted
        assert house.rows("SELECT * FROM quarantine") == []


@pytest.mark.parametrize("young", [young_tsv, young_sdk])
def test_file_of_enriched_events(tmp_path, young):
    young(tmp_path / "events")
    wanted = {row["event_id"]: row["status"] for events in expected_sessions(TSV[0]).values() for row in fold(events).rows}
    with House(ingester_source="file", ingester_file=tmp_path / "events") as house:
        house.wait_for(lambda: len(stored_statuses(house)) >= len(wanted), "the rows of the file")
        house.stop()
        assert stored_statuses(house) == wanted
        assert house.rows("SELECT * FROM quarantine") == []
