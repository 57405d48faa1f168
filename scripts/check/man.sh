#!/bin/sh
# Every program has its page, every page is clean mdoc.
set -eu
cd "$(dirname "$0")/../.."
command -v mandoc >/dev/null || { echo "man.sh: mandoc is missing: apt-get install mandoc" >&2; exit 1; }
bad=0
for d in cmd/*/main.go; do
  p=$(basename "$(dirname "$d")")
  [ "$p" = rohrpost ] || ls man/rohrpost-"$p".[0-9] >/dev/null 2>&1 || { echo "man.sh: cmd/$p has no page" >&2; bad=1; }
done
# Pages of ours that are named in SEE ALSO are found once installed, not now.
# One page at a time: mandoc's two outputs tear each other's lines apart.
out=$(for p in man/*.[0-9]; do mandoc -Tlint -W style "$p" 2>&1 || true; done | grep -vE 'referenced manual not found|outdated mandoc.db' || true)
[ -z "$out" ] || { echo "$out" >&2; bad=1; }
exit $bad
