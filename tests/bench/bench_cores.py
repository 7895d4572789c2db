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
VIEWERS = 10000
CHECKPOINTS, WRITES_A_CHANGE = 12, 2    # issue 5's goals: an hour's checkpoints; writes of any kind for a status change


def printed(program, *words):
    """The lines that a program of this build prints, split into words."""
    subprocess.run(["ninja", "-C", str(running.BUILD), f"tests/{program}"], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([str(running.BUILD / "tests" / program), *map(str, words)], check=True, capture_output=True, text=True)
    return [line.split() for line in done.stdout.splitlines()]


def cores():
    runs = [{name: float(cpu_ns) for name, cpu_ns, *_ in printed("bench-cores", VIEWERS, EVENTS)} for _ in range(RUNS)]
    for name in ("ingester", "shard", "publisher"):
        found = [run[name] for run in runs]
        yield f"{name:<12} {statistics.median(found):>8,.0f} ns/event  {min(found):,.0f} to {max(found):,.0f}"
    yield f"{'memory':<12} {statistics.median(run['memory'] for run in runs):>8,.0f} bytes/viewer  heap of all three; {EVENTS // VIEWERS} events of one viewer"


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
    lines += [*cores(), "", *hour()]
    text = "\n".join(lines) + "\n"
    pathlib.Path(running.BUILD / "bench-cores.txt").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
