"""bench_usher - throughput, memory, latency and the collector's pace, all in one run on one machine

usage: bench_usher.py [throughput|memory|latency|collector ...]

Each figure is the median of RUNS runs and stands beside a baseline of the same run. How each is measured is said in its
row and in docs/BENCHMARKS.md. The table goes to stdout and to BUILD/bench.txt. USHER_BENCH_EVENTS, _VIEWERS, _SECONDS and
_RUNS make it smaller.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

import events
import latency
import running

EVENTS = int(os.environ.get("USHER_BENCH_EVENTS", "300000"))
VIEWERS = int(os.environ.get("USHER_BENCH_VIEWERS", "100000"))
SECONDS = float(os.environ.get("USHER_BENCH_SECONDS", "20"))
RUNS = int(os.environ.get("USHER_BENCH_RUNS", "3"))
FEW_VIEWERS, STREAM_S = 10000, 300
CONNECTIONS, LOAD_S, RATE = 64, 4, 200

rows = []


def tell(name, values, unit, how, digits=0):
    """A row: median, and the least and greatest run."""
    middle = statistics.median(values)
    rows.append((name, f"{middle:,.{digits}f} {unit}", f"{min(values):,.{digits}f} to {max(values):,.{digits}f}", how))
    print(f"  {name}: {rows[-1][1]} ({rows[-1][2]})", flush=True)
    return middle


# ---- journal to feed


def feed(path, journal, count, viewers):
    """Lets a ready house read a journal. Returns seconds to the commit and to the last frame, CPU and Pss growth by process."""
    watch = subprocess.Popen([running.compiled("feed_watch"), str(path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with running.house(path, collector=False) as house:
        cpu = {name: running.cpu_us(pid) for name, pid in house.pids.items()}
        pss = {name: running.pss_bytes(pid) for name, pid in house.pids.items()}
        log, position = path / "log", running.Position(path / "data/store.db")
        os.rename(journal, path / "data/journal.db")
        running.wait_until(lambda: b"source opened" in log.read_bytes(), "opened source", 10, 0.002)
        begin = time.monotonic()
        running.wait_until(lambda: position.next() > count, "committed end", 300)
        committed = time.monotonic() - begin
        running.wait_until(lambda: house.live_viewers() == viewers, f"{viewers} live viewers at the gateway", 60, 0.2)
        cpu = {name: running.cpu_us(pid) - cpu[name] for name, pid in house.pids.items()}
        pss = {name: running.pss_bytes(pid) - pss[name] for name, pid in house.pids.items()}
        watch.stdin.write("?\n")
        watch.stdin.flush()
        frames, size, last = (int(word) for word in watch.stdout.readline().split())
        made = position.count("video_events"), position.count("viewer_profiles"), position.count("quarantine")
        position.close()
    watch.stdin.close()
    watch.wait()
    os.rename(path / "data/journal.db", journal)
    return {"committed_s": committed, "fed_s": last / 1e9 - begin, "cpu_us": cpu, "pss": pss, "frames": frames, "bytes": size, "made": made}


def check(run, viewers, changes):
    history, profiles, bad = run["made"]
    if profiles != viewers or history < changes or bad or not run["frames"]:
        raise SystemExit(f"the store has {history} rows of history, {profiles} profiles, {bad} in quarantine; {run['frames']} frames were fed")


def baseline(journal, *words):
    out = subprocess.run([running.compiled("journal_read"), journal, *words], check=True, capture_output=True, text=True).stdout
    count, size, decoded, wall_ns, cpu_ns = (int(word) for word in out.split())
    if count != EVENTS or (words and decoded != EVENTS):
        raise SystemExit(f"the baseline read {count} rows and decoded {decoded} of {EVENTS}")
    return {"rate": count / wall_ns * 1e9, "cpu_us": cpu_ns / 1e3 / count, "bytes": size / count}


def sorted_share(runs):
    names = runs[0]["cpu_us"]
    share = {name: statistics.median(run["cpu_us"][name] for run in runs) / EVENTS for name in names}
    return sorted(share.items(), key=lambda item: -item[1])


def throughput():
    with running.folder() as top:
        journal = str(top / "journal.db")
        events.make_journal(journal, EVENTS, FEW_VIEWERS, STREAM_S)
        reads, decodes, runs = [], [], []
        for number in range(RUNS):
            reads.append(baseline(journal))
            decodes.append(baseline(journal, "decode"))
            path = top / str(number)
            (path / "data").mkdir(parents=True)
            runs.append(feed(path, journal, EVENTS, FEW_VIEWERS))
            check(runs[-1], FEW_VIEWERS, EVENTS // events.STATUS_EACH)
    read = tell("baseline: read rows", [one["rate"] for one in reads], "events/s", f"SELECT loop over {EVENTS:,} rows of {reads[0]['bytes']:.0f} bytes")
    decode = tell("baseline: read and decode", [one["rate"] for one in decodes], "events/s", "the same loop with proto's decoder, one thread")
    whole = tell("journal to committed", [EVENTS / run["committed_s"] for run in runs], "events/s", "source opened -> last position in store.db; 10,000 viewers, 5 % status changes")
    fed = tell("journal to feed", [EVENTS / run["fed_s"] for run in runs], "events/s", "source opened -> last frame at a SUB")
    tell("  of read", [whole / read], "x", "committed / baseline", 3)
    tell("  of read and decode", [whole / decode], "x", "committed / baseline; the house has the same two cores", 3)
    tell("baseline CPU: read", [one["cpu_us"] for one in reads], "µs/event", "process CPU clock", 2)
    tell("baseline CPU: read and decode", [one["cpu_us"] for one in decodes], "µs/event", "process CPU clock", 2)
    tell("CPU of all processes", [sum(run["cpu_us"].values()) / EVENTS for run in runs], "µs/event", "utime + stime of /proc/PID/stat", 2)
    for name, share in sorted_share(runs):
        tell(f"  {name}", [run["cpu_us"][name] / EVENTS for run in runs], "µs/event", "", 2)
    tell("history rows per event", [run["made"][0] / EVENTS for run in runs], "", "rows of video_events / events", 3)


# ---- memory


def memory():
    with running.folder() as top:
        journal = str(top / "journal.db")
        events.make_journal(journal, VIEWERS, VIEWERS, 10)
        runs = []
        for number in range(RUNS):
            path = top / str(number)
            (path / "data").mkdir(parents=True)
            runs.append(feed(path, journal, VIEWERS, VIEWERS))
            check(runs[-1], VIEWERS, VIEWERS)
    shards = [name for name in runs[0]["pss"] if name.startswith("shard")]
    for label, names in (("shards", shards), ("publisher", ["publisher"]), ("gateway", ["gateway"])):
        tell(f"memory: {label}", [sum(run["pss"][name] for name in names) / VIEWERS for run in runs], "bytes/viewer",
             f"growth of Pss with {VIEWERS:,} live viewers of one session")


# ---- latency


def delay():
    results = []
    for _ in range(RUNS):
        with running.folder() as path, running.house(path) as house:
            results.append(latency.measure(house.ports["COLLECTOR"], house.ports["GATEWAY"], RATE, SECONDS))
    for name, place in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)):
        tell(f"latency {name}", [one[min(int(len(one) * place), len(one) - 1)] * 1000 for one in results], "ms",
             f"request sent -> its message on /ws; {RATE}/s for {SECONDS:g} s, one connection, {len(results[0])} events a run", 2)


# ---- collector


def load(port, request, top):
    file = top / "request"
    file.write_bytes(request)
    out = subprocess.run([running.compiled("http_load"), str(port), str(CONNECTIONS), str(LOAD_S), str(file)], capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(out.stderr)
    answers, wall_ns, p50, p99, _ = (int(word) for word in out.stdout.split())
    return {"rate": answers / wall_ns * 1e9, "p50": p50, "p99": p99}


def collector():
    posts, healths = [], []
    with running.folder() as path:
        port = running.free_port()
        (path / "run").mkdir()
        (path / "data").mkdir()
        with open(path / "log", "wb") as log:
            process = subprocess.Popen([str(running.BIN / "usher-collector"), "--dir", str(path)], stdout=log, stderr=log,
                                       env={**os.environ, "USHER_COLLECTOR_PORT": str(port), "USHER_COLLECTOR_MAX_JOURNAL_BYTES": str(8 << 30)})
            try:
                running.wait_until(lambda: latency.listens(port), "collector", 10)
                health = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: keep-alive\r\n\r\n".encode()
                request = events.post(events.post_body("5fcf5a36-7469-4eec-a71b-bbb5033d7767", 1, "play_event", 1), port)
                for _ in range(RUNS):
                    healths.append(load(port, health, path))
                    posts.append(load(port, request, path))
            finally:
                process.terminate()
                process.wait()
    base = tell("baseline: /health", [one["rate"] for one in healths], "requests/s", f"the same server, {CONNECTIONS} kept-alive connections, one request at a time on each")
    rate = tell("collector POST", [one["rate"] for one in posts], "requests/s", f"one event of {len(request):,} bytes with its headers, answered when on disk (group commit)")
    tell("  of /health", [rate / base], "x", "", 3)
    tell("collector POST p50", [one["p50"] / 1000 for one in posts], "ms", "request sent -> answer, at that rate", 2)
    tell("collector POST p99", [one["p99"] / 1000 for one in posts], "ms", "", 2)


# ---- all


def table():
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip() for row in rows)


def main():
    parts = {"throughput": throughput, "memory": memory, "latency": delay, "collector": collector}
    wanted = sys.argv[1:] or list(parts)
    if unknown := set(wanted) - set(parts):
        raise SystemExit(f"there is no {', '.join(unknown)}; there are {', '.join(parts)}")
    machine = running.machine()
    head = (f"usher bench: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}; "
            f"medians of {RUNS} runs, least to greatest\nload average at start: {os.getloadavg()[0]:.2f}\n")
    for part in wanted:
        print(part, flush=True)
        parts[part]()
    text = f"{head}load average at end: {os.getloadavg()[0]:.2f}\n\n{table()}\n"
    pathlib.Path(running.BUILD / "bench.txt").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
