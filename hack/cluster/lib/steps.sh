# shellcheck shell=bash
# Progress with times. Sourced, never run.

STARTED=$(date +%s%N)

elapsed() { printf '%d.%d' $((($(date +%s%N) - STARTED) / 1000000000)) $((($(date +%s%N) - STARTED) / 100000000 % 10)); }

step() { printf '%6s s  %s\n' "$(elapsed)" "$*" >&2; }

# wait_until SECONDS WHAT COMMAND…: fails with WHAT and the part's log when COMMAND does not succeed in time.
wait_until() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt "$deadline" ] || fail "$what. The parts' logs are in $LOGS; hack/cluster/status tells which part is not running."
    sleep 0.2
  done
}
