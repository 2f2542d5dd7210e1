#!/usr/bin/env bash
# A small Kubernetes on this machine for the tests, beside Docker and out of its way: of one node, and of more where a test asks for them.
#
#   tools/kubernetes/cluster.sh up     builds what is missing, starts it, waits until it works; safe to run again
#   tools/kubernetes/cluster.sh down   stops it and takes everything away again but the built programs
#   tools/kubernetes/cluster.sh built  whether its programs are there already
#   tools/kubernetes/cluster.sh possible [cert-manager | policies]   whether this machine can have it; says why not
#   tools/kubernetes/cluster.sh cert-manager   starts cert-manager's controllers beside it, built when first asked for
#   tools/kubernetes/cluster.sh policies | no-policies   has the first node enforce network policies, built when first asked for
#   tools/kubernetes/cluster.sh load <image>...   gives it images of the Docker engine
#   tools/kubernetes/cluster.sh kubectl <argument>...
#   tools/kubernetes/cluster.sh programs   where its programs are; `kubernetes kubectl` is one of them
#   tools/kubernetes/cluster.sh stop <program>    ends one of its own programs, such as kube-apiserver; `up` starts it again
#   tools/kubernetes/cluster.sh add-node <number>   from 2 on: node-2 in zone-2, with the images of the first
#   tools/kubernetes/cluster.sh power-off <number>  | power-on <number>
#   tools/kubernetes/cluster.sh remove-nodes   all but the first, as if they had never been
#
# It needs root, Go 1.24 or newer, a Docker engine (for images) and Debian's packages. Everything listens on loopback or on a bridge
# of its own. tools/kubernetes/README.md explains the choices.
set -euo pipefail
cd "$(dirname "$0")"

version=v1.34.4
first_bridge=pgkube0 node=10.244.0.1 pods=10.244.0.0/16 services=10.96.0.0/16
root=/var/lib/postgres-cluster-kubernetes
run=/run/postgres-cluster-kubernetes
kubeconfig=$root/kubeconfig
helper=postgres-cluster-kubernetes/busybox:1.35
digest=$(cat go.mod go.sum main.go | sha256sum | cut -c1-16)
programs=${XDG_CACHE_HOME:-$HOME/.cache}/postgres-cluster/kubernetes/$version-$digest
manager=$programs/cert-manager-$(cat ../cert-manager/{go.mod,go.sum,main.go} | sha256sum | cut -c1-16)
router=$programs/kube-router-$(cat ../network-policies/{go.mod,go.sum} | sha256sum | cut -c1-16)
started=$SECONDS

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'kubernetes: %s\n' "$*" >&2; exit 1; }
kubectl() { "$programs/kubernetes" kubectl --kubeconfig "$kubeconfig" "$@"; }

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

. ./programs.sh
. ./node.sh

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

# --- Programs -----------------------------------------------------------------------------------------------------------------

# When a process started, in ticks since the machine did: a number is given again, and after a start of the machine soon.
ticks() { # number
  local stat
  { read -r stat < "/proc/$1/stat"; } 2>/dev/null || return 1
  # Behind the name, which may have spaces, from the third field on.
  read -ra stat <<< "${stat##*) }"
  echo "${stat[19]}"
}

number_of() { # name: of the program that was started here, while it runs
  local pid ticks
  { read -r pid ticks < "$run/$1.pid"; } 2>/dev/null && [ "$(ticks "$pid")" = "$ticks" ] && echo "$pid"
}

alive() { number_of "$1" >/dev/null; }

start() { # name, command...
  local name=$1
  shift
  alive "$name" && return
  setsid "$@" >> "$root/log/$name.log" 2>&1 < /dev/null &
  echo "$! $(ticks $!)" > "$run/$name.pid"
}

stop() { # name: asked first, then made to
  local pid
  pid=$(number_of "$1") || { rm -f "$run/$1.pid"; return 0; }
  kill "$pid"
  for _ in $(seq 100); do
    alive "$1" || break
    sleep 0.1
  done
  ! alive "$1" || kill -9 "$pid"
  rm -f "$run/$1.pid"
}

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
  # As clusters have it: for the time above it goes on saying where a pod was.
  cache 30
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

# Nor is this: a suite asks for it. Of kube-router only what makes packet filters of policies.
enforce_policies() {
  possible policies
  alive kube-apiserver || fail "the cluster is to be up"
  install_packages ipset
  if [ ! -x "$router" ]; then
    say "Building kube-router from its Go modules (some minutes; kept in $router)"
    local draft=$programs/draft-of-kube-router
    rm -f "$programs"/kube-router-*
    CGO_ENABLED=0 go -C ../network-policies build -trimpath -ldflags "-s -w" -o "$draft" github.com/cloudnativelabs/kube-router/v2/cmd/kube-router
    mv "$draft" "$router"
  fi
  start kube-router "$router" --kubeconfig "$kubeconfig" --hostname-override node --service-cluster-ip-range "$services" \
    --run-firewall=true --run-router=false --run-service-proxy=false --enable-ipv6=false --metrics-port 0 --health-port 0
  await 60 "the network policies" iptables -n -L KUBE-ROUTER-FORWARD
}

