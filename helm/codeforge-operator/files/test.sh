# Run by `helm test`: fails unless NATS takes both users, the resources are served and the operator is ready.
set -eu

check() {
  printf '%s: ' "$1"
  shift
  "$@" || { echo "FAILED"; exit 1; }
  echo ok
}

# A NATS server answers PONG to who gives the right user and password.
nats_takes() {
  exec 3<>"/dev/tcp/$NATS_HOST/4222"
  printf 'CONNECT {"user":"%s","pass":"%s","verbose":false}\r\nPING\r\n' "$1" "$2" >&3
  while read -r -t 5 line <&3; do
    case $line in
      PONG*) exec 3>&-; return ;;
      -ERR*) printf '%s ' "$line"; return 1 ;;
    esac
  done
  return 1
}

operator_ready() {
  curl --silent --show-error --fail --max-time 5 --retry 10 --retry-delay 1 --retry-connrefused --retry-all-errors \
    --output /dev/null "http://$OPERATOR_HOST:8081/readyz"
}

resource_served() {
  curl --silent --show-error --fail --max-time 5 --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt \
    --header "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" \
    https://kubernetes.default.svc/apis/codeforge.dev/v1alpha1 | grep -qE "\"name\": ?\"$1\""
}

if [ -n "${NATS_HOST:-}" ]; then
  check "NATS takes the operator" nats_takes operator "$OPERATOR_PASSWORD"
  check "NATS takes workers" nats_takes worker "$WORKER_PASSWORD"
fi
check "AgentTask is served" resource_served agenttasks
check "WorkerPool is served" resource_served workerpools
check "the operator is ready" operator_ready
