# shellcheck shell=bash
# What the cluster is made of, and how it gets here. For cluster.sh, whose variables it uses.

install_packages() { # names of further ones that have a command of that name
  local missing=() each
  for each in "$@"; do command -v "$each" >/dev/null || missing+=("$each"); done
  command -v containerd >/dev/null || missing+=(containerd)
  command -v runc >/dev/null || missing+=(runc)
  command -v iptables >/dev/null || missing+=(iptables)
  command -v ip >/dev/null || missing+=(iproute2)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v pgrep >/dev/null || missing+=(procps)
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
  [ "${1:-}" != policies ] || [ -x "$router" ] || needs_go 26 "kube-router, which enforces policies, is"
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
