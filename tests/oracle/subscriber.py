"""subscriber - what somebody who watches /v1/live without pause has seen, kept as the dashboard keeps it"""

import json
import threading

import websocket


class Subscriber:
    """Reads in a thread of its own inside `with`, and connects again when it is cut off.

    viewers is the picture, None until a snapshot is whole; messages are those of the reference's feed, as they came.
    """

    def __init__(self, house):
        self.house, self.leaving = house, threading.Event()
        self.viewers, self.filling, self.messages, self.error = None, None, [], None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.leaving.set()
        self.thread.join(30)
        assert kind or not self.error, self.error

    def run(self):
        try:
            while not self.leaving.is_set():
                self.watch()
        except BaseException as error:
            self.error = error

    def watch(self):
        """One connection, until it breaks."""
        try:
            feed = self.house.feed("/v1/live", timeout_s=0.5)
        except (OSError, websocket.WebSocketException):
            self.leaving.wait(0.1)
            return
        while not self.leaving.is_set():
            try:
                text = feed.recv()
            except websocket.WebSocketTimeoutException:
                continue
            except (OSError, websocket.WebSocketException):
                break
            if not text:
                break
            self.take(json.loads(text))
        self.filling = None
        feed.close()

    def take(self, frame):
        target = self.viewers if self.filling is None else self.filling
        if frame["type"] == "snapshot":
            self.take_page(frame)
        elif frame["type"] == "viewer" and target is not None:
            target[frame["viewer"]["viewer_id"]] = frame["viewer"]
        elif frame["type"] == "gone" and target is not None:
            target.pop(frame["viewer_id"], None)
        elif frame["type"] == "message":
            self.messages.append(frame["message"])

    def take_page(self, page):
        if page.get("reset") or self.filling is None:
            self.filling = {}
        for viewer in page["viewers"]:
            self.filling[viewer["viewer_id"]] = viewer
        if page["last"]:
            self.viewers, self.filling = self.filling, None
