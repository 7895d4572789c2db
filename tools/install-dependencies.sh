#!/bin/sh
# install-dependencies - installs what is missing to build and run Usher; with `test`, what its tests need too
#
# Debian 12 and 13, Ubuntu 24.04. Asks dpkg first, so it says and does nothing where all is there. A line of the lists
# is one need; where distributions name it differently, the names stand beside each other and any of them will do.
set -eu

build='build-essential
pkg-config pkgconf
meson
ninja-build
libzmq3-dev
libczmq-dev
librdkafka-dev
libcurl4-openssl-dev libcurl4-gnutls-dev
libmsgpack-c-dev libmsgpack-dev
libjansson-dev
libmicrohttpd-dev
libwebsockets-dev
libwebsockets-evlib-uv
libuv1-dev
libsqlite3-dev
libssl-dev
libcmocka-dev
libxxhash-dev
libmimalloc-dev
libcyaml-dev
libyaml-dev
python3
python3-venv
sqlite3'

test='chromium chromium-browser
clang
libclang-rt-dev libclang-rt-14-dev
default-jre-headless openjdk-17-jre-headless openjdk-21-jre-headless
maven
openssl'

installed ()
{
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

offered ()
{
    LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'
}

has_node ()
{
    command -v npm >/dev/null && command -v node >/dev/null &&
        [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]
}

fail ()
{
    echo "install-dependencies: $*" >&2
    exit 1
}

# Prints the needs that no installed package meets, one a line.
missing ()
{
    echo "$needs" | while read -r names; do
        for name in $names; do
            installed "$name" && continue 2
        done
        # A Python from elsewhere brings its venv, an apt one needs the package.
        case $names in
        python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
        default-jre*) command -v java >/dev/null && continue ;;
        maven) command -v mvn >/dev/null && continue ;;
        chromium*) { command -v chromium || command -v chromium-browser; } >/dev/null && continue ;;
        esac
        echo "$names"
    done
    has_node || printf 'nodejs\nnpm\n'
}

# Prints the first name of each need that apt offers.
choose ()
{
    echo "$1" | while read -r names; do
        for name in $names; do
            offered "$name" && echo "$name" && continue 2
        done
        echo "none:$names"
    done
}

needs=$build
[ "${1:-}" = test ] && needs="$build
$test"

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "no apt-get here; install these yourself, then run \`make build\`: $(echo $needs) nodejs npm"
wanted=$(missing)
[ -z "$wanted" ] && exit 0

root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo; as root run: apt-get install $(echo $(choose "$wanted"))"
    root=sudo
fi
echo "installing: $(echo "$wanted" | cut -d ' ' -f 1 | paste -s -d ' ')"
$root apt-get update -qq || fail "apt-get update failed; is there a network?"
packages=$(choose "$wanted")
case $packages in
*none:*) fail "apt offers none of: $(echo "$packages" | sed -n 's/^none://p' | paste -s -d ';')" ;;
esac
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null || fail "apt-get install failed: $(echo $packages)"
has_node || fail "node $(node --version 2>/dev/null || echo is missing); 18 or newer is needed"
