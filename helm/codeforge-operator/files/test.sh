# Run by `helm test`: fails unless the resources are served and the operator is ready and in NATS.
set -eu

check() {
  printf '%s: ' "$1"
  shift
  "$@" || { echo "FAILED"; exit 1; }
  echo ok
}

operator_ready() {
  curl --silent --show-error --fail --max-time 5 --retry 10 --retry-delay 1 --retry-connrefused --retry-all-errors \
    --output /dev/null "http://$OPERATOR_HOST:8081/readyz"
}

# NATS away is no reason for it to be unready: it only says so.
operator_in_nats() {
  for _ in $(seq 30); do
    said=$(curl --silent --show-error --max-time 5 "http://$OPERATOR_HOST:8081/readyz")
    [ "$said" != ready ] || return 0
    sleep 1
  done
  printf '%s ' "$said"
  return 1
}

resource_served() {
  curl --silent --show-error --fail --max-time 5 --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt \
    --header "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" \
    https://kubernetes.default.svc/apis/codeforge.dev/v1alpha1 | grep -qE "\"name\": ?\"$1\""
}

check "AgentTask is served" resource_served agenttasks
check "WorkerPool is served" resource_served workerpools
check "the operator is ready" operator_ready
check "NATS takes the operator" operator_in_nats
