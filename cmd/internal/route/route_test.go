package route_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/route"
	"rohrpost/protocol/address"
)

// tree writes a configuration directory.
func tree(t testing.TB, files map[string]string) control.Dir {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		mode := os.FileMode(0o644)
		if name == "users" {
			mode = 0o600
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return control.Dir{Path: dir}
}

var host = map[string]string{
	"me":             "mx.example\n",
	"locals":         "mx.example\nexample.org\n",
	"virtualdomains": "shop.example\nold.example:bob\nann@team.example:cleo\n.sub.example:sub\nfree.shop.example:\n",
	"rcpthosts":      "backup.example\n.branch.example\n",
	"users":          "# people\nbob:{PLAIN}x:::::\nBob-Lists::1000:1000::/srv/bl::userdb_quota_rule=*:storage=1G:messages=100\ncleo:{PLAIN}x\n#dora:{PLAIN}x\nann@shop.example:{PLAIN}x:::::\n",
	"aliases": "sales: bob, cleo@MX.example,\n\tjoe@far.example\nteam: sales, ann@shop.example\nkeep: keep, x@far.example\n" +
		"cleo: \\cleo, copy@far.example\nlist: bob, zoe@far.example\nowner-list: cleo\nall: list, sales\n" +
		"info@shop.example: bob\n",
}

func TestResolve(t *testing.T) {
	t.Parallel()
	table, err := route.Load(tree(t, host), "/mail")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ claim, address, want string }{
		{"a user of a local domain has the mailbox of the bare name", "bob@example.org", "mailbox /mail/bob"},
		{"names have no case", "BOB@Example.ORG", "mailbox /mail/bob"},
		{"localhost is local though locals does not say so", "bob@localhost", "mailbox /mail/bob"},
		{"the extension follows a plus", "bob+Spam@mx.example", "mailbox /mail/bob ext=Spam"},
		{"the extension follows a minus", "bob-a+b@mx.example", "mailbox /mail/bob ext=a+b"},
		{"the longest user wins over the extension", "bob-lists-golang@mx.example", "mailbox /srv/bl ext=golang"},
		{"a commented line is nobody", "dora@mx.example", "unknown"},
		{"nor can a stranger write the comment sign", "#dora@mx.example", "unknown"},
		{"an unknown name is unknown", "eve@mx.example", "unknown"},
		{"a virtual domain has its own users", "ann@shop.example", "mailbox /mail/shop.example/ann"},
		{"and not those of the local ones", "bob@shop.example", "unknown"},
		{"extensions work there too", "ann+x@shop.example", "mailbox /mail/shop.example/ann ext=x"},
		{"prepend makes the local part an extension", "anything@old.example", "mailbox /mail/bob ext=anything"},
		{"a prepend may be for one address", "ann@team.example", "alias \"\\\\cleo\"@mx.example copy@far.example"},
		{"and leaves the rest of the domain alone", "bob@team.example", "remote"},
		{"a parent domain covers those below it", "a@x.sub.example", "unknown"},
		{"but not itself", "a@sub.example", "remote"},
		{"an empty prepend is an exception", "a@free.shop.example", "remote"},
		{"an alias of a virtual domain is found there only", "info@mx.example", "unknown"},
		{"another host is remote", "a@far.example", "remote"},
		{"rcpthosts lets strangers send there", "a@backup.example", "remote relay"},
		{"and below", "a@b.branch.example", "remote relay"},
		{"but a parent's dot does not mean itself", "a@branch.example", "remote"},
		{"postmaster is always deliverable", "postmaster@mx.example", "mailbox /mail/postmaster"},
		{"in virtual domains too", "PostMaster@shop.example", "mailbox /mail/postmaster"},
		{"without a domain it is ours", "postmaster@", "mailbox /mail/postmaster"},
		{"abuse goes where postmaster goes", "abuse@shop.example", "mailbox /mail/postmaster"},
		{"alias members may go over several lines", "sales@mx.example", "alias \"\\\\cleo\"@mx.example bob@mx.example copy@far.example joe@far.example"},
		{"aliases of aliases are expanded", "team@mx.example", "alias \"\\\\cleo\"@mx.example ann@shop.example bob@mx.example copy@far.example joe@far.example"},
		{"an alias that names itself keeps a copy here", "keep@mx.example", "alias \"\\\\keep\"@mx.example x@far.example"},
		{"a backslash passes aliases by", `"\\cleo"@mx.example`, "mailbox /mail/cleo"},
		{"an owner becomes the sender", "list@mx.example", "alias bob@mx.example zoe@far.example owner=owner-list@mx.example"},
		{"an alias with an owner stays one", "all@mx.example", "alias \"\\\\cleo\"@mx.example bob@mx.example copy@far.example joe@far.example list@mx.example"},
		{"plus extends an alias", "sales+x@mx.example", "alias \"\\\\cleo\"@mx.example bob@mx.example copy@far.example joe@far.example"},
		{"minus does not", "list-request@mx.example", "unknown"},
		{"a path is not a name", `"../../etc"@mx.example`, "unknown"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			if got := show(t, table, c.address); !strings.HasPrefix(got+" ", c.want+" ") {
				t.Errorf("%s: %s, want %s", c.address, got, c.want)
			}
		})
	}
}

// parse reads an address of a test; a trailing @ leaves the domain empty.
func parse(t testing.TB, s string) address.Address {
	t.Helper()
	if local, ok := strings.CutSuffix(s, "@"); ok {
		return address.Address{Local: local}
	}
	a, err := address.Parse(s, true)
	if err != nil {
		t.Fatalf("parse %s: %v", s, err)
	}
	return a
}

// show is a target in one line.
func show(t testing.TB, table *route.Table, s string) string {
	t.Helper()
	got, err := table.Resolve(parse(t, s))
	if err != nil {
		return "error " + err.Error()
	}
	if len(got.Why) == 0 {
		t.Errorf("%s: no rule is given", s)
	}
	out := []string{got.Kind.String()}
	if got.Kind == route.Mailbox {
		out = append(out, got.User.Home)
	}
	if got.Ext != "" {
		out = append(out, "ext="+got.Ext)
	}
	slices.Sort(got.Members)
	out = append(out, got.Members...)
	if got.Owner != "" {
		out = append(out, "owner="+got.Owner)
	}
	if got.Relay {
		out = append(out, "relay")
	}
	return strings.Join(out, " ")
}
