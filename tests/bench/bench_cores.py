"""bench_cores - the cores alone: what an event costs each of them, and what an hour of viewing asks of the store

usage: bench_cores.py

No sockets, no disks, no other processes (tests/bench/cores.c, tests/bench/hour.c). The hour is simulated, so its figures are exact
and the same on every machine. USHER_BENCH_EVENTS, _RUNS and _HOUR_VIEWERS make it smaller.
"""

import os
import pathlib
import statistics
import subprocess

import running

EVENTS = int(os.environ.get("USHER_BENCH_EVENTS", "2000000"))
RUNS = int(os.environ.get("USHER_BENCH_RUNS", "3"))
HOUR_VIEWERS = int(os.environ.get("USHER_BENCH_HOUR_VIEWERS", "1000"))
VIEWERS, CHANGES, TURN, PROFILE_BYTES = 10000, 20000, 500, 2600
CHECKPOINTS, WRITES_A_CHANGE = 12, 2    # issue 5's goals: an hour's checkpoints; writes of any kind for a status change


def printed(program, *words):
    """The lines that a program of this build prints, split into words."""
    subprocess.run(["ninja", "-C", str(running.BUILD), f"tests/{program}"], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([str(running.BUILD / "tests" / program), *map(str, words)], check=True, capture_output=True, text=True, cwd=running.ROOT)
    return [line.split() for line in done.stdout.splitlines()]


def cores():
    runs = [printed("bench-cores", VIEWERS, EVENTS) for _ in range(RUNS)]
    for name in ("ingester", "shard", "publisher"):
        found = [float(line[1]) for run in runs for line in run if line[0] == name]
        yield f"{name:<12} {statistics.median(found):>8,.0f} ns/event  {min(found):,.0f} to {max(found):,.0f}"
    for line in runs[0]:
        if line[0] == "memory":
            yield f"{line[1]:<12} {int(line[2]):>8,} bytes/viewer, {int(line[3]):,} asleep  heap; {EVENTS // VIEWERS} events of one session"


def store():
    """The persister's core on a store of its own: the disk is in the wall's time, and in nothing else."""
    runs = []
    for _ in range(RUNS):
        with running.folder() as path:
            runs.append([int(word) / 1000 for word in printed("bench-store", path, VIEWERS, CHANGES, TURN, PROFILE_BYTES)[0]])
    cpu, wall = ([run[at] for run in runs] for at in (0, 1))
    yield f"{'persister':<12} {statistics.median(cpu):>8,.1f} µs/change  {min(cpu):,.1f} to {max(cpu):,.1f}  a row and a profile of {PROFILE_BYTES:,} bytes, {TURN} a transaction"
    yield f"{'':<12} {statistics.median(wall):>8,.1f} µs/change  {min(wall):,.1f} to {max(wall):,.1f}  by the clock on the wall"


def hour():
    quiet = None
    for name, changes, writes, history in printed("bench-hour", HOUR_VIEWERS):
        changes, writes, history = float(changes), float(writes), float(history)
        yield f"{name:<12} {changes:>6.2f} status changes  {writes:>6.2f} profile writes  {history:>6.2f} history rows  a viewer-hour"
        if quiet is None:    # one play, then pings: all writes but the first are checkpoints
            quiet = writes - 1
            yield f"{'':<12} {quiet:>6.2f} checkpoints, goal {CHECKPOINTS}"
        else:
            yield f"{'':<12} {writes + history:>6.2f} of both, goal {CHECKPOINTS + WRITES_A_CHANGE * changes:.0f} and what ads write"


def main():
    load, machine = os.getloadavg()[0], running.machine()
    lines = [f"usher bench, cores: {machine['processor']}; process CPU clock; medians of {RUNS} runs, least to greatest; load average {load:.2f}", ""]
    lines += [*cores(), *store(), "", *hour()]
    text = "\n".join(lines) + "\n"
    pathlib.Path(running.BUILD / "bench-cores.txt").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
