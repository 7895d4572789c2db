"""house - a whole Usher for a test: real processes in a temporary directory, on ports of its own

    with House() as house:
        house.post([media_event("play", "alice", "s1")])
        house.wait_for(lambda: house.viewer("alice"), "alice is known")

Programs come from USHER_BIN (set by tests/run.py), else from USHER_BUILD/bin, else from build/bin. What the processes log is
in house.log, what they print in house.printed; a House that a test leaves by an exception prints the end of it.
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.parse
import uuid

import websocket

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "tests/data"
SERVICES = ["persister", "publisher", "shard-0", "shard-1", "gateway", "ingester", "collector"]
PORTS = {
    "collector": "USHER_COLLECTOR_PORT",
    "feed": "USHER_GATEWAY_PORT",
    "dashboard": "USHER_GATEWAY_DASHBOARD_PORT",
    "tracker": "USHER_GATEWAY_TRACKER_PORT",
}
MEDIA = "iglu:com.snowplowanalytics.snowplow.media"
PLAIN = "iglu:com.snowplowanalytics.snowplow"
TP2 = "/com.snowplowanalytics.snowplow/tp2"


def programs():
    if "USHER_BIN" in os.environ:
        return pathlib.Path(os.environ["USHER_BIN"]).resolve()
    return (ROOT / os.environ.get("USHER_BUILD", "build")).resolve() / "bin"


def free_ports(count):
    """Different ports that nobody has now. They are given back, so another process could still be faster."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until(condition, what, deadline_s=30.0, every_s=0.05):
    """Returns the first true value of condition(); an OSError, or a feed that is not there yet, counts as false."""
    end = time.monotonic() + deadline_s
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, http.client.HTTPException, sqlite3.OperationalError) as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:.0f} s: {what} (last: {last!r})")
        time.sleep(every_s)


