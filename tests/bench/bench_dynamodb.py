"""bench_dynamodb - every event a change, into DynamoDB Local, beside a bare writer that makes the same requests

usage: bench_dynamodb.py

Usher reads a file of flattened events in which each one changes its viewer's status; the clock runs from the file's first byte to the
committed end. The bare writer puts as many rows and as many profiles, of the same sizes and under the same conditions, in full
batches on as many connections, into tables of their own in the same engine. Its bodies are made before its clock starts, it signs
nothing, reads no viewer first, writes no profile after its rows, and looks in the answers only whether all went well.

The engine is a Java program that needs three times the CPU for an event when it is young. So there is one engine, whose first rounds
only warm it; the ratio is that of neighbours. USHER_BENCH_CHANGES, _RUNS and _WARM make it smaller.
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
RUNS = int(os.environ.get("USHER_BENCH_RUNS", "6"))
WARM = int(os.environ.get("USHER_BENCH_WARM", "3"))
VIEWERS, BATCH = 2000, 25
CONNECTIONS = int(os.environ.get("USHER_STORE_CONNECTIONS", "16"))

rows = []


class MemoryEngine(Engine):
    """Without a disk; of its tables a run leaves none."""

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
    """The persister's counters by name and operation, and how much waits."""
    with urllib.request.urlopen(f"http://127.0.0.1:{house.ports['GATEWAY']}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {(name, operation): int(value) for name, operation, value in
             re.findall(r'^usher_dynamodb_(\w+)_total\{[^}]*operation="(\w+)"\} (\d+)', text, re.M)}
    return {**found, "waiting": sum(int(value) for value in re.findall(r"^usher_dynamodb_waiting\{[^}]*\} (\d+)", text, re.M))}


def settled(house):
    """The counts of a beat in which all rows are written and nothing waits, {} before."""
    found = counts(house)
    return found if found.get(("items", "rows"), 0) >= CHANGES and not found["waiting"] else {}


def usher(engine, path, made):
    os.environ.update({"USHER_INGESTER_SOURCE": "file", "USHER_INGESTER_FILE": str(path / "events")})
    settings = environment(engine.port)
    original = dict(os.environ)
    try:
        house = running.House(path, collector=False, more=settings)
        house.pids = house.ready()
        cpu = {name: running.cpu_us(pid) for name, pid in house.pids.items()}
        position = running.Position(path / "data/store.db")
        engine_cpu = running.cpu_us(engine.process.pid)
        begin = time.monotonic()
        with open(path / "events", "ab") as out:
            out.write(made)
        running.wait_until(lambda: position.next() >= len(made), "committed end", 600)
        seconds = time.monotonic() - begin
        engine_cpu = running.cpu_us(engine.process.pid) - engine_cpu
        done = running.wait_until(lambda: settled(house), "beat that brings the metrics", 60)
        cpu = sum(running.cpu_us(pid) - cpu[name] for name, pid in house.pids.items())
        position.close()
    finally:
        house.stop()
        os.environ.clear()
        os.environ.update(original)
    return {"rate": CHANGES / seconds, "cpu_us": cpu / CHANGES, "engine_us": engine_cpu / CHANGES, "done": done}


# ---- the bare writer


def row_bodies(sample, count, each):
    """Full BatchWriteItems like the sampled row, no key twice; the rows of one write stand together."""
    bodies, rest = [], sample["collector_tstamp"]["S"][len(stamp(0)):]
    for first in range(0, count, BATCH):
        items = []
        for number in range(first, min(first + BATCH, count)):
            items.append({"PutRequest": {"Item": {**sample, "viewer_id": {"S": f"viewer-{number // each % VIEWERS}"},
                                                  "collector_tstamp": {"S": stamp(number) + rest}}}})
        bodies.append(("BatchWriteItem", dense({"RequestItems": {"bare_events": items}})))
    return bodies


def dense(value):
    return json.dumps(value, separators=(",", ":"))


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
            bodies.append(("BatchExecuteStatement", dense({"Statements": statements})))
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


def pattern_of(engine, done):
    """What the bare writer is to repeat: a row, the size of a profile, and how many of each."""
    stored = engine.items("video_events")
    if len(stored) != CHANGES:
        raise SystemExit(f"{len(stored)} rows of {CHANGES} are in the table")
    profiles = [item for item in engine.items("viewer_profiles") if "profile" in item]
    if not all("live_slot" in item for item in profiles):
        raise SystemExit("the bare writer's profiles are all live; some of Usher's are not")
    size = int(statistics.mean(len(base64.b64decode(item["profile"]["B"])) for item in profiles))
    return {"row": stored[0], "size": size, "rows": done["items", "rows"], "profiles": done["items", "profile"]}


