"""bench_dynamodb - every event a change, into DynamoDB Local, beside a bare writer that makes the same requests

usage: bench_dynamodb.py

Usher reads a file of flattened events in which each one changes its viewer's status; the clock runs from `source opened` to the
committed end. The bare writer then puts as many rows and as many profiles, of the same sizes and under the same kind of
conditions, in full batches on as many connections, into tables of their own in the same engine. Bodies are made before its
clock starts, and it reads of the answers only whether all went well. USHER_BENCH_CHANGES and _RUNS make it smaller.
"""

import base64
import http.client
import json
import os
import pathlib
import re
import statistics
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import running
from dynamodb import TARGET, Engine, ask, engine_jars, environment

CHANGES = int(os.environ.get("USHER_BENCH_CHANGES", "40000"))
RUNS = int(os.environ.get("USHER_BENCH_RUNS", "3"))
VIEWERS, BATCH = 2000, 25
CONNECTIONS = int(os.environ.get("USHER_STORE_CONNECTIONS", "16"))

rows = []


class MemoryEngine(Engine):
    def command(self):
        lib = engine_jars()
        return ["java", "-Xmx1g", f"-Djava.library.path={lib}", "-cp", f"{lib}/*",
                "com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-sharedDb", "-inMemory", "-port", str(self.port)]


def tell(name, values, unit, how, digits=0):
    middle = statistics.median(values)
    rows.append((name, f"{middle:,.{digits}f} {unit}", f"{min(values):,.{digits}f} to {max(values):,.{digits}f}", how))
    print(f"  {name}: {rows[-1][1]} ({rows[-1][2]})", flush=True)
    return middle


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def write_events(path):
    begin = int(time.time()) * 1000 - 3600000
    with open(path, "w") as out:
        for number in range(CHANGES):
            turn, viewer = divmod(number, VIEWERS)
            out.write(json.dumps({"collector_tstamp": stamp(begin + turn * 1000), "event_id": f"{number:08d}-0000-4000-8000-{viewer:012d}",
                                  "event_name": "pause_event" if turn % 2 else "play_event", "viewer_id": f"viewer-{viewer}",
                                  "adsClicked": 0, "adsSkipped": 0, "adId": 288, "video_ts": turn}) + "\n")


# ---- Usher


def counts(house):
    """Sum of a metric of the persister by operation."""
    found = {}
    with urllib.request.urlopen(f"http://127.0.0.1:{house.ports['GATEWAY']}/metrics", timeout=10) as answer:
        for name, operation, value in re.findall(r'^usher_dynamodb_(\w+)_total\{[^}]*operation="(\w+)"\} (\d+)', answer.read().decode(), re.M):
            found[name, operation] = int(value)
    return found


def usher(engine, path, made):
    os.environ.update({"USHER_INGESTER_SOURCE": "file", "USHER_INGESTER_FILE": str(path / "events")})
    settings = environment(engine.port)
    original = dict(os.environ)
    try:
        house = running.House(path, collector=False, more=settings)
        house.pids = house.ready()
        before = counts(house)
        cpu = {name: running.cpu_us(pid) for name, pid in house.pids.items()}
        position = running.Position(path / "data/store.db")
        begin = time.monotonic()
        with open(path / "events", "ab") as out:
            out.write(made)
        running.wait_until(lambda: position.next() >= len(made), "committed end", 600)
        seconds = time.monotonic() - begin
        time.sleep(1.2)    # the last beat brings the metrics
        done = {key: value - before.get(key, 0) for key, value in counts(house).items()}
        cpu = sum(running.cpu_us(pid) - cpu[name] for name, pid in house.pids.items())
        position.close()
    finally:
        house.stop()
        os.environ.clear()
        os.environ.update(original)
    return {"rate": CHANGES / seconds, "cpu_us": cpu / CHANGES, "rows": done["items", "rows"], "profiles": done["items", "profile"],
            "row_requests": done["requests", "rows"], "profile_requests": done["requests", "profile"],
            "again": done["retries", "rows"] + done["retries", "profile"]}


# ---- the bare writer


def row_bodies(sample, count):
    """Full BatchWriteItems like the sampled row, no key twice."""
    bodies = []
    for first in range(0, count, BATCH):
        items = []
        for number in range(first, min(first + BATCH, count)):
            items.append({"PutRequest": {"Item": {**sample, "viewer_id": {"S": f"viewer-{number % VIEWERS}"},
                                                  "collector_tstamp": {"S": stamp(number)}}}})
        bodies.append(("BatchWriteItem", json.dumps({"RequestItems": {"bare_events": items}})))
    return bodies


