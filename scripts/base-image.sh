#!/usr/bin/env bash
# Makes the base image from Debian's packages, for machines that cannot pull it. Needs root, mmdebstrap and a Docker engine.
#
#   scripts/base-image.sh debian:trixie-slim
set -euo pipefail
image=$1
suite=$(printf '%s' "${image#debian:}" | sed 's/-slim$//')
# The packages' signatures are checked with this system's Debian keys; documentation and locales are left out as in the slim image.
mmdebstrap --quiet --variant=minbase --include=ca-certificates \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  "$suite" - | docker import --change 'CMD ["bash"]' - "$image" >/dev/null
