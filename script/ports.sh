# shellcheck shell=bash
# Sourced by script/up: who holds a port, read from /proc, since a minimal system has neither ss nor lsof.

# Loopback and wildcard addresses as /proc/net prints them: what keeps us from binding 127.0.0.1 or [::1].
readonly CONFLICTING=" 0100007F 00000000 \
00000000000000000000000001000000 00000000000000000000000000000000 "

# has_ipv6_loopback: whether [::1] can be bound here
has_ipv6_loopback() {
  grep -qs '^00000000000000000000000000000001 ' /proc/net/if_inet6
}

# port_socket tcp|udp PORT: "inode uid" of the socket that holds PORT on the loopback; nothing when it is free
port_socket() {
  local protocol=$1 state=07 tables=()
  [[ $protocol == tcp ]] && state=0A
  local table
  for table in "/proc/net/$protocol" "/proc/net/${protocol}6"; do
    [[ -r $table ]] && tables+=("$table")
  done
  awk -v port="$(printf '%04X' "$2")" -v state="$state" -v addresses="$CONFLICTING" '
    { split($2, local_address, ":") }
    local_address[2] == port && $4 == state && index(addresses, " " local_address[1] " ") {
      print $10, $8
      exit
    }' "${tables[@]}"
}

# port_holder tcp|udp PORT: describes who holds PORT on the loopback; fails when it is free
port_holder() {
  local inode uid descriptor pid
  read -r inode uid < <(port_socket "$@") || return 1
  descriptor=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -print -quit 2>/dev/null || true)
  if [[ ! $descriptor ]]; then
    echo "a process of user $(id -un "$uid" 2>/dev/null || echo "$uid") (root can see which)"
    return 0
  fi
  pid=${descriptor#/proc/}
  pid=${pid%%/*}
  echo "pid $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c 1-100)"
}
