#!/bin/bash
# Runs every test, and says how long each part took.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
tags=libvirt_dlopen
# The documents' ways and the demo run the program under the race detector too. A process that races ends at once; one
# that does not need not wait a second, as it would, for a race to be seen at its end.
export JEPSEN_BIN=$PWD/out/race/kvorum JEPSEN_GUEST=$PWD/out/guest GORACE="halt_on_error=1 atexit_sleep_ms=100"
# The fault harness runs a program with failpoints, at the speed of a release.
export JEPSEN_FAULTS=$PWD/out/faults/kvorum
# The simulator runs in one thread and has nothing to race with; the detector would only make it search fewer seeds.
one_thread='/jepsen/sim(/|$)'
# The demo takes an inventory of the whole machine before and after: nothing else may make namespaces or guests meanwhile.
alone='/hack/'
all=$($go list -tags $tags ./...)
part() {
    local start=$SECONDS status=0
    "${@:2}" || status=$?
    echo "$1: $((SECONDS - start)) s"
    return $status
}
$go build -race -tags $tags -o "$JEPSEN_BIN" ./cmd/kvorum
$go build -tags $tags,faults -o "$JEPSEN_FAULTS" ./cmd/kvorum
# Packages wait more than they compute (elections, leases, guests that boot), and each has names of its own on the
# machine: so three at a time, on two processors.
# shellcheck disable=SC2046
part "under the race detector" $go test -race -p 3 -tags $tags -timeout 10m $(grep -vE "$one_thread|$alone" <<<"$all")
part "the faults in code" $go test -race -tags $tags,faults ./internal/clock ./internal/failpoint ./raftnode ./hostagent
# shellcheck disable=SC2046
part "the simulator" $go test -tags $tags -timeout 10m $(grep -E "$one_thread" <<<"$all") &
simulator=$! demo=0
# shellcheck disable=SC2046
part "the demo, alone" $go test -race -tags $tags -timeout 10m $(grep -E "$alone" <<<"$all") || demo=$?
wait $simulator
exit $demo
