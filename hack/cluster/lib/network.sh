# shellcheck shell=bash
# The bridge that joins the pods and gives the node its address, and the way out. Sourced, never run.

make_network() {
  local mtu
  # Pods may send no larger packets than the way out takes.
  mtu=$(ip -4 -o route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
  mtu=$(cat "/sys/class/net/${mtu:-lo}/mtu")
  [ "$mtu" -le 1500 ] || mtu=1500
  ip link add "$BRIDGE" mtu "$mtu" type bridge
  ip link set "$BRIDGE" alias "$STATE" up
  ip address add "$NODE_IP/24" dev "$BRIDGE"
  echo 0 >"/proc/sys/net/ipv4/conf/$BRIDGE/send_redirects"
  echo 1 >/proc/sys/net/ipv4/ip_forward
  nft -f - <<NFT
table ip $NFT_TABLE {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr $POD_NETWORK ip daddr != { $POD_NETWORK, $SERVICE_NETWORK } masquerade
  }
}
NFT
  # Where a firewall drops what is forwarded, as Docker's does, the pods need a leave of their own.
  iptables -w -I FORWARD -i "$BRIDGE" -j ACCEPT
  iptables -w -I FORWARD -o "$BRIDGE" -j ACCEPT
  fill_config cni.json "$STATE/cni/conf/10-codeforge.conflist" MTU="$mtu"
}

remove_network() {
  local device sandbox
  for device in "/sys/class/net/$BRIDGE/brif/"*; do
    [ ! -e "$device" ] || ip link delete "${device##*/}" 2>/dev/null || true
  done
  [ ! -e "/sys/class/net/$BRIDGE" ] || ip link delete "$BRIDGE"
  for device in -i -o; do
    while iptables -w -D FORWARD "$device" "$BRIDGE" -j ACCEPT 2>/dev/null; do :; done
  done
  nft delete table ip "$NFT_TABLE" 2>/dev/null || true
  nft delete table ip kube-proxy 2>/dev/null || true
  nft delete table ip6 kube-proxy 2>/dev/null || true
  # Addresses were given to pods that are gone; the plugins' notes on them carry the sandboxes' names.
  rm -rf "$STATE/cni/addresses"
  for sandbox in "$STATE/containerd/io.containerd.grpc.v1.cri/sandboxes/"*; do
    rm -f /var/lib/cni/results/*-"${sandbox##*/}"-*
  done
}
