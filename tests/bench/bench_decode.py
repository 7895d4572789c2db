"""bench_decode - what reading an event costs, in each form Snowplow delivers, with each JSON parser that is at hand

Builds tests/bench/decode with the decoders of this build, and with yyjson and simdjson where they are installed (Debian
13 and Ubuntu 24.04 have libyyjson-dev; where there is none, USHER_YYJSON may name a folder with yyjson.c and yyjson.h). The
events are those recorded in tests/data. Every parser reads the same fields with the same code around it, and what they read
is compared. Rounds of all parsers take turns in one process; counted is its CPU, so what else the machine does matters little.

Prints for each form and parser the median of the rounds, the least and the greatest, and the ratio to json_scan, the house's
own: the median of the ratios of each round. `decoder` is all that the ingester does: json_scan, and an event message of it.
"""

import os
import pathlib
import shutil
import statistics
import subprocess

import running

SOURCE = running.ROOT / "tests/bench/decode"
FORMS = {
    "flattened": "snowbridge-flattened-*.ndjson",
    "enriched_tsv": "enriched-[bn]*.tsv",
    "sdk_json": "snowbridge-sdk-json-*.ndjson",
}


def flags_of(package):
    """What pkg-config says of a library, None where it is not installed."""
    answer = subprocess.run(["pkg-config", "--cflags", "--libs", package], capture_output=True, text=True)
    return answer.stdout.split() if answer.returncode == 0 else None


def yyjson():
    """Defines, sources and flags."""
    folder = os.environ.get("USHER_YYJSON")
    if folder:
        return ["-DHAVE_YYJSON", f"-I{folder}"], ["parser_yyjson.c", f"{folder}/yyjson.c"], []
    flags = flags_of("yyjson")
    return (["-DHAVE_YYJSON"], ["parser_yyjson.c"], flags) if flags is not None else ([], [], [])


def simdjson():
    flags = flags_of("simdjson") if shutil.which("c++") else None
    return (["-DHAVE_SIMDJSON"], ["parser_simdjson.cpp"], flags) if flags is not None else ([], [], [])


def compiled():
    """Returns the program, and which parsers are not in it."""
    folder = running.BUILD / "bench"
    folder.mkdir(exist_ok=True)
    parts = {"yyjson": yyjson(), "simdjson": simdjson()}
    defines, sources, libraries = (sum((part[at] for part in parts.values()), []) for at in range(3))
    objects = []
    for source in ["decode_bench.c", "fields.c", "parser_json_scan.c", "parser_jansson.c", *sources]:
        path = pathlib.Path(SOURCE / source)
        compiler = ["c++", "-std=c++17"] if path.suffix == ".cpp" else ["cc", "-std=gnu11"]
        objects.append(str(folder / f"{path.stem}.o"))
        subprocess.run([*compiler, "-D_GNU_SOURCE", "-O2", "-g", f"-I{running.ROOT / 'proto'}", *defines, *libraries, "-c", str(path),
                        "-o", objects[-1]], check=True)
    linker = "c++" if parts["simdjson"][1] else "cc"
    subprocess.run([linker, *objects, str(running.BUILD / "proto/libproto.a"), *libraries, *running.LIBRARIES, "-lmsgpackc",
                    "-o", str(folder / "decode_bench")], check=True)
    return str(folder / "decode_bench"), [name for name, part in parts.items() if not part[1]]


def rows(program, form, files):
    output = subprocess.run([program, form, *files], check=True, capture_output=True, text=True).stdout
    parsed = [(line.split()[0], int(line.split()[1]), [float(word) for word in line.split()[2:]]) for line in output.splitlines()]
    base = parsed[0][2]
    for name, size, rounds in parsed:
        ratio = statistics.median(one / other for one, other in zip(rounds, base))
        yield (f"{form:<13} {name:<10} {statistics.median(rounds):>9,.0f} ns/event  {min(rounds):>7,.0f} to {max(rounds):<7,.0f} "
               f"{ratio:>6.2f} x json_scan  {size / statistics.median(rounds) * 1000:>6,.0f} MB/s")


def main():
    program, missing = compiled()
    machine = running.machine()
    lines = [f"usher bench, decoding: {machine['processor']}, load average {os.getloadavg()[0]:.2f}; process CPU clock"]
    lines += [f"not installed here: {name}" for name in missing]
    for form, pattern in FORMS.items():
        lines += rows(program, form, sorted(map(str, (running.ROOT / "tests/data").glob(pattern))))
    text = "\n".join(lines) + "\n"
    pathlib.Path(running.BUILD / "bench-decode.txt").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
