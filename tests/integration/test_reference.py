"""In the reference's place: its environment variables and nothing else lead from its topic to its table and its WebSocket"""

import pathlib
import re
import time

from dynamodb import Engine, environment
from house import House, receive_until, wait_until
from test_kafka import instant, keyed

TOPIC = "snowplow-enriched-good"
STORY = [  # event, video_ts, adsClicked, adsSkipped, adId, the status of its message and row: none where it changes nothing
    ("play", 0, 0, 0, 0, "WATCHING_VIDEO"), ("ping", 10, 0, 0, 0, None), ("pause", 12.5, 0, 0, 0, "PAUSED_VIDEO"),
    ("play", 12.5, 0, 0, 0, "WATCHING_VIDEO"), ("ad_break_start", 20, 0, 0, 7, "WATCHING_AD"),
    ("ad_break_end", 20, 1, 2, 7, "WATCHING_VIDEO"), ("end", 60, 1, 2, "spring-sale", "COMPLETED_VIDEO")]


def story():
    """What the reference's Snowbridge script writes of STORY, and the messages that come of it."""
    begin_ms, events, messages = int(time.time() * 1000) - 1000 * len(STORY), [], []
    for at, (kind, video_ts, clicked, skipped, ad, status) in enumerate(STORY):
        event = {"viewer_id": "ann", "collector_tstamp": instant(begin_ms + 1000 * at), "event_id": f"event-{at}", "event_name": f"{kind}_event",
                 "video_ts": video_ts, "adsClicked": clicked, "adsSkipped": skipped, "adId": ad}
        events.append(event)
        messages += [{**event, "status": status}] if status else []
    return events, messages


def typed(message):
    """The item of video_events that the reference writes of a message; an ad id that is text stays text."""
    return {key: {"S": value} if isinstance(value, str) else {"N": str(value)} for key, value in message.items()}


def test_only_the_reference_s_environment(broker):
    broker.create_topic(TOPIC, 4)
    events, messages = story()
    with Engine() as engine, House({"KAFKA_BOOTSTRAP_SERVERS": broker.address, **environment(engine.port)}) as house:
        assert set(name for name in house.env if name.startswith("USHER_")) <= {
            "USHER_COLLECTOR_PORT", "USHER_GATEWAY_PORT", "USHER_GATEWAY_DASHBOARD_PORT", "USHER_GATEWAY_TRACKER_PORT"}
        feed = house.feed()
        broker.produce(TOPIC, keyed(events))
        assert receive_until(feed, lambda seen: len(seen) >= len(messages), "a message for each change") == messages

        def items():
            rows = sorted(engine.items("video_events"), key=lambda item: item["collector_tstamp"]["S"])
            return rows if len(rows) == len(messages) else None
        rows = wait_until(items, "a row for each change")
        assert [{key: row[key] for key in typed(messages[0])} for row in rows] == [typed(message) for message in messages]
        assert {name for row in rows for name in row} == {
            *messages[0], "state", "session_id", "media_label", "expires_at"}, "beyond the reference's attributes"
        wait_until(lambda: sum(broker.committed(TOPIC).values()) == len(events), "the reference's group has committed")

        assert house.process.poll() is None, "it stays in front"
        assert house.stop() == 0
        feed.close()
        assert sum(broker.committed(TOPIC).values()) == len(events)
        printed = pathlib.Path(house.printed).read_text()
        assert f"ws://localhost:{house.ports['feed']}/ws" in printed and "level=" not in printed, "what is logged goes to standard error"
        log = pathlib.Path(house.log).read_text()
        assert re.search(r"^time=\S+ level=info process=ingester ", log, re.MULTILINE) and "ann" not in re.split(r"\W", log)