ignore_policies() {
  stop kube-router
  remove_chains 'KUBE-(ROUTER|POD-FW|NWPLCY)-' filter
  remove_sets
}

# --- Up and down -----------------------------------------------------------------------------------------------------------------

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
  describe 1
  make_identities
  make_network
  start_containerd
  load "$helper"
  start_control_plane
  start_kubelet
  start_kube_proxy
  start_dns
  start_volumes
  await 120 "the node" node_is_ready
  await 60 "DNS" resolves
  say "Kubernetes $version is ready after $((SECONDS - started)) s: export KUBECONFIG=$kubeconfig"
}

nothing_runs() {
  local number
  for number in 1 $(further); do
    describe "$number"
    if alive "containerd$suffix" && [ -n "$(ctr tasks ls -q)" ]; then return 1; fi
  done
}

# A kubelet takes pods down in the way that leaves neither network nor mount behind; nobody may make new ones meanwhile.
delete_pods() {
  stop kube-controller-manager
  stop kube-scheduler
  kubectl delete pods --all --all-namespaces --grace-period 1 --wait=false >/dev/null 2>&1 || true
  for _ in $(seq 300); do
    nothing_runs && return
    sleep 0.2
  done
  describe 1
  local id
  for id in $(ctr tasks ls -q); do ctr tasks kill -s SIGKILL "$id" || true; done
}

unmount() { # whatever is mounted below a folder, innermost first
  local folder
  awk '{print $2}' /proc/mounts | { grep -E "^$1/" || true; } | sort -r | while read -r folder; do umount -l "$folder"; done
}

remove_chains() { # pattern, tables...: chains of such names, and the rules that lead there
  local pattern=$1 table rule chain
  shift
  for table in "$@"; do
    iptables -t "$table" -S | { grep -E "^-A .*-j $pattern" || true; } | while read -r _ rule; do
      xargs iptables -t "$table" -D <<< "$rule" || true
    done
    for chain in $(iptables -t "$table" -S | sed -nE "s/^-N ($pattern.*)/\1/p"); do iptables -t "$table" -F "$chain"; done
    for chain in $(iptables -t "$table" -S | sed -nE "s/^-N ($pattern.*)/\1/p"); do iptables -t "$table" -X "$chain"; done
  done
}

remove_sets() {
  local set
  command -v ipset >/dev/null || return 0
  for set in $(ipset list -n | grep -E '^KUBE-(SRC|DST)-'); do ipset destroy "$set"; done
}

remove_rules() {
  "$programs/kubernetes" kube-proxy --cleanup >/dev/null 2>&1 || true
  local direction
  for direction in -i -o; do iptables -D FORWARD "$direction" "$first_bridge" -j ACCEPT 2>/dev/null || true; done
  # The kubelet's own chains, which nothing removes, and those of policies.
  remove_chains KUBE- filter nat mangle
  remove_sets
}

down() {
  [ -d "$root" ] || { say "There is nothing to take down"; return; }
  if alive containerd && alive kubelet && alive kube-apiserver; then delete_pods; fi
  local number program
  for number in $(further); do remove_node "$number"; done
  for program in kube-router cert-manager local-path-provisioner coredns kube-proxy kubelet kube-controller-manager kube-scheduler kube-apiserver etcd containerd; do
    stop $program
  done
  unmount "$root"
  unmount "$run"
  remove_rules
  ! ip link show "$first_bridge" >/dev/null 2>&1 || ip link delete "$first_bridge"
  ! [ -s "$root/sysctls" ] || sysctl -q -p "$root/sysctls"
  rm -rf "$root" "$run"
  say "Kubernetes is gone after $((SECONDS - started)) s; its programs stay in $programs"
}

each_node() { # command...: with what each node is like
  local number
  for number in 1 $(further); do
    describe "$number"
    "$@"
  done
}

verb=${1:-}
shift || true
case $verb in
  up) up ;;
  down) down ;;
  built) built ;;
  possible) possible "${1:-}" ;;
  cert-manager) start_cert_manager ;;
  policies) enforce_policies ;;
  no-policies) ignore_policies ;;
  load) each_node load "$@" ;;
  kubectl) kubectl "$@" ;;
  programs) echo "$programs" ;;
  stop) stop "$1" ;;
  add-node) add_node "$1" ;;
  power-off) power_off "$1" ;;
  power-on) power_on "$1" ;;
  remove-nodes) for number in $(further); do remove_node "$number"; done ;;
  *) fail "usage: the head of $0" ;;
esac
