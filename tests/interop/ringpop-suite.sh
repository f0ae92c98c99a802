#!/usr/bin/env bash
# Runs the public Ringpop suite, which plays a whole ring around one program, against our member:
#
#   bash tests/interop/ringpop-suite.sh [SIZE ...]        default: 1 2 3 4 5 10
#
# Needs git, Node, npm, make and a C++ compiler. Keeps all it fetches and makes under $INTEROP_HOME
# (default: target/interop of the workspace), the outcome of each size as ringpop-suite/size-N.tap.
# RINGPOP_SUITE names another place to fetch the suite from.
#
# Where the suite can not be had, says so aloud and exits 0, or 1 if INTEROP_REQUIRED=1.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
home=${INTEROP_HOME:-$root/target/interop}
mkdir -p "$home/ringpop-suite"
home=$(cd "$home/ringpop-suite" && pwd)
from=${RINGPOP_SUITE:-https://github.com/uber-node/ringpop-common.git}
commit=3be238f8f1d8f0debd883f35a7af2db43257fbc8

absent() {
    echo "ringpop suite: NOT RUN: $1" >&2
    [ "${INTEROP_REQUIRED:-0}" = 0 ] && exit 0
    exit 1
}

# Runs a command in silence; shows what it said only when it fails.
quietly() {
    local log=$home/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        return 1
    }
}

fetch_suite() {
    git init -q suite && git -C suite fetch -q --depth 1 "$from" "$commit" \
        && git -C suite checkout -q FETCH_HEAD || return 1
    # Its name for the file with the hosts is the same for every run on a machine.
    sed -i.bak "s#'/tmp/ringpop-integration-test-hosts.json'#process.env.RINGPOP_SUITE_HOSTS#" \
        suite/test/test-coordinator.js && grep -q RINGPOP_SUITE_HOSTS suite/test/test-coordinator.js
}

install_packages() {
    # Headers that came with node save node-gyp a download.
    local prefix
    prefix=$(node -p 'require("path").resolve(process.execPath, "../..")')
    if [ -f "$prefix/include/node/node.h" ]; then
        export npm_config_nodedir=$prefix
    fi
    cp "$here"/peers/ringpop-suite/package.json "$here"/peers/ringpop-suite/package-lock.json \
        "$here"/peers/ringpop-suite/.npmrc . && cp -r "$here/peers/node/stubs" . || return 1
    npm ci --no-audit --no-fund --ignore-scripts=false
}

prepare() {
    local tool sum
    for tool in git node npm; do
        command -v "$tool" >/dev/null || absent "no $tool on the path"
    done
    sum=$( (node --version; echo "$commit"; cat "$here"/peers/ringpop-suite/package*.json) | sha256sum | cut -d' ' -f1)
    cd "$home" || exit 1
    [ -f stamp ] && [ "$(cat stamp)" = "$sum" ] && return
    rm -rf suite node_modules stubs stamp
    quietly fetch fetch_suite || absent "can not fetch $commit from $from"
    quietly npm install_packages || absent "npm ci failed (native parts need make and a C++ compiler)"
    echo "$sum" >stamp
}

# One size: every mandatory feature and every optional one.
run_size() {
    local tap=$home/size-$1.tap status=0
    RINGPOP_SUITE_HOSTS=$home/hosts-$1.json node --no-deprecation "$home/suite/test/it-tests.js" \
        -s "[$1]" --enable-feature self-eviction --enable-feature labels --enable-feature identity \
        "$member" >"$tap" 2>"$home/size-$1.log" || status=$?
    grep -B 40 '^not ok' "$tap" | grep -E '^(not ok|# cluster)'
    local cases passed
    cases=$(grep -cE '^# cluster' "$tap")
    passed=$(grep -cE '^ok ' "$tap")
    # A run that was cut short has no plan.
    grep -qE "^1\.\.$passed\$" "$tap" || status=1
    echo "ringpop suite: size $1: $cases cases, $passed assertions passed, $(grep -c '^not ok' "$tap") failed"
    return "$status"
}

prepare
cd "$root" || exit 1
cargo build --release -p hyperbahn --example ring_member || exit 1
member=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/release/examples/ring_member

[ $# -gt 0 ] || set -- 1 2 3 4 5 10
failed=0
for size in "$@"; do
    run_size "$size" || failed=1
done
exit $failed