def bare(engine, pattern):
    """The same rows and profiles: rows and profiles go side by side, as in Usher."""
    rounds = profile_bodies(pattern["size"], pattern["profiles"])
    row_list = row_bodies(pattern["row"], pattern["rows"], -(-pattern["rows"] // pattern["profiles"]))
    each = -(-len(row_list) // len(rounds))
    engine_cpu, begin = running.cpu_us(engine.process.pid), time.monotonic()
    for number, bodies in enumerate(rounds):
        send_all(engine.port, row_list[number * each:(number + 1) * each] + bodies, CONNECTIONS)
    seconds = time.monotonic() - begin
    requests = [*row_list, *(one for bodies in rounds for one in bodies)]
    return {"rate": CHANGES / seconds, "engine_us": (running.cpu_us(engine.process.pid) - engine_cpu) / CHANGES, "requests": len(requests),
            "bytes": sum(len(body) for _, body in requests)}


# ---- both


def drop_tables(engine):
    for name in ask(engine.port, "ListTables")["TableNames"]:
        ask(engine.port, "DeleteTable", TableName=name)


def run_pair(engine):
    """Usher in a fresh house, then the bare writer with as much: the figures of both."""
    drop_tables(engine)
    with running.folder() as path:
        write_events(path / "made")
        (path / "events").touch()
        figures = usher(engine, path, (path / "made").read_bytes())
    make_bare_tables(engine)
    return figures, bare(engine, pattern_of(engine, figures["done"]))


def main():
    load, pairs = os.getloadavg()[0], []
    with MemoryEngine() as engine:
        for number in range(WARM + RUNS):
            pairs.append(run_pair(engine))
            figures, beside = pairs[-1]
            print(f"  {'run' if number >= WARM else 'warming'}: {figures['rate']:,.0f} and {beside['rate']:,.0f} events/s", flush=True)
    show(pairs[WARM:], load)


def show(pairs, load):
    runs, bares = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    wrote = [{key: run["done"][key, "rows"] + run["done"][key, "profile"] for key in ("requests", "request_bytes", "retries")} for run in runs]
    tell("baseline: bare writer", [run["rate"] for run in bares], "events/s", f"the same rows and conditional profiles in batches of {BATCH}, {CONNECTIONS} connections")
    tell("every event a change, DynamoDB Local", [run["rate"] for run in runs], "events/s", f"file to committed; {VIEWERS:,} viewers")
    tell("  of the bare writer", [run["rate"] / beside["rate"] for run, beside in pairs], "x", "each beside its neighbour", 2)
    tell("CPU of the engine", [run["engine_us"] for run in runs], "µs/event", "while Usher writes", 1)
    tell("  for the bare writer", [run["engine_us"] for run in bares], "µs/event", "", 1)
    tell("CPU of all of Usher's processes", [run["cpu_us"] for run in runs], "µs/event", "without the engine's", 1)
    tell("requests that write", [count["requests"] for count in wrote], "", "")
    tell("  of the bare writer", [run["requests"] for run in bares], "", "")
    tell("bytes that write", [count["request_bytes"] / CHANGES for count in wrote], "bytes/event", "bodies of these requests", 1)
    tell("  of the bare writer", [run["bytes"] / CHANGES for run in bares], "bytes/event", "", 1)
    tell("requests that read", [run["done"]["requests", "read"] for run in runs], "", "viewers that are loaded first; the bare writer has none")
    tell("profile writes per event", [run["done"]["items", "profile"] / CHANGES for run in runs], "", "a viewer has one in flight; what comes meanwhile goes with the next", 3)
    tell("rows per request", [run["done"]["items", "rows"] / run["done"]["requests", "rows"] for run in runs], "", f"of {BATCH}", 1)
    tell("profiles per request", [run["done"]["items", "profile"] / run["done"]["requests", "profile"] for run in runs], "", f"of {BATCH}", 1)
    tell("asked again", [count["retries"] for count in wrote], "items", "")
    machine = running.machine()
    lines = [f"usher bench, DynamoDB: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; medians of {RUNS} runs, least to greatest",
             f"load average at start: {load:.2f}; at end: {os.getloadavg()[0]:.2f}", ""]
    lines += [f"{name:<40} {value:>18}  {span:>20}  {how}" for name, value, span, how in rows]
    print("\n".join(lines))
    (running.BUILD / "bench-dynamodb.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
