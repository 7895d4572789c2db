"""The collector by itself, over real HTTP: what is answered, what is in the journal, what is in the log."""

import contextlib
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import uuid

import pytest

from house import DATA, PLAIN, TP2, free_ports, programs, self_describing, wait_until

NUID = "11111111-2222-4333-8444-555555555555"
GET, POST = "GET", "POST"
KIND_EVENT, KIND_BAD = 0, 1

# What a row of the recording's Enrich has otherwise than ours, and why.
OTHERS = {
    "etl_tstamp": "the clock of the recording", "collector_tstamp": "the clock of the recording",
    "derived_tstamp": "follows from collector_tstamp", "v_collector": "the program's name", "v_etl": "the program's name",
}


class Answer:
    """One answer, read from a buffered socket."""

    def __init__(self, stream, method=POST):
        line = stream.readline()
        assert line, "the connection was closed"
        self.status = int(line.split()[1])
        self.headers = {}
        for line in iter(stream.readline, b"\r\n"):
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.body = b"" if method == "HEAD" else stream.read(int(self.headers.get("content-length", 0)))


def request(method, target, body=b"", headers=None):
    """The bytes of a request; headers without a length where they tell another encoding."""
    headers = {"Host": "collector", **({"Content-Type": "application/json"} if body else {}), **(headers or {})}
    if body and "Transfer-Encoding" not in headers:
        headers["Content-Length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def payload(*items):
    items = items or ({"e": "pv", "p": "web", "tv": "t"},)
    return json.dumps(self_describing(f"{PLAIN}/payload_data/jsonschema/1-0-4", list(items))).encode()


def chunks(body, size):
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class Collector:
    """A collector without the rest of the house: its rows stay in the journal."""

    def __init__(self, directory, **settings):
        self.directory, (self.port,) = directory, free_ports(1)
        env = {key: value for key, value in os.environ.items() if not key.startswith("USHER_")}
        env |= {f"USHER_COLLECTOR_{key.upper()}": str(value) for key, value in {"port": self.port, **settings}.items()}
        env["USHER_LOG_LEVEL"] = "debug"
        pathlib.Path(directory, "empty.yaml").touch()
        for name in ("run", "data"):
            pathlib.Path(directory, name).mkdir(mode=0o700, exist_ok=True)
        self.log = pathlib.Path(directory, "collector.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([programs() / "usher-collector", "--config", "empty.yaml", "--dir", "."],
                                            cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        wait_until(lambda: self.ask(GET, "/health").status == 200, "the collector answers")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(30) in (0, -15), self.log.read_text()

    @contextlib.contextmanager
    def connection(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection, connection.makefile("rwb") as stream:
            yield stream

    def ask(self, method, target, body=b"", headers=None):
        with self.connection() as stream:
            stream.write(request(method, target, body, headers))
            stream.flush()
            return Answer(stream, method)

    def rows(self):
        """(kind, reason, body) of all rows, in order."""
        journal = sqlite3.connect(f"file:{self.directory}/data/journal.db?mode=ro", uri=True, timeout=10)
        with contextlib.closing(journal):
            return [(kind, reason, body.decode()) for kind, reason, body in
                    journal.execute("SELECT kind, reason, body FROM rows ORDER BY position")]

    def events(self):
        rows = self.rows()
        assert all(kind == KIND_EVENT for kind, _, _ in rows), rows
        return [dict(zip(COLUMNS, body.split("\t"), strict=True)) for _, _, body in rows]


COLUMNS = (DATA / "enriched-columns.tsv").read_text().rstrip("\n").split("\t")


@pytest.fixture
def collector(tmp_path):
    with Collector(tmp_path) as collector:
        yield collector


@pytest.mark.parametrize("tracker, unknown_path", [("browser-4.10", 1), ("node-4.8.0", 0)])
def test_recording(collector, tracker, unknown_path):
    """Each recorded request, byte for byte on the wire as far as its headers matter, makes the rows that real Enrich made."""
    requests = json.loads((DATA / f"requests-{tracker}.json").read_text())
    for recorded in requests:
        headers = {name: value for name, value in recorded["headers"].items()
                   if name.lower() not in ("connection", "content-length", "expect", "cookie", "transfer-encoding")}
        headers["Cookie"] = f"sp={NUID}"
        answer = collector.ask(recorded["method"], recorded["url"], (recorded["bodyRaw"] or "").encode(), headers)
        assert answer.status == 200
    rows = collector.rows()
    assert sum("adapter_failures" in reason for kind, reason, _ in rows if kind == KIND_BAD) == unknown_path
    made = [dict(zip(COLUMNS, body.split("\t"), strict=True)) for kind, _, body in rows if kind == KIND_EVENT]
    wanted = [dict(zip(COLUMNS, line.split("\t"), strict=True))
              for line in (DATA / f"enriched-{tracker}.tsv").read_text().splitlines()]
    assert len(made) == len(wanted)
    for mine, theirs in zip(made, wanted):
        assert {key: value for key, value in mine.items() if key not in OTHERS} == \
            {key: value for key, value in theirs.items() if key not in OTHERS}


@pytest.mark.parametrize("target, headers, reason", [
    ("/i?e=pv&page=%zz", {}, "collector_payload_format_violation: querystring: malformed percent-escape in page"),
    ("/i?e=pv&page=100%", {}, "collector_payload_format_violation: querystring: malformed percent-escape in page"),
    ("/i?e=pv", {"Cookie": "sp=somebody@example.com"}, "collector_payload_format_violation: networkUserId: not a UUID"),
    ("/i?e=pv&nuid=somebody%40example.com", {}, "collector_payload_format_violation: networkUserId: not a UUID"),
    ("/i", {}, "adapter_failures: querystring: empty"),
    ("/com.acme/track?e=pv", {}, "adapter_failures: path: no adapter for /com.acme/track"),
])
def test_bad_requests_are_kept(collector, target, headers, reason):
    assert collector.ask(GET, target, headers=headers).status == 200
    (kind, said, body), = collector.rows()
    assert kind == KIND_BAD and said == reason
    assert json.loads(body)["request"]["querystring"] == target.partition("?")[2]


def test_query_stays_as_it_came(collector):
    assert collector.ask(GET, "/i?e=pv&page=a%20b%26c%3Dd+e%C3%A9&url=http://h/?q=%2525").status == 200
    event, = collector.events()
    assert event["page_title"] == "a b&c=d e\u00e9" and event["page_url"] == "http://h/?q=%25"


@pytest.mark.parametrize("size", [1, 7, 4000])
def test_chunked_body(collector, size):
    body = payload({"e": "pv", "p": "web", "tv": "t", "page": "x" * 1500})
    answer = collector.ask(POST, TP2, chunks(body, size), {"Transfer-Encoding": "chunked"})
    assert (answer.status, answer.body) == (200, b"ok")
    assert collector.events()[0]["page_title"] == "x" * 1500


def test_pipelined_requests(collector):
    """Sent ahead on one connection: all answered, in order, each event once."""
    ids = [str(uuid.uuid4()) for _ in range(50)]
    with collector.connection() as stream:
        for at, eid in enumerate(ids):
            body = payload({"e": "pv", "p": "web", "tv": "t", "eid": eid})
            chunked = at % 3 == 0
            stream.write(request(POST, TP2, chunks(body, 20) if chunked else body,
                                 {"Transfer-Encoding": "chunked"} if chunked else None))
            if at % 5 == 0:
                stream.write(request("HEAD", "/health"))
        stream.flush()
        for at, _ in enumerate(ids):
            assert Answer(stream).body == b"ok"
            if at % 5 == 0:
                assert Answer(stream, "HEAD").status == 200
    assert [event["event_id"] for event in collector.events()] == ids


def test_replies(collector):
    answer = collector.ask("HEAD", "/i?e=pv", headers={"Origin": "http://site"})
    assert answer.status == 200 and answer.headers["content-length"] == "43" and answer.headers["content-type"] == "image/gif"
    assert answer.headers["cache-control"] == "no-cache, no-store, must-revalidate" and "P3P".lower() in answer.headers
    assert answer.headers["access-control-allow-origin"] == "http://site"
    answer = collector.ask("OPTIONS", "/any/where", headers={"Origin": "http://site"})
    assert answer.status == 200 and answer.body == b"" and answer.headers["access-control-max-age"] == "3600"
    for method, target, status, body in [
            (GET, "/r/tp2", 404, b"redirects disabled"), (GET, "/", 404, b"404 not found"), (GET, "/sink-health", 200, b"OK"),
            ("PUT", TP2, 404, b"404 not found"), ("DELETE", "/i", 404, b"404 not found")]:
        answer = collector.ask(method, target)
        assert (answer.status, answer.body) == (status, body), target
    assert len(collector.events()) == 1


def test_cookie_lives_on(collector):
    first = collector.ask(POST, TP2, payload())
    cookie = first.headers["set-cookie"]
    assert cookie.startswith("sp=") and cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=None")
    value = cookie.partition(";")[0]
    assert collector.ask(POST, TP2, payload(), {"Cookie": f"other=1; {value}"}).headers["set-cookie"].startswith(value)
    assert [event["network_userid"] for event in collector.events()] == [value.removeprefix("sp=")] * 2


def test_anonymous(collector):
    headers = {"SP-Anonymous": "*", "Cookie": f"sp={NUID}", "X-Forwarded-For": "94.15.223.151"}
    assert "set-cookie" not in collector.ask(POST, TP2, payload(), headers).headers
    event, = collector.events()
    assert event["user_ipaddress"] == "unknown" and event["network_userid"] == "00000000-0000-0000-0000-000000000000"


def test_settings(tmp_path):
    with Collector(tmp_path, mask_ip_octets=2, mask_ip_segments=4, cookie_days=1, cookie_secure="false", cookie_same_site="Lax",
                   paths="com.acme/track,/com.acme/other=/com.snowplowanalytics.snowplow/tp1") as collector:
        for ip in ("94.15.223.151, 1.2.3.4", "2605:2700:0:3::4713:93e3"):
            answer = collector.ask(POST, "/com.acme/track", payload(), {"X-Forwarded-For": ip})
            assert answer.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")
        collector.ask(GET, "/com.acme/other?e=pv")
        assert [event["user_ipaddress"] for event in collector.events()] == ["94.15.x.x", "2605:2700:0:3:x:x:x:x", "127.0.x.x"]


def test_bad_path_in_the_settings(tmp_path):
    collector = Collector(tmp_path, paths="com.acme/track,oops")
    assert collector.process.wait(30) == 100
    assert "collector.paths" in collector.log.read_text() and "oops" in collector.log.read_text()


def test_limits(tmp_path):
    """Of head and body; what is refused is not in the journal, and the connection is good for the next request where it can be."""
    with Collector(tmp_path, max_body_bytes=2000) as collector:
        assert collector.ask(GET, "/i?e=pv&x=" + "x" * 20400).status == 200
        assert collector.ask(GET, "/i?e=pv&x=" + "x" * 20480).status == 400
        assert collector.ask(GET, "/i?e=pv", headers={f"X-{n}": "x" * 1000 for n in range(39)}).status == 200
        assert collector.ask(GET, "/i?e=pv&x=" + "x" * 20000, headers={f"X-{n}": "x" * 1000 for n in range(41)}).status == 400
        assert len(collector.events()) == 2
        assert collector.ask(POST, TP2, b"x" * 2001).status == 413
        with collector.connection() as stream:
            stream.write(request(POST, TP2, chunks(b"x" * 2001, 500), {"Transfer-Encoding": "chunked"}))
            stream.write(request(POST, TP2, payload()))
            stream.flush()
            assert Answer(stream).status == 413
            assert Answer(stream).status == 200
            stream.write(request("PUT", TP2, b"x" * 300000))
            stream.flush()
            assert Answer(stream).status == 404
        assert len(collector.events()) == 3


def test_more_connections_than_the_limit(tmp_path):
    """Those beyond it wait, and are served when one ends."""
    with Collector(tmp_path, max_connections=2) as collector, contextlib.ExitStack() as stack:
        streams = [stack.enter_context(collector.connection()) for _ in range(5)]
        for stream in streams:
            stream.write(request(POST, TP2, payload(), {"Connection": "close"}))
            stream.flush()
        assert [Answer(stream).status for stream in streams] == [200] * 5


def test_full_journal(tmp_path):
    """503 for what cannot be kept, and on both health addresses, so that a tracker sends again and a balancer looks elsewhere."""
    with Collector(tmp_path, max_journal_bytes=1 << 20) as collector:
        body = payload({"e": "pv", "p": "web", "tv": "t", "page": "x" * 1900}, *[{"e": "pv", "p": "web", "tv": "t"}] * 100)
        taken = 0
        while collector.ask(POST, TP2, body).status == 200:
            taken += 1
        assert taken > 0
        for target in ("/health", "/sink-health"):
            answer = collector.ask(GET, target)
            assert (answer.status, answer.body) == (503, b"Service Unavailable")
        assert collector.ask(GET, "/i?e=pv").status in (200, 503)
        assert len(collector.events()) >= taken * 101


def test_drain_answers_what_had_begun(tmp_path):
    """SIGTERM between head and body: the rest is read, kept and answered, and then the connection ends."""
    with Collector(tmp_path) as collector, collector.connection() as stream:
        body = payload()
        stream.write(request(POST, TP2, body, {"Expect": "100-continue"})[:-len(body)])
        stream.flush()
        assert Answer(stream).status == 100
        collector.process.terminate()

        def listens():
            with socket.create_connection(("127.0.0.1", collector.port), timeout=5):
                return True

        with pytest.raises(ConnectionError):
            while listens():
                pass
        stream.write(body)
        stream.flush()
        answer = Answer(stream)
        assert answer.status == 200 and answer.headers["connection"] == "close"
        assert stream.read() == b""
        assert collector.process.wait(30) == 0
    assert len(collector.events()) == 1


def test_log_names_nobody(tmp_path):
    """Good and bad requests, disconnects and a drain: no id, no address of a viewer is in the log, even at debug level."""
    secrets = ["viewer@example.com", "domain-user", "network-user", "94.15.223.151", NUID]
    with Collector(tmp_path) as collector:
        item = {"e": "pv", "p": "web", "tv": "t", "uid": secrets[0], "duid": secrets[1], "ip": secrets[3]}
        for cookie, body in ((NUID, payload(item)), (secrets[2], payload(item)), (NUID, payload({**item, "vid": "x"})),
                             (NUID, payload({**item, "uid": secrets[0] * 20})), (NUID, secrets[0].encode()), (NUID, payload({**item, "zz": "1"}))):
            collector.ask(POST, TP2, body, {"Cookie": f"sp={cookie}", "X-Forwarded-For": secrets[3]})
        with collector.connection() as stream:
            stream.write(b"GET /i?uid=" + secrets[0].encode() + b" nonsense\r\n")
            stream.flush()
        assert len(collector.rows()) == 6
    log = collector.log.read_text()
    assert log and not [secret for secret in secrets if secret in log]
