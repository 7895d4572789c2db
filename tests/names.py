"""names - do documents and comments name files that exist, and do the settings stand in the example with their defaults?

usage: names.py [ROOT]

Each difference is a line `FILE:LINE: what`; the exit code says whether there was any. A path in
backquotes or in a C comment may be one from the root or the end of one. Words in capitals stand for something:
usher_VERB.c.
"""

import pathlib
import re
import subprocess
import sys

ENDINGS = "build|c|def|h|java|json|md|mjs|py|sh|ts|tsv|tsx|txt|yaml"
#  What is made, not kept, or is somebody else's.
ELSEWHERE = re.compile(r"(build|demo|sanitizer)/|usher\.yaml$|yyjson\.[ch]$")
ROW = re.compile(r'\{ "([\w.]*)", "(\w+)", \w+, AT \(([^}]*)\}')


def tracked(root):
    return subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"],
                          check=True, capture_output=True, text=True).stdout.split()


def endings_of(files):
    """All that a path may be called by: with or without the folders before it, and folders themselves."""
    names = set()
    for file in files:
        parts = file.split("/")
        for end in range(1, len(parts) + 1):
            names.update("/".join(parts[begin:end]) for begin in range(end))
    return names


def words_of(file, line):
    """The paths that a line names: a document's in backquotes, a source's in a comment."""
    if file.endswith(".md"):
        return re.findall(rf"`([\w./-]+(?:\.(?:{ENDINGS})|/))`", line)
    comment = re.search(r"//(.*)", line)
    return re.findall(r"[\w./-]+\.(?:c|def|h|md|py)\b", comment[1]) if comment else []


def is_there(word, names):
    stands_for_others = re.search("[A-Z]{4}", pathlib.PurePath(word).stem) and not word.endswith(".md")
    return word.rstrip("/") in names or ELSEWHERE.match(word) or stands_for_others


def missing_paths(root, files):
    names = endings_of(files)
    for file in (file for file in files if file.endswith((".md", ".c", ".h"))):
        for number, line in enumerate((root / file).read_text().splitlines(), 1):
            for word in words_of(file, line):
                if not is_there(word, names):
                    yield f"{file}:{number}: there is no {word}"
            for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", line) if file.endswith(".md") else []:
                if not (root / file).parent.joinpath(link).exists():
                    yield f"{file}:{number}: there is no {link}"


def settings_of_rows(text):
    """Path to default, None where it depends on the place."""
    settings = {}
    for section, key, rest in ROW.findall(text):
        default, _choices = re.findall(r'"[^"]*"|[^,\s]+', rest)[-2:]
        settings[f"{section}.{key}".lstrip(".")] = None if default == "NULL" else default.strip('"')
    return settings


def settings_of_example(text):
    """Path to value and line number; the value is None where the line is a comment."""
    found, above = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"( *)(# )?(\w+):(?: +(\"\"|[^ #]+))?(?: +#.*)?$", line)
        if not match:
            continue
        above = above[: len(match[1]) // 2] + [match[3]]
        if match[2] or match[4]:
            found[".".join(above)] = (None if match[2] else match[4].strip('"'), number)
    return found


def wrong_settings(root):
    rows = settings_of_rows((root / "common/config_rows.c").read_text())
    example = settings_of_example((root / "usher.yaml.example").read_text())
    if not rows:
        yield "common/config_rows.c:1: no row was found"
    for path in rows.keys() - example.keys():
        yield f"usher.yaml.example:1: {path} is not there"
    for path, (value, number) in example.items():
        if path not in rows:
            yield f"usher.yaml.example:{number}: there is no setting {path}"
        elif value != rows[path]:
            yield f"usher.yaml.example:{number}: {path} is {value}, its default is {rows[path]}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    wrong = sorted([*missing_paths(root, tracked(root)), *wrong_settings(root)])
    print("\n".join(wrong) or "all names are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
