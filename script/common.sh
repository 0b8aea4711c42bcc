# shellcheck shell=bash
# Sourced by every script here: strict mode, messages, and the one way to configure and build.

set -euo pipefail

ROOT=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT

readonly SERVICES=(echo exec time file chat)
# shellcheck disable=SC2034  # for the scripts
readonly PROGRAMS=("${SERVICES[@]/#/rawgate-}" rawgate-gateway rawgate)

# Objects compiled for one checkout serve another: no path of it is in them.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1
# Without these ccache keeps nothing that was compiled with a precompiled header.
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

note() { printf '%s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# usage: prints the comment at the head of the calling script.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

# configure PRESET [-D...]
configure() {
  quietly "$1" "configuring ($1)" cmake --preset "$@"
}

# compile PRESET [TARGET...]: all targets when none is named
compile() {
  local preset=$1
  shift
  quietly "$preset" "building ($preset)" cmake --build --preset "$preset" ${1:+--target "$@"}
}

# quietly PRESET WHAT COMMAND...: runs it in ROOT, showing its output on a terminal or when it fails
quietly() {
  local log=$ROOT/build/$1/script.log what=$2
  shift 2
  mkdir -p "${log%/*}"
  note "$what ..."
  if [[ -t 2 ]]; then
    (cd "$ROOT" && "$@" >&2) || die "$what failed"
  elif ! (cd "$ROOT" && "$@" >"$log" 2>&1); then
    tail -n 60 "$log" >&2
    die "$what failed; all of it is in $log"
  fi
}
