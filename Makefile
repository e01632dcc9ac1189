# Two commands matter: make demo, make test. The others are their parts.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

help: ## List every target
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## From nothing to a coding task done by a real agent in a real pod (AGENT=aider|mini-swe-agent|opencode|openhands, CLUSTER=current, REGISTRY=)
	@hack/demo/run

demo-clean: ## Remove what make demo made in the cluster
	@hack/demo/clean

test: ## Everything: lint, unit, integration, worker, chart, cluster, end to end
	@hack/test/all

test-quick: ## For the inner loop, under 3 minutes: unit tests, lint, types, chart
	@hack/test/quick

test-flaky: ## Suspects again and again on a busy machine (TIMES=20, ONLY="SessionIT test_draining.py")
	@hack/test/flaky "$(or $(TIMES),20)" $(ONLY)

test-cold: ## Every program, environment and image from empty caches, about a quarter of an hour
	@hack/test/cold

test-lint: ## Shell and Go checks
	@hack/test/lint

test-java: ## Java: format, unit tests, integration tests with a real API server and a real NATS
	@hack/test/java

test-worker: ## Python: lint, types, tests with a real NATS
	@hack/test/worker

test-chart: ## The Helm chart
	@hack/test/chart

test-cluster: ## The one-node Kubernetes, killed and started again
	@hack/cluster/test

test-e2e: ## End to end on the one-node Kubernetes
	@hack/test/e2e

e2e-hostile: ## An agent in a pod that tries to get out of its run, within its walls, without them, and with its pool's credential
	@hack/test/e2e HostileE2E StolenCredentialE2E

test-agents: ## The demo by every agent, which make test does by aider alone; builds all images first
	@hack/test/agents

soak: ## Load and random faults for MINUTES (10), or TASKS= in git repositories, then every promise is checked (SEED= repeats a run)
	@hack/soak $(if $(TASKS),--tasks $(TASKS),"$(or $(MINUTES),10)") $(SEED)

bench-scaling: ## CodeForge and KEDA under the same loads, about 20 minutes (QUICK=1: 3)
	@bench/scaling/run $(if $(QUICK),--quick)

bench-worker: ## The worker's overhead on 1,000 no-op tasks against a bare loop, about a minute
	@bench/worker/run

bench-size: ## Memory, start, settled requests and takeover of an operator with up to 10,000 tasks, about 25 minutes (QUICK=1: nine)
	@bench/size/run $(if $(QUICK),--quick)

bench-live: ## The console with up to 5,000 WebSocket clients, about 6 minutes (QUICK=1: one)
	@bench/live/run $(if $(QUICK),--quick)

build: ## The operator's jar
	@mvn -B -ntp -q package -DskipTests

images: ## Build every image
	@hack/images/build

cluster-up: ## Start the one-node Kubernetes
	@hack/cluster/up

cluster-down: ## Stop it
	@hack/cluster/down

locks: ## Make the locks of Python packages anew from their sources (UPGRADE=1: the newest versions)
	@hack/tools/lock $(if $(UPGRADE),--upgrade)

manifests: ## Write crds/, the chart's copy of them, docs/reference.md and docs/reasons.md from the code
	@mvn -B -ntp -q test -Dtest=CrdTest -Dcrds.write=true
	@mvn -B -ntp -q test -Dtest=CrdChangesTest -Dcrds.write=true
	@mvn -B -ntp -q test '-Dtest=*ReferenceTest' -Dcrds.write=true
	@cp crds/*.yaml helm/codeforge-operator/crds/

format: ## Format Java and Python
	@mvn -B -ntp -q spotless:apply
	@hack/test/worker --format

.PHONY: $(shell awk -F: '/^[a-z0-9-]+:/{print $$1}' $(MAKEFILE_LIST))
