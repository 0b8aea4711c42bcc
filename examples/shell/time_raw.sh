#!/usr/bin/env bash
# The time over UDP with nc: the datagram is a strftime format, the answer is the time in it.
# Usage: time_raw.sh [HOST [PORT]]
set -euo pipefail
host=${1:-127.0.0.1} port=${2:-9000}

# UDP loses datagrams, theirs and ours, and tells nobody. Asking twice does no harm here, so we ask again.
for _ in 1 2 3; do
  # -W 1: until one datagram has come; -w 1: or a second has passed.
  answer=$(printf '%%Y-%%m-%%d %%H:%%M:%%S' | nc -u -W 1 -w 1 "$host" "$port")
  [[ ! $answer ]] || { echo "time: $answer"; exit; }
done
echo "time_raw: no answer to 3 datagrams from $host port $port" >&2
exit 1
