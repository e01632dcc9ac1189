# shellcheck shell=bash
# The parts' configuration files: what config/ holds with @NAME@ filled in. Sourced, never run.

# fill_config NAME TARGET [VARIABLE=VALUE…]
fill_config() {
  local text target=$2 name value pair
  text=$(<"$CONFIG/$1")
  for name in STATE RUN PKI NODE_IP BRIDGE POD_NETWORK PAUSE_IMAGE CONTAINERD_SOCKET CGROUP; do
    text=${text//@$name@/${!name}}
  done
  for pair in "${@:3}"; do
    name=${pair%%=*} value=${pair#*=}
    text=${text//@$name@/$value}
  done
  mkdir -p "$(dirname "$target")"
  printf '%s\n' "$text" >"$target"
}
