"""run - every suite of tests, one line each, and at the end `N passed, N failed`

usage: run.py [--build DIR] [--list] [--bench] [SUITE ...]

Called by `make test`, which has built the programs and made .cache/venv. The table `suites` says what there is; a suite
whose files are not there is left out. What a suite printed is in DIR/test-logs/; of a failed one the end is shown.
Suites that only compute run two at a time, those that start real processes one by one behind them: their deadlines
should not suffer from a neighbour. Counted are cases, not suites: cmocka's, pytest's, vitest's; a suite that tells
no number is one case. A suite that fails, or ends well but ran nothing, counts as at least one failure.
"""

import argparse
import concurrent.futures
import glob
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = str(ROOT / ".cache/venv/bin/python")
TAIL_LINES = 60
WHY_LINES = 6
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


# The leak check says so of a thread that ended while it stopped all others: that one has nothing to look at. It is no finding.
NO_FINDING = "^==[0-9]*==Unable to get registers from thread"

# What speaks to DynamoDB and Kafka runs nowhere else under the sanitizers: the simulation and the fault tests have neither.
OUTSIDE = [
    "tests/integration/test_dynamodb.py::test_only_what_failed_is_asked_again",
    "tests/integration/test_dynamodb.py::test_a_write_that_never_ended_leaves_no_row",
    "tests/integration/test_dynamodb.py::test_keys_from_metadata_are_fetched_again[instance]",
    "tests/integration/test_kafka.py::test_malformed_and_oversized_messages_are_quarantined",
    "tests/integration/test_kafka.py::test_stop_in_midstream",
    "tests/integration/test_kafka_sink.py::test_a_recorded_session_goes_round_through_kafka",
]


class Count:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


# ---- what a suite's output counts


def count_exit(suite, log, code):
    return Count(passed=int(code == 0), failed=int(code != 0))


def count_cmocka(output):
    """The cases of one program that Meson ran, or none where it is no cmocka program."""
    passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test\(s\)", output))
    failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) test\(s\)", output))
    skipped = sum(int(n) for n in re.findall(r"\[  SKIPPED \] (\d+) test\(s\)", output))
    return Count(passed, failed, skipped)


def count_meson(suite, log, code):
    count = Count()
    results = pathlib.Path(suite.build) / "meson-logs/testlog.json"
    if not results.exists() or results.stat().st_mtime < suite.started:
        return count
    for line in results.read_text(errors="replace").splitlines():
        test = json.loads(line)
        cases = count_cmocka((test.get("stdout") or "") + (test.get("stderr") or ""))
        if test["result"] == "SKIP":
            cases = Count(skipped=1)
        elif test["result"] in ("OK", "EXPECTEDFAIL"):
            cases.passed = cases.passed or 1
        else:
            cases.failed = cases.failed or 1
        count.add(cases)
    return count


def junit_cases(suite):
    for path in glob.glob(f"{suite.results}*.xml"):
        yield from xml.etree.ElementTree.parse(path).getroot().iter("testcase")


def has_failed(case):
    return case.find("failure") is not None or case.find("error") is not None


def why_failed(case):
    """What a case that failed says of it, its first lines."""
    found = case.find("failure") if case.find("failure") is not None else case.find("error")
    return (found.get("message") or "").splitlines()[:WHY_LINES]


def count_junit(suite, log, code):
    count = Count()
    for case in junit_cases(suite):
        if has_failed(case):
            count.failed += 1
        elif case.find("skipped") is not None:
            count.skipped += 1
        else:
            count.passed += 1
    return count


def count_tap(suite, log, code):
    text = pathlib.Path(log).read_text(errors="replace")
    found = {key: sum(int(n) for n in re.findall(rf"^# {key} (\d+)$", text, re.M)) for key in ("pass", "fail", "skipped")}
    return Count(found["pass"], found["fail"], found["skipped"])


# ---- the suites


class Suite:
    """commands run in turn until one fails. exclusive: starts real processes, so nothing else runs meanwhile."""

    def __init__(self, name, what, commands, count=count_exit, needs=(), exclusive=False, limit_s=600, env=None,
                 build=None, results=None, cwd=ROOT):
        self.name, self.what, self.commands, self.count = name, what, commands, count
        self.needs, self.exclusive, self.limit_s, self.env = needs, exclusive, limit_s, env or {}
        self.build, self.results, self.cwd = build, results, cwd
        self.started = 0.0

    def is_there(self):
        return all(glob.glob(str(ROOT / pattern)) for pattern in self.needs)


