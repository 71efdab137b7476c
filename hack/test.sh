#!/bin/bash
# Runs every test: first those of packages on their own, with the race detector, then those that boot guests, one
# package at a time because they share the machine's two processors.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
tags=libvirt_dlopen
export JEPSEN_BIN=$PWD/bin/kvorum JEPSEN_GUEST=$PWD/out/guest
# The simulator runs in one thread; the race detector would only slow it down. The rest of the second list boots guests.
alone='/jepsen/|/hostagent/libvirt$|/hack/'
all=$($go list -tags $tags ./...)
# shellcheck disable=SC2046
$go test -race -tags $tags -timeout 10m $(grep -vE "$alone" <<<"$all")
# shellcheck disable=SC2046
$go test -p 1 -tags $tags -timeout 15m $(grep -E "$alone" <<<"$all")
