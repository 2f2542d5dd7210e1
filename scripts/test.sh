#!/usr/bin/env bash
# Runs the test suites one after the other and ends with the line `N passed, N failed, N skipped` over all of them.
#
#   scripts/test.sh              everything but the suites that bring up stacks on Kubernetes; these too with KUBERNETES=1
#                                (BEGIN_WITHIN=<seconds>: none of them begins later than that, for a machine with a limit)
#   scripts/test.sh unit         only what needs no Docker
#   scripts/test.sh kubernetes   only the suites on Kubernetes: on the cluster of KUBECONFIG, else on one that is started and taken away
set -uo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
export PATH="$PWD/node_modules/.bin:$results/bin:$PATH"
# The interpreter itself: the `python3` of a version manager is a script that takes as long as the tests that call it.
mkdir "$results/bin"
if python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null); then
  printf '#!/bin/sh\nexec %s "$@"\n' "$python" >"$results/bin/python3"
  chmod +x "$results/bin/python3"
fi
passed=0 failed=0 skipped=0
: >"$results/failures"
declare -a checks
# Two cores are busy with the checks beside the tests: a process collects its garbage less often, and by itself. A sixth of their time.
node="node --min-semi-space-size=64 --max-semi-space-size=64 --single-threaded-gc"

fails() { # what: one failure, told again at the end
  failed=$((failed + 1))
  echo "failed: $1" >>"$results/failures"
}

checks() { # name=command...: each counts as one test; they run beside the first suite, until `checked`
  local check
  for check in "$@"; do
    ${check#*=} >"$results/${check%%=*}.log" 2>&1 &
    checks[$!]=${check%%=*}
  done
}

checked() {
  local pid
  for pid in "${!checks[@]}"; do
    if wait "$pid"; then passed=$((passed + 1)); else fails "${checks[pid]}"; fi
    echo "--- ${checks[pid]}"
    cat "$results/${checks[pid]}.log"
  done
  echo "--- checks and unit tests: $SECONDS s"
}

suite() { # projects of jest.config.js, then folders or files
  local from=$SECONDS out=$results/$1.json projects=() paths=() word
  for word in "$@"; do if [[ $word = */* ]]; then paths+=("$word"); else projects+=("$word"); fi; done
  echo "--- suites: $*"
  rm -f "$out"
  # Left to itself, jest leaves one of two cores idle, and some tests wait. Each file of `docker`, `sql` and `programs` has containers of its
  # own; the files of other suites share a stack, and what they measure needs the machine.
  local workers=1 niceness=0
  case $1 in
    unit) workers=3 ;;
    docker) workers=2 ;;
  esac
  # The linter beside them is one long thread: whatever is left of it at the end has a core idle.
  [[ $1 != unit ]] || niceness=5
  nice -n "$niceness" $node node_modules/jest/bin/jest.js --selectProjects "${projects[@]}" --maxWorkers "$workers" --json --outputFile "$out" -- "${paths[@]}" >/dev/null || true
  # The last lines of a long output are what people and CI look at first: they say what failed.
  if ! read -r p f s < <(node scripts/report.js "$out" "$results/failures"); then
    p=0 f=0 s=0
    fails "suites $*: jest wrote no results"
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  echo "--- suites: $*: $((SECONDS - from)) s"
}

in_time() { [ "$SECONDS" -lt "${BEGIN_WITHIN:-86400}" ]; }

on_kubernetes() { # files; one at a time, so that each can still be left out when time is short
  local file
  for file in "$@"; do
    # What the API server says of manifests needs no provider. It may have to be built, for as long as a suite takes.
    if in_time && [[ $file != */manifests* ]] && ! tools/pulumi/pulumi.sh complete kubernetes; then
      tools/pulumi/pulumi.sh install kubernetes || fails "Pulumi's Kubernetes provider"
    fi
    if in_time; then
      suite kubernetes "$file"
    else
      echo "--- skipped: $file: it would begin later than after $BEGIN_WITHIN s"
      skipped=$((skipped + 1))
    fi
  done
}

# Whether no other run of the tests, of any clone, works with this machine's cluster. It is ours then, until this script ends.
alone() {
  exec 8>"${TMPDIR:-/tmp}/postgres-cluster-kubernetes.tests"
  flock --nonblock 8
}

kubernetes() { # files of tests/kubernetes
  local why cluster=tools/kubernetes/cluster.sh
  # Too late for the first is too late for all: then no cluster is started for them.
  if [ -n "${KUBECONFIG:-}" ] || ! in_time; then
    on_kubernetes "$@"
  elif why=$($cluster possible 2>&1) && why="another run of the tests has this machine's cluster: wait for its end" && alone; then
    trap "$cluster down; rm -rf '$results'" EXIT
    # One that an interrupted run has left may still have its stacks.
    # What it starts must not keep the claim when this script is killed.
    if $cluster down && $cluster up 8>&-; then on_kubernetes "$@"; else fails "$cluster"; fi
    $cluster down
    trap 'rm -rf "$results"' EXIT
  else
    echo "--- skipped: the suites on Kubernetes: $why, or KUBECONFIG with a cluster"
    skipped=$((skipped + 1))
  fi
}

# What Node.js compiled is kept for the next run, as the formatter keeps which files it found well.
export NODE_COMPILE_CACHE=$PWD/node_modules/.cache/compiled
if [ "$what" != kubernetes ]; then
  # TypeScript 7 is quick but has no interface for programs yet; the linter and the SDK need one and have TypeScript 6.
  checks lint="$node node_modules/eslint/bin/eslint.js ." types="node_modules/typescript-native/bin/tsc --noEmit" \
    format="prettier --check --log-level warn --cache --cache-strategy content ."
  suite unit
  checked
fi
if [ "$what" = all ]; then
  # The cluster suites come first: they build the images that the others use.
  suite cluster
  suite docker sql programs
  suite citus
fi
if [ "$what" = kubernetes ] || [ -n "${KUBERNETES:-}" ]; then
  # Some first, in case time is short, then the others.
  mapfile -t files < <(printf '%s\n' tests/kubernetes/{manifests,replicated,nodes}.test.ts tests/kubernetes/*.test.ts | awk '!seen[$0]++')
  kubernetes "${files[@]}"
elif [ "$what" = all ] && { [ -n "${KUBECONFIG:-}" ] || tools/kubernetes/cluster.sh built; }; then
  # What the API server says of every manifest takes seconds, where it need not be built first.
  kubernetes tests/kubernetes/manifests
fi

cat "$results/failures"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
