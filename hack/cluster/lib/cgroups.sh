# shellcheck shell=bash
# The control group under which every container runs: one folder with version 2, one a controller with version 1,
# both where a machine has both.
# Sourced, never run.

cgroup_roots() { awk '$3 == "cgroup" || $3 == "cgroup2" {print $2}' /proc/mounts; }

make_cgroups() {
  local root
  while read -r root; do
    mkdir -p "$root/$CGROUP"
    if [ -f "$root/cgroup.controllers" ]; then
      sed 's/[^ ]*/+&/g' "$root/cgroup.controllers" >"$root/cgroup.subtree_control" 2>/dev/null || true
      sed 's/[^ ]*/+&/g' "$root/$CGROUP/cgroup.controllers" >"$root/$CGROUP/cgroup.subtree_control"
    fi
    # A new group of version 1 has no processors until it is given its parent's.
    if [ -f "$root/$CGROUP/cpuset.mems" ] && [ ! -f "$root/cgroup.controllers" ]; then
      cat "$root/cpuset.cpus" >"$root/$CGROUP/cpuset.cpus"
      cat "$root/cpuset.mems" >"$root/$CGROUP/cpuset.mems"
    fi
  done < <(cgroup_roots)
}

container_pids() {
  local root
  while read -r root; do
    [ ! -d "$root/$CGROUP" ] || find "$root/$CGROUP" -name cgroup.procs -exec cat {} + 2>/dev/null
  done < <(cgroup_roots) | sort -u
}

# The kernel frees a group a moment after its last process.
remove_cgroups() {
  local root attempt
  while read -r root; do
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
      [ -d "$root/$CGROUP" ] || break
      find "$root/$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep "0.$attempt"
    done
    [ ! -d "$root/$CGROUP" ] || say "the control group $root/$CGROUP is still in use and stays"
  done < <(cgroup_roots)
}
