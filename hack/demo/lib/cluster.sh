# shellcheck shell=bash
# The cluster, ours or the current one, with the images in it. Sourced, never run.

start_cluster() {
  step "Starting the one-node Kubernetes"
  "$REPOSITORY/hack/cluster/up" 2>&1 | indent
  export KUBECONFIG=$STATE/kubeconfig
}

# What a cluster of somebody else's may lack.
check_current_cluster() {
  step "Looking at the cluster"
  kubectl version >/dev/null 2>&1 || fail "the cluster of context '$(kubectl config current-context 2>/dev/null)' does not answer: kubectl version"
  local verb
  for verb in "create namespaces" "create customresourcedefinitions" "create clusterroles" "create validatingadmissionpolicies"; do
    # shellcheck disable=SC2086  # two words
    kubectl auth can-i $verb --all-namespaces --quiet 2>/dev/null || fail "you may not $verb in this cluster: ask for the rights of a cluster administrator."
  done
  kubectl get storageclasses -o jsonpath='{.items[*].metadata.annotations.storageclass\.kubernetes\.io/is-default-class}' | grep -q true \
    || fail "this cluster has no default StorageClass, which the NATS server's volume needs: mark one with the annotation storageclass.kubernetes.io/is-default-class=true."
  kubectl get nodes | indent
}

bring_images() {
  step "Images: built where something changed, and put into the cluster"
  local names=(operator "worker-$AGENT" worker-command demo-git demo-llm)
  [ "$CLUSTER" = current ] || names+=(nats)
  "$REPOSITORY/hack/images/load" "${names[@]}" 2>&1 | indent
}

# image NAME: as the cluster knows it.
image() { echo "${REGISTRY:+$REGISTRY/}codeforge/$1:$VERSION"; }

# A pod must restart when its image is a new one under the same name: the hash goes into its annotations.
image_hash() {
  local archive
  archive=$("$REPOSITORY/hack/images/build" "$1")
  archive=${archive##*-}
  echo "${archive%.tar}"
}
