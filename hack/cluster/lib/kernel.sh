# shellcheck shell=bash
# Kernel settings: the network needs forwarding, and the kubelet changes the others. What they were is recorded and put
# back. Sourced, never run.

SETTINGS=(net/ipv4/ip_forward vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes)

record_settings() {
  local setting
  # After a kill the record is older than what is set now, and right.
  [ ! -f "$RUN/settings" ] || return 0
  for setting in "${SETTINGS[@]}"; do
    [ ! -f "/proc/sys/$setting" ] || echo "$setting $(<"/proc/sys/$setting")"
  done >"$RUN/settings.new"
  mv "$RUN/settings.new" "$RUN/settings"
}

restore_settings() {
  local setting value
  [ -f "$RUN/settings" ] || return 0
  while read -r setting value; do
    # A container may not be allowed to write what the kubelet could not write either.
    { echo "$value" >"/proc/sys/$setting"; } 2>/dev/null || true
  done <"$RUN/settings"
  rm "$RUN/settings"
}
