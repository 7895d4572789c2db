"""events - player events as the benches need them: rows of a journal, and a tracker's requests

The row is one of a recording (tests/data) whose viewer, session, times, position and kind of event are filled in anew,
so its width and its JSON are those of Snowplow's browser tracker 4.10 in Chromium.
"""

import json
import pathlib
import re
import sqlite3
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "tests/data/enriched-browser-4.10.tsv"
MEDIA = "iglu:com.snowplowanalytics.snowplow.media"
NAMES = (ROOT / "tests/data/enriched-columns.tsv").read_text().strip("\n").split("\t")
COLLECTOR_TSTAMP, CREATED_TSTAMP, EVENT_ID, USER_ID, DOMAIN_USERID, CONTEXTS, UNSTRUCT, EVENT_NAME = map(NAMES.index, (
    "collector_tstamp", "dvce_created_tstamp", "event_id", "user_id", "domain_userid", "contexts", "unstruct_event", "event_name"))
FIRST, STATUS, PING = "play_event", ("pause_event", "play_event"), "ping_event"
STATUS_EACH = 20    # one event of so many changes the status: 5 %


def sample_columns():
    """The columns of a recorded play event with a media session and without ads."""
    for line in SAMPLE.read_text().splitlines():
        if "/play_event/" in line and "/session/" in line and "/ad_break/" not in line:
            return line.split("\t")
    raise SystemExit(f"{SAMPLE}: no play event with a session")


def row_template():
    """A format string with the fields tstamp, created, eid, viewer, session, position, paused, kind."""
    columns = [text.replace("{", "{{").replace("}", "}}") for text in sample_columns()]
    name = columns[EVENT_NAME]
    contexts = re.sub(r'"mediaSessionId":"[^"]*"', '"mediaSessionId":"{session}"', columns[CONTEXTS])
    contexts = re.sub(r'"currentTime":[0-9.]+', '"currentTime":{position}', contexts)
    contexts = contexts.replace('"paused":false', '"paused":{paused}', 1)
    columns[CONTEXTS] = re.sub(r'"pingInterval":\d+', '"pingInterval":10', contexts)
    columns[UNSTRUCT] = columns[UNSTRUCT].replace(name, "{kind}")
    columns[EVENT_NAME] = "{kind}"
    columns[COLLECTOR_TSTAMP], columns[CREATED_TSTAMP], columns[EVENT_ID] = "{tstamp}", "{created}", "{eid}"
    columns[USER_ID], columns[DOMAIN_USERID] = "{viewer}", "{viewer}"
    return "\t".join(columns)


def kind_of(viewer, turn):
    """What a viewer's player says at a turn, and whether it stands still then."""
    number, rest = divmod(turn + viewer % STATUS_EACH, STATUS_EACH)
    paused = "true" if number % 2 else "false"
    if turn == 0:
        return FIRST, paused
    return (PING if rest else STATUS[(number - 1) % 2]), paused


def position_of(viewer, turn):
    """Seconds seen: ten a turn, and none while the player is paused."""
    def played(turns):
        return turns // (2 * STATUS_EACH) * STATUS_EACH + min(turns % (2 * STATUS_EACH), STATUS_EACH)
    return 10 * (played(turn + viewer % STATUS_EACH) - played(viewer % STATUS_EACH))


def tstamp(ms):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}"


def journal_rows(count, viewers, seconds):
    """Viewers take turns; the last event is of now."""
    template, start = row_template(), int((time.time() - seconds) * 1000)
    for number in range(count):
        turn, viewer = divmod(number, viewers)
        ms = start + number * seconds * 1000 // count
        kind, paused = kind_of(viewer, turn)
        body = template.format(
            tstamp=tstamp(ms), created=tstamp(ms - 30), eid=f"{number:08x}-7469-4eec-a71b-bbb5033d7767", viewer=f"viewer-{viewer:06d}@example.com",
            session=f"{viewer:08x}-e44e-4bbf-a797-672b4e879af3", position=position_of(viewer, turn), paused=paused, kind=kind)
        yield ms, 0, "", body.encode()


def make_journal(path, count, viewers, seconds):
    """A journal.db as the collector makes it (proto/snowplow/journal_format.h)."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA user_version = 1;"
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE rows (position INTEGER PRIMARY KEY AUTOINCREMENT, collected_ms INTEGER NOT NULL,"
        " kind INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL);"
        "INSERT INTO meta VALUES ('generation', 20260101)")
    db.execute("BEGIN")
    db.executemany("INSERT INTO rows (collected_ms, kind, reason, body) VALUES (?, ?, ?, ?)", journal_rows(count, viewers, seconds))
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint (TRUNCATE)")
    db.close()


def post_body(eid, viewer, kind, position):
    """The body of a tracker's POST with one event."""
    columns, now = sample_columns(), str(int(time.time() * 1000))
    contexts = json.loads(columns[CONTEXTS])
    for entity in contexts["data"]:
        if "/media_player/" in entity["schema"]:
            entity["data"].update(currentTime=position, paused=kind == "pause_event")
        if f"{MEDIA}/session/" in entity["schema"]:
            entity["data"].update(mediaSessionId=f"{viewer:08x}-e44e-4bbf-a797-672b4e879af3", pingInterval=10)
    event = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
             "data": {"schema": f"{MEDIA}/{kind}/jsonschema/1-0-0", "data": {}}}
    item = {"e": "ue", "eid": eid, "tv": "js-4.10.1", "tna": "ns1", "aid": "bench", "p": "web", "cs": "UTF-8", "lang": "en-GB",
            "res": "1280x720", "cd": "24", "tz": "Europe/Lisbon", "dtm": now, "stm": now, "vp": "1280x720", "vid": "1",
            "duid": "ba6d22e9-efae-4ef5-ad03-85efad12e018", "uid": f"viewer-{viewer:06d}@example.com",
            "url": "http://127.0.0.1/watch/film-1", "ue_pr": json.dumps(event, separators=(",", ":")),
            "co": json.dumps(contexts, separators=(",", ":"))}
    return json.dumps({"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": [item]},
                      separators=(",", ":")).encode()


def post(body, port):
    """The bytes of the whole request."""
    return (f"POST /com.snowplowanalytics.snowplow/tp2 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: keep-alive\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n"
            f"Content-Type: application/json; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
