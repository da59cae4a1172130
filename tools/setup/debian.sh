#!/usr/bin/env bash
# Installs the Debian packages that Sluice is built, tested and measured with.
#
#   tools/setup/debian.sh GROUP...     groups: build demo test lint bench
#
# Debian 12 and Debian 13. A release of Debian pins the versions; where several majors are on offer the package's
# name says which one is wanted. There is no stamp file: asking dpkg takes some 20 ms and cannot be out of date.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=lib.sh source-path=SCRIPTDIR
. ./lib.sh

[ $# -gt 0 ] || die "say what to install for: tools/setup/debian.sh build demo test lint bench"

# shellcheck source=/dev/null
. /etc/os-release
# libpg_query carries the grammar of one PostgreSQL major, and the server headers must be of the same one.
case "${ID:-}-${VERSION_ID:-}" in
  debian-12) boost=1.81 postgres=15 ;;
  debian-13) boost='' postgres=17 ;;
  *) die "Sluice's set-up knows Debian 12 and Debian 13; this is ${PRETTY_NAME:-something else}. \
The packages are listed in tools/setup/debian.sh, should you want to install them by hand." ;;
esac

# What one group needs, one package a line.
packages_of() {
  case $1 in
    build) printf '%s\n' \
      make cmake ninja-build ccache pkg-config clang-19 lld-19 llvm-19 libclang-rt-19-dev \
      "libboost${boost}-dev" "libboost-json${boost}-dev" libssl-dev libpg-query-dev "postgresql-server-dev-$postgres" \
      libsqlite3-dev libyaml-cpp-dev libfmt-dev libspdlog-dev libcli11-dev libsodium-dev libcurl4-openssl-dev \
      libzstd-dev libvectorscan-dev libpq-dev prometheus-cpp-dev libgtest-dev libgmock-dev libbenchmark-dev ;;
    # psql, a virtual environment, and what the PostgreSQL server from the Python wheel is linked against.
    demo) printf '%s\n' \
      "postgresql-client-$postgres" python3-venv tzdata libgssapi-krb5-2 liblz4-1 libzstd1 liblzma5 ;;
    test)
      packages_of demo
      printf '%s\n' debootstrap libxslt1.1  # for the server's contrib module xml2
      # Whichever Node.js is there already will do (Debian's npm brings 300 packages along).
      command -v node >/dev/null || printf 'nodejs\n'
      command -v npm >/dev/null || printf 'npm\n' ;;
    lint) printf '%s\n' clang-tidy-19 clang-format-19 shellcheck ;;
    bench) packages_of demo; printf '%s\n' pgbouncer ;;
    *) die "no such group: $1 (groups: build demo test lint bench)" ;;
  esac
}

# Of the packages named, those that dpkg does not have installed.
missing() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^[ih]i  *//p' || true)
  for package in "$@"; do
    grep --quiet --line-regexp --fixed-strings "$package" <<<"$installed" || printf '%s\n' "$package"
  done
}

# Packages of servers start them, and enable them for the next boot. We want the programs only: nothing is started while
# we install, and a service whose package came with this run is disabled. Services that were there before stay as they are.
policy=/usr/sbin/policy-rc.d
deny_service_starts() {
  [ ! -e "$policy" ] || return 0
  printf '#!/bin/sh\n# Made by the set-up of Sluice for the time of one installation.\nexit 101\n' |
    as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  trap 'as_root rm -f "$policy"' EXIT
}
disable_new_service() {
  if command -v systemctl >/dev/null; then
    as_root systemctl disable "$1" >/dev/null 2>&1 || true
  elif command -v update-rc.d >/dev/null; then
    as_root update-rc.d "$1" disable >/dev/null 2>&1 || true
  fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 "$@"; }

# DPkg::Lock::Timeout does not cover the lock on the package lists, hence the tries.
update_lists() {
  local try
  for try in 1 2 3 4 5 6; do
    apt update && return
    echo "try $try failed; another apt may be at work, waiting 10 s"
    sleep 10
  done
  return 1
}

wanted=$(for group in "$@"; do packages_of "$group"; done | sort -u)
mapfile -t wanted <<<"$wanted"
lacking=$(missing "${wanted[@]}")
[ -n "$lacking" ] || exit 0
mapfile -t lacking <<<"$lacking"

log=$(cache_folder)/log/debian.log
say "Debian packages to install for $*: ${lacking[*]}"
[ "$(id -u)" = 0 ] || as_root true   # asks for the password here, where it can be seen
deny_service_starts
say "reading the package lists"
quietly "$log" update_lists
say "installing ${#lacking[@]} packages and what they depend on (the first time this takes a few minutes)"
quietly "$log" apt install --yes --no-install-recommends "${lacking[@]}"
case " ${lacking[*]} " in *' pgbouncer '*) disable_new_service pgbouncer ;; esac

still=$(missing "${wanted[@]}")
[ -z "$still" ] || die "apt finished, and yet these are not installed: $still (see $log)"
say "Debian packages: done"
