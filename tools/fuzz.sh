#!/usr/bin/env bash
# Runs every fuzzer for SECONDS_EACH (default 20) on its committed corpus: tools/fuzz.sh BUILD_FOLDER.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
seconds=${SECONDS_EACH:-20}
for binary in "$build"/fuzz/*_fuzz; do
  name=$(basename "$binary" _fuzz)
  mkdir -p "build/fuzz-corpus/$name" "fuzz/corpus/$name"
  echo "== $name: $(find "fuzz/corpus/$name" -type f | wc -l) seeds, ${seconds}s"
  # New inputs go to build/; the committed corpus is read only. What once crashed is in the corpus and runs first.
  # Leaks are looked for once, at the end: after each input that leaves something behind on purpose (a record, a metric)
  # it takes most of the time. -detect_leaks=1 says which input it was.
  "$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 -detect_leaks=0 \
    -artifact_prefix="build/fuzz-corpus/" "build/fuzz-corpus/$name" "fuzz/corpus/$name"
done
echo "sluice: all fuzzers ended without a finding"
