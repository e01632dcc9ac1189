# shellcheck shell=bash disable=SC2034  # the versions are read by install
# Programs built from Go modules, kept under $CACHE/tools in a folder named by what they are made of. Sourced, never run.

NATS_SERVER_VERSION=v2.15.2
NATS_CLI_VERSION=v0.5.0
KUBERNETES_VERSION=v1.37.2
KEDA_VERSION=v2.21.0
NODE_PROGRAMS=(etcd coredns kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl volume-provisioner)

go_version() { go env GOVERSION; }

# The Go compiler collects no garbage before it holds so much: a sixth less time for a whole Kubernetes.
export GOGC=off GOMEMLIMIT=1500MiB

# The node's identity: its sources, and what compiles them.
node_key() { (cd "$NODE_SOURCE" && cat go.mod go.sum main.go volumes/*.go && go_version && echo "$KUBERNETES_VERSION") | content_key; }

build_node() {
  local version=k8s.io/component-base/version program minor
  minor=$(cut -d. -f2 <<<"$KUBERNETES_VERSION")
  # Without its version the API server answers with one that clients cannot parse.
  (cd "$NODE_SOURCE" && CGO_ENABLED=0 go build -trimpath -o "$1/node" -ldflags \
    "-s -w -X $version.gitVersion=$KUBERNETES_VERSION -X $version.gitMajor=1 -X $version.gitMinor=$minor" .) || return
  for program in "${NODE_PROGRAMS[@]}"; do ln -s node "$1/$program"; done
}

helm_key() { (cd "$NODE_SOURCE" && cat go.mod go.sum helm/*.go && go_version) | content_key; }

# Of the node's module: after the node it takes seconds.
build_helm() {
  local version
  version=$(cd "$NODE_SOURCE" && go list -m -f '{{.Version}}' helm.sh/helm/v4) || return
  (cd "$NODE_SOURCE" && CGO_ENABLED=0 go build -trimpath -o "$1/helm" -ldflags \
    "-s -w -X helm.sh/helm/v4/internal/version.version=$version" ./helm)
}

core_key() { (cd "$CORE_SOURCE" && cat go.mod go.sum ./*.go && go_version) | content_key; }

build_core() { (cd "$CORE_SOURCE" && CGO_ENABLED=0 go build -trimpath -o "$1/codeforge-core" .); }

# build_module FOLDER PACKAGE@VERSION [LDFLAGS]
build_module() {
  CGO_ENABLED=0 GOBIN="$1" go install -trimpath -ldflags "-s -w ${3:-}" "$2"
}

# KEDA's go.mod replaces modules, which `go install` refuses: its module is copied and built as the main one.
build_keda() {
  local source
  source=$(cd / && go mod download -json "github.com/kedacore/keda/v2@$KEDA_VERSION" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [ -n "$source" ] && cp -r "$source" "$1/source" && chmod -R u+w "$1/source" && (
    cd "$1/source" && export CGO_ENABLED=0 \
      && go build -mod=mod -trimpath -ldflags "-s -w" -o "$1/keda-operator" ./cmd/operator \
      && go build -mod=mod -trimpath -ldflags "-s -w" -o "$1/keda-adapter" ./cmd/adapter \
      && cp -r config/crd/bases "$1/keda-crds"
  ) && rm -rf "$1/source"
}

# stored NAME KEY BUILD…: runs BUILD with a fresh folder unless the store has NAME-KEY; prints the folder.
stored() {
  local folder=$CACHE/tools/$1-$2
  made_once "$folder" build_logged "$1" "${@:3}"
  echo "$folder"
}

# build_logged NAME BUILD [ARGUMENT…] FOLDER
build_logged() {
  local name=$1 build=$2 folder=${*: -1} log=$CACHE/tools/$1.log started=$SECONDS
  say "building $name$(usual_time "$name")"
  "$build" "$folder" "${@:3:$#-3}" >"$log" 2>&1 || {
    tail -n 15 "$log" >&2
    fail "$name could not be built; its whole output is in $log"
  }
  say "built $name in $((SECONDS - started)) s"
}

usual_time() {
  case $1 in
    node) echo " (about 7 minutes on 2 cores the first time)" ;;
    helm) echo " (about 2 minutes on 2 cores the first time, seconds after the node)" ;;
    keda) echo " (about 8 minutes on 2 cores the first time)" ;;
  esac
}
