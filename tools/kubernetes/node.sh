# shellcheck shell=bash
# A node: the first is the machine itself, each further one a network namespace of it, with a containerd, a kubelet, a kube-proxy and
# pods of its own. For cluster.sh, whose variables it uses.

# What a node is like. Sets the variables that the functions below read.
describe() { # its number
  number=$1
  address=10.244.0.$1 subnet=10.244.$1.0/24 gateway=10.244.$1.1
  name=node-$1 home=$root/node-$1 state=$run/node-$1 suffix=-$1 namespace=pgkube-$1
  inside=(nsenter "--net=/run/netns/$namespace" --) bridge=pods group=/postgres-cluster-kubernetes-$1
  if [ "$1" = 1 ]; then
    subnet=10.244.0.0/24 gateway=$address name=node home=$root state=$run suffix='' inside=() bridge=$first_bridge group=/
  fi
  socket=$state/containerd.sock
}

# The numbers of the further nodes that there are.
further() { find "$root" -maxdepth 1 -name 'node-*' -printf '%f\n' 2>/dev/null | sed 's/^node-//' | sort -n; }

ctr() { command ctr --address "$socket" --namespace k8s.io "$@"; }

# --- Network ---------------------------------------------------------------------------------------------------------------------

controllers=(/sys/fs/cgroup)
[ -e /sys/fs/cgroup/cgroup.controllers ] || controllers=(/sys/fs/cgroup/*)

sysctls=(net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables net.ipv4.conf.all.route_localnet)

make_network() {
  if [ "$number" = 1 ]; then join_machine; else join_bridge; fi
  "${inside[@]}" sysctl -q -w net.ipv4.ip_forward=1
  # Without it the answer of a pod on the same bridge would not come from the Service's address.
  "${inside[@]}" sysctl -q -w net.bridge.bridge-nf-call-iptables=1 2>/dev/null ||
    fail "the kernel's br_netfilter is needed: modprobe br_netfilter"
  mkdir -p "$home/cni"
  # The first addresses of the first node's network are the nodes'.
  cat > "$home/cni/10-bridge.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "$bridge", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$home/cni-addresses",
            "ranges": [[{"subnet": "$subnet", "rangeStart": "${subnet%.0/24}.16", "gateway": "$gateway"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
EOF
}

join_machine() {
  local key direction
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    # With an address of its own: else it takes the lowest of its pods', and when that one goes, the others seek their gateway, and with
    # it the name server, for ten seconds where it was.
    ip link add "$bridge" address 02:00:0a:f4:00:01 type bridge
    ip addr add "$address/24" dev "$bridge"
    ip link set "$bridge" up
  fi
  if [ ! -s "$root/sysctls" ]; then
    for key in "${sysctls[@]}"; do sysctl "$key" 2>/dev/null || true; done > "$root/sysctls"
  fi
  # Docker drops what it does not know.
  for direction in -i -o; do
    iptables -C FORWARD "$direction" "$bridge" -j ACCEPT 2>/dev/null || iptables -I FORWARD "$direction" "$bridge" -j ACCEPT
  done
}

# A cable from the namespace to the first node's bridge, and ways to the pods at both of its ends.
join_bridge() {
  ! ip link show "$namespace" >/dev/null 2>&1 || return 0
  ip netns delete "$namespace" 2>/dev/null || true
  ip netns add "$namespace"
  ip link add "$namespace" type veth peer name eth0 netns "$namespace"
  ip link set "$namespace" master "$first_bridge" up
  ip -n "$namespace" link set lo up
  ip -n "$namespace" addr add "$address/24" dev eth0
  ip -n "$namespace" link set eth0 up
  ip -n "$namespace" route add default via "$node"
  ip route replace "$subnet" via "$address"
}

# --- Programs --------------------------------------------------------------------------------------------------------------------

start_containerd() {
  mkdir -p "$state"
  cat > "$home/containerd.toml" <<EOF
version = 2
root = "$home/containerd"
state = "$state/containerd"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/$helper"
  # Where root may not lower it, no container would start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$programs/cni"
    conf_dir = "$home/cni"
EOF
  start "containerd$suffix" "${inside[@]}" containerd --config "$home/containerd.toml"
  await 60 "containerd$suffix" ctr version
}

load() { docker save "$@" | ctr images import - >/dev/null; }


start_kubelet() {
  local controller pki=$root/pki
  [ -s "$pki/kubelet$suffix.crt" ] || leaf "kubelet$suffix" "system:node:$name" system:nodes "IP:$address,DNS:$name"
  # A kubelet ends whatever it does not know below its control group, so that each needs its own.
  if [ "$number" != 1 ]; then
    for controller in "${controllers[@]}"; do mkdir -p "$controller$group"; done
  fi
  cat > "$home/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $address
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: AlwaysAllow}
tlsCertFile: $pki/kubelet$suffix.crt
tlsPrivateKeyFile: $pki/kubelet$suffix.key
cgroupDriver: cgroupfs
cgroupRoot: $group
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
healthzBindAddress: 127.0.0.1
clusterDNS: [$node]
clusterDomain: cluster.local
# A kubelet removes the logs of pods that it does not know.
podLogsDir: $home/pod-logs
containerRuntimeEndpoint: unix://$socket
# Nothing could pull an image again that was collected, and the disk is not this node's alone.
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}
maxPods: 200
EOF
  start "kubelet$suffix" "${inside[@]}" "$programs/kubernetes" kubelet --config "$home/kubelet.yaml" --kubeconfig "$kubeconfig" \
    --hostname-override "$name" --node-ip "$address" --root-dir "$home/kubelet"
}

start_kube_proxy() {
  # One that runs ends when its settings are written again.
  ! alive "kube-proxy$suffix" || return 0
  cat > "$home/kube-proxy.yaml" <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $kubeconfig}
bindAddress: $address
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
hostnameOverride: $name
mode: iptables
clusterCIDR: $pods
nodePortAddresses: [$address/32]
oomScoreAdj: 0
# The machine's own limits stay as they are.
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
EOF
  start "kube-proxy$suffix" "${inside[@]}" "$programs/kubernetes" kube-proxy --config "$home/kube-proxy.yaml"
}

node_is_ready() { kubectl wait --for condition=Ready --timeout 1s "node/$name"; }

# --- Further nodes ---------------------------------------------------------------------------------------------------------------

add_node() { # number
  alive kube-apiserver || fail "the cluster is to be up"
  describe "$1"
  mkdir -p "$home" "$state"
  make_network
  start_containerd
  local images
  images=$(describe 1; ctr images ls -q | grep -v ^sha256:)
  # shellcheck disable=SC2086 # each name a word
  (describe 1; ctr images export - $images) | ctr images import - >/dev/null
  start_kubelet
  start_kube_proxy
  await 120 "$name" node_is_ready
  kubectl label --overwrite node "$name" "topology.kubernetes.io/zone=zone-$1" >/dev/null
}

# As if its power failed: nobody hears a last word of it, and nothing of it runs any more.
power_off() { # number
  describe "$1"
  ip link set "$namespace" down 2>/dev/null || true # which it is, where it was off before
  local pid
  for pid in $(node_processes); do kill -9 "$pid" 2>/dev/null || true; done
  rm -f "$run"/{containerd,kubelet,kube-proxy}"$suffix.pid"
}

# As after a boot: what was in memory is gone, what was on disks is there.
power_on() { # number
  describe "$1"
  unmount "$state"
  rm -rf "$state"
  ip link set "$namespace" up
  start_containerd
  start_kubelet
  start_kube_proxy
  await 120 "$name" node_is_ready
}

# Its programs, the shims between them and the pods, and what runs in the pods.
node_processes() {
  local program
  for program in containerd kubelet kube-proxy; do number_of "$program$suffix" || true; done
  pgrep --full -- "-address $socket" || true
  find "${controllers[0]}$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

remove_node() { # number
  describe "$1"
  ! alive kube-apiserver || kubectl delete node "$name" --ignore-not-found >/dev/null
  power_off "$1"
  unmount "$home"
  unmount "$state"
  # A namespace ends some time after it was deleted, and so would what is in it.
  ip link delete "$namespace" 2>/dev/null || true
  ip route delete "$subnet" via "$address" 2>/dev/null || true
  ip netns delete "$namespace" 2>/dev/null || true
  find "${controllers[@]/%/$group}" -depth -type d -exec rmdir {} + 2>/dev/null || true
  rm -rf "$home" "$state"
}
