#!/usr/bin/env bash
# The yardstick for the bring-up: starts the containers of a stack with plain docker commands, as somebody would who knows them well.
# What does not depend on each other starts at the same time, and every wait is for a condition.
#
#   bare.sh FOLDER   as written by bare.ts: `settings`, containers/<workload>/<name>/{arguments,files}, statements, passwords
#
# Keys, passwords and reloadable configuration are on volumes already; this script does not have to make them.
set -euo pipefail
folder=$1
# shellcheck source=/dev/null
source "$folder/settings"
began=${EPOCHREALTIME/[.,]/}

passed() { printf '%5d ms  %s\n' $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) "$1"; }

await() { # what, command...
  local what=$1 deadline=$((SECONDS + 120))
  shift
  until "$@" > "$folder/answer" 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "bare.sh: not within two minutes: $what; the last answer: $(cat "$folder/answer")" >&2
      exit 1
    fi
    sleep 0.1
  done
  passed "$what"
}

together() { # ends when all background jobs of this shell have ended well
  local job
  for job in $(jobs -p); do wait "$job"; done
}

start() { # path of a container's description
  local name=${1##*/} arguments
  mapfile -d '' -t arguments < "$1/arguments"
  docker create "${arguments[@]}" > /dev/null
  if [ -d "$1/files" ]; then docker cp "$1/files/." "$name:/" > /dev/null; fi
  docker start "$name" > /dev/null
}

start_all() { # workloads...
  local workload path
  for workload in "$@"; do
    for path in "$folder/containers/$workload"/*; do start "$path" & done
  done
}

names() { # workload
  local path
  for path in "$folder/containers/$1"/*; do echo "${path##*/}"; done
}

docker network create "$network" > /dev/null
start_all etcd haproxy
together
passed "etcd and the entries are started"

# --- etcd: authentication --------------------------------------------------------------------------------------------------------

etcd=$(names etcd | head -n 1)
await "etcd answers" docker exec "$etcd" etcd-ready
# The scope's password comes by standard input: arguments are for everybody to see.
# shellcheck disable=SC2016
docker exec --interactive "$etcd" sh -euc '
  etcd() { etcdctl --endpoints=https://localhost:2379 --cacert=/secrets/tls/ca.crt "$@" > /dev/null; }
  read -r password
  etcd role add root
  etcd user add root --interactive=false < /secrets/etcd/root-password
  etcd user grant-role root root
  etcd role add "$1"
  etcd role grant-permission --prefix "$1" readwrite "$2"
  printf "%s\n" "$password" | etcd user add "$1" --interactive=false
  etcd user grant-role "$1" "$1"
  etcd auth enable
' sh "$etcd_user" "$etcd_prefix" < "$folder/etcd-password"
passed "etcd's authentication is on"

# --- PostgreSQL: roles, database, lookup function --------------------------------------------------------------------------------

# shellcheck disable=SC2086,SC2154
start_all $groups
together
passed "the members are started"

sql() { # member, database, more of psql's arguments...
  docker exec --interactive "$1" psql --host /run/postgresql --username postgres --dbname "$2" -qAtX --set ON_ERROR_STOP=1 "${@:3}"
}

# shellcheck disable=SC2154
leads() { [ "$(sql "$1" "$from" --command 'SELECT pg_is_in_recovery()')" = f ]; }
leader=
find_leader() {
  local name
  for name in $(names "${groups%% *}"); do
    if leads "$name"; then
      leader=$name
      return 0
    fi
  done
  return 1
}
await "a member leads" find_leader
sql "$leader" "$from" < "$folder/server.sql" > /dev/null
sql "$leader" "$database" < "$folder/database.sql" > /dev/null
passed "roles, database and lookup function are there"

# --- pools, and the proof --------------------------------------------------------------------------------------------------------

start_all pool-write pool-read
together
passed "the pools are started"

PGPASSWORD=$(cat "$folder/client-password")
export PGPASSWORD
answers() { # entry, port
  docker exec --env PGPASSWORD "$leader" psql -qAtX --command 'SELECT 1' \
    "host=$1 port=$2 dbname=$database user=$client sslmode=verify-full sslrootcert=/secrets/tls/ca.crt connect_timeout=2"
}
members=0
for group in $groups; do
  for name in $(names "$group"); do
    await "$name leads or streams" docker exec "$name" patroni-ready
    members=$((members + 1))
  done
done
registered() { [ "$(sql "$leader" "$database" --command 'SELECT count(*) FROM pg_dist_node WHERE isactive')" = "$members" ]; }
if [ "$groups" != patroni ]; then await "every member is registered" registered; fi
for name in $(names haproxy); do
  for port in $endpoints; do await "$name:$port answers" answers "$name" "$port"; done
done
