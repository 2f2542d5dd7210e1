#!/usr/bin/env bash
# A one-node Kubernetes on this machine for the tests, beside Docker and out of its way.
#
#   tools/kubernetes/cluster.sh up     builds what is missing, starts it, waits until it works; safe to run again
#   tools/kubernetes/cluster.sh down   stops it and takes everything away again but the built programs
#   tools/kubernetes/cluster.sh built  whether its programs are there already
#   tools/kubernetes/cluster.sh possible [cert-manager]   whether this machine can have it; says why not
#   tools/kubernetes/cluster.sh cert-manager   starts cert-manager's controllers beside it, built when first asked for
#   tools/kubernetes/cluster.sh load <image>...   gives it images of the Docker engine
#   tools/kubernetes/cluster.sh kubectl <argument>...
#
# It needs root, Go 1.24 or newer, a Docker engine (for images) and Debian's packages. Everything listens on loopback or on a bridge
# of its own. tools/kubernetes/README.md explains the choices.
set -euo pipefail
cd "$(dirname "$0")"

version=v1.34.4
bridge=pgkube0 node=10.244.0.1 pods=10.244.0.0/24 services=10.96.0.0/16
root=/var/lib/postgres-cluster-kubernetes
run=/run/postgres-cluster-kubernetes
kubeconfig=$root/kubeconfig
helper=postgres-cluster-kubernetes/busybox:1.35
digest=$(cat go.mod go.sum main.go | sha256sum | cut -c1-16)
programs=${XDG_CACHE_HOME:-$HOME/.cache}/postgres-cluster/kubernetes/$version-$digest
manager=$programs/cert-manager-$(cat ../cert-manager/{go.mod,go.sum,main.go} | sha256sum | cut -c1-16)
socket=$run/containerd.sock
started=$SECONDS

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'kubernetes: %s\n' "$*" >&2; exit 1; }
kubectl() { "$programs/kubernetes" kubectl --kubeconfig "$kubeconfig" "$@"; }
ctr() { command ctr --address "$socket" --namespace k8s.io "$@"; }

