#!/usr/bin/env bash
# clang-tidy over all sources: tools/tidy.sh BUILD_FOLDER (with compile_commands.json and a finished build).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
git ls-files 'src/*.cc' | grep -v 'pg_tree' |
  xargs -P "$(nproc)" -n 8 clang-tidy-19 -p "$1" --quiet 2> >(grep -vE 'warnings? generated|Suppressed|Use -' >&2)
