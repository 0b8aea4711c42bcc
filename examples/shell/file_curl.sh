#!/usr/bin/env bash
# Uploads a file through the gateway with curl so that it can be resumed, and downloads it. Broken off, the same command
# goes on.
# Usage: file_curl.sh [FILE [NAME [URL]]]
set -euo pipefail
file=${1:-${BASH_SOURCE[0]}} gateway=${3:-http://127.0.0.1:8088}
name=${2:-${file##*/}}
# shellcheck source=examples/shell/connect.sh
source "${BASH_SOURCE[0]%/*}/connect.sh"

hash() { sha256sum | cut -d ' ' -f 1; }

digest=$(hash <"$file")
size=$(stat -c %s "$file")
# An id that follows from name and content: whoever repeats the command means the same upload.
id=$(printf '%s' "$name $digest" | hash)

request=$(jq -nc --arg id "$id" --arg name "$name" --arg size "$size" --arg digest "$digest" \
  '{uploadId: $id, filename: $name, size: $size, expected: {sha256: $digest}}')
begun=$(call file.v1.FileService/CreateUpload <<<"$request")
if [[ $(jq .stored <<<"$begun") == null ]]; then # else that very content is there already
  offset=$(jq -r '.upload.committedSize // 0' <<<"$begun")
  ((offset == 0)) || echo "resumed at: $offset"
  while ((offset < size)); do
    written=$(printf '{"uploadId":"%s","offset":"%s","data":"%s"}' "$id" "$offset" \
      "$(dd if="$file" bs=1M iflag=skip_bytes skip="$offset" count=1 status=none | base64 -w 0)" |
      call file.v1.FileService/WriteChunk)
    offset=$(jq -r .committedSize <<<"$written")
    echo "$offset of $size bytes" >&2
  done
  call file.v1.FileService/CompleteUpload <<<"{\"uploadId\":\"$id\"}" >/dev/null
fi
echo "stored: $name $digest"

# Neither the header, which comes first, nor the trailer has data.
received=$(stream file.v1.FileService/Download "$(jq -nc --arg name "$name" '{filename: $name}')" |
  jq -r '.data // empty' | base64 -d | hash)
[[ $received == "$digest" ]] || { echo "file_curl: other bytes came back" >&2; exit 1; }
echo "downloaded: the same bytes"
