# shellcheck shell=bash
# What the set-up scripts share. Messages go to standard error, so that a script's standard output stays its result.

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The folder for what is slow to make and the same for every clone: virtual environments, npm packages, a chroot.
cache_folder() {
  printf '%s\n' "${SLUICE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice}"
}

# as_root COMMAND...: the command with root's rights, by sudo where we are not root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: run it as root, or install sudo (wanted to run: $*)"
  fi
}

# quietly LOG COMMAND...: output goes to LOG, a sign of life to the terminal every 15 seconds, the end of LOG on failure.
quietly() {
  local log=$1 seconds=0 status=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 &
  local pid=$!
  # The command is a background job, and those ignore Ctrl-C: pass it on.
  # shellcheck disable=SC2064
  trap "kill $pid 2>/dev/null; exit 130" INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 15)) != 0 ] || say "  still at it after ${seconds} s (details: $log)"
  done
  wait "$pid" || status=$?
  trap - INT TERM
  [ "$status" = 0 ] || { tail -n 25 "$log" >&2; die "failed (exit code $status): $*"; }
}

# only_one_at_a_time FILE: waits until no other run holds FILE; the lock goes with this process.
only_one_at_a_time() {
  mkdir -p "$(dirname "$1")"
  exec 9>"$1"
  flock --nonblock 9 || { say "waiting for another run of this set-up"; flock 9; }
}
