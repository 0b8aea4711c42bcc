#!/usr/bin/env bash
# The time through the gateway with curl, and how far our clock is from the service's.
# Usage: time_curl.sh [URL]
set -euo pipefail
gateway=${1:-http://127.0.0.1:8088}
# shellcheck source=examples/shell/connect.sh
source "${BASH_SOURCE[0]%/*}/connect.sh"

# microseconds TIME: since 1970
microseconds() { date -d "$1" +%s%6N; }

# Measured as NTP does (RFC 5905 section 8). To start curl takes longer than the call, and one way only: every other example
# knows better what the time is.
sent=$(date +%s%6N)
response=$(echo '{"format":"%Y-%m-%d %H:%M:%S"}' | call time.v1.TimeService/GetTime)
received=$(date +%s%6N)
from=$(microseconds "$(jq -r .serverReceiveTime <<<"$response")")
until=$(microseconds "$(jq -r .serverSendTime <<<"$response")")
echo "time: $(jq -r .formatted <<<"$response")"
offset=$((((from - sent) + (until - received)) / 2)) uncertainty=$((((received - sent) - (until - from)) / 2))
jq -nr "\"offset: \($offset / 1000) ms, give or take \($uncertainty / 1000) ms\""
