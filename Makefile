# Commands for operators and developers. `make help` explains each; STACK chooses the stack (default dev), on Docker or Kubernetes.
# JSON=1 has those that a program may read print one JSON document. Exit codes: 0 done, or all is well; 1 something is wrong, or was refused;
# 2 called wrongly, or out of reach. (make itself ends with 2 whenever a command fails: scripts that tell them apart run commands/bin.js.)
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SILENT:
export STACK ?= dev

node := node_modules/.bin/node
run := $(node) commands/bin.js

.PHONY: help
help: ## Show this list
	awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	printf '%s\n' "" "STACK=prod chooses the stack, on Docker or Kubernetes. JSON=1: one JSON document, of doctor, health, ps, reset-stats, slow-queries," \
	  "status, switchover, test-replication and test-slow-query. Exit codes of '$(run) <command>': 0 done or well, 1 something is" \
	  "wrong or was refused, 2 called wrongly or out of reach; psql has its own. make itself ends with 2 whenever a command fails."

##@ The stack
.PHONY: up down preview status health ps doctor logs exec clean images
up: setup ## Bring the stack up, or to what its settings say; installs what this machine lacks (NO_INSTALL=1 only tells)
	$(run) up
down: cli ## Take the stack down; volumes with data stay
	$(run) down
preview: cli ## Show what `up` would change
	$(run) preview
status: cli ## Members, their roles and health, endpoints
	$(run) status
health: cli ## One line for monitors: all is well, what is wrong, or that it cannot be asked
	$(run) health
ps: cli ## Members: where they run, since when, how often started again, their memory (WORKLOAD=patroni narrows)
	$(run) ps
doctor: cli ## Check every part, say what is wrong and how to mend it
	$(run) doctor
logs: cli ## Follow the logs (WORKLOAD=patroni or MEMBER=<name> narrows, TAIL=100, FOLLOW= ends at once)
	$(run) logs
exec: cli ## A shell in MEMBER=<name>, or RUN="..." there
	$(run) exec
clean: cli ## Delete the volumes of a stack that is down, with all data; asks first (CONFIRM=<cluster>)
	$(run) clean

images: setup ## Build the images of STACK=prod under their names in images.registry and print their tags; PUSH=1 publishes them
	$(run) images

##@ The database
.PHONY: psql psql-replica switchover restart reconnect slow-queries reset-stats test-slow-query test-replication password worker-files
psql: cli ## SQL on the leader as superuser (GROUP=2: of worker group 2); ROLE=app_readwrite goes through the write endpoint; SQL="..." for scripts
	$(run) psql
psql-replica: cli ## SQL on a replica; ROLE=app_readonly goes through the read endpoint
	$(run) psql-replica
switchover: cli ## Hand leadership over (TO=<member>, GROUP=2)
	$(run) switchover
restart: cli ## Restart PostgreSQL in every member, replicas first, the leader last (GROUP=2)
	$(run) restart
reconnect: cli ## Have the pools make their connections anew, after rights or settings of roles were changed by hand
	$(run) reconnect
slow-queries: cli ## List the slowest statements (LIMIT=20)
	$(run) slow-queries
reset-stats: cli ## Let the statistics of the leader begin anew (GROUP=2); asks first (CONFIRM=<cluster>)
	$(run) reset-stats
test-slow-query: cli ## Run a slow statement, find it in the log and in the statistics (GROUP=2)
	$(run) test-slow-query
test-replication: cli ## Write on the leader, find it on every replica
	$(run) test-replication
password: cli ## Print the password of ROLE (default app_readwrite)
	$(run) password
worker-files: cli ## Write certificate and key of an external worker (GROUP=9 DIR=./db9)
	$(run) worker-files

##@ Development
.PHONY: test test-unit test-long lint golden test-kubernetes kube-up kube-down bench setup cli packages
test: setup ## All tests: lint, types, unit, SQL and the cluster on real containers
	scripts/test.sh
test-unit: packages ## What needs no Docker: lint, types, unit tests and goldens
	scripts/test.sh unit
test-long: setup ## Trials that take hours, seeded, gone on with after an interruption (TRIAL=kills, SEED=1)
	$(node) tests/long/bin.js $(TRIAL)
lint: packages ## ESLint and Prettier
	$(node) node_modules/.bin/eslint . && $(node) node_modules/.bin/prettier --check --log-level warn .
golden: packages ## Accept the current output as the goldens; read the difference before you commit it
	UPDATE_GOLDENS=1 $(node) node_modules/.bin/jest --selectProjects unit
test-kubernetes: setup ## The suites on Kubernetes: on the cluster of KUBECONFIG, else on one that this starts and takes away
	scripts/test.sh kubernetes
kube-up: setup ## Start a one-node Kubernetes for the tests, built from its Go modules (tools/kubernetes)
	tools/kubernetes/cluster.sh up
kube-down: ## Take it away again
	tools/kubernetes/cluster.sh down
bench: setup ## Measure bring-up, preview, failover and throughput as ratios
	$(node) tests/bench/bin.js
setup:
	scripts/setup.sh
cli:
	scripts/setup.sh cli
packages:
	scripts/setup.sh packages
