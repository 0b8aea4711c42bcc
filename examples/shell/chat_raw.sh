#!/usr/bin/env bash
# Writes to the desk with nc and prints the first answer, which a person may take a minute to write.
# Usage: chat_raw.sh [TEXT [HOST [PORT]]]
set -euo pipefail
text=${1:-is anybody there? 你好} host=${2:-127.0.0.1} port=${3:-8081}

# Bytes from the network are not let loose on a terminal: an escape sequence among them could do anything to it.
printable() { LC_ALL=C.UTF-8 sed -z 's/[[:cntrl:]]/?/g'; }

# Our address and port are our session: the answer comes to this socket, so nc stays until one datagram has come (-W 1), or
# for a minute (-w 60).
answer=$(printf '%s' "$text" | nc -u -W 1 -w 60 "$host" "$port" | printable)
[[ $answer ]] || { echo "chat_raw: no answer from $host port $port" >&2; exit 1; }
echo "answer: $answer"
