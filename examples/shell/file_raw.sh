#!/usr/bin/env bash
# Uploads a file with nc, downloads it again on the same connection, and compares the digests.
# Usage: file_raw.sh [FILE [NAME [HOST [PORT]]]]
set -euo pipefail
file=${1:-${BASH_SOURCE[0]}} host=${3:-127.0.0.1} port=${4:-8090}
name=${2:-${file##*/}}
# shellcheck source=examples/shell/framing.sh
source "${BASH_SOURCE[0]%/*}/framing.sh"

digest=$(sha256sum <"$file" | cut -d ' ' -f 1)

requests() {
  send_json "$(jq -nc --arg name "$name" --arg sha256 "$digest" --argjson size "$(stat -c %s "$file")" \
    '{filename: $name, filesize: $size, sha256: $sha256}')"
  cat "$file"
  # Sent ahead: requests are answered one after another.
  send_json "$(jq -nc --arg name "$name" '{op: "download", filename: $name}')"
}

# checked: a reply that says ok; of another one, what a terminal does not obey
checked() {
  local reply
  reply=$(receive_json)
  jq -e '.status == "ok"' <<<"$reply" >/dev/null || { jq -ca '["file_raw", .reason, .message]' <<<"$reply" >&2; exit 1; }
  echo "$reply"
}

requests | nc -N -w 60 "$host" "$port" | {
  checked >/dev/null # compared with the digest, and on disk
  echo "stored: $name $digest"
  size=$(checked | jq .filesize)
  [[ $(head -c "$size" | sha256sum | cut -d ' ' -f 1) == "$digest" ]] ||
    { echo "file_raw: other bytes came back" >&2; exit 1; }
  echo "downloaded: the same bytes"
}
