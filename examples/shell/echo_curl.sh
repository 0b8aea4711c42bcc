#!/usr/bin/env bash
# echo through the gateway with curl: one call, then a conversation on one stream.
# Usage: echo_curl.sh [URL]
set -euo pipefail
gateway=${1:-http://127.0.0.1:8088}
# shellcheck source=examples/shell/connect.sh
source "${BASH_SOURCE[0]%/*}/connect.sh"

# request TEXT: any bytes may be a payload, so JSON has them in base64
request() { printf '{"payload":"%s"}' "$(printf '%s' "$1" | base64)"; }

response=$(request hello | call echo.v1.EchoService/Echo)
echo "echo: $(jq -r .payload <<<"$response" | base64 -d)"

# HTTP/1.1 sends all requests before the first answer; over gRPC they take turns.
stream echo.v1.EchoService/Converse "$(request one)" "$(request two)" "$(request three)" |
  while read -r response; do
    echo "converse: $(jq -r .payload <<<"$response" | base64 -d)"
  done
