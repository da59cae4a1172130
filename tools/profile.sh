#!/usr/bin/env bash
# Makes cmake/release.profdata, by which the release build lays out its code: tools/profile.sh BUILD_FOLDER.
#
# BUILD_FOLDER was built by the preset `profile`, whose programs count what they run. They run the benchmarks, with
# little data, and the demo; what these never reach is compiled as if there were no profile.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
counts=$build/counts  # as cmake/toolchain.cmake says
rm -rf "$counts"
echo "sluice: running the benchmarks with programs that count (a minute)"
"$(tools/setup/python.sh tests/requirements.txt)" bench/run.py --build "$build" --quick --peers sluice \
  --output "$build/results.json" >"$build/bench.log"
echo "sluice: running the demo with them"
"$(tools/setup/python.sh demo/requirements.txt)" demo/demo.py --binary "$build/sluice" --once >"$build/demo.log"
llvm-profdata-19 merge --sparse --output cmake/release.profdata "$counts"/*.profraw
echo "sluice: cmake/release.profdata is of $(llvm-profdata-19 show cmake/release.profdata |
  sed -n 's/^Total functions: //p') functions; rebuild build/release with it"
# Ninja does not know that every object depends on it.
[ ! -f build/release/build.ninja ] || ninja -C build/release -t clean >/dev/null
