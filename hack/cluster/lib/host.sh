# shellcheck shell=bash
# What the machine must offer, looked at before anything is changed. Sourced, never run.

MINIMUM_MEMORY_MIB=2500
MINIMUM_DISK_MIB=4000

check_machine() {
  local memory disk
  memory=$(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
  [ "$memory" -ge $MINIMUM_MEMORY_MIB ] || fail "$memory MiB of memory are available; the cluster and its pods need $MINIMUM_MEMORY_MIB. Stop something large first."
  disk=$(($(df -Pk "$STATE" | awk 'NR == 2 {print $4}') / 1024))
  [ "$disk" -ge $MINIMUM_DISK_MIB ] || fail "$disk MiB are free in $STATE; the cluster and its images need $MINIMUM_DISK_MIB. Free some, or set CODEFORGE_CLUSTER to a folder on another disk."
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null \
    || fail "this kernel has no overlay file system, on which containers run; load it with: modprobe overlay"
}

# The ports lie on the bridge's address: only a program that listens on all addresses is in the way.
check_ports() {
  local port owner
  for port in "${PORTS[@]}"; do
    owner=$(ss -Hltnp "sport = :$port" | awk '$4 ~ /^(0\.0\.0\.0|\*|\[::\]|10\.89\.0\.1):/ {print $NF; exit}')
    [ -z "$owner" ] || fail "port $port is taken by $owner, which listens on every address; stop it first."
  done
}

check_network() {
  local other
  other=$(ip -4 -o route show "$POD_NETWORK" | grep -v " dev $BRIDGE " || true)
  [ -z "$other" ] || fail "the network $POD_NETWORK, which the cluster's pods need, is in use: $other"
  other=$(cat "/sys/class/net/$BRIDGE/ifalias" 2>/dev/null || true)
  [ ! -e "/sys/class/net/$BRIDGE" ] || [ "$other" = "$STATE" ] \
    || fail "the bridge $BRIDGE belongs to ${other:-something else}; take that down first${other:+: CODEFORGE_CLUSTER=$other hack/cluster/down}"
}
