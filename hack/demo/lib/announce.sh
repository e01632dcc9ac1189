# shellcheck shell=bash
# What the demo will change, and whether this machine has room for it. Sourced, never run.

NEEDED_DISK_GB=12
NEEDED_MEMORY_GB=4

announce() {
  if [ "$CLUSTER" = current ]; then
    cat <<TEXT
CodeForge demo with $AGENT on the cluster of kubectl's current context: $(kubectl config current-context)
It will change there:
  namespaces $SYSTEM (operator, NATS) and $DEMO (git server, LiteLLM, a pool, a task)
  the definitions of AgentTask and WorkerPool, ClusterRoles, admission policies, and bindings
and on this machine:
  Debian packages: buildah, mmdebstrap and skopeo, by apt, when they are missing and docker does not run
  $CACHE: tools and images
TEXT
  else
    cat <<TEXT
CodeForge demo with $AGENT on a one-node Kubernetes of its own.
It will change on this machine:
  Debian packages, by apt, when they are missing: containerd, runc and the like; buildah and mmdebstrap when docker
  does not run
  $CACHE: tools and images, built once (the first time takes about 20 minutes)
  $STATE: the cluster's state
  a network bridge cf0 with nftables and iptables rules, containerd and Kubernetes processes
TEXT
  fi
  cat <<TEXT
Undo all of it, the packages and the cache aside: $(clean_command)
TEXT
  if [ -n "${OPENAI_API_KEY:-}${OPENAI_API_BASE:-}" ]; then
    echo "The model: ${OPENAI_MODEL:-gpt-4.1-mini} at ${OPENAI_API_BASE:-OpenAI}, with your key. The call costs money."
  else
    echo "The model: a scripted one behind the real LiteLLM proxy, since neither OPENAI_API_KEY nor OPENAI_API_BASE is set."
  fi
}

clean_command() {
  if [ "$CLUSTER" = current ]; then echo "make demo-clean CLUSTER=current"; else echo "make demo-clean"; fi
}

check_machine() {
  local disk memory
  mkdir -p "$CACHE"
  disk=$(df --output=avail -B1G "$CACHE" | tail -n 1 | tr -d ' ')
  memory=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  echo "Room: $disk GB free for $CACHE, $memory GB of memory free"
  [ "$disk" -ge "$(needed_disk)" ] || fail "the demo needs $(needed_disk) GB of free disk under $CACHE: free some, or name another place by CODEFORGE_CACHE."
  [ "$CLUSTER" = current ] || [ "$memory" -ge $NEEDED_MEMORY_GB ] \
    || fail "the demo needs $NEEDED_MEMORY_GB GB of free memory: stop something, or use a cluster elsewhere with CLUSTER=current."
}

# A second run builds little.
needed_disk() {
  if compgen -G "$CACHE/images/worker-$AGENT-????????????????.tar" >/dev/null; then echo 4; else echo $NEEDED_DISK_GB; fi
}
