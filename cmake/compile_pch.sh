#!/bin/sh
# Compiler launcher of the target that makes the precompiled header: runs the compile and writes a digest of what was
# compiled beside the result. ccache takes that digest (pch_external_checksum) in place of the header's own bytes, which
# hold the paths of this build folder; so an object compiled in one clone is found again in another.
#   compile_pch.sh COMPILER ARGUMENT... -MF DEPENDENCIES -o FILE -c SOURCE
set -eu
"$@"
for argument in "$@"; do
  case ${previous:-} in
  -o) output=$argument ;;
  -MF) dependencies=$argument ;;
  esac
  previous=$argument
done
case $output in
*.pch) ;;
*) exit 0 ;;
esac
# The compiler, its options without those that name places, and the bytes of every header that went in.
{
  "$1" --version
  for argument in "$@"; do
    case $argument in
    /* | -I* | *=*/* | *.d | *.hxx* | *.pch) ;;
    *) printf '%s\n' "$argument" ;;
    esac
  done
  tr -s ' \\\n' '\n' <"$dependencies" | grep '^/' | grep -v cmake_pch | xargs cat
} | sha256sum | cut -d ' ' -f 1 >"$output.sum"
