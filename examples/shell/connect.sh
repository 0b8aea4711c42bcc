# shellcheck shell=bash
# Typed calls of the gateway with curl: the Connect protocol, JSON over HTTP. In JSON, fields of type `bytes` are
# base64, and 64-bit numbers are strings.
: "${gateway:?is to be set before, such as http://127.0.0.1:8088}"

# call METHOD: a unary call. The request is read from standard input, the response goes to standard output.
call() {
  local response
  response=$(curl -sS --fail-with-body --max-time 60 -H 'content-type: application/json' --data-binary @- \
    "$gateway/rawgate.$1") || { jq -r '"\(.code): \(.message)"' <<<"$response" >&2; return 1; }
  echo "$response"
}

# envelope MESSAGE: a message of a stream stands behind 5 bytes: flags, and its size, big-endian
envelope() {
  local LC_ALL=C size=${#1} # in C a character is a byte
  printf '%b%s' "$(printf '\\x%02x' 0 $((size >> 24)) $((size >> 16 & 255)) $((size >> 8 & 255)) $((size & 255)))" "$1"
}

# stream METHOD [MESSAGE...]: a streaming call with these requests; each response is a line of standard output.
stream() {
  local method=$1 message flags a b c d
  shift
  for message in "$@"; do envelope "$message"; done |
    # -N hands on what comes as it comes.
    curl -sSNf --connect-timeout 10 -H 'content-type: application/connect+json' --data-binary @- \
      "$gateway/rawgate.$method" |
    # head reads just as many bytes as it is told to, and goes on until it has them.
    while read -r flags a b c d < <(head -c 5 | od -An -t u1); do
      message=$(head -c $((((a << 8 | b) << 8 | c) << 8 | d)))
      ((flags & 2)) || { printf '%s\n' "$message"; continue; }
      # The end of the stream, with its error, if any.
      ! jq -er '.error // empty | "\(.code): \(.message)"' <<<"$message" >&2
      return
    done || return 1
}
