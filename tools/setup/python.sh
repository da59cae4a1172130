#!/usr/bin/env bash
# Makes a Python virtual environment from pinned requirements and prints the path of its python.
#
#   python=$(tools/setup/python.sh tests/requirements.txt)
#
# It lives in the cache under a name made of the requirements and the interpreter, so that every clone shares it and a
# changed requirement makes a new one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$here/lib.sh"

if [ $# != 1 ] || [ ! -f "$1" ]; then die "usage: tools/setup/python.sh REQUIREMENTS_FILE"; fi
requirements=$1

# The first python3 on PATH that will do, else Debian's (one on PATH may be too old, or lack the module venv).
base=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    base=$("$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))')
    break
  fi
done
[ -n "$base" ] || die "no Python 3.11 or later with the module venv: tools/setup/debian.sh demo installs Debian's"

key=$({ "$base" -VV; printf '%s\n' "$base"; cat "$requirements"; } | sha256sum | cut -c1-16)
home=$(cache_folder)/python-$key
python=$home/bin/python

if [ ! -e "$home/complete" ]; then
  only_one_at_a_time "$home.lock"
  if [ ! -e "$home/complete" ]; then
    say "making a Python environment for $requirements (about half a minute, once)"
    rm -rf "$home"
    "$base" -m venv "$home"
    quietly "$home/pip.log" "$python" -m pip install --disable-pip-version-check --no-deps --requirement "$requirements"
    quietly "$home/check.log" "$python" -m pip check
    touch "$home/complete"
  fi
fi
printf '%s\n' "$python"