def c_files():
    return sorted(str(path.relative_to(ROOT)) for folder in ("common", "proto", "services", "supervisor", "tests")
                  for path in (ROOT / folder).rglob("*.[ch]"))


def meson_test(build):
    return ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--num-processes", "2"]


def sanitizer_build(build):
    setup = ["meson", "setup", build, "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=2"]
    return ([] if (pathlib.Path(build) / "build.ninja").exists() else [setup]) + [["ninja", "-C", build, "-j", "2"]]


def pytest_suite(folder, what, logs):
    results = f"{logs}/{folder}-junit"
    command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/{folder}", f"--junitxml={results}.xml"]
    return Suite(folder, what, [command], count_junit, [f"tests/{folder}/test_*.py"],
                 exclusive=True, limit_s=1500, results=results)


def sanitized_suite(folder, what, build, logs, tests=()):
    """Tests of a folder again over a sanitizer build, all or those named; the last command shows what a sanitizer reported, and fails
    for it."""
    suite = pytest_suite(folder, what, logs)
    suite.name, suite.results = f"{folder}-san", f"{logs}/{folder}-san-junit"
    report = f"{logs}/{folder}-report"
    command = [part for part in suite.commands[0] if part != f"tests/{folder}"][:-1]
    suite.commands = [
        ["tools/collect-programs.sh", build],
        ["sh", "-c", f"rm -f {report}.*"],
        [*command, *(tests or [f"tests/{folder}"]), f"--junitxml={suite.results}.xml"],
        ["sh", "-c", f"! grep -hv '{NO_FINDING}' {report}.* 2>/dev/null"],
    ]
    suite.env = {**SANITIZERS, "USHER_BIN": f"{build}/bin"}
    for name in SANITIZERS:
        suite.env[name] += f":log_path={report}"
    return suite


def node_suite(folder, what):
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / folder).glob("*.test.mjs"))
    return Suite(f"{folder}-node", what, [["node", "--test", "--test-reporter=tap", *files]], count_tap,
                 [f"tests/{folder}/*.test.mjs"], exclusive=True, limit_s=900)


def page_suite(page, logs):
    results = f"{logs}/{page}-junit"
    command = ["npm", "test", "--workspace", page, "--", "--reporter=default", "--reporter=junit",
               f"--outputFile.junit={results}.xml"]
    return Suite(page, f"the page frontends/{page}: its own tests", [command], count_junit,
                 [f"frontends/{page}/src/*.test.ts*"], results=results, cwd=ROOT / "frontends")


def all_suites(build, logs):
    describe = f"{build}/bin/usher-describe"
    sanitized = f"{build}-asan"
    return [
        Suite("format", "C sources are as clang-format leaves them",
              [[str(ROOT / ".cache/venv/bin/clang-format"), "--dry-run", "-Werror", *c_files()]], needs=[".clang-format"]),
        Suite("pages-format", "the pages' sources are as prettier leaves them", [["npx", "prettier", "--check", "."]],
              needs=["frontends/.prettierrc.json"], cwd=ROOT / "frontends"),
        Suite("printed", "MESSAGES.md and golden vectors are what messages.def says",
              [["sh", "tests/protocol/test_printed.sh", describe, "."]], needs=["tests/protocol/test_printed.sh"]),
        Suite("names", "documents and comments name files that exist; usher.yaml.example has every setting and its default",
              [[PYTHON, "tests/names.py"]], needs=["tests/names.py"]),
        Suite("vectors", "Python's msgpack reads the golden vectors", [[PYTHON, "tests/protocol/read_vectors.py", describe]],
              needs=["tests/protocol/read_vectors.py"]),
        page_suite("tracker", logs),
        page_suite("viewer", logs),
        Suite("programs", "unit, model, protocol and simulation tests", [meson_test(build)], count_meson,
              ["tests/meson.build"], build=build, limit_s=900),
        Suite("sanitizers", "the same under address, undefined and leak sanitizers",
              sanitizer_build(sanitized) + [meson_test(sanitized) + ["--timeout-multiplier", "5"]], count_meson,
              ["tests/meson.build"], build=sanitized, limit_s=1200, env=SANITIZERS),
        pytest_suite("integration", "the processes together on recorded input", logs),
        pytest_suite("fault", "kill -9 of real processes", logs),
        pytest_suite("oracle", "a seeded audience against a naive model, while processes are killed", logs),
        sanitized_suite("fault", "kill -9 of real processes that run under the sanitizers", sanitized, logs),
        sanitized_suite("integration", "DynamoDB over the network and Kafka under the sanitizers", sanitized, logs, OUTSIDE),
        pytest_suite("e2e", "Chromium from play button to dashboard and table", logs),
        node_suite("e2e", "Chromium from play button to dashboard and table"),
    ]


