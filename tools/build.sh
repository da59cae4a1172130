#!/usr/bin/env bash
# Builds targets of one preset: tools/build.sh PRESET TARGET... Says what it does, because the first build takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
jobs=${JOBS:-$(nproc)}
if [ ! -f "build/$preset/build.ninja" ]; then
  echo "sluice: configuring build/$preset"
  cmake --preset "$preset" >"/tmp/sluice-configure.$$" 2>&1 || { cat "/tmp/sluice-configure.$$"; exit 1; }
  rm -f "/tmp/sluice-configure.$$"
fi
echo "sluice: building $* in build/$preset with $jobs jobs (several minutes the first time)"
NINJA_STATUS='[%f/%t %es] ' ninja -C "build/$preset" -j "$jobs" "$@" | awk '
  /error:|warning:|FAILED/ { print; shown = 40 } shown > 0 { if (!/error:|warning:|FAILED/) print; shown-- }
  /^\[[0-9]+\/[0-9]+ / { split($1, n, /[\[\/]/); if (n[2] % 25 == 0) { print "sluice: " $0; fflush() } }'
exit "${PIPESTATUS[0]}"
