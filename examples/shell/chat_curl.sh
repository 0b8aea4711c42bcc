#!/usr/bin/env bash
# An operator who answers everybody once, with curl: "hello". Until Ctrl-C.
# Usage: chat_curl.sh [URL]
set -euo pipefail
gateway=${1:-http://127.0.0.1:8088}
# shellcheck source=examples/shell/connect.sh
source "${BASH_SOURCE[0]%/*}/connect.sh"

# A repeated requestId sends nothing: that is how everybody gets one answer, also from an operator who comes back.
answer() {
  jq -nc --arg session "$1" '{sessionId: $session, body: ("hello" | @base64), requestId: "hello \($session)"}' |
    call chat.v1.ChatService/SendMessage >/dev/null
}

# What is kept comes first, then what is written while we watch.
stream chat.v1.ChatService/WatchMessages '{}' |
  while read -r response; do
    if [[ $(jq .caughtUp <<<"$response") == true ]]; then
      echo waiting
    elif [[ $(jq -r .message.direction <<<"$response") == DIRECTION_INBOUND ]]; then
      session=$(jq -r .message.sessionId <<<"$response")
      # Without control characters, of which escape sequences are made.
      echo "$session: $(jq -r .message.body <<<"$response" | base64 -d | LC_ALL=C.UTF-8 sed -z 's/[[:cntrl:]]/?/g')"
      answer "$session"
    fi
  done