def all_benches(build):
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/bench").glob("bench_*.py"))
    return [Suite(pathlib.Path(file).stem, "measures", [[PYTHON, file]], exclusive=True, limit_s=1800) for file in files]


# ---- running


def stop(process):
    """Ends a suite that takes too long, with all it started: it has a session of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run_command(suite, command, output, deadline, environment):
    output.write(f"$ {' '.join(command[:12])}{' ...' if len(command) > 12 else ''}\n".encode())
    output.flush()
    try:
        process = subprocess.Popen(command, cwd=suite.cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   env=environment, start_new_session=True)
    except OSError as error:
        output.write(f"{command[0]}: {error.strerror}\n".encode())
        return 127
    try:
        return process.wait(timeout=max(1.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        stop(process)
        output.write(f"stopped: longer than {suite.limit_s} s\n".encode())
        return 124
    except BaseException:
        stop(process)
        raise


def run_suite(suite, build, logs):
    """Returns the suite, what it counted, its exit code, its log and how long it took."""
    log = f"{logs}/{suite.name}.log"
    for path in glob.glob(f"{suite.results}*.xml") if suite.results else []:
        os.unlink(path)
    environment = {**os.environ, "NO_COLOR": "1", "CI": "1", "USHER_BIN": f"{build}/bin", **suite.env}
    suite.started = time.time() - 1
    begin = time.monotonic()
    code = 0
    with open(log, "wb") as output:
        for command in suite.commands:
            code = run_command(suite, command, output, begin + suite.limit_s, environment)
            if code:
                break
    count = suite.count(suite, log, code)
    if not count.failed and (code or not (count.passed or count.skipped)):
        count.failed = 1
    return suite, count, code, log, time.monotonic() - begin


def show(result, whole=False):
    suite, count, code, log, seconds = result
    words = [f"{count.passed} passed", f"{count.failed} failed"] + ([f"{count.skipped} skipped"] if count.skipped else [])
    print(f"{'FAIL' if count.failed else 'ok  '} {suite.name:<15} {', '.join(words)}  ({seconds:.0f} s; {suite.what})", flush=True)
    if count.failed or whole:
        for case in filter(has_failed, junit_cases(suite)) if suite.results else []:
            print(f"     failed: {case.get('classname')} {case.get('name')}")
            print("\n".join(f"     > {line}" for line in why_failed(case)))
        lines = pathlib.Path(log).read_text(errors="replace").splitlines()
        print("\n".join(f"     | {line}" for line in (lines if whole else lines[-TAIL_LINES:])))
        if not whole:
            print(f"     all of it: {os.path.relpath(log, ROOT)}", flush=True)


def run_all(suites, build, logs, whole):
    total = Count()
    groups = [([s for s in suites if not s.exclusive], 2), ([s for s in suites if s.exclusive], 1)]
    for group, at_once in groups:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for future in concurrent.futures.as_completed([pool.submit(run_suite, s, build, logs) for s in group]):
                show(future.result(), whole)
                total.add(future.result()[1])
    return total


def main():
    parser = argparse.ArgumentParser(description="runs the test suites")
    parser.add_argument("--build", default="build", help="where Meson built")
    parser.add_argument("--list", action="store_true", help="name the suites and stop")
    parser.add_argument("--bench", action="store_true", help="run tests/bench/bench_*.py instead")
    parser.add_argument("suites", nargs="*", help="only these")
    options = parser.parse_args()
    sys.stdout.reconfigure(errors="replace")
    build = str((ROOT / options.build).resolve())
    logs = f"{build}/test-logs"

    suites = [s for s in (all_benches(build) if options.bench else all_suites(build, logs)) if s.is_there()]
    unknown = set(options.suites) - {s.name for s in suites}
    if unknown:
        sys.exit(f"run.py: no suite {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in suites)}")
    suites = [s for s in suites if not options.suites or s.name in options.suites]
    if options.list:
        print("\n".join(f"{s.name:<15} {s.what}" for s in suites))
        return 0
    os.makedirs(logs, exist_ok=True)
    total = run_all(suites, build, logs, options.bench)
    if total.skipped:
        print(f"{total.skipped} skipped")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
