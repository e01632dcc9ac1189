# shellcheck shell=bash disable=SC2034  # the versions are read by install
# Programs built from Go modules, kept under $CACHE/tools in a folder named by what they are made of. Sourced, never run.

HELM_VERSION=v4.3.1
NATS_SERVER_VERSION=v2.15.2
NATS_CLI_VERSION=v0.5.0
KUBERNETES_VERSION=v1.37.2
KEDA_VERSION=v2.21.0
NODE_PROGRAMS=(etcd coredns kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl volume-provisioner)

go_version() { go env GOVERSION; }

# The node's identity: its sources, and what compiles them.
node_key() {
  (cd "$NODE_SOURCE" && cat go.mod go.sum main.go volumes/*.go && go_version && echo "$KUBERNETES_VERSION") \
    | sha256sum | cut -c1-16
}

build_node() {
  local version=k8s.io/component-base/version program minor
  minor=$(cut -d. -f2 <<<"$KUBERNETES_VERSION")
  # Without its version the API server answers with one that clients cannot parse.
  (cd "$NODE_SOURCE" && CGO_ENABLED=0 go build -trimpath -o "$1/node" -ldflags \
    "-s -w -X $version.gitVersion=$KUBERNETES_VERSION -X $version.gitMajor=1 -X $version.gitMinor=$minor" .)
  for program in "${NODE_PROGRAMS[@]}"; do ln -s node "$1/$program"; done
}

core_key() { (cd "$CORE_SOURCE" && cat go.mod go.sum ./*.go && go_version) | sha256sum | cut -c1-16; }

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
# Two at once: the second waits and finds what the first made. The rename makes a half-built folder impossible.
stored() {
  local name=$1 key=$2 started=$SECONDS folder work log
  shift 2
  folder=$CACHE/tools/$name-$key
  if [ ! -d "$folder" ]; then
    mkdir -p "$CACHE/tools"
    exec 9>"$CACHE/tools/$name.lock"
    flock 9
    if [ ! -d "$folder" ]; then
      log=$CACHE/tools/$name.log
      rm -rf "$CACHE/tools/.$name".*
      work=$(mktemp -d "$CACHE/tools/.$name.XXXXXX")
      say "building $name$(usual_time "$name")"
      "${@:1:1}" "$work" "${@:2}" >"$log" 2>&1 || {
        tail -n 15 "$log" >&2
        rm -rf "$work"
        fail "$name could not be built; its whole output is in $log"
      }
      chmod 755 "$work"
      mv "$work" "$folder"
      say "built $name in $((SECONDS - started)) s"
    fi
    exec 9>&-
  fi
  echo "$folder"
}

usual_time() {
  case $1 in
    node) echo " (about 7 minutes on 2 cores the first time)" ;;
    keda) echo " (about 8 minutes on 2 cores the first time)" ;;
    helm) echo " (about 2 minutes on 2 cores the first time)" ;;
  esac
}