def is_running(pid):
    """A zombie does not run."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def self_describing(schema, data):
    return {"schema": schema, "data": data}


def media_event(kind, viewer, session, at_ms=None, position=0.0, event_id=None, label="Big Buck Bunny", player=None, totals=None):
    """One event as the browser tracker has it in a POST: kind is play, pause, end, ad_break_start, ..."""
    at_ms = at_ms or int(time.time() * 1000)
    contexts = [
        self_describing(f"{PLAIN}/media_player/jsonschema/2-0-0", {
            "currentTime": position, "paused": kind == "pause", "ended": kind == "end", "label": label, "duration": 600,
            "mediaType": "video", **(player or {})}),
        self_describing(f"{MEDIA}/session/jsonschema/1-0-0", {
            "mediaSessionId": session, "startedAt": "2026-01-01T00:00:00.000Z", **(totals or {})}),
    ]
    event = self_describing(f"{PLAIN}/unstruct_event/jsonschema/1-0-0",
                            self_describing(f"{MEDIA}/{kind}_event/jsonschema/1-0-0", {}))
    return {
        "e": "ue", "eid": event_id or str(uuid.uuid4()), "tv": "js-4.10.1", "p": "web", "aid": "test", "uid": viewer,
        "dtm": str(at_ms), "ue_pr": json.dumps(event),
        "co": json.dumps(self_describing(f"{PLAIN}/contexts/jsonschema/1-0-0", contexts)),
    }


class Poster:
    """One connection to the collector, opened again when it breaks. One thread each."""

    def __init__(self, port, timeout_s=10):
        self.port, self.timeout_s, self.connection = port, timeout_s, None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def post(self, events):
        """Returns the HTTP status, or 0 when there was no answer."""
        body = json.dumps(self_describing(f"{PLAIN}/payload_data/jsonschema/1-0-4", events))
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
            self.connection.request("POST", TP2, body, {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.close()
            return 0

    def post_until_taken(self, events, deadline_s=60):
        """As a tracker does: the same events again until the collector says 200."""
        wait_until(lambda: self.post(events) == 200, "the collector takes a POST", deadline_s)


class House:
    def __init__(self, env=None, directory=None, **settings):
        """settings: environment variables without USHER_, e.g. ingester_source="file"."""
        self.directory = directory or tempfile.mkdtemp(prefix="usher-", dir="/tmp")
        self.owns_directory = directory is None
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("USHER_", "AWS_", "KAFKA_"))}
        self.env.update({PORTS[name]: str(port) for name, port in self.ports.items()})
        self.env.update({f"USHER_{key.upper()}": str(value) for key, value in settings.items()})
        self.env.update(env or {})
        #  With Kafka as the source nobody needs a collector.
        embedded = "KAFKA_BOOTSTRAP_SERVERS" not in self.env or settings.get("collector_enabled")
        self.services = [name for name in SERVICES if embedded or name != "collector"]
        self.log, self.printed = (os.path.join(self.directory, name) for name in ("usher.log", "usher.out"))
        self.process = None

    # ---- start and stop

    def __enter__(self):
        try:
            return self.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise

    def __exit__(self, kind, error, trace):
        self.end()
        if kind and os.path.exists(self.log):
            print("\n".join(pathlib.Path(self.log).read_text(errors="replace").splitlines()[-60:]))
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def launch(self):
        """Starts `usher up`, and waits for nothing."""
        with open(self.log, "ab") as log, open(self.printed, "ab") as printed:
            self.process = subprocess.Popen([programs() / "usher", "up", "--dir", self.directory], cwd=self.directory,
                                            env=self.env, stdin=subprocess.DEVNULL, stdout=printed, stderr=log)
        return self

    def start(self, deadline_s=60):
        self.launch()
        self.wait_ready(deadline_s)
        return self

    def wait_ready(self, deadline_s=60):
        def condition():
            assert self.process.poll() is None, f"usher up ended with {self.process.returncode}"
            return self.is_ready()
        wait_until(condition, "all processes are READY", deadline_s, 0.1)

    def stop(self, how=signal.SIGTERM, deadline_s=60):
        """Drains. Returns the exit code."""
        self.process.send_signal(how)
        return self.process.wait(deadline_s)

    def abandon(self):
        """All die at once: for a house that cannot drain, because its store will never take what waits."""
        children = [entry["pid"] for entry in self.status() if entry["pid"]]
        self.process.kill()
        self.process.wait()
        self.kill_all(children)

    def end(self):
        """Whatever the state: nothing of it runs afterwards."""
        children = [entry["pid"] for entry in self.status() if entry["pid"]] if self.process else []
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.kill_all(children)

    def kill_all(self, pids):
        for pid in pids:
            if is_running(pid) and self.is_ours(pid):
                os.kill(pid, signal.SIGKILL)

    def is_ours(self, pid):
        try:
            return self.directory.encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    # ---- the processes

    def usher(self, *arguments, timeout_s=120):
        return subprocess.run([programs() / "usher", *arguments, "--dir", self.directory], cwd=self.directory, env=self.env,
                              capture_output=True, text=True, timeout=timeout_s)

    def status(self):
        """The processes as `usher status` tells them, none when no supervisor answers."""
        answer = self.usher("status", "--json")
        return json.loads(answer.stdout)["processes"] if answer.returncode == 0 else []

    def is_ready(self):
        status = self.status()
        return len(status) >= len(self.services) and all(entry["state"] == "READY" for entry in status)

    def entry(self, name):
        return next((entry for entry in self.status() if entry["name"] == name), None)

    def pid(self, name):
        """Waits for it where it is between two lives."""
        return wait_until(lambda: (self.entry(name) or {}).get("pid"), f"{name} runs")

    def kill(self, name, how=signal.SIGKILL):
        pid = self.pid(name)
        os.kill(pid, how)
        return pid

    def wait_replaced(self, name, old_pid, deadline_s=60):
        """Another process of that name is READY."""
        def condition():
            entry = self.entry(name)
            return entry and entry["state"] == "READY" and entry["pid"] != old_pid
        wait_until(condition, f"another {name} is READY", deadline_s, 0.1)

    # ---- in and out

    def poster(self):
        return Poster(self.ports["collector"])

    def post(self, events):
        poster = self.poster()
        poster.post_until_taken(events)
        poster.close()

    def get(self, path, port="feed", method="GET"):
        """(HTTP status, what its JSON says)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=20)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def erase(self, viewer_id):
        """Asks until it is done, as an operator does. Returns what the answer says."""
        path = f"/v1/viewers/{urllib.parse.quote(viewer_id, safe='')}"

        def condition():
            status, answer = self.get(path, method="DELETE")
            return answer if status == 200 else None
        return wait_until(condition, "a viewer is erased", 60)

    def viewer(self, viewer_id):
        """The viewer's profile, or None."""
        status, viewer = self.get(f"/v1/viewers/{urllib.parse.quote(viewer_id, safe='')}")
        return viewer if status == 200 else None

    def viewers(self):
        """All live viewers by id."""
        found, cursor = {}, ""
        while True:
            _, page = self.get(f"/v1/viewers?limit=500{cursor}")
            found.update({viewer["viewer_id"]: viewer for viewer in page["viewers"]})
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={urllib.parse.quote(page['next_cursor'], safe='')}"

    def rows(self, query, *parameters, database="store.db"):
        """Rows of the store as dictionaries, none when the file or table is not there yet."""
        path = os.path.join(self.directory, "data", database)
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, parameters)]
        finally:
            connection.close()

    def metrics_text(self):
        """What the gateway tells Prometheus."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["feed"], timeout=10)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def metrics(self):
        """{name: {labels as text: value}} of all processes, without usher_; process="..." is one of the labels."""
        found = {}
        for line in self.metrics_text().splitlines():
            if line.startswith("usher_"):
                name, _, value = line.rpartition(" ")
                name, _, labels = name.removeprefix("usher_").partition("{")
                found.setdefault(name, {})[labels.rstrip("}")] = float(value)
        return found

    def metric(self, name):
        """The sum over processes and labels; None while nobody tells it."""
        found = self.metrics().get(name)
        return sum(found.values()) if found else None

    def feed(self, path="/ws", timeout_s=10):
        return websocket.create_connection(f"ws://127.0.0.1:{self.ports['feed']}{path}", timeout=timeout_s)

    def wait_for(self, condition, what, deadline_s=30):
        return wait_until(condition, what, deadline_s)


def receive_until(feed, enough, what, deadline_s=30):
    """JSON messages of a feed until enough(messages)."""
    messages = []
    end = time.monotonic() + deadline_s
    while not enough(messages):
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}; came: {messages}"
        try:
            messages.append(json.loads(feed.recv()))
        except websocket.WebSocketTimeoutException:
            pass
    return messages
