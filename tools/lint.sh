#!/usr/bin/env bash
# The quick linters: format, layers, shell, Python. Prints every finding, fails if there was one. clang-tidy, which needs a
# build and its time, is tools/tidy.py.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
failed=0
step() { echo "== $1"; shift; "$@" || failed=1; }

step "layers" python3 tools/check_layers.py
step "format" bash -c "git ls-files 'src/*.cc' 'src/*.h' 'fuzz/*.cc' 'bench/*.cc' | xargs clang-format-19 --dry-run --Werror"
step "shell" bash -c "git ls-files '*.sh' .ci/run | xargs shellcheck"
python=$(tools/setup/python.sh tests/requirements.txt)
step "python" "$python" -m ruff check --quiet --config tests/ruff.toml tests demo tools bench
exit $failed
