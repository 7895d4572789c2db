#!/bin/sh
#  test_printed - are the committed MESSAGES.md and vectors.txt what usher-describe prints now?
#
#  test_printed.sh USHER_DESCRIBE SOURCE_ROOT
#  A stale file is named with the command that prints it again.
set -u
describe=$1
root=$2
stale=0

check () {
    "$describe" "$1" | diff -u "$root/$2" - >&2 && return
    echo "$2 is stale: usher-describe $1 > $2" >&2
    stale=1
}

check messages proto/MESSAGES.md
check vectors tests/protocol/vectors.txt
exit $stale
