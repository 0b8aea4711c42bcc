# shellcheck shell=bash
# Where a message ends: exec and file put its size, 4 bytes, little-endian, in front of it.

# send_json TEXT: an object behind its size
send_json() {
  local LC_ALL=C size=${#1} # in C a character is a byte
  printf '%b%s' "$(printf '\\x%02x' $((size & 255)) $((size >> 8 & 255)) $((size >> 16 & 255)) $((size >> 24)))" "$1"
}

# receive_size MAX: the next 4 bytes of standard input. head reads just as many as it is told to, and goes on until it has
# them: TCP is a stream, and even 4 bytes may come in pieces.
receive_size() {
  local size
  size=$(head -c 4 | od -An -t d4 --endian=little)
  # What a stranger says about sizes is checked before it is believed; nothing means that the stream has ended.
  if [[ ! $size ]] || ((size < 0 || size > $1)); then
    echo "the stream ended, or is none of ours" >&2
    return 1
  fi
  echo $((size))
}

# receive_json: an object
receive_json() {
  local size
  size=$(receive_size 1048576) && head -c "$size"
}
