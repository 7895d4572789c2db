#!/usr/bin/env python3
"""read_vectors - Python's msgpack reads the golden vectors and finds the values that usher-describe names

read_vectors.py USHER_DESCRIBE [VECTORS]

VECTORS is the committed vectors.txt beside this file. Each vector is one array [id, item, ...]: a field, or a negative
number for so many fields that are zero; nil is NaN. `usher-describe values` says in JSON what each field should hold.
"""

import json
import math
import pathlib
import subprocess
import sys

import msgpack

ZEROS = {"U32": 0, "U64": 0, "ENUM": 0, "F64": 0.0, "STR": b""}
ZERO = object()
TYPES = {"U32": int, "U64": int, "ENUM": int, "F64": float, "STR": bytes}


def wanted_value(kind, value):
    if kind == "STR":
        return bytes.fromhex(value)
    return float(value) if kind == "F64" else value


def same(a, b):
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


def unfolded(items):
    """The id and the fields, ZERO where one was skipped."""
    fields = []
    for item in items:
        fields += [ZERO] * -item if type(item) is int and item < 0 else [math.nan if item is None else item]
    return fields


def check(record, data):
    """Returns what is wrong with one vector, as a list of lines."""
    items = unfolded(msgpack.unpackb(data))
    if items[0] != record["id"]:
        return [f"{record['name']}: not an array that begins with {record['id']}"]
    fields = record["fields"]
    if len(items) > len(fields) + 1:
        return [f"{record['name']}: {len(items) - 1} fields, at most {len(fields)}"]
    wrong = []
    for at, (field, kind, value) in enumerate(fields, 1):
        found = items[at] if at < len(items) and items[at] is not ZERO else ZEROS[kind]
        if type(found) is not TYPES[kind] or not same(found, wanted_value(kind, value)):
            wrong.append(f"{record['name']}: {field} is {found!r}, wanted {value!r}")
    return wrong


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: read_vectors.py USHER_DESCRIBE [VECTORS]", file=sys.stderr)
        return 2
    path = sys.argv[2] if len(sys.argv) == 3 else pathlib.Path(__file__).with_name("vectors.txt")
    first, *lines = pathlib.Path(path).read_text(encoding="ascii").splitlines()
    printed = subprocess.run([sys.argv[1], "values"], check=True, capture_output=True, text=True).stdout
    records = [json.loads(line) for line in printed.splitlines()]
    wrong = [] if first.startswith("schema ") else ["the first line is no schema checksum"]
    if [line.split()[0] for line in lines] != [record["name"] for record in records]:
        wrong.append("vectors.txt and usher-describe know different messages")
    else:
        for record, line in zip(records, lines):
            wrong += check(record, bytes.fromhex(line.split()[1]))
    print("\n".join(wrong) if wrong else f"{len(lines)} vectors agree", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
