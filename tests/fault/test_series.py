"""The series over deaths: seconds in which nobody counted, or not everything was known, say so, and all else is exact

Nothing happens while the publisher is dead, so what is counted before and after must be everything. While the persister is dead the
publisher goes on counting, and the store learns of it later.
"""

import datetime
import time

from house import House, media_event, wait_until

VIEWERS = 20
COLUMNS = ("concurrent_sessions", "concurrent_viewers", "ads_skipped", "ads_clicked")


class Audience:
    """Viewers who watch, and skip and click ads when told to."""

    def __init__(self, house):
        self.house, self.poster, self.position = house, house.poster(), 0
        self.skipped = self.clicked = 0

    def post(self, kind):
        self.position += 10
        totals = {"adsSkipped": self.skipped // VIEWERS, "adsClicked": self.clicked // VIEWERS}
        for viewer in range(VIEWERS):
            event = media_event(kind, f"viewer-{viewer}", f"session-{viewer}", position=self.position, totals=totals)
            self.poster.post_until_taken([event])

    def act(self):
        """Everybody skips an ad and clicks on another; returns when the counts of now have all of it."""
        for kind in ("ad_skip", "ad_click"):
            self.skipped += VIEWERS * (kind == "ad_skip")
            self.clicked += VIEWERS * (kind == "ad_click")
            self.post(kind)

    def settled(self):
        stats = self.house.get("/v1/stats")[1]
        now = stats["ads"]["skipped"], stats["ads"]["clicked"], stats["concurrent_sessions"], stats["partial"]
        return now == (self.skipped, self.clicked, VIEWERS, False)

    def wait_settled(self):
        wait_until(self.settled, "the counts of now are those of what was posted")


def series(house, resolution="1s"):
    status, answer = house.get(f"/v1/stats/series?resolution={resolution}&metric={','.join(COLUMNS)}")
    assert status == 200, answer
    return answer


def begin_of(answer):
    return int(datetime.datetime.fromisoformat(answer["from"].replace("Z", "+00:00")).timestamp())


def point(answer, second):
    """What the series says of one second: how many seconds were counted, partial ones of these, and its columns."""
    at = second - begin_of(answer)
    values = {name: answer["columns"][name][at] for name in COLUMNS}
    return answer["seconds"][at], answer["partial_seconds"][at], values


def wait_told(house, second):
    """The series has come to this second."""
    wait_until(lambda: begin_of(series(house)) + len(series(house)["seconds"]) > second, f"the series tells of {second}")


def wait_total(house, audience):
    """Both resolutions have all of it, and no more."""
    seen = {}

    def total():
        for resolution in ("1s", "1m"):
            ads = series(house, resolution)["total"]["ads"]
            seen[resolution] = ads["skipped"], ads["clicked"]
        return set(seen.values()) == {(audience.skipped, audience.clicked)}
    try:
        wait_until(total, "the series add up", 20, 0.2)
    except AssertionError:
        raise AssertionError(f"skipped and clicked: {seen}, posted {audience.skipped, audience.clicked}") from None


def check_whole_seconds(house, since):
    """Where a second was counted, and nothing was being filled, the counts are right; a gap has no number."""
    answer = series(house)
    for second in range(since, begin_of(answer) + len(answer["seconds"])):
        seconds, partial, values = point(answer, second)
        if not seconds:
            assert set(values.values()) == {None}
        elif not partial:
            assert values["concurrent_sessions"] == values["concurrent_viewers"] == VIEWERS, (second - since, values)


def test_gaps_are_marked_and_counts_are_exact():
    with House() as house:
        audience = Audience(house)
        audience.post("play")
        audience.act()
        audience.wait_settled()
        since = int(time.time()) + 1
        wait_told(house, since + 1)
        for _ in range(2):
            #  The publisher: what it had told is kept, what is missing is marked.
            died = int(time.time())
            house.wait_replaced("publisher", house.kill("publisher"))
            house.wait_ready()
            audience.wait_settled()
            back = int(time.time()) + 1
            wait_told(house, back)
            answer = series(house)
            marked = [point(answer, second)[:2] for second in range(died, back + 1)]
            assert any(seconds == 0 or partial for seconds, partial in marked), marked
            audience.act()
            audience.wait_settled()
            #  The persister: everybody goes on, and nothing is missing when it is back.
            killed = house.kill("persister")
            audience.act()
            house.wait_replaced("persister", killed)
            house.wait_ready()
            audience.wait_settled()
            #  The gateway: it has nothing of its own to lose.
            house.wait_replaced("gateway", house.kill("gateway"))
            house.wait_ready()
            audience.act()
            audience.wait_settled()
            wait_total(house, audience)
        check_whole_seconds(house, since)


def test_series_survive_a_stop():
    with House() as house:
        audience = Audience(house)
        audience.post("play")
        audience.act()
        audience.wait_settled()
        assert house.stop() == 0
        house.start()
        wait_total(house, audience)
