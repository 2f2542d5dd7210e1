#!/usr/bin/env bash
# Brings a machine to where `make up` and `make test` can work: Node 22 with the packages of package-lock.json, the Pulumi CLI, a running
# Docker engine, the base image, and a passphrase for the stack's secrets. Says what it will install before it does; safe to run again.
#
#   scripts/setup.sh [cli | packages]   `packages`: only Node and npm packages; `cli`: with the Pulumi CLI, no Docker
#
# STACK says which stack it is for: one on Kubernetes needs that provider, too.
# NO_INSTALL=1 only tells what is missing (exit code 1 if anything is).
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
state=.state
stack=${STACK:-dev}
environment=$(sed -n 's/^ *postgres-cluster:environment: *//p' "Pulumi.$stack.yaml" 2>/dev/null || true)
provider=
[ "${environment:-$stack}" != prod ] || provider=kubernetes
base_image=$(sed -n "s/.*baseImage: \"\(.*\)\".*/\1/p" config-files/versions.ts)
started=$SECONDS

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "this step needs root: run it as root, or install sudo ($*)"; fi
}

engine_answers() { command -v docker >/dev/null && docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
has_base_image() { docker image inspect "$base_image" >/dev/null 2>&1; }
lock_digest() { sha256sum package-lock.json | cut -d' ' -f1; }
has_packages() {
  [ -x node_modules/.bin/node ] && [ "$(cat node_modules/.lock-digest 2>/dev/null)" = "$(lock_digest)" ]
}
has_pulumi() { tools/pulumi/pulumi.sh complete $provider; }

# --- What is missing -------------------------------------------------------------------------------------------------------------

plan=()
apt=()
if ! has_packages; then
  command -v npm >/dev/null || { apt+=(nodejs npm); plan+=("Debian packages: nodejs npm"); }
  plan+=("npm packages of package-lock.json into node_modules/ (Node 22 among them)")
fi
if [ "$what" != packages ] && ! has_pulumi; then
  packages=$(tools/pulumi/pulumi.sh debian-packages)
  [ -z "$packages" ] || { apt+=($packages); plan+=("Debian packages: $packages"); }
  plan+=("$(tools/pulumi/pulumi.sh says $provider)")
fi
if [ "$what" = all ]; then
  if ! engine_answers; then
    if [ -n "${DOCKER_HOST:-}" ]; then
      fail "the Docker engine at DOCKER_HOST=$DOCKER_HOST does not answer: start it, or unset DOCKER_HOST to use this machine's own"
    fi
    if ! command -v dockerd >/dev/null; then
      apt+=(docker.io iptables)
      plan+=("Debian packages: docker.io iptables")
    fi
    plan+=("start the Docker engine (dockerd)")
    plan+=("base image $base_image, if the engine does not have it: pulled, or made with Debian's mmdebstrap where Docker Hub is out of reach")
  elif ! has_base_image; then
    plan+=("base image $base_image: pulled, or made with Debian's mmdebstrap where Docker Hub is out of reach")
  fi
fi

if [ ${#plan[@]} -gt 0 ]; then
  say "This machine lacks, and gets now:"
  printf '      - %s\n' "${plan[@]}" >&2
  if [ -n "${NO_INSTALL:-}" ]; then
    say "NO_INSTALL is set: nothing was installed."
    exit 1
  fi
fi

# --- Do it -----------------------------------------------------------------------------------------------------------------------

apt_updated=
apt_install() {
  command -v apt-get >/dev/null || fail "install by hand: $* (this is no Debian: only its packages can be installed by themselves)"
  if [ -z "$apt_updated" ]; then as_root apt-get update -qq; apt_updated=1; fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ ${#apt[@]} -gt 0 ]; then
  say "Installing ${apt[*]}"
  apt_install "${apt[@]}"
fi

# It may have to be built, for minutes: what else is missing comes meanwhile. In a process group of its own, which ends with this script.
pulumi=
if [ "$what" != packages ] && ! has_pulumi; then
  set -m
  tools/pulumi/pulumi.sh install $provider </dev/null &
  pulumi=$!
  set +m
  trap 'kill -- "-$pulumi" 2>/dev/null || true' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
fi

if ! has_packages; then
  say "Installing npm packages"
  # Install scripts download plugins, which the CLI gets by itself; only the Node binary needs its own.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  npm rebuild node --loglevel=error >/dev/null
  lock_digest > node_modules/.lock-digest
fi

mkdir -p "$state"
chmod 700 "$state"
if [ ! -s "$state/passphrase" ]; then
  (umask 077; head -c 24 /dev/urandom | base64 | tr -d '/+=\n' > "$state/passphrase")
fi

await_engine() {
  for _ in $(seq 120); do
    engine_answers && return 0
    sleep 0.5
  done
  return 1
}

if [ "$what" = all ] && ! engine_answers; then
  say "Starting the Docker engine"
  if [ -d /run/systemd/system ]; then
    as_root systemctl start docker
  else
    # No service manager: the engine runs on its own, and its log lies beside the stack's state.
    as_root rm -f /var/run/docker.pid
    as_root sh -c 'setsid dockerd >> "$1" 2>&1 < /dev/null &' sh "$PWD/$state/dockerd.log"
  fi
  await_engine || fail "the Docker engine did not answer within a minute; its log: $state/dockerd.log or 'journalctl -u docker'"
fi

if [ "$what" = all ] && ! has_base_image; then
  say "Getting $base_image"
  if ! timeout 60 docker pull -q "$base_image" >/dev/null 2>&1; then
    say "Docker Hub is out of reach: making $base_image from Debian's packages"
    command -v mmdebstrap >/dev/null || apt_install mmdebstrap
    scripts/base-image.sh "$base_image"
  fi
fi

if [ -n "$pulumi" ]; then
  wait "$pulumi" || fail "the Pulumi CLI is missing: see above"
  trap - EXIT
fi

if [ ${#plan[@]} -gt 0 ]; then say "Ready after $((SECONDS - started)) s"; fi
