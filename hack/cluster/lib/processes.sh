# shellcheck shell=bash
# The cluster's processes: each is recorded with the time it started, so that a recycled pid is never taken for ours.
# Sourced, never run.

# start_time PID: in clock ticks since boot; empty when there is no such process.
start_time() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
  # The program's name, in parentheses, may hold spaces. A zombie counts as gone.
  [[ ${stat##*) } == Z* ]] || cut -d' ' -f20 <<<"${stat##*) }"
}

# start_part NAME PROGRAM ARGUMENT…: in a session of its own, without this script's lock and streams.
start_part() {
  local name=$1 log=$LOGS/$1.log
  shift
  [ ! -f "$log" ] || mv "$log" "$log.previous"
  setsid "$@" </dev/null >"$log" 2>&1 9>&- &
  echo "$! $(start_time $!)" >"$RUN/$name.pid"
}

# part_pid NAME: prints the pid if that very process lives, else returns 1.
part_pid() {
  local pid started
  [ -f "$RUN/$1.pid" ] && read -r pid started <"$RUN/$1.pid" || return 1
  [ -n "${started:-}" ] && [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}

# stop_parts NAME…: TERM, and KILL after 2 to 3 seconds: the API server would wait a minute for its clients.
stop_parts() {
  local name pid living=() deadline=$((SECONDS + 3))
  for name in "$@"; do
    if pid=$(part_pid "$name"); then
      living+=("$name")
      kill "$pid" 2>/dev/null || true
    fi
  done
  for name in "${living[@]}"; do
    while pid=$(part_pid "$name"); do
      [ $SECONDS -lt $deadline ] || kill -KILL "$pid" 2>/dev/null || true
      sleep 0.05
    done
  done
  for name in "$@"; do rm -f "$RUN/$name.pid"; done
}
