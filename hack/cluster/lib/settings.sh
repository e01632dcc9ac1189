# shellcheck shell=bash disable=SC2034  # read by the other files of this folder
# Where things are and what they are called. Sourced, never run.

STATE=${CODEFORGE_CLUSTER:-/var/lib/codeforge-cluster}
HACK=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CONFIG=$HACK/cluster/config
PKI=$STATE/pki
LOGS=$STATE/logs
RUN=$STATE/run
IMAGES=$STATE/images

NODE_NAME=codeforge
BRIDGE=cf0
NODE_IP=10.89.0.1
POD_NETWORK=10.89.0.0/24
SERVICE_NETWORK=10.90.0.0/16
KUBERNETES_SERVICE_IP=10.90.0.1
NFT_TABLE=codeforge-cluster
# Every container runs under this control group, whatever the hierarchy.
CGROUP=codeforge-cluster

CONTAINERD_SOCKET=$RUN/containerd.sock
PAUSE_IMAGE=docker.io/codeforge/pause:1
PROBE_IMAGE=docker.io/codeforge/probe:1

# In the order in which they start.
PARTS=(containerd etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy coredns volume-provisioner)
PORTS=(53 2379 2380 6443 8180 10248 10249 10250 10256)
PACKAGES=(containerd runc containernetworking-plugins iptables nftables iproute2 socat openssl)

export KUBECONFIG=$STATE/kubeconfig
# The CNI plugins and the kubelet call tools that lie in the sbin folders.
PATH=${CODEFORGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/codeforge}/bin:$PATH:/usr/sbin:/sbin

[[ $STATE == /*[!/] ]] || fail "CODEFORGE_CLUSTER must be an absolute path without a slash at its end, not '$STATE'"
