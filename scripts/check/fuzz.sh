#!/bin/sh
# Runs every fuzz target of the tree for FUZZTIME (20s), one after the other.
# What a target finds is left in its package's testdata/fuzz, to be committed
# with the fix.
set -eu
cd "$(dirname "$0")/../.."
time=${FUZZTIME:-20s}
bad=0 run=0
for p in $(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...); do
  for f in $(go test -list '^Fuzz' "$p" | grep '^Fuzz' || true); do
    echo "fuzz: $p $f for $time"
    run=$((run + 1))
    go test "$p" -run '^$' -fuzz "^$f\$" -fuzztime "$time" -fuzzminimizetime 10x || bad=$((bad + 1))
  done
done
echo "$run targets, $bad failed"
[ "$bad" = 0 ]
