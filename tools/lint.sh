#!/usr/bin/env bash
# All linters: tools/lint.sh BUILD_FOLDER (for compile_commands.json). Prints every finding, fails if there was one.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=$1
failed=0
step() { echo "== $1"; shift; "$@" || failed=1; }

step "layers" python3 tools/check_layers.py
step "format" bash -c "git ls-files 'src/*.cc' 'src/*.h' 'fuzz/*.cc' 'bench/*.cc' | xargs clang-format-19 --dry-run --Werror"
step "clang-tidy" bash -c "git ls-files 'src/*.cc' | grep -v 'pg_tree' | xargs -P \"$(nproc)\" -n 8 \
  clang-tidy-19 -p '$build' --quiet 2> >(grep -vE 'warnings? generated|Suppressed|Use -' >&2)"
step "shell" bash -c "git ls-files '*.sh' .ci/run | xargs shellcheck"
python=$(tools/setup/python.sh tests/requirements.txt)
step "python" "$python" -m ruff check --quiet tests demo tools bench
exit $failed
