# shellcheck shell=bash
# Removes what running containers leave when nobody stops them: processes, mounts, network namespaces, sockets.
# Sourced, never run.

# The shims of this cluster and no other: containerd's socket is among their arguments.
shim_pids() {
  local file
  for file in /proc/[0-9]*/cmdline; do
    if { tr '\0' '\n' <"$file"; } 2>/dev/null | grep -xF -- "$CONTAINERD_SOCKET" >/dev/null \
      && [[ $(readlink "${file%cmdline}exe") == */containerd-shim-runc-v2* ]]; then
      file=${file%/cmdline}
      echo "${file#/proc/}"
    fi
  done
}

kill_pids() {
  local pid
  while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done
}

# Containers first: their shims then collect them.
kill_containers() {
  local attempt
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(container_pids)" ] || break
    container_pids | kill_pids
    sleep "0.$attempt"
  done
  shim_pids | kill_pids
}

# The mount points under the state folder, the innermost first.
state_mounts() { awk -v under="$STATE/" 'index($5, under) == 1 {print $5}' /proc/self/mountinfo | tac; }

remove_mounts() {
  local mount
  while read -r mount; do umount -l "$mount" 2>/dev/null || true; done < <(state_mounts)
  [ -z "$(state_mounts)" ] || fail "these mounts could not be removed: $(state_mounts | tr '\n' ' ')"
}

# containerd's records of running containers, and the sockets that they name outside the state folder.
remove_run_state() {
  local file
  for file in "$RUN"/containerd/io.containerd.runtime.v2.task/k8s.io/*/address; do
    [ ! -f "$file" ] || rm -f "$(sed 's,^unix://,,' "$file")"
  done
  rm -rf "$RUN/containerd" "$CONTAINERD_SOCKET" "$CONTAINERD_SOCKET.ttrpc"
  # Two folders that the kubelet makes wherever its own is.
  if [ -d /var/log/containers ]; then
    find /var/log/containers -lname "$STATE/*" -delete
    rmdir --ignore-fail-on-non-empty /var/log/containers
  fi
  rm -f /var/lib/kubelet/device-plugins/kubelet.sock
  rmdir --parents --ignore-fail-on-non-empty /var/lib/kubelet/device-plugins 2>/dev/null || true
}

# stop_everything: safe at any time, also when there is nothing to stop.
stop_everything() {
  # Those first that would start again what is being stopped.
  stop_parts kubelet kube-proxy coredns volume-provisioner kube-controller-manager kube-scheduler
  stop_parts kube-apiserver containerd etcd
  kill_containers
  remove_mounts
  remove_run_state
  remove_network
  restore_settings
  remove_cgroups
}
