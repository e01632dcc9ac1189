# shellcheck shell=bash
# One change of the cluster at a time. Sourced, never run.

take_lock() {
  [ "$(id -u)" = 0 ] || fail "this needs root: it makes network devices, mounts and control groups. Run it with sudo."
  mkdir -p "$STATE"
  chmod 700 "$STATE"
  exec 9>"$STATE/lock"
  flock -n 9 && return
  say "waiting for another command on this cluster to finish"
  flock -w 600 9 || fail "another command has held $STATE/lock for 10 minutes"
}
