"""run_fuzzers - looks for inputs that hurt, and keeps the stored corpus small

usage: run_fuzzers.py [--build DIR] [--seconds N] [--store] [TARGET ...]

Called by `make fuzz`, which has built the targets with clang, libFuzzer and the sanitizers into DIR. Each target runs for N
seconds in turn, on what it found before (DIR/corpus/TARGET), on the stored inputs (tests/fuzz/corpus/TARGET) and on seeds
made from tests/data. The table at the end says how many inputs were executed. An input that hurt lies in DIR/found and is
named; to see it again: DIR/tests/fuzz/fuzz_TARGET FILE. The exit code is 1 if there was one.

--store replaces the stored inputs by the smallest set that reaches the same branches as all that were found.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests/fuzz"
DATA = ROOT / "tests/data"
MEMORY_MB = 2048
INPUT_BYTES = {"tracker": 16384, "enriched_tsv": 8192, "decode": 8192, "sdk_json": 8192}    # others: 4096
STORED_BYTES = 4096    # an input for every branch that is short enough to be looked at
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


# ---- seeds


def lines(pattern):
    return [line for path in sorted(DATA.glob(pattern)) for line in path.read_bytes().splitlines() if line]


def tsv_parts():
    """The columns that fuzz_enriched_tsv puts into a row of its own."""
    order = (127, 59, 53, 123, 13, 4, 5)
    rows = [line.split(b"\t") for line in lines("enriched-[bn]*.tsv")]
    return [b"\t".join(row[column - 1] for column in order) for row in rows]


def json_columns():
    return [column for line in lines("enriched-[bn]*.tsv") for column in line.split(b"\t") if column[:1] == b"{"]


def requests():
    """Recorded requests as fuzz_tracker takes them."""
    for path in sorted(DATA.glob("requests-*.json")):
        for request in json.loads(path.read_text()):
            headers = {name.lower(): value for name, value in request["headers"].items()}
            head = (request["url"], headers.get("content-type", ""), headers.get("user-agent", ""))
            yield "\n".join((*head, request["bodyRaw"] or "")).encode()


def frames(build):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([f"{build}/proto/usher-describe", "seeds", folder], check=True, stdout=subprocess.DEVNULL)
        return [path.read_bytes() for path in pathlib.Path(folder).iterdir()]


def seeds(target, build):
    flattened, rows, sdk = lines("*flattened*.ndjson"), lines("enriched-[bn]*.tsv"), lines("*sdk-json*.ndjson")
    return {
        "flattened": flattened,
        "enriched_tsv": rows + tsv_parts(),
        "sdk_json": sdk,
        "decode": flattened + rows + sdk,
        "tracker": list(requests()),
        "json": flattened + json_columns(),
        "frame": frames(build) if target == "frame" else [],
        "config": [(ROOT / "usher.yaml.example").read_bytes()],
    }[target]


def lay_out(target, build):
    """Returns the working folder, with stored inputs and seeds in it."""
    folder = build / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for path in (HERE / "corpus" / target).glob("*"):
        shutil.copy(path, folder)
    for seed in seeds(target, build):
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    return folder


# ---- running


def flags(target):
    words = HERE / ("yaml.dict" if target == "config" else "words.dict")
    return ([] if target == "frame" else [f"-dict={words}"]) + [f"-max_len={INPUT_BYTES.get(target, 4096)}"]


def fuzz(target, build, seconds):
    """Returns executions, seconds, covered edges and the files of inputs that hurt."""
    found = build / "found"
    found.mkdir(exist_ok=True)
    prefix = f"{found}/{target}-"
    # What a target prints to standard error is of no interest (a refused configuration says so there).
    command = [f"{build}/tests/fuzz/fuzz_{target}", str(lay_out(target, build)), *flags(target), f"-max_total_time={seconds}",
               f"-rss_limit_mb={MEMORY_MB}", "-timeout=10", "-print_final_stats=1", f"-artifact_prefix={prefix}",
               "-reload=0", *(["-close_fd_mask=2"] if target == "config" else [])]
    log = build / f"fuzz-{target}.log"
    with open(log, "wb") as output:
        code = subprocess.run(command, stdout=output, stderr=output, env=ENVIRONMENT, cwd=ROOT).returncode
    text = log.read_text(errors="replace")
    executed = re.search(r"stat::number_of_executed_units: (\d+)", text)
    edges = re.findall(r" cov: (\d+)", text)
    took = re.search(r"in (\d+) second", text)
    hurt = sorted(str(path) for path in found.glob(f"{target}-*")) if code else []
    if code and not hurt:
        hurt = [str(log)]
    return int(executed[1]) if executed else 0, int(took[1]) if took else seconds, int(edges[-1]) if edges else 0, hurt


def store(target, build):
    """Replaces the stored inputs; new branches only, not how often each is taken, for there would be thousands."""
    stored = HERE / "corpus" / target
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([f"{build}/tests/fuzz/fuzz_{target}", "-merge=1", "-use_counters=0", f"-max_len={STORED_BYTES}",
                        "-close_fd_mask=2", folder, str(lay_out(target, build))],
                       check=True, env=ENVIRONMENT, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(stored, ignore_errors=True)
        shutil.copytree(folder, stored)
    files = list(stored.iterdir())
    return len(files), sum(path.stat().st_size for path in files)


def main():
    parser = argparse.ArgumentParser(description="runs the fuzz targets")
    parser.add_argument("--build", default="build-fuzz", help="where the targets are built")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--store", action="store_true", help="do not run: minimise what was found into tests/fuzz/corpus")
    parser.add_argument("targets", nargs="*", help="only these")
    options = parser.parse_args()
    build = (ROOT / options.build).resolve()
    there = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c"))
    unknown = set(options.targets) - set(there)
    if unknown:
        sys.exit(f"run_fuzzers.py: no target {', '.join(sorted(unknown))}; there are {', '.join(there)}")
    failed = False
    for target in options.targets or there:
        if options.store:
            print("%-13s %5d inputs, %7d bytes" % (target, *store(target, build)), flush=True)
            continue
        executed, seconds, edges, hurt = fuzz(target, build, options.seconds)
        print(f"{target:<13} {executed:>12,} executions in {seconds} s, {edges} branches{', FOUND:' if hurt else ''}", flush=True)
        print("".join(f"    {path}\n" for path in hurt), end="", flush=True)
        failed = failed or bool(hurt)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
