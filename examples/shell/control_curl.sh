#!/usr/bin/env bash
# Lists the services with curl, then follows what happens in them: connections, requests, every read with its size. Until
# Ctrl-C.
# Usage: control_curl.sh [URL]
set -euo pipefail
gateway=${1:-http://127.0.0.1:8088}
# shellcheck source=examples/shell/connect.sh
source "${BASH_SOURCE[0]%/*}/connect.sh"

services=$(call control.v1.ControlService/ListServices <<<'{}')
jq -r '.services[] | "\(.name) \(.state)", (.listeners[] | "   \(.name) \(.boundAddress)")' <<<"$services"

# jq prints a line for each event as it comes. What one recv() of the service returned is a chunk: send "hello" and "world",
# and see one or two. The samples of chunks stay in base64, since they may hold anything.
stream control.v1.ControlService/WatchEvents '{"includeChunks":true,"sampleBytes":32}' |
  jq --unbuffered -r '
    (select(.positions) | "watching"),
    (.events[]? | "\(.service)/\(.listener // "") #\(.connectionId // 0): " +
      if .chunkReceived then "chunk of \(.chunkReceived.size) bytes: \(.chunkReceived.sample)"
      elif .requestServed then "served \(.requestServed.summary) \(.requestServed.errorCode // "")"
      else keys - ["service", "instance", "sequence", "time", "listener", "connectionId"] | first end)'
