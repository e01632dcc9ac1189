# shellcheck shell=bash
# The parts of a test run, which may run side by side. Sourced, never run; LOGS is where their output goes.

rm -rf "$LOGS"
mkdir -p "$LOGS"

# part NAME COMMAND…: says how it ended, and shows the end of its output when it failed. Returns 0 in any case: others go on.
part() {
  local name=$1 started=$SECONDS verdict=passed
  shift
  "$@" >"$LOGS/$name.log" 2>&1 || verdict=FAILED
  [ $verdict = passed ] || tail -n 40 "$LOGS/$name.log" | sed "s/^/  $name | /"
  printf '%-12s %-7s %4d s, from second %d\n' "$name" $verdict $((SECONDS - started)) "$started" | tee "$LOGS/$name.verdict"
}

# wait_for_part NAME: until it has ended, in whichever way.
wait_for_part() { while [ ! -s "$LOGS/$1.verdict" ]; do sleep 0.2; done; }

# end_parts: the times of all, how those that failed ended, and the line that counts them. Returns 1 when one failed.
end_parts() {
  local failed part
  failed=$({ grep -l FAILED "$LOGS"/*.verdict || true; } | xargs -rn 1 basename -s .verdict | tr '\n' ' ')
  printf '\n=== parts\n'
  cat "$LOGS"/*.verdict
  printf '%-20s %4d s\n' total "$SECONDS"
  for part in $failed; do tail -n 3 "$LOGS/$part.log" | cut -c -300 | sed "s/^/  $part | /"; done
  [ -z "$failed" ] || printf 'failed: %s(the whole output is in %s)\n' "$failed" "$LOGS"
  printf '%d passed, %d failed\n' "$({ grep -l passed "$LOGS"/*.verdict || true; } | wc -l)" "$(wc -w <<<"$failed")"
  [ -z "$failed" ]
}
