#!/usr/bin/env bash
# Builds the fuzz targets and runs each for a while: smoke.sh [SECONDS], 30 by default.
#
# The flags are those of `cargo fuzz` without a sanitizer, which finds nothing in code without `unsafe`.
# So the stable compiler is enough, and nothing needs to be installed but a C++ compiler for libFuzzer.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-30}
host=$(rustc -vV | sed -n 's/^host: //p')
built=${CARGO_TARGET_DIR:-target}/$host/release

coverage=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Ccodegen-units=1
  --cfg=fuzzing
)
RUSTFLAGS="${coverage[*]}" cargo build --release --locked --target "$host" \
  --bin frame_decode --bin fragments --bin connection_ops
cargo run --locked --bin seed

for target in frame_decode fragments connection_ops; do
  echo "fuzzing $target for $seconds s"
  mkdir -p "corpus/$target" "artifacts/$target"
  "$built/$target" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=60 -verbosity=0 \
    -print_final_stats=1 -print_funcs=0 -artifact_prefix="artifacts/$target/" "corpus/$target"
done