def profile_bodies(size, count):
    """Full BatchExecuteStatements in rounds: a viewer's first is an INSERT, the next UPDATEs name the version before."""
    profile, rounds = base64.b64encode(os.urandom(size)).decode(), []
    for number in range(-(-count // VIEWERS)):
        bodies, viewers = [], min(VIEWERS, count - number * VIEWERS)
        for first in range(0, viewers, BATCH):
            statements = []
            for viewer in range(first, min(first + BATCH, viewers)):
                values = [{"N": "1"}, {"N": str(number + 1)}, {"N": "1999999999"}, {"B": profile}, {"N": str(viewer % 1024)}]
                name = {"S": f"viewer-{viewer}"}
                if number == 0:
                    statements.append({"Statement": "INSERT INTO \"bare_profiles\" VALUE {'viewer_id': ?, 'epoch': ?, 'version': ?, 'expires_at': ?, "
                                       "'profile': ?, 'live_slot': ?}", "Parameters": [name, *values]})
                else:
                    statements.append({"Statement": 'UPDATE "bare_profiles" SET "epoch" = ? SET "version" = ? SET "expires_at" = ? SET "profile" = ? '
                                       'SET "live_slot" = ? WHERE "viewer_id" = ? AND "epoch" = ? AND "version" = ?',
                                       "Parameters": [*values, name, {"N": "1"}, {"N": str(number)}]})
            bodies.append(("BatchExecuteStatement", json.dumps({"Statements": statements})))
        rounds.append(bodies)
    return rounds


def send_all(port, bodies, connections):
    """Sends them all, so many at a time."""
    work, wrong = iter(bodies), []
    lock = threading.Lock()

    def run():
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                one = next(work, None)
            if one is None:
                return connection.close()
            connection.request("POST", "/", one[1], {
                "X-Amz-Target": TARGET + one[0], "Content-Type": "application/x-amz-json-1.0", "Authorization":
                "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200 or b'"Error"' in text or b'"PutRequest"' in text:
                wrong.append(text[:300])
    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(f"the bare writer met {wrong[0]}")


def make_bare_tables(engine):
    for bare, real in (("bare_events", "video_events"), ("bare_profiles", "viewer_profiles")):
        table = ask(engine.port, "DescribeTable", TableName=real)["Table"]
        indexes = [{key: index[key] for key in ("IndexName", "KeySchema", "Projection")} for index in table.get("GlobalSecondaryIndexes", [])]
        ask(engine.port, "CreateTable", TableName=bare, BillingMode="PAY_PER_REQUEST", KeySchema=table["KeySchema"],
            AttributeDefinitions=table["AttributeDefinitions"], **({"GlobalSecondaryIndexes": indexes} if indexes else {}))


def bare(engine, made):
    """The same rows and profiles: rows and profiles go side by side, as in Usher."""
    make_bare_tables(engine)
    sample = engine.items("video_events")[0]
    profiles = [len(base64.b64decode(item["profile"]["B"])) for item in engine.items("viewer_profiles") if "profile" in item]
    rounds = profile_bodies(int(statistics.mean(profiles)), made["profiles"])
    each = -(-made["rows"] // BATCH // len(rounds))
    row_list = row_bodies(sample, made["rows"])
    begin = time.monotonic()
    for number, bodies in enumerate(rounds):
        mixed = row_list[number * each:(number + 1) * each] + bodies
        send_all(engine.port, mixed, CONNECTIONS)
    send_all(engine.port, row_list[len(rounds) * each:], CONNECTIONS)
    return CHANGES / (time.monotonic() - begin)


def main():
    load = os.getloadavg()[0]
    runs, bares = [], []
    for number in range(RUNS):
        with running.folder() as path, MemoryEngine() as engine:
            write_events(path / "made")
            (path / "events").touch()
            runs.append(usher(engine, path, (path / "made").read_bytes()))
            stored = len(engine.items("video_events"))
            if stored != CHANGES:
                raise SystemExit(f"{stored} rows of {CHANGES} are in the table")
            bares.append(bare(engine, runs[-1]))
    plain = tell("baseline: bare writer", bares, "events/s", f"the same rows and conditional profiles in batches of {BATCH}, {CONNECTIONS} connections")
    whole = tell("every event a change, DynamoDB Local", [run["rate"] for run in runs], "events/s", f"file to committed; {VIEWERS:,} viewers")
    tell("  of the bare writer", [whole / plain], "x", "", 2)
    tell("CPU of all of Usher's processes", [run["cpu_us"] for run in runs], "µs/event", "without the engine's", 1)
    tell("profile writes per event", [run["profiles"] / CHANGES for run in runs], "", "a viewer has one in flight; what comes meanwhile goes with the next", 3)
    tell("rows per request", [run["rows"] / run["row_requests"] for run in runs], "", "of 25", 1)
    tell("profiles per request", [run["profiles"] / run["profile_requests"] for run in runs], "", "of 25", 1)
    tell("asked again", [run["again"] for run in runs], "items", "")
    machine = running.machine()
    lines = [f"usher bench, DynamoDB: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; medians of {RUNS} runs, least to greatest",
             f"load average at start: {load:.2f}; at end: {os.getloadavg()[0]:.2f}", ""]
    lines += [f"{name:<40} {value:>18}  {span:>20}  {how}" for name, value, span, how in rows]
    print("\n".join(lines))
    (running.BUILD / "bench-dynamodb.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
