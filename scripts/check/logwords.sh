#!/bin/sh
# Every event word that a program logs is documented in rohrpost-maillog(5).
# (What deliver -n prints is no log.)
set -eu
cd "$(dirname "$0")/../.."
bad=0
words=$(git grep -hoE '(Event|event)\("[a-z][a-z-]*"' -- 'cmd/*.go' 'protocol/*.go' ':!*_test.go' ':!cmd/deliver/explain.go' | sed 's/.*("//; s/"$//' | sort -u)
for w in $words; do
  grep -q "^\.It Li $w\$" man/rohrpost-maillog.5 || { echo "logwords.sh: event $w is not in man/rohrpost-maillog.5" >&2; bad=1; }
done
exit $bad
