#!/usr/bin/env bash
# Makes a Debian 13 system in a folder, with PostgreSQL 17, its contrib modules and pgvector, and prints its path.
#
#   tools/setup/chroot.sh
#
# A second PostgreSQL major next to the one of the Python wheel, built as Debian builds it: GSSAPI, LDAP, PAM, ICU and LLVM
# are in, which no wheel has. It needs root (debootstrap and chroot do), takes under a minute and 400 MB, and stays in
# the cache. The packages come from where this host's own apt takes them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$here/lib.sh"

packages=(postgresql-17 postgresql-17-pgvector)

# This host's mirror of Debian, as apt knows it. Mirrors carry all supported releases, so Debian 12's has Debian 13 too.
mirror() {
  # shellcheck disable=SC2016  # apt fills these in
  apt-get indextargets --format '$(ORIGIN)/$(LABEL)/$(COMPONENT) $(SUITE) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian/Debian/main" && $2 !~ /-(updates|security|backports)/ { print $3; exit }'
}

build() {
  local root=$1 mirror=$2 proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "$proxy" ] || export http_proxy=$proxy
  debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$mirror"
  # Neither start servers, nor make a cluster that nobody uses, nor unpack what only people read.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  mkdir -p "$root/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"
  printf 'path-exclude=/usr/share/%s/*\n' doc man locale info >"$root/etc/dpkg/dpkg.cfg.d/no-docs"
  DEBIAN_FRONTEND=noninteractive chroot "$root" \
    apt-get -o APT::Sandbox::User=root install --yes --no-install-recommends "${packages[@]}"
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}
  chroot "$root" /usr/lib/postgresql/17/bin/postgres --version
}

# Another recipe is another folder (`declare -f` leaves out the comments).
home=$(cache_folder)/debian13-$({ echo "${packages[@]}"; declare -f build; } | sha256sum | cut -c1-16)

if [ "${1:-}" = --build ]; then
  build "$2" "$3"
  exit
fi

if [ ! -e "$home/complete" ]; then
  only_one_at_a_time "$home.lock"
  if [ ! -e "$home/complete" ]; then
    command -v debootstrap >/dev/null || [ -x /usr/sbin/debootstrap ] ||
      die "debootstrap is missing: tools/setup/debian.sh test installs it"
    from=$(mirror)
    [ -n "$from" ] || die "apt on this host has no package lists of Debian's main archive: run apt-get update"
    say "making a Debian 13 system with ${packages[*]} (about a minute, once; under $home)"
    as_root rm -rf "$home"
    quietly "$home.log" as_root env "PATH=$PATH:/usr/sbin:/sbin" "$here/chroot.sh" --build "$home" "$from"
    as_root touch "$home/complete"
  fi
fi
printf '%s\n' "$home"
