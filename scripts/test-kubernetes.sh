#!/usr/bin/env bash
# Runs the suites on Kubernetes: on the cluster of KUBECONFIG if one is given, else on a one-node cluster that it starts and takes away.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
export POSTGRES_CLUSTER_ENGINE=${POSTGRES_CLUSTER_ENGINE:-local-engine}
if [ -z "${KUBECONFIG:-}" ]; then
  trap 'tools/kubernetes/cluster.sh down' EXIT
  tools/kubernetes/cluster.sh up
fi
node node_modules/jest/bin/jest.js --selectProjects kubernetes --runInBand
