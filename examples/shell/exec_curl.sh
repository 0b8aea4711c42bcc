#!/usr/bin/env bash
# Runs a shell command through the gateway with curl: output as it comes, and the command's exit code as our own.
# Usage: exec_curl.sh [COMMAND [URL]]
set -euo pipefail
command=${1:-uname -sr} gateway=${2:-http://127.0.0.1:8088}
# shellcheck source=examples/shell/connect.sh
source "${BASH_SOURCE[0]%/*}/connect.sh"

# Should we end early, so does the call, and with it the command.
stream exec.v1.ExecService/Run "$(jq -nc --arg command "$command" '{shellCommand: $command, timeout: "60s"}')" | {
  outcome=null
  while read -r response; do
    case $(jq -r 'keys[0]' <<<"$response") in
      started) jq -r '"started: \(.started.jobId)"' <<<"$response" >&2 ;;
      output)
        to=1
        [[ $(jq -r .output.stream <<<"$response") != OUTPUT_STREAM_STDERR ]] || to=2
        jq -r .output.data <<<"$response" | base64 -d >&"$to"
        ;;
      outcome) outcome=$(jq -c .outcome <<<"$response") ;;
    esac
  done
  # Never take the absence of bad news for success. A code of 0 is the default, which JSON leaves out.
  code=$(jq -e '.exited | objects | .code // 0' <<<"$outcome") ||
    { echo "exec_curl: no exit code: $outcome" >&2; exit 1; }
  exit "$code"
}
