# Commands for operators and developers. `make help` explains each; STACK chooses the stack (default dev), on Docker or Kubernetes.
# With JSON=1, commands that programs can read print one JSON document. Exit codes: 0 success; 1 a problem was found, or the command was refused;
# 2 wrong usage, or something is unreachable. (make itself exits with 2 whenever a command fails: scripts that need the code run commands/bin.js.)
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
	  "status, switchover, test-replication and test-slow-query. Exit codes of '$(run) <command>': 0 success, 1 a problem was" \
	  "found or the command was refused, 2 wrong usage or unreachable; psql has its own. make itself exits with 2 whenever a command fails."

##@ The stack
.PHONY: up down preview status health ps doctor logs exec clean images
up: setup ## Create the stack or apply its settings; installs what this machine lacks (NO_INSTALL=1 only reports it)
	$(run) up
down: cli ## Remove the stack; volumes with data are kept
	$(run) down
preview: cli ## Show what `up` would change
	$(run) preview
status: cli ## Members, their roles and health, endpoints
	$(run) status
health: cli ## One line for monitors: healthy, what is wrong, or unreachable
	$(run) health
ps: cli ## Members with node, uptime, restarts and memory (WORKLOAD=patroni selects)
	$(run) ps
doctor: cli ## Check every part, report what is wrong and how to fix it
	$(run) doctor
logs: cli ## Follow the logs (WORKLOAD=patroni or MEMBER=<name> selects, TAIL=100, FOLLOW= only prints the existing lines)
	$(run) logs
exec: cli ## Open a shell in MEMBER=<name>, or run RUN="..." there
	$(run) exec
clean: cli ## Delete the volumes of a stack that is down, with all data; asks for confirmation (CONFIRM=<cluster>)
	$(run) clean

images: setup ## Build the images of STACK=prod for images.registry and print their tags; PUSH=1 pushes them
	$(run) images

##@ The database
.PHONY: psql psql-replica switchover restart reconnect slow-queries reset-stats test-slow-query test-replication password worker-files
psql: cli ## SQL on the leader as superuser (GROUP=2: of worker group 2); ROLE=app_readwrite uses the write endpoint; SQL="..." for scripts
	$(run) psql
psql-replica: cli ## SQL on a replica; ROLE=app_readonly uses the read endpoint
	$(run) psql-replica
switchover: cli ## Switch over to another leader (TO=<member>, GROUP=2)
	$(run) switchover
restart: cli ## Restart PostgreSQL in every member, replicas first, the leader last (GROUP=2)
	$(run) restart
reconnect: cli ## Renew the pools' server connections, after privileges or settings of roles were changed by hand
	$(run) reconnect
slow-queries: cli ## List the slowest statements (LIMIT=20)
	$(run) slow-queries
reset-stats: cli ## Reset the statistics of the leader (GROUP=2); asks for confirmation (CONFIRM=<cluster>)
	$(run) reset-stats
test-slow-query: cli ## Run a slow statement and find it in the log and in the statistics (GROUP=2)
	$(run) test-slow-query
test-replication: cli ## Write on the leader and measure the replay on every replica
	$(run) test-replication
password: cli ## Print the password of ROLE (default app_readwrite)
	$(run) password
worker-files: cli ## Write the certificate and key of an external worker to files (GROUP=9 DIR=./db9)
	$(run) worker-files

##@ Development
.PHONY: test test-unit test-long lint golden test-kubernetes kube-up kube-down bench setup cli packages
test: setup ## All tests: lint, types, unit, SQL and the cluster on real containers
	scripts/test.sh
test-unit: packages ## Tests without Docker: lint, types, unit tests and goldens
	scripts/test.sh unit
test-long: setup ## Trials that take hours, seeded, continued after an interruption (TRIAL=kills, SEED=1)
	$(node) tests/long/bin.js $(TRIAL)
lint: packages ## ESLint and Prettier
	$(node) node_modules/.bin/eslint . && $(node) node_modules/.bin/prettier --check --log-level warn .
golden: packages ## Accept the current output as the goldens; review the diff before you commit it
	UPDATE_GOLDENS=1 $(node) node_modules/.bin/jest --selectProjects unit
test-kubernetes: setup ## Suites on Kubernetes: on the cluster of KUBECONFIG, or on one that is started and removed
	scripts/test.sh kubernetes
kube-up: setup ## Start a one-node Kubernetes for the tests, built from Go modules (tools/kubernetes)
	tools/kubernetes/cluster.sh up
kube-down: ## Stop it again
	tools/kubernetes/cluster.sh down
bench: setup ## Measure bring-up, preview, failover and throughput as ratios
	$(node) tests/bench/bin.js
setup:
	scripts/setup.sh
cli:
	scripts/setup.sh cli
packages:
	scripts/setup.sh packages
