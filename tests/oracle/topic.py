"""topic - a seeded audience's messages as they lie on the topic: duplicates, disorder, things that are no events

    for message in topic(seed=7, viewers=100, events=40): message.key, message.value

Messages are the flattened ones of the reference's Snowbridge script. Nothing arrives later than the reordering window (5 minutes, 64 events
of a session) allows, so what they come to is one picture whatever the order.
"""

import json
import random
import time
import uuid
from dataclasses import dataclass

KINDS = ["ping", "play", "pause", "ad_break_start", "ad_break_end", "end"]
WEIGHTS = [60, 12, 12, 6, 8, 2]
AD_IDS = [0, 0, 0, "288", 288, "ad-1", "007", 2147483648, "", None]
PASSED_BY = ["seek_start_event", "page_ping", "ad_breakXX_event"]
DELAY_MS = 60_000    # an event arrives up to so much later than its neighbours
SPAN_MS = 15 * 60_000


@dataclass
class Message:
    key: bytes
    value: bytes


def iso(at_ms, dice):
    """With one, two or three decimals where that says the same: trailing zeros go on the way through Snowbridge."""
    seconds, millis = divmod(at_ms, 1000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    decimals = f".{millis:03d}"
    return text + (decimals.rstrip("0").rstrip(".") if dice.random() < 0.5 else decimals) + "Z"


def bad_values(dice, viewer):
    """What nobody can use, each wrong in its own way."""
    good = {"collector_tstamp": "2026-01-01T00:00:00.000Z", "event_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            "event_name": "ping_event", "viewer_id": viewer}
    return [
        b"no JSON at all",
        b'{"collector_tstamp":"2026-01-01T00:0',
        b'{"event_name":"ping_event","viewer_id":"\xff\xfe","collector_tstamp":"2026-01-01T00:00:00.000Z"}',
        b"[" * 100_000,
        b"x" * 900_000,
        json.dumps({**good, "viewer_id": "PoC user"}).encode(),
        json.dumps({**good, "viewer_id": None}).encode(),
        json.dumps({**good, "collector_tstamp": "yesterday"}).encode(),
        json.dumps({key: value for key, value in good.items() if key != "collector_tstamp"}).encode(),
        json.dumps({**good, "viewer_id": "v" * 2000}).encode(),
        b'{"event_name":"ping_event"} {"event_name":"ping_event"}',
    ]


def viewer_events(dice, viewer, count, begin_ms):
    """(instant, message) of one viewer in the order in which they happened."""
    at_ms, position, clicked, skipped = begin_ms + dice.randrange(60_000), 0.0, 0, 0
    for _ in range(count):
        kind = dice.choices(KINDS, WEIGHTS)[0]
        clicked += dice.random() < 0.03
        skipped += dice.random() < 0.03
        position = round(position + dice.random() * 30, dice.randrange(7))
        message = {
            "collector_tstamp": iso(at_ms, dice), "event_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            "event_name": kind + "_event", "viewer_id": viewer, "adsClicked": clicked, "adsSkipped": skipped,
            "adId": dice.choice(AD_IDS), "video_ts": position,
        }
        if dice.random() < 0.02:
            message["unknown_member"] = {"nested": ["x" * dice.randrange(5000)]}
        yield at_ms, json.dumps(message).encode()
        #  Some share an instant, as events of one request do.
        at_ms += 0 if dice.random() < 0.1 else 1 + dice.randrange(SPAN_MS // count)


def topic(seed, viewers, events, now_ms=None):
    """All messages in the order of the topic. Ends about now."""
    dice = random.Random(seed)
    begin_ms = (now_ms or int(time.time() * 1000)) - SPAN_MS - 2 * DELAY_MS
    arrivals = []

    def arrive(at_ms, viewer, value):
        arrivals.append((at_ms + (dice.randrange(DELAY_MS) if dice.random() < 0.3 else 0), len(arrivals), viewer.encode(), value))

    for number in range(viewers):
        viewer = f"viewer {number} é"
        for at_ms, value in viewer_events(dice, viewer, events, begin_ms):
            arrive(at_ms, viewer, value)
            if dice.random() < 0.05:
                arrive(at_ms, viewer, value)
            if dice.random() < 0.02:
                arrive(at_ms, viewer, json.dumps({**json.loads(value), "event_name": dice.choice(PASSED_BY)}).encode())
            if dice.random() < 0.005:
                arrive(at_ms, viewer, dice.choice(bad_values(dice, viewer)))
    arrivals.sort(key=lambda each: each[:2])
    return [Message(key, value) for _, _, key, value in arrivals]
