#!/usr/bin/env bash
# Runs a shell command with nc, twice: once with its output behind a size, once behind a JSON header.
# Usage: exec_raw.sh [COMMAND [HOST [SIZED_PORT [HEADER_PORT]]]]
set -euo pipefail
command=${1:-uname -sr} host=${2:-127.0.0.1} sized=${3:-8083} header=${4:-8084}
# shellcheck source=examples/shell/framing.sh
source "${BASH_SOURCE[0]%/*}/framing.sh"

# The newline ends the command: however the network cuts or merges the bytes, the service knows where.
run() {
  printf '%s\n' "$command" | nc -N -w 60 "$host" "$1" || { echo "exec_raw: nobody listens at $host port $1" >&2; exit 1; }
}

size=$(run "$sized" | receive_size 67108864)
echo "sized: $size bytes"

run "$header" | {
  json=$(receive_json)
  head -c "$(jq .stdout_size <<<"$json")" # standard output comes first
  head -c "$(jq .stderr_size <<<"$json")" >&2
  # After a signal, a time limit, or when it could not be started, there is no code.
  code=$(jq -e .exit_code <<<"$json") || { echo "exec_raw: no exit code: $json" >&2; exit 1; }
  echo "exit code: $code"
  exit "$code"
}
