"""running - the house of a bench: started, asked for its processes, stopped; and small C programs beside it"""

import contextlib
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
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("USHER_BIN", str(ROOT / os.environ.get("USHER_BUILD", "build") / "bin"))).resolve()
BUILD = BIN.parent
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
LIBRARIES = ["-lsqlite3", "-lzmq", "-lxxhash", "-ljansson", "-lm"]


def compiled(name, *libraries):
    """Builds tests/bench/NAME.c against the decoders of this build and more libraries or options; returns the program."""
    folder = BUILD / "bench"
    if not (BUILD / "proto/libproto.a").exists():
        raise SystemExit(f"{BUILD} is no build; run make first, or name one with USHER_BUILD")
    folder.mkdir(exist_ok=True)
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", f"-I{ROOT / 'proto'}", str(ROOT / f"tests/bench/{name}.c"),
                    "-o", str(folder / name), str(BUILD / "proto/libproto.a"), *LIBRARIES, *libraries], check=True)
    return str(folder / name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, limit_s=120, step_s=0.02):
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"no {what} within {limit_s} s")
        time.sleep(step_s)
    return value


@contextlib.contextmanager
def folder():
    """A short path: socket names must fit 107 bytes."""
    path = tempfile.mkdtemp(prefix="usher-", dir="/tmp")
    try:
        yield pathlib.Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class House:
    """`usher up` in a folder with ports of its own."""

    def __init__(self, path, collector=True, more=None):
        self.path, self.log = path, open(path / "log", "wb")
        names = ("GATEWAY", "GATEWAY_DASHBOARD", "GATEWAY_TRACKER", "COLLECTOR")
        self.ports = {name: free_port() for name in names}
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KAFKA_"))}
        self.environment = {**plain, "USHER_COLLECTOR_ENABLED": "true" if collector else "false",
                            **{f"USHER_{name}_PORT": str(port) for name, port in self.ports.items()}, **(more or {})}
        self.process = subprocess.Popen([str(BIN / "usher"), "up", "--dir", str(path)], env=self.environment,
                                        stdout=self.log, stderr=self.log)

    def status(self):
        """name -> pid of the processes, or {} while not all are ready."""
        if self.process.poll() is not None:
            raise SystemExit("usher up ended:\n" + (self.path / "log").read_text(errors="replace")[-2000:])
        shown = subprocess.run([str(BIN / "usher"), "status", "--dir", str(self.path)], env=self.environment,
                               capture_output=True, text=True).stdout
        rows = [line.split() for line in shown.splitlines()[3:] if line.strip()]
        return {row[0]: int(row[2]) for row in rows} if rows and all(row[1] == "READY" for row in rows) else {}

    def live_viewers(self):
        """As the gateway counts them: the last process of the way has them all."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['GATEWAY']}/v1/stats", timeout=10) as answer:
            return json.load(answer)["live_viewers"]

    def ready(self):
        return wait_until(self.status, "ready house", 60, 0.1)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


@contextlib.contextmanager
def house(path, **settings):
    self = House(path, **settings)
    try:
        self.pids = self.ready()
        yield self
    finally:
        self.stop()


def cpu_us(pid):
    """User and system time of a process, µs; in ticks of usually 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_US


def pss_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no Pss of process {pid}")


class Position:
    """The committed position in store.db, read beside the persister."""

    def __init__(self, path):
        self.db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)

    def next(self):
        row = self.db.execute("SELECT max(next) FROM positions").fetchone()
        return row[0] or 0

    def count(self, table):
        return self.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    def close(self):
        self.db.close()


def machine():
    name = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return {"processor": name, "cores": os.cpu_count(), "kernel": os.uname().release,
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)}
