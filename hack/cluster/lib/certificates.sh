# shellcheck shell=bash
# One certificate authority and the keys it signs, made once for a state folder. RSA throughout: the Java client reads
# no PKCS#8 key of another kind. Sourced, never run.

make_certificates() {
  [ ! -f "$PKI/complete" ] || return 0
  rm -rf "$PKI"
  mkdir -p "$PKI"
  chmod 700 "$PKI"
  openssl req -x509 -newkey rsa:2048 -noenc -days 3650 -subj /CN=codeforge-cluster \
    -keyout "$PKI/ca.key" -out "$PKI/ca.crt" 2>/dev/null
  openssl genrsa -traditional -out "$PKI/service-account.key" 2048 2>/dev/null
  local names="DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost"
  sign etcd /CN=etcd "serverAuth,clientAuth" "IP:$NODE_IP"
  sign kube-apiserver /CN=kube-apiserver serverAuth "$names,IP:$KUBERNETES_SERVICE_IP,IP:$NODE_IP"
  sign kubelet-server "/CN=$NODE_NAME" serverAuth "DNS:$NODE_NAME,IP:$NODE_IP"
  sign admin /O=system:masters/CN=admin clientAuth
  sign kube-controller-manager /CN=system:kube-controller-manager clientAuth
  sign kube-scheduler /CN=system:kube-scheduler clientAuth
  sign kube-proxy /CN=system:kube-proxy clientAuth
  sign kubelet "/O=system:nodes/CN=system:node:$NODE_NAME" clientAuth
  touch "$PKI/complete"
}

# sign NAME SUBJECT USAGES [ALTERNATIVE-NAMES]: $PKI/NAME.key and NAME.crt.
sign() {
  openssl genrsa -traditional -out "$PKI/$1.key" 2048 2>/dev/null
  openssl req -new -key "$PKI/$1.key" -subj "$2" \
    | openssl x509 -req -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -days 3650 -out "$PKI/$1.crt" -extfile <(
      echo "extendedKeyUsage=$3"
      [ -z "${4:-}" ] || echo "subjectAltName=$4"
    ) 2>/dev/null
}

# write_kubeconfig FILE CERTIFICATE: holds the keys itself, so that it can be copied.
write_kubeconfig() {
  (
    umask 077
    cat >"$1.new" <<YAML
apiVersion: v1
kind: Config
clusters:
  - name: codeforge
    cluster:
      server: https://$NODE_IP:6443
      certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
  - name: $2
    user:
      client-certificate-data: $(base64 -w0 "$PKI/$2.crt")
      client-key-data: $(base64 -w0 "$PKI/$2.key")
contexts:
  - name: codeforge
    context: {cluster: codeforge, user: $2}
current-context: codeforge
YAML
  )
  mv "$1.new" "$1"
}

write_kubeconfigs() {
  local name
  for name in kube-controller-manager kube-scheduler kube-proxy kubelet; do
    write_kubeconfig "$PKI/$name.kubeconfig" "$name"
  done
  write_kubeconfig "$KUBECONFIG" admin
}
