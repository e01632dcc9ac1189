# shellcheck shell=bash
# Shows a task while it runs: its phases, its pool, its log. Sourced, never run.

WATCHERS=()

# Each line once, with the time at which it came.
stamp() {
  local last='' line
  while IFS= read -r line; do
    [ "$line" = "$last" ] && continue
    last=$line
    printf '[%3d s] %s | %s\n' "$SECONDS" "$1" "$line"
  done
}

# By a selector, since the watch begins before the task is there.
watch_phases() {
  kubectl --namespace "$DEMO" get agenttasks --field-selector "metadata.name=$1" --watch \
    -o jsonpath='{.status.phase}{" "}{.status.podName}{"\n"}' 2>/dev/null \
    | grep --line-buffered '[A-Z]' | stamp task
}

# What is seen here is kept: the demo is right only when the pool went from zero to one and back.
watch_workers() {
  kubectl --namespace "$DEMO" get workerpool "$AGENT" --watch \
    -o jsonpath='{.status.replicas}{" workers, "}{.status.queue.waiting}{" waiting, "}{.status.queue.running}{" running"}{"\n"}' 2>/dev/null \
    | sed -u 's/^ workers/0 workers/; s/,  waiting/, 0 waiting/; s/,  running/, 0 running/' \
    | tee -i "$WORK/workers" | stamp pool
}

# The agent's lines are in the pod's log, from the moment that its container runs.
watch_log() {
  local pod=''
  while [ -z "$pod" ]; do
    pod=$(kubectl --namespace "$DEMO" get agenttask "$1" -o jsonpath='{.status.podName}' 2>/dev/null || true)
    [ -n "$pod" ] || sleep 0.3
  done
  kubectl --namespace "$DEMO" logs --follow "$pod" --container worker 2>/dev/null | stamp 'log '
}

# Each watcher gets a process group of its own, so that its whole pipeline ends with it.
start_watching() {
  : >"$WORK/workers"
  set -m
  watch_workers &
  WATCHERS+=($!)
  watch_phases "$1" &
  WATCHERS+=($!)
  watch_log "$1" &
  WATCHERS+=($!)
  set +m
}

stop_watching() {
  local watcher
  for watcher in "${WATCHERS[@]}"; do
    kill -- "-$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
  done
  WATCHERS=()
}
