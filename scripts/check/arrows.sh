#!/bin/sh
# The arrows of the house: cmd -> protocol -> maildir, never upwards, and what a
# program may link. Prints each violation; exit 1 if there is one.
set -eu
cd "$(dirname "$0")/../.."
bad=0
say() { echo "arrows: $*" >&2; bad=1; }

list() { go list -f '{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}{{range .TestImports}}{{$p}} {{.}}{{"\n"}}{{end}}{{range .XTestImports}}{{$p}} {{.}}{{"\n"}}{{end}}' "$@"; }

up=$(list ./maildir/... ./protocol/... | awk '
  $1 ~ /^rohrpost\/maildir/  && $2 ~ /^rohrpost\/(protocol|cmd)/ { print $1 " imports " $2 }
  $1 ~ /^rohrpost\/protocol/ && $2 ~ /^rohrpost\/cmd/            { print $1 " imports " $2 }')
[ -z "$up" ] || say "points up: $up"

# Names and links of mail are made in maildir alone.
leak=$(git grep -nE 'unix\.(Link|Rename|Unlink)|os\.(Link|Rename)\(' -- 'protocol/*.go' ':!*_test.go' || true)
[ -z "$leak" ] || say "changes files outside maildir: $leak"

# Hostile bytes never meet these parsers (four quadratic-time CVEs in two years).
for p in net/mail net/textproto mime/multipart; do
  hit=$(git grep -lF "\"$p\"" -- 'cmd/*.go' 'protocol/*.go' 'maildir/*.go' ':!*_test.go' || true)
  [ -z "$hit" ] || say "imports $p: $hit"
done

# No private key and no TLS in a program that parses a stranger's bytes.
for c in smtpd pop3d imapd deliver checkpw login-ok; do
  [ -d "cmd/$c" ] || continue
  deps=$(go list -deps "./cmd/$c")
  for p in crypto/tls net/http; do
    if echo "$deps" | grep -qx "$p"; then say "cmd/$c links $p"; fi
  done
done
exit $bad
