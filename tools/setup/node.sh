#!/usr/bin/env bash
# Installs the npm packages that the tests use as clients and prints the path of their node_modules folder.
#
#   NODE_PATH=$(tools/setup/node.sh) node some_test.cjs
#
# Exactly what tests/node/package-lock.json says, without running any package's install script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$here/lib.sh"
project=$here/../../tests/node

command -v npm >/dev/null || die "npm is missing: tools/setup/debian.sh test installs it"

key=$({ node --version; cat "$project/package-lock.json"; } | sha256sum | cut -c1-16)
home=$(cache_folder)/node-$key

if [ ! -e "$home/complete" ]; then
  only_one_at_a_time "$home.lock"
  if [ ! -e "$home/complete" ]; then
    say "installing the npm packages of tests/node (a few seconds, once)"
    rm -rf "$home"
    mkdir -p "$home"
    cp "$project/package.json" "$project/package-lock.json" "$home/"
    quietly "$home/npm.log" npm --prefix "$home" ci --ignore-scripts --no-audit --no-fund
    touch "$home/complete"
  fi
fi
printf '%s\n' "$home/node_modules"
