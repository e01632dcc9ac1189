# shellcheck shell=bash
# The cluster's programs and how each is started. Sourced, never run.

start_containerd() {
  fill_config containerd.toml "$STATE/config/containerd.toml"
  start_part containerd containerd --config "$STATE/config/containerd.toml" --log-level warn
}

start_etcd() {
  local tls=(--cert-file "$PKI/etcd.crt" --key-file "$PKI/etcd.key" --trusted-ca-file "$PKI/ca.crt" --client-cert-auth)
  local peer_tls=(--peer-cert-file "$PKI/etcd.crt" --peer-key-file "$PKI/etcd.key" --peer-trusted-ca-file "$PKI/ca.crt" --peer-client-cert-auth)
  # Nobody's work depends on this data after a power cut.
  start_part etcd etcd --name "$NODE_NAME" --data-dir "$STATE/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "https://$NODE_IP:2379" --advertise-client-urls "https://$NODE_IP:2379" "${tls[@]}" \
    --listen-peer-urls "https://$NODE_IP:2380" --initial-advertise-peer-urls "https://$NODE_IP:2380" "${peer_tls[@]}" \
    --initial-cluster "$NODE_NAME=https://$NODE_IP:2380"
}

start_apiserver() {
  start_part kube-apiserver kube-apiserver --bind-address "$NODE_IP" --advertise-address "$NODE_IP" --secure-port 6443 \
    --etcd-servers "https://$NODE_IP:2379" --etcd-cafile "$PKI/ca.crt" \
    --etcd-certfile "$PKI/etcd.crt" --etcd-keyfile "$PKI/etcd.key" \
    --tls-cert-file "$PKI/kube-apiserver.crt" --tls-private-key-file "$PKI/kube-apiserver.key" --client-ca-file "$PKI/ca.crt" \
    --kubelet-client-certificate "$PKI/admin.crt" --kubelet-client-key "$PKI/admin.key" \
    --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-preferred-address-types InternalIP \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$PKI/service-account.key" --service-account-signing-key-file "$PKI/service-account.key" \
    --service-cluster-ip-range "$SERVICE_NETWORK" --authorization-mode Node,RBAC --allow-privileged --profiling=false
}

start_controllers() {
  # Certificates are made by openssl, not on request.
  start_part kube-controller-manager kube-controller-manager --kubeconfig "$PKI/kube-controller-manager.kubeconfig" \
    --leader-elect=false --secure-port 0 --profiling=false --use-service-account-credentials \
    --root-ca-file "$PKI/ca.crt" --service-account-private-key-file "$PKI/service-account.key" \
    --controllers '*,-certificatesigningrequest-signing-controller,-certificatesigningrequest-approving-controller,-certificatesigningrequest-cleaner-controller'
  start_part kube-scheduler kube-scheduler --kubeconfig "$PKI/kube-scheduler.kubeconfig" \
    --leader-elect=false --secure-port 0 --profiling=false
  start_part volume-provisioner volume-provisioner --kubeconfig "$KUBECONFIG" --root "$STATE/volumes"
}

start_node() {
  fill_config kubelet.yaml "$STATE/config/kubelet.yaml"
  start_part kubelet kubelet --config "$STATE/config/kubelet.yaml" --kubeconfig "$PKI/kubelet.kubeconfig" \
    --root-dir "$STATE/kubelet" --cert-dir "$STATE/kubelet/pki" --hostname-override "$NODE_NAME" --node-ip "$NODE_IP"
  fill_config kube-proxy.yaml "$STATE/config/kube-proxy.yaml"
  start_part kube-proxy kube-proxy --config "$STATE/config/kube-proxy.yaml" --hostname-override "$NODE_NAME"
  local forward=''
  # Other names are the machine's to resolve, if it can.
  if grep -q '^nameserver' /etc/resolv.conf 2>/dev/null; then forward='  forward . /etc/resolv.conf'; fi
  fill_config Corefile "$STATE/config/Corefile" FORWARD="$forward"
  start_part coredns coredns -conf "$STATE/config/Corefile"
}

apiserver_ready() { kubectl get --raw /readyz --request-timeout 2s; }

# node_ready [SINCE]: with SINCE (seconds since 1970) only a report of the node after it counts, since the API server
# keeps the last one of a node that was killed.
node_ready() {
  local ready reported
  read -r ready reported < <(kubectl get node "$NODE_NAME" --request-timeout 2s \
    -o 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{"\n"}{end}' 2>/dev/null) || return 1
  [ "$ready" = True ] && [ "$(date -d "$reported" +%s)" -ge "${1:-0}" ]
}

all_parts_run() {
  local name
  for name in "${PARTS[@]}"; do part_pid "$name" >/dev/null || return 1; done
}

# A part that dies right after its start says why at its log's end.
check_parts() {
  local name
  for name in "${PARTS[@]}"; do
    part_pid "$name" >/dev/null || fail "$name stopped: $(tail -n 1 "$LOGS/$name.log") (log: $LOGS/$name.log)"
  done
}
