# shellcheck shell=bash
# Steps with their times. Sourced, never run.

STEP_NAMES=()
STEP_SECONDS=()
step_started=0

# step WHAT: ends the step before it.
step() {
  end_step
  STEP_NAMES+=("$1")
  step_started=$SECONDS
  printf '\n[%3d s] %s\n' "$SECONDS" "$1"
}

end_step() {
  [ "${#STEP_NAMES[@]}" -gt "${#STEP_SECONDS[@]}" ] && STEP_SECONDS+=($((SECONDS - step_started)))
  return 0
}

print_times() {
  local i
  end_step
  printf '\nTimes\n'
  for i in "${!STEP_NAMES[@]}"; do printf '  %4d s  %s\n' "${STEP_SECONDS[i]}" "${STEP_NAMES[i]}"; done
  printf '  %4d s  in all\n' "$SECONDS"
}

indent() { sed -u 's/^/  /'; }
