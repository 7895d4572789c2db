"""naive - what the events of one session come to, folded in their order with nothing clever

Written from the rules in words, not from the C sources: the tests hold the system against it. An event is a dict with kind, event_id,
tstamp (collector, ISO), video_ts, clicked, skipped.
"""

RANK = {"ad_skip": -1, "ad_complete": -1, "pause": 0, "ad_break_start": 1, "ad_start": 1, "buffer_start": 1, "seek_start": 1, "play": 2, "end": 9}
STATUS = {"PAUSED": "PAUSED_VIDEO", "AD": "WATCHING_AD", "AD_PAUSED": "WATCHING_AD", "ENDED": "COMPLETED_VIDEO"}
PLAYING = ("STARTING", "WATCHING", "REBUFFERING", "SEEKING")
EVIDENCE = ("ping", "ready", "percent_progress", "quality_change", "volume_change", "playback_rate_change",
            "fullscreen_change", "picture_in_picture_change")


def status_of(state):
    return STATUS.get(state, "WATCHING_VIDEO")


class Session:
    def __init__(self):
        self.state, self.before, self.alone = "STARTING", "WATCHING", False
        self.clicked = self.skipped = 0
        self.position = None
        self.rows, self.messages = [], []

    def step(self, kind, moved):
        state = self.state
        in_ads = state in ("AD", "AD_PAUSED")
        if kind == "play" and not in_ads:
            return "WATCHING"
        if kind == "pause" and state in PLAYING:
            return "PAUSED"
        if kind in EVIDENCE and state == "STARTING" and moved:
            return "WATCHING"
        if kind == "buffer_start" and state in ("STARTING", "WATCHING") or kind == "seek_start" and state == "WATCHING":
            self.before = state
            return "REBUFFERING" if kind == "buffer_start" else "SEEKING"
        if (kind, state) in (("buffer_end", "REBUFFERING"), ("seek_end", "SEEKING")):
            return self.before
        if kind == "ad_break_start":
            if not in_ads:
                self.before = state
            self.alone = False
            return "AD"
        if kind == "ad_break_end" and in_ads:
            return "ENDED" if self.before == "ENDED" else "WATCHING"
        if kind == "ad_start" and not in_ads:
            self.before, self.alone = state, True
            return "AD"
        if kind in ("ad_complete", "ad_skip") and in_ads and self.alone:
            return self.before
        if kind == "ad_pause" and state == "AD":
            return "AD_PAUSED"
        if kind == "ad_resume" and state == "AD_PAUSED":
            return "AD"
        return "ENDED" if kind == "end" else state

    def take(self, event):
        old = status_of(self.state)
        moved = self.position is not None and event["video_ts"] > self.position
        counters = self.clicked, self.skipped
        self.state = self.step(event["kind"], moved)
        self.position = event["video_ts"]
        self.clicked, self.skipped = max(self.clicked, event["clicked"]), max(self.skipped, event["skipped"])
        first = not self.messages
        told = {
            "event_id": event["event_id"], "event_name": event["kind"] + "_event", "video_ts": event["video_ts"],
            "adsClicked": self.clicked, "adsSkipped": self.skipped, "status": status_of(self.state),
        }
        if first or old != told["status"]:
            self.rows.append(told)
        if first or old != told["status"] or counters != (self.clicked, self.skipped):
            self.messages.append(told)
        return self


def fold(events):
    session = Session()
    for event in events:
        session.take(event)
    return session


def statuses_of(events):
    """{event id: status} of the rows that flattened events come to, one status a viewer, by collector_tstamp."""
    viewers = {}
    for event in sorted(events, key=lambda event: (event["collector_tstamp"], RANK.get(event["event_name"][:-6], 3), event["event_id"])):
        viewers.setdefault(event["viewer_id"], []).append({
            "kind": event["event_name"][:-6], "event_id": event["event_id"], "video_ts": event["video_ts"],
            "clicked": event["adsClicked"], "skipped": event["adsSkipped"]})
    return {row["event_id"]: row["status"] for events in viewers.values() for row in fold(events).rows}
