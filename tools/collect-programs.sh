#!/bin/sh
# collect-programs - puts every program of a build next to each other into BUILD/bin
#
# usher looks for the others in its own folder. Copies, not links: a program that runs keeps the file it was started from.
set -eu
build=$1
mkdir -p "$build/bin"
find "$build/proto" "$build/services" "$build/supervisor" -maxdepth 2 -type f -name 'usher*' -perm -u+x |
    while read -r program; do
        to=$build/bin/$(basename "$program")
        [ "$to" -nt "$program" ] || cp --remove-destination "$program" "$to"
    done
