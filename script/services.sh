# shellcheck shell=bash
# Sourced by script/up and script/down: where a running set keeps its state, and how its processes are started, known and stopped.

STATE=$(realpath -m -- "${RAWGATE_STATE_DIR:-$ROOT/.rawgate}")
readonly STATE
readonly RUN=$STATE/run LOG=$STATE/log
# shellcheck disable=SC2034  # for script/up
readonly BIN=${RAWGATE_BIN_DIR:-$ROOT/build/release/bin}
# In the order in which they start; they stop the other way round, front door first.
readonly ALL=("${SERVICES[@]}" gateway)

# lock_state SECONDS: one up or down at a time in one state folder. Holds descriptor 9, which children must not inherit.
lock_state() {
  mkdir -p "$RUN" "$LOG"
  exec 9>"$RUN/lock"
  flock -w "$1" 9 || die "another script/up or script/down is at work in $STATE"
}

unlock_state() { exec 9>&-; }

# process_identity PID: "pid start-time boot", which no other process ever has; fails when it has ended
process_identity() {
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  # State and start time are fields 3 and 22, counted behind the name, which may hold spaces.
  read -ra stat <<<"${stat##*) }"
  [[ ${stat[0]} != Z ]] && echo "$1 ${stat[19]} $(</proc/sys/kernel/random/boot_id)"
}

# record_pid NAME PID
record_pid() {
  process_identity "$2" >"$RUN/$1.pid" || rm -f "$RUN/$1.pid"
}

# pid_of NAME: the pid of the process that we started, if it still runs. A number alone proves nothing: pids are used again.
pid_of() {
  local recorded pid
  read -r recorded 2>/dev/null <"$RUN/$1.pid" || return 1
  pid=${recorded%% *}
  [[ $pid && $(process_identity "$pid") == "$recorded" ]] && echo "$pid"
}

# running_names: those of ALL that run
running_names() {
  local name
  for name in "${ALL[@]}"; do
    pid_of "$name" >/dev/null && echo "$name"
  done
  return 0
}

# signal_all SIGNAL NAME...
signal_all() {
  local signal=$1 name pid
  shift
  for name in "$@"; do
    # It may be gone between the look and the signal, which must not end the script.
    if pid=$(pid_of "$name"); then kill -s "$signal" "$pid" 2>/dev/null || true; fi
  done
  return 0
}

# await_end SECONDS NAME...: returns 1 when one still runs after that
await_end() {
  local name pid deadline=$((SECONDS + $1))
  shift
  for name in "$@"; do
    pid=$(pid_of "$name") || continue
    ((SECONDS < deadline)) || return 1
    timeout "$((deadline - SECONDS))" tail -s 0.05 --pid="$pid" -f /dev/null || return 1
  done
}

# stop NAME...: drains and stops, the last one of ALL first; ends at once what does not drain in RAWGATE_STOP_TIMEOUT s.
stop() {
  local names=() name index
  for ((index = $#; index > 0; index--)); do
    names+=("${!index}")
  done
  signal_all TERM "${names[@]}"
  if ! await_end "${RAWGATE_STOP_TIMEOUT:-30}" "${names[@]}"; then
    note "still busy, ending at once: $(running_names | paste -sd ' ')"
    signal_all TERM "${names[@]}"
    await_end 5 "${names[@]}" || signal_all KILL "${names[@]}"
  fi
  for name in "${names[@]}"; do
    rm -f "$RUN/$name.pid" "$RUN/$name.ready"
  done
}