ended() {
  local pid
  for pid in "$run"/*.pid; do alive "$(basename "$pid" .pid)" || printf ' %s' "$(basename "$pid" .pid)"; done
}

await() { # seconds, what, command...: until the command succeeds
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt "$deadline" ] || fail "$what: not within $((SECONDS - started)) s; ended by themselves:$(ended); the logs: $root/log"
    sleep 0.2
  done
}

# --- What it is made of ----------------------------------------------------------------------------------------------------------

install_packages() {
  local missing=()
  command -v containerd >/dev/null || missing+=(containerd)
  command -v runc >/dev/null || missing+=(runc)
  command -v iptables >/dev/null || missing+=(iptables)
  command -v ip >/dev/null || missing+=(iproute2)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v conntrack >/dev/null || missing+=(conntrack)
  [ ${#missing[@]} -eq 0 ] && return
  say "Installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

built() { [ -x "$programs/kubernetes" ] && [ -x "$programs/local-path-provisioner" ]; }

needs_go() { # minor version, what for
  local minor
  minor=$(go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge "$1" ] || fail "$2 built with Go 1.$1 or newer, which is not on PATH"
}

possible() {
  [ "$(id -u)" = 0 ] || fail "it needs root: networks and containers are made"
  built || needs_go 24 "it is"
  [ "${1:-}" != cert-manager ] || [ -d "$manager" ] || needs_go 26 "cert-manager's controllers are"
}

build_programs() {
  built && return
  say "Building Kubernetes $version from its Go modules (some minutes; kept in $programs)"
  mkdir -p "$programs"
  local of=k8s.io/component-base/version
  CGO_ENABLED=0 go build -trimpath -o "$programs/kubernetes" \
    -ldflags "-s -w -X $of.gitVersion=$version -X $of.gitMajor=1 -X $of.gitMinor=34" .
  CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$programs/local-path-provisioner" \
    github.com/rancher/local-path-provisioner
  # Of earlier versions nothing is needed any more.
  find "$(dirname "$programs")" -mindepth 1 -maxdepth 1 ! -path "$programs" -exec rm -rf {} +
}

# Unpacked, not installed: busybox-static would take the place of another busybox of the machine.
unpack_packages() {
  [ -x "$programs/busybox" ] && [ -x "$programs/cni/bridge" ] && return
  local folder
  folder=$(mktemp -d)
  chmod 755 "$folder"
  (
    cd "$folder"
    apt-get download -qq busybox-static containernetworking-plugins 2>/dev/null ||
      { apt-get update -qq && apt-get download -qq busybox-static containernetworking-plugins; }
    for package in *.deb; do dpkg -x "$package" .; done
  )
  mkdir -p "$programs/cni"
  cp "$folder"/usr/lib/cni/* "$programs/cni/"
  cp "$folder"/bin/busybox "$programs/busybox"
  rm -rf "$folder"
}

build_helper_image() {
  docker image inspect "$helper" >/dev/null 2>&1 && return
  local folder
  folder=$(mktemp -d)
  cp "$programs/busybox" "$folder/"
  # As the sandbox of each pod it only waits; as the volumes' helper it makes folders.
  printf '%s\n' 'FROM scratch' 'COPY busybox /bin/busybox' 'RUN ["/bin/busybox", "--install", "-s", "/bin"]' \
    'ENTRYPOINT ["/bin/sleep", "infinity"]' > "$folder/Dockerfile"
  docker build -q -t "$helper" "$folder" >/dev/null
  rm -rf "$folder"
}

# --- Identities ------------------------------------------------------------------------------------------------------------------

leaf() { # file, common name, organisation, names of a server
  local names=${4:-}
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/O=$3/CN=$2" \
    -keyout "$root/pki/$1.key" 2>/dev/null |
    openssl x509 -req -CA "$root/pki/ca.crt" -CAkey "$root/pki/ca.key" -days 30 -out "$root/pki/$1.crt" \
      -extfile <(printf 'extendedKeyUsage=clientAuth,serverAuth\n%s' "${names:+subjectAltName=$names}") 2>/dev/null
}

make_identities() {
  [ -s "$kubeconfig" ] && return
  mkdir -p "$root/pki"
  chmod 700 "$root/pki"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=postgres-cluster-kubernetes -days 30 \
    -keyout "$root/pki/ca.key" -out "$root/pki/ca.crt" 2>/dev/null
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$root/pki/service-accounts.key" 2>/dev/null
  leaf apiserver kube-apiserver kubernetes \
    "IP:$node,IP:127.0.0.1,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  leaf kubelet "system:node:node" system:nodes "IP:$node,DNS:node"
  leaf admin admin system:masters
  local pki=$root/pki
  cat > "$kubeconfig" <<EOF
apiVersion: v1
kind: Config
clusters:
  - name: postgres-cluster-kubernetes
    cluster: {server: "https://$node:6443", certificate-authority-data: $(base64 -w0 "$pki/ca.crt")}
users:
  - name: admin
    user: {client-certificate-data: $(base64 -w0 "$pki/admin.crt"), client-key-data: $(base64 -w0 "$pki/admin.key")}
contexts:
  - name: postgres-cluster-kubernetes
    context: {cluster: postgres-cluster-kubernetes, user: admin}
current-context: postgres-cluster-kubernetes
EOF
  chmod 600 "$kubeconfig"
}

# --- Network ---------------------------------------------------------------------------------------------------------------------

sysctls=(net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables net.ipv4.conf.all.route_localnet)

make_network() {
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    ip link add "$bridge" type bridge
    ip addr add "$node/24" dev "$bridge"
    ip link set "$bridge" up
  fi
  local key
  if [ ! -s "$root/sysctls" ]; then
    for key in "${sysctls[@]}"; do sysctl "$key" 2>/dev/null || true; done > "$root/sysctls"
  fi
  sysctl -q -w net.ipv4.ip_forward=1
  # Without it the answer of a pod on the same bridge would not come from the Service's address.
  sysctl -q -w net.bridge.bridge-nf-call-iptables=1 2>/dev/null ||
    fail "the kernel's br_netfilter is needed: modprobe br_netfilter"
  # Docker drops what it does not know.
  local direction
  for direction in -i -o; do
    iptables -C FORWARD "$direction" "$bridge" -j ACCEPT 2>/dev/null || iptables -I FORWARD "$direction" "$bridge" -j ACCEPT
  done
  mkdir -p "$root/cni"
  cat > "$root/cni/10-bridge.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "$bridge", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$root/cni-addresses", "ranges": [[{"subnet": "$pods", "gateway": "$node"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
EOF
}

# --- Programs --------------------------------------------------------------------------------------------------------------------

alive() { [ -s "$run/$1.pid" ] && kill -0 "$(cat "$run/$1.pid")" 2>/dev/null; }

start() { # name, command...
  local name=$1
  shift
  alive "$name" && return
  setsid "$@" >> "$root/log/$name.log" 2>&1 < /dev/null &
  echo $! > "$run/$name.pid"
}

start_containerd() {
  cat > "$root/containerd.toml" <<EOF
version = 2
root = "$root/containerd"
state = "$run/containerd"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/$helper"
  # Where root may not lower it, no container would start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$programs/cni"
    conf_dir = "$root/cni"
EOF
  start containerd containerd --config "$root/containerd.toml"
  await 60 containerd ctr version
  load "$helper"
}

load() { docker save "$@" | ctr images import - >/dev/null; }

start_control_plane() {
  local pki=$root/pki
  start etcd "$programs/kubernetes" etcd --data-dir "$root/etcd" --name node --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:22379 --advertise-client-urls http://127.0.0.1:22379 \
    --listen-peer-urls http://127.0.0.1:22380 --initial-advertise-peer-urls http://127.0.0.1:22380 \
    --initial-cluster node=http://127.0.0.1:22380
  start kube-apiserver "$programs/kubernetes" kube-apiserver --etcd-servers http://127.0.0.1:22379 \
    --bind-address "$node" --advertise-address "$node" --service-cluster-ip-range "$services" \
    --authorization-mode Node,RBAC --client-ca-file "$pki/ca.crt" \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" \
    --kubelet-certificate-authority "$pki/ca.crt" --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate "$pki/admin.crt" --kubelet-client-key "$pki/admin.key" \
    --service-account-key-file "$pki/service-accounts.key" --service-account-signing-key-file "$pki/service-accounts.key" \
    --service-account-issuer https://kubernetes.default.svc
  await 120 "the API server" kubectl get --raw /readyz
  start kube-controller-manager "$programs/kubernetes" kube-controller-manager --kubeconfig "$kubeconfig" \
    --bind-address 127.0.0.1 --leader-elect=false --service-account-private-key-file "$pki/service-accounts.key" \
    --root-ca-file "$pki/ca.crt" --use-service-account-credentials=false
  start kube-scheduler "$programs/kubernetes" kube-scheduler --kubeconfig "$kubeconfig" --bind-address 127.0.0.1 \
    --leader-elect=false
}

start_node() {
  cat > "$root/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $root/pki/ca.crt}}
authorization: {mode: AlwaysAllow}
tlsCertFile: $root/pki/kubelet.crt
tlsPrivateKeyFile: $root/pki/kubelet.key
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
healthzBindAddress: 127.0.0.1
clusterDNS: [$node]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$socket
# Nothing could pull an image again that was collected, and the disk is not this node's alone.
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}
maxPods: 200
EOF
  cat > "$root/kube-proxy.yaml" <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $kubeconfig}
bindAddress: $node
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
hostnameOverride: node
mode: iptables
clusterCIDR: $pods
nodePortAddresses: [$node/32]
oomScoreAdj: 0
# The machine's own limits stay as they are.
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
EOF
  start kubelet "$programs/kubernetes" kubelet --config "$root/kubelet.yaml" --kubeconfig "$kubeconfig" \
    --hostname-override node --node-ip "$node" --root-dir "$root/kubelet"
  start kube-proxy "$programs/kubernetes" kube-proxy --config "$root/kube-proxy.yaml"
}

start_dns() {
  # A server block of its own for names outside: in the other one the answer "no such name" would come before the cluster's.
  cat > "$root/Corefile" <<EOF
cluster.local:53 in-addr.arpa:53 {
  bind $node
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $kubeconfig
    ttl 5
  }
}
.:53 {
  bind $node
  template ANY ANY {
    rcode NXDOMAIN
  }
}
EOF
  start coredns "$programs/kubernetes" coredns -conf "$root/Corefile"
}

start_volumes() {
  local places="{\"nodePathMap\": [{\"node\": \"DEFAULT_PATH_FOR_NON_LISTED_NODES\", \"paths\": [\"$root/volumes\"]}]}"
  echo "$places" > "$root/volumes.json"
  cat > "$root/volumes.yaml" <<EOF
apiVersion: v1
kind: Namespace
metadata: {name: local-path-storage}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local-path
  annotations: {storageclass.kubernetes.io/is-default-class: "true", defaultVolumeType: local}
provisioner: rancher.io/local-path
volumeBindingMode: WaitForFirstConsumer
reclaimPolicy: Delete
---
apiVersion: v1
kind: ConfigMap
metadata: {name: local-path-config, namespace: local-path-storage}
data:
  config.json: |
    $places
  # 0750, not the usual 0777, which would hide a pod without fsGroup.
  setup: |
    #!/bin/sh
    set -eu
    mkdir -m 0750 -p "\$VOL_DIR"
  teardown: |
    #!/bin/sh
    set -eu
    rm -rf "\$VOL_DIR"
  helperPod.yaml: |
    apiVersion: v1
    kind: Pod
    metadata: {name: helper-pod}
    spec:
      containers:
        - {name: helper-pod, image: docker.io/$helper, imagePullPolicy: Never}
EOF
  kubectl apply -f "$root/volumes.yaml" >/dev/null
  start local-path-provisioner env POD_NAMESPACE=local-path-storage "$programs/local-path-provisioner" --debug start \
    --kubeconfig "$kubeconfig" --namespace local-path-storage --service-account-name default \
    --provisioner-name rancher.io/local-path --configmap-name local-path-config --helper-image "docker.io/$helper" \
    --config "$root/volumes.json"
}

# Not a part of the cluster: one suite asks for it, and it takes some minutes to build.
start_cert_manager() {
  possible cert-manager
  alive kube-apiserver || fail "the cluster is to be up"
  if [ ! -d "$manager" ]; then
    say "Building cert-manager's controllers from their Go modules (some minutes; kept in $manager)"
    local draft=$programs/cert-manager-draft
    rm -rf "$programs"/cert-manager-*
    mkdir "$draft"
    CGO_ENABLED=0 go -C ../cert-manager build -trimpath -ldflags "-s -w" -o "$draft/cert-manager" .
    cp -r "$(go -C ../cert-manager list -m -f '{{.Dir}}' github.com/cert-manager/cert-manager)/deploy/crds" "$draft/crds"
    mv "$draft" "$manager"
  fi
  kubectl apply --server-side --filename "$manager/crds" >/dev/null
  kubectl wait --for condition=Established --timeout 60s --filename "$manager/crds" >/dev/null
  start cert-manager "$manager/cert-manager" --kubeconfig "$kubeconfig"
}

# --- Up and down -----------------------------------------------------------------------------------------------------------------

ready() { kubectl wait --for condition=Ready --timeout 1s node/node; }
resolves() { "$programs/busybox" nslookup kubernetes.default.svc.cluster.local "$node"; }

up() {
  possible
  install_packages
  build_programs
  unpack_packages
  build_helper_image
  started=$SECONDS
  mkdir -p "$root/log" "$run"
  chmod 700 "$root" "$run"
  make_identities
  make_network
  start_containerd
  start_control_plane
  start_node
  start_dns
  start_volumes
  await 120 "the node" ready
  await 60 "DNS" resolves
  say "Kubernetes $version is ready after $((SECONDS - started)) s: export KUBECONFIG=$kubeconfig"
}

stop() { # name: asked first, then made to
  alive "$1" || { rm -f "$run/$1.pid"; return 0; }
  local pid
  pid=$(cat "$run/$1.pid")
  kill "$pid"
  for _ in $(seq 100); do
    alive "$1" || break
    sleep 0.1
  done
  ! alive "$1" || kill -9 "$pid"
  rm -f "$run/$1.pid"
}

nothing_runs() { [ -z "$(ctr tasks ls -q)" ]; }

# The kubelet takes pods down in the way that leaves neither network nor mount behind; nobody may make new ones meanwhile.
delete_pods() {
  stop kube-controller-manager
  stop kube-scheduler
  kubectl delete pods --all --all-namespaces --grace-period 1 --wait=false >/dev/null 2>&1 || true
  for _ in $(seq 300); do
    nothing_runs && return
    sleep 0.2
  done
  local id
  for id in $(ctr tasks ls -q); do ctr tasks kill -s SIGKILL "$id" || true; done
}

remove_rules() {
  "$programs/kubernetes" kube-proxy --cleanup >/dev/null 2>&1 || true
  local table rule chain direction
  for direction in -i -o; do iptables -D FORWARD "$direction" "$bridge" -j ACCEPT 2>/dev/null || true; done
  # The kubelet's own chains, which nothing removes.
  for table in filter nat mangle; do
    iptables -t $table -S | { grep -E '^-A .*-j KUBE-' || true; } | while read -r _ rule; do
      xargs iptables -t $table -D <<< "$rule" || true
    done
    for chain in $(iptables -t $table -S | sed -n 's/^-N \(KUBE-.*\)/\1/p'); do iptables -t $table -F "$chain"; done
    for chain in $(iptables -t $table -S | sed -n 's/^-N \(KUBE-.*\)/\1/p'); do iptables -t $table -X "$chain"; done
  done
}

down() {
  [ -d "$root" ] || { say "There is nothing to take down"; return; }
  if alive containerd && alive kubelet && alive kube-apiserver; then delete_pods; fi
  local name folder
  for name in cert-manager local-path-provisioner coredns kube-proxy kubelet kube-controller-manager kube-scheduler kube-apiserver etcd containerd; do
    stop $name
  done
  # Innermost first.
  awk '{print $2}' /proc/mounts | { grep -E "^($root|$run)/" || true; } | sort -r | while read -r folder; do umount -l "$folder"; done
  remove_rules
  ! ip link show "$bridge" >/dev/null 2>&1 || ip link delete "$bridge"
  ! [ -s "$root/sysctls" ] || sysctl -q -p "$root/sysctls"
  rm -rf "$root" "$run"
  say "Kubernetes is gone after $((SECONDS - started)) s; its programs stay in $programs"
}

case ${1:-} in
  up) up ;;
  down) down ;;
  built) built ;;
  possible) possible "${2:-}" ;;
  cert-manager) start_cert_manager ;;
  load) shift; load "$@" ;;
  kubectl) shift; kubectl "$@" ;;
  *) fail "usage: $0 up|down|built|possible|cert-manager|load <image>...|kubectl <argument>..." ;;
esac
