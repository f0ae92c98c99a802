#!/usr/bin/env bash
# Installs what the peer programs need under $INTEROP_HOME (default: target/interop of the
# workspace). Run it again at any time: what is up to date is left alone.
#
# Says aloud what is absent and goes on; exits 1 when any peer could not be made ready.
set -u -o pipefail

peers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${INTEROP_HOME:-$(cd "$peers/../../.." && pwd)/target/interop}
mkdir -p "$home"
home=$(cd "$home" && pwd)
absent=0

missing() {
    echo "interop peers: $1 NOT READY: $2" >&2
    absent=1
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

# True when the stamp of a peer holds the sum of what it was made from. The stamp is touched, because
# the tests compare its age with that of the sources.
fresh() {
    [ -f "$home/$1/stamp" ] && [ "$(cat "$home/$1/stamp")" = "$2" ] && touch "$home/$1/stamp"
}

sum_of() {
    cat "$@" | sha256sum | cut -d' ' -f1
}

install_node() {
    command -v node >/dev/null || { missing node "no node on the path"; return; }
    command -v npm >/dev/null || { missing node "no npm on the path"; return; }
    local from=$peers/node into=$home/node sum
    sum=$(node --version | cat - "$from"/package.json "$from"/package-lock.json | sha256sum | cut -d' ' -f1)
    fresh node "$sum" && return
    rm -rf "$into" && mkdir -p "$into"
    cp -r "$from"/package.json "$from"/package-lock.json "$from"/.npmrc "$from"/stubs "$into"
    quietly node npm_install "$into" || { missing node "npm ci failed (native parts need make and a C++ compiler)"; return; }
    NODE_PATH=$into/node_modules quietly node-try node -e 'require("tchannel")' \
        || { missing node "the package does not load"; return; }
    echo "$sum" >"$into/stamp"
}

npm_install() {
    # Headers that came with node save node-gyp a download.
    local prefix
    prefix=$(node -p 'require("path").resolve(process.execPath, "../..")')
    if [ -f "$prefix/include/node/node.h" ]; then
        export npm_config_nodedir=$prefix
    fi
    (cd "$1" && npm ci --no-audit --no-fund --ignore-scripts=false)
}

install_python() {
    local python
    python=$(find_python) || { missing python "no python3.8 to python3.11 on the path"; return; }
    local into=$home/python sum
    sum=$("$python" --version | cat - "$peers/python/requirements.txt" | sha256sum | cut -d' ' -f1)
    fresh python "$sum" && return
    rm -rf "$into" && mkdir -p "$into"
    quietly python "$python" -m venv "$into/venv" || { missing python "$python cannot make a virtual environment"; return; }
    quietly python "$into/venv/bin/python" -m pip install --no-deps --disable-pip-version-check \
        -r "$peers/python/requirements.txt" \
        || { missing python "pip failed (thriftrw needs a C compiler and Python's headers)"; return; }
    quietly python-try "$into/venv/bin/python" -c 'import tchannel' || { missing python "the package does not load"; return; }
    echo "$sum" >"$into/stamp"
}

# The library loads on no newer Python: tornado 4 needs what 3.12 took away.
find_python() {
    local name
    for name in ${INTEROP_PYTHON:-python3.11 python3.10 python3.9 python3.8}; do
        if "$name" -c '' 2>/dev/null; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

install_go() {
    command -v go >/dev/null || { missing go "no go on the path"; return; }
    local into=$home/go sum
    sum=$(sum_of "$peers"/go/*.go "$peers/go/go.mod" "$peers/go/go.sum")
    fresh go "$sum" && [ -x "$into/peer" ] && return
    mkdir -p "$into"
    quietly go go_build "$into" go || { missing go "go build failed"; return; }
    echo "$sum" >"$into/stamp"
}

install_ringpop_go() {
    command -v go >/dev/null || { missing ringpop-go "no go on the path"; return; }
    local into=$home/ringpop-go sum
    sum=$(sum_of "$peers"/ringpop-go/main.go "$peers/ringpop-go/go.mod" "$peers/ringpop-go/go.sum")
    fresh ringpop-go "$sum" && [ -x "$into/peer" ] && return
    mkdir -p "$into"
    quietly ringpop-go go_build "$into" ringpop-go || { missing ringpop-go "go build failed"; return; }
    echo "$sum" >"$into/stamp"
}

go_build() {
    # A module cache of our own, that `rm -r` can remove.
    export GOMODCACHE=$1/modules GOFLAGS="-modcacherw -mod=readonly -buildvcs=false"
    (cd "$peers/$2" && go build -o "$1/peer" .)
}

# The test files of Thrift itself: no peer, but its Go module carries them.
install_thrift_files() {
    command -v go >/dev/null || { missing thrift-files "no go on the path"; return; }
    local from=$peers/thrift-files into=$home/thrift-files sum
    sum=$(sum_of "$from/go.mod" "$from/go.sum")
    fresh thrift-files "$sum" && return
    rm -rf "$into" && mkdir -p "$into"
    quietly thrift-files thrift_files "$from" "$into" || { missing thrift-files "go mod download failed"; return; }
    echo "$sum" >"$into/stamp"
}

thrift_files() {
    export GOMODCACHE=$2/modules GOFLAGS="-modcacherw -mod=readonly -buildvcs=false"
    (cd "$1" && go mod download) || return
    cp -r "$2"/modules/github.com/apache/thrift@*/test "$2/test" && rm -rf "$2/modules"
}

install_node
install_python
install_go
install_ringpop_go
install_thrift_files
exit $absent
