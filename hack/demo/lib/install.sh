# shellcheck shell=bash
# The operator by its chart; the git server, LiteLLM and the pool by kubectl. Sourced, never run.

random() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# secret NAME KEY=VALUE…: made, or changed where it differs.
secret() {
  local name=$1
  shift
  kubectl --namespace "$DEMO" create secret generic "$name" "${@/#/--from-literal=}" --dry-run=client -o yaml \
    | kubectl apply -f - >/dev/null
}

secret_value() {
  kubectl --namespace "$DEMO" get secret "$1" --ignore-not-found -o "jsonpath={.data.$2}" | base64 -d
}

# What passes here passes in a cluster that enforces it.
restricted_namespace() {
  kubectl create namespace "$1" --dry-run=client -o yaml \
    | kubectl label --local -f - pod-security.kubernetes.io/enforce=restricted -o yaml \
    | kubectl apply -f - >/dev/null
}

start_servers() {
  step "Starting the git server and LiteLLM"
  restricted_namespace "$DEMO"
  local password key settings
  password=$(secret_value demo-git password)
  secret demo-git username=demo password="${password:-$(random)}"
  key=$(secret_value demo-llm LITELLM_MASTER_KEY)
  settings=(LITELLM_MASTER_KEY="${key:-sk-$(random)}")
  local name
  for name in OPENAI_API_KEY OPENAI_API_BASE OPENAI_MODEL; do
    [ -z "${!name:-}" ] || settings+=("$name=${!name}")
  done
  secret demo-llm "${settings[@]}"
  local hash
  hash=$(printf '%s\n' "${settings[@]}" | sha256sum | cut -c1-16)
  for name in git llm; do
    sed -e "s|%IMAGE%|$(image "demo-$name")|; s|%IMAGE_HASH%|$(image_hash "demo-$name")|; s|%SECRET_HASH%|$hash|" \
      "$HERE/manifests/$name.yaml" | kubectl --namespace "$DEMO" apply -f - | indent
  done
}

install_chart() {
  step "Installing the operator by Helm"
  restricted_namespace "$SYSTEM"
  # Two consoles, so that a rolling update shows; pages of examples/live are served on port 8000.
  local values=(
    --set console.enabled=true --set console.replicas=2 --set 'console.origins={http://localhost:8000}'
    --set image.repository="${REGISTRY:+$REGISTRY/}codeforge/operator"
    --set workerImages.command="$(image worker-command)"
    --set "workerImages.$AGENT=$(image "worker-$AGENT")"
    --set "podAnnotations.codeforge\.dev/image=$(image_hash operator)"
  )
  [ "$CLUSTER" = current ] || values+=(--set nats.image.repository=codeforge/nats --set nats.image.tag="$NATS_VERSION")
  # Helm never changes definitions that are there: they are applied, new or old.
  kubectl apply --server-side --force-conflicts -f "$REPOSITORY/helm/codeforge-operator/crds" | indent
  helm upgrade --install codeforge "$REPOSITORY/helm/codeforge-operator" --namespace "$SYSTEM" \
    --skip-crds --wait --timeout 5m --hide-notes "${values[@]}" >"$WORK/helm.log" 2>&1 || {
    indent <"$WORK/helm.log" >&2
    explain_pods "$SYSTEM"
    fail "helm upgrade --install failed; the pods are listed above."
  }
  kubectl --namespace "$SYSTEM" get pods | indent
  kubectl --namespace "$DEMO" apply -f "$HERE/manifests/viewer.yaml" | indent
}

wait_for_servers() {
  step "Waiting for the git server and LiteLLM"
  local name
  for name in git llm; do
    kubectl --namespace "$DEMO" rollout status "deployment/$name" --timeout=3m >/dev/null || {
      explain_pods "$DEMO"
      fail "$name did not become ready within 3 minutes; see above."
    }
  done
  kubectl --namespace "$DEMO" get pods | indent
}

explain_pods() {
  kubectl --namespace "$1" get pods >&2
  kubectl --namespace "$1" get events --sort-by=.lastTimestamp 2>/dev/null | tail -n 15 >&2
}
