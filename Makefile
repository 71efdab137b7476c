# Kvorum. `make help` lists what can be done.
SHELL   := /bin/bash
GO      ?= go
TAGS    := libvirt_dlopen
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X main.version=$(VERSION)
PACKAGES := hack/packages hack/guest/packages jepsen/testbed/packages
# The guest image and everything else that is built lies under out/ and bin/.
GUEST   := out/guest

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: build
build: ## build bin/kvorum and the tools
	$(GO) build -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/kvorum ./cmd/kvorum
	$(GO) build -o bin/rack ./jepsen/testbed/rack
	$(GO) build -tags $(TAGS) -o bin/demo ./hack/demo

.PHONY: deps
deps: ## install the Debian packages that the tests and the demo need (root)
	hack/install.sh $(PACKAGES)

.PHONY: guest
guest: deps ## build the small guest image
	hack/guest/build.sh $(GUEST)

.PHONY: demo
demo: deps build guest ## lay out a cloud in namespaces, boot guests, and leave it running (root)
	bin/demo -guest $(GUEST) up

.PHONY: demo-down
demo-down: ## remove the demo cloud
	$(GO) build -tags $(TAGS) -o bin/demo ./hack/demo
	bin/demo down

.PHONY: test
test: deps build guest lint ## everything that CI runs (root)
	hack/test.sh

.PHONY: short
short: ## the tests that need neither root nor packages
	$(GO) test -tags $(TAGS) -short $$($(GO) list ./... | grep -v -e /jepsen/ -e /netd/kernel -e /hostagent/libvirt -e /hostagent/netsvc -e /hack/)

.PHONY: lint
lint: ## gofmt, vet, and a go.mod that names what is used and no more
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "gofmt would change:"; echo "$$bad"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet -tags $(TAGS) ./...
	$(GO) vet -tags $(TAGS),faults ./cmd/kvorum ./internal/clock ./internal/failpoint

.PHONY: sim
sim: ## simulate the whole cluster; SEED=n replays one (ARGS=-leases one about leases), else N=200 new ones
	$(GO) run -ldflags '-X github.com/kvorum/kvorum/jepsen/sim.revision=$(VERSION)' ./jepsen/sim/simulate $(if $(SEED),-seed $(SEED),-n $(or $(N),200)) $(ARGS)

.PHONY: bench
bench: build ## the benchmarks, side by side with their peers; ROW=name for some
	$(GO) build -tags $(TAGS) -o bin/kvorum-bench ./cmd/kvorum-bench
	bin/kvorum-bench -row '$(ROW)'

.PHONY: jepsen
jepsen: harness ## real processes, real faults, checked histories; T=T4 for some tests, SEED=n, DURATION=60s, RUNS=5
	bin/jepsen -t '$(T)' -seed $(or $(SEED),0) -duration $(or $(DURATION),30s) -runs $(or $(RUNS),1)

.PHONY: jepsen-report
jepsen-report: ## add the runs of out/jepsen.jsonl that are new to docs/reliability.md
	$(GO) run ./jepsen/cluster/jepsen -report docs/reliability.md

.PHONY: jepsen-mutants
jepsen-mutants: deps ## broken programs that the harness must catch; M=name for some
	$(GO) run ./jepsen/mutants/run -m '$(M)'

.PHONY: harness
harness: deps
	$(GO) build -tags $(TAGS),faults -o out/faults/kvorum ./cmd/kvorum
	$(GO) build -ldflags '-X github.com/kvorum/kvorum/jepsen/cluster.revision=$(VERSION)' -o bin/jepsen ./jepsen/cluster/jepsen

.PHONY: golden
golden: ## rewrite the golden files; read the difference before you commit it
	$(GO) test -tags $(TAGS) ./internal/assign ./metadata ./fsm/command ./netd ./hostagent/libvirt -run 'Golden|XML' -update
	$(GO) test -tags $(TAGS) ./api/compute ./api/image ./api/network -update

.PHONY: stats
stats: ## lines of source and of tests, longest files and functions
	@git ls-files '*.go' | grep -v _test.go | xargs cat | wc -l | sed 's/^/source lines: /'
	@git ls-files '*_test.go' | xargs cat | wc -l | sed 's/^/test lines:   /'
	@git ls-files '*.go' | grep -v _test.go | xargs wc -l | sort -rn | sed -n '2,11p'

.PHONY: clean
clean: ## remove what was built
	rm -rf bin out
