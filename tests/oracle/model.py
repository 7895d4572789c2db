"""model - what the messages of a topic come to, read with nothing clever

Written from the product's rules in words (README, docs), not from the C sources. Reads the values of all messages at once, so the order in
which they lay on the topic cannot matter to it.
"""

import datetime
import json

from naive import Session, status_of

#  Those of one instant, in their order: what opens first, pause before play, what closes after, end last; then by id.
KINDS = ["ad_break_start", "pause", "ping", "play", "ad_break_end", "end"]


class Bad(Exception):
    pass


def millis(text):
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (AttributeError, ValueError) as error:
        raise Bad("collector_tstamp") from error
    return round(moment.timestamp() * 1000)


def ad_id(value):
    """As the reference's table has it: a number where it is a 32-bit integer in its usual spelling, else the text; none is 0."""
    text = "" if value is None else str(value)
    if text == "":
        return 0
    usual = text.lstrip("-").isdigit() and str(int(text)) == text
    return int(text) if usual and -2**31 <= int(text) < 2**31 else text


def read(value):
    """One message. Returns an event, or None where it is no player event; raises Bad."""
    try:
        message = json.loads(value.decode())
    except (ValueError, RecursionError) as error:
        raise Bad("JSON") from error
    kind = message["event_name"].removesuffix("_event")
    if kind not in KINDS:
        return None
    at_ms = millis(message.get("collector_tstamp"))
    viewer = message["viewer_id"]
    if not viewer or viewer == "PoC user" or len(viewer.encode()) > 1024:
        raise Bad("no_identity")
    return {
        "viewer": viewer, "kind": kind, "at_ms": at_ms, "event_id": message["event_id"], "clicked": message["adsClicked"],
        "skipped": message["adsSkipped"], "ad_id": ad_id(message["adId"]), "video_ts": message["video_ts"],
    }


def in_order(event):
    return event["at_ms"], KINDS.index(event["kind"]), event["event_id"]


def key_of(at_ms):
    moment = datetime.datetime.fromtimestamp(at_ms // 1000, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


class Picture:
    """rows: (viewer, key) to the row of video_events. viewers: viewer to what is known of it in the end."""

    def __init__(self, values):
        self.read = len(values)
        self.passed_by = self.bad = self.duplicates = 0
        self.rows, self.viewers, self.events = {}, {}, {}
        for value in values:
            self.take(value)
        for viewer, events in self.events.items():
            self.fold(viewer, sorted(events.values(), key=in_order))

    def take(self, value):
        try:
            event = read(value)
        except Bad:
            self.bad += 1
            return
        if event is None:
            self.passed_by += 1
            return
        events = self.events.setdefault(event["viewer"], {})
        self.duplicates += event["event_id"] in events
        events[event["event_id"]] = event

    def fold(self, viewer, events):
        session, told = Session(), 0
        for event in events:
            session.take(event)
            if len(session.rows) > told:
                told = len(session.rows)
                self.put_row(viewer, event, session.rows[-1])
        self.viewers[viewer] = {"status": status_of(session.state), "adsClicked": session.clicked, "adsSkipped": session.skipped,
                                "last_ms": events[-1]["at_ms"]}

    def put_row(self, viewer, event, row):
        """The first row of an instant has the bare key."""
        key = key_of(event["at_ms"])
        if (viewer, key) in self.rows:
            key += f"#{event['event_id']}"
        self.rows[viewer, key] = {**row, "adId": event["ad_id"]}
