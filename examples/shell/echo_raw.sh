#!/usr/bin/env bash
# echo over plain sockets: upper case over TCP with nc, a greeting over UDP with socat.
# Usage: echo_raw.sh [HOST [PORT]]
set -euo pipefail
host=${1:-127.0.0.1} port=${2:-8080}

# -N says "I send no more" (FIN) at the end of our input: the service answers all that it has, then ends the stream as
# well. Without it both sides would wait for each other. -w: no longer than 10 s of silence.
answer=$(printf 'hello' | nc -N -w 10 "$host" "$port") ||
  { echo "echo_raw: nobody listens at $host port $port (tcp)" >&2; exit 1; }
echo "tcp: $answer"

# Of datagrams there is no end: -t says how long the answer is awaited. socat wants IPv6 addresses in brackets.
[[ $host != *:* ]] || host="[$host]"
answer=$(printf 'hello' | socat -t 1 - "UDP:$host:$port")
[[ $answer ]] || { echo "echo_raw: no answer from $host port $port (udp)" >&2; exit 1; }
echo "udp: $answer"
