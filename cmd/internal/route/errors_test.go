package route_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/route"
	"rohrpost/cmd/internal/users"
	"rohrpost/protocol/address"
)

// with is host with some files changed; an empty text takes a file away.
func with(files map[string]string) map[string]string {
	all := maps.Clone(host)
	for name, text := range files {
		if all[name] = text; text == "" {
			delete(all, name)
		}
	}
	return all
}

// TestO04_BadListsStopALoad : a list of domains that cannot be understood stops
// a program before it greets.
func TestO04_BadListsStopALoad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ claim, file, text, want string }{
		{"two domains on one line", "locals", "a.example b.example\n", "locals:1: \"a.example b.example\" is not a domain"},
		{"a colon in locals", "locals", "\na.example:bob\n", "locals:2: \"a.example:bob\" has a colon"},
		{"an address in rcpthosts", "rcpthosts", "bob@a.example\n", "rcpthosts:1: \"bob@a.example\" is an address"},
		{"an empty domain", "rcpthosts", ".\n", "rcpthosts:1: \".\" is not a domain"},
		{"an address without prepend", "virtualdomains", "bob@a.example\n", "virtualdomains:1: \"bob@a.example\" is an address"},
		{"a path to prepend", "virtualdomains", "a.example:../x\n", "virtualdomains:1: \"../x\" cannot be prepended"},
		{"a NUL", "virtualdomains", "a.example\x00\n", "NUL"},
		{"two names of this host", "me", "a\nb\n", "me:2: me is one value"},
		{"no path of mail", "mail", "a\nb\n", "mail:2: mail is one value"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			_, err := route.Load(tree(t, with(map[string]string{c.file: c.text})), "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// TestO05_EmptyListsDeny : an empty list means nothing, not the default.
func TestO05_EmptyListsDeny(t *testing.T) {
	t.Parallel()
	table, err := route.Load(tree(t, with(map[string]string{"locals": "# nothing\n", "rcpthosts": "\n", "virtualdomains": "#\n"})), "/mail")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"bob@mx.example": "remote", "bob@backup.example": "remote", "ann@shop.example": "remote", "bob@localhost": "mailbox /mail/bob",
	} {
		if got := show(t, table, address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestO05_MissingFilesOpenNoRelay(t *testing.T) {
	t.Parallel()
	table, err := route.Load(control.Dir{Path: t.TempDir() + "/none"}, "/mail")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"bob@far.example": "remote", "bob@localhost": "error ", "postmaster@localhost": "error ",
	} {
		if got := show(t, table, address); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestO04_DirectoryThatWasNamedMustExist(t *testing.T) {
	t.Parallel()
	_, err := route.Load(control.Open(t.TempDir()+"/typo"), "/mail")
	if err == nil || !strings.Contains(err.Error(), "/typo: does not exist; mend --etc or ROHRPOST_ETC") {
		t.Errorf("got %v", err)
	}
}

// What an alias can have wrong. DIR is the configuration directory.
var wrongAliases = []struct{ claim, aliases, want string }{
	{"a program", "bob: |/bin/sh\n", "aliases:1: |/bin/sh is a program"},
	{"a quoted program", "x: y\nbob: \"|sh -c x\"\n", "aliases:2: |sh -c x is a program"},
	{"a file", "bob: /etc/passwd\n", "aliases:1: /etc/passwd is a file"},
	{"another word", "bob: :fail:\n", "aliases:1: :fail: is not known"},
	{"no member", "bob:\n", "aliases:1: alias bob has no members"},
	{"no colon", "bob carl\n", "aliases:1: \"bob carl\" has no colon"},
	{"a line that continues nothing", " carl\n", "aliases:1: the line continues nothing"},
	{"an open quote", "bob: \"carl\n", "aliases:1: a quoted string has no end"},
	{"a member that is no address", "bob: a b\n", `aliases:1: "a b": address is malformed`},
	{"a last line that is torn", "bob: carl@far.exam", "aliases:1: the last line has no end"},
	{"two that lead to each other", "bob: carl\ncarl: bob\n", "lead to each other"},
	{"two with owners that lead to each other", "bob: carl\ncarl: bob\nowner-bob: x@y.z\nowner-carl: x@y.z\n", "lead to each other"},
	{"a chain without end", chain(12), "leads through more than 10"},
	{"an include that is not there", "bob: :include:/nonexistent/list\n", "aliases:1: /nonexistent/list: file does not exist"},
	{"an include that is relative", "bob: :include:list\n", "aliases:1: \"list\" is not an absolute path"},
	{"an include that includes", "bob: :include:DIR/nested\n", "nested:1: an included file includes another"},
	{"an include with a program", "bob: :include:DIR/program\n", "program:2: |x is a program"},
	{"an include that everybody may write", "bob: :include:DIR/open\n", "open: can be written by everybody"},
	{"an include that is a directory", "bob: :include:DIR\n", "is not a regular file"},
	{"a line without end", "bob: " + strings.Repeat("x", control.MaxLine), "aliases:1: is longer than"},
	{"an entry without end", "bob: x\n" + strings.Repeat(" "+strings.Repeat("x", 8000)+"\n", 40), "is longer than 262144 bytes"},
}

// chain is bob leading through n aliases.
func chain(n int) string {
	s := "bob: a0\n"
	for i := range n {
		s += fmt.Sprintf("a%d: a%d\n", i, i+1)
	}
	return s
}

func TestWrongAliasesDelayMail(t *testing.T) {
	t.Parallel()
	for _, c := range wrongAliases {
		t.Run(c.claim, func(t *testing.T) {
			etc := tree(t, with(map[string]string{"nested": ":include:/x\n", "program": "carl\n|x\n", "open": "carl\n"}))
			os.Chmod(etc.File("open"), 0o666)
			text := strings.ReplaceAll(c.aliases, "DIR", etc.Path)
			if err := os.WriteFile(etc.File("aliases"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			table, err := route.Load(etc, "/mail")
			if err != nil {
				t.Fatal(err)
			}
			_, err = table.Resolve(address.Address{Local: "bob", Domain: "mx.example"})
			var ce *control.Error
			if !errors.As(err, &ce) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if ce != nil && ce.Remedy == "" {
				t.Errorf("%v names no remedy", err)
			}
		})
	}
}

func TestIncludeNamesAddresses(t *testing.T) {
	t.Parallel()
	etc := tree(t, with(map[string]string{"list": "# friends\nbob, x@far.example\r\n\n  \"z z\"@far.example\n", "aliases": ""}))
	os.WriteFile(etc.File("aliases"), []byte("club: carl@far.example, :include:"+etc.File("list")+", bob\n"), 0o644)
	table, err := route.Load(etc, "/mail")
	if err != nil {
		t.Fatal(err)
	}
	want := `alias "z z"@far.example bob@mx.example carl@far.example x@far.example`
	if got := show(t, table, "club@mx.example"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A table that lives long follows each change of its files at once.
func TestTableFollowsChanges(t *testing.T) {
	t.Parallel()
	etc := tree(t, map[string]string{"me": "mx.example\n"})
	table, err := route.Load(etc, "/mail")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, text, address, want string }{
		{"users", "eve:x\n", "bob@mx.example", "unknown"},
		{"users", "bob:x\n", "bob@mx.example", "mailbox /mail/bob"},
		{"aliases", "bob: a@far.example\n", "bob@mx.example", "alias a@far.example"},
		{"aliases", "bob: b@far.example\n", "bob@mx.example", "alias b@far.example"},
		{"virtualdomains", "a.example\n", "bob@a.example", "unknown"},
		{"virtualdomains", "b.example\n", "bob@a.example", "remote"},
		{"me", "new.example\n", "eve@new.example", "unknown"},
		{"locals", "a.example\n", "bob@a.example", "alias b@far.example"},
		{"rcpthosts", "c.example\n", "bob@c.example", "remote relay"},
	} {
		if c.text != "" {
			if err := os.WriteFile(etc.File(c.file), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := show(t, table, c.address); got != c.want {
			t.Errorf("after %s: %s, want %s", c.text, got, c.want)
		}
	}
}

func TestPromisedNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ claim, users, aliases, address, want string }{
		{"nobody has them", "", "", "abuse@shop.example", "mailbox /mail/postmaster"},
		{"an alias of this host stands in for a virtual domain", "", "postmaster: bob@far.example\n", "postmaster@shop.example", "alias bob@far.example"},
		{"abuse follows postmaster's alias", "", "postmaster: bob@far.example\n", "abuse@mx.example", "alias bob@far.example"},
		{"a user of the virtual domain comes first", "postmaster@shop.example:x\n", "postmaster: bob@far.example\n", "postmaster@shop.example", "mailbox /mail/shop.example/postmaster"},
		{"the user abuse comes before postmaster's alias", "abuse:x\n", "postmaster: bob@far.example\n", "abuse@mx.example", "mailbox /mail/abuse"},
		{"the user postmaster serves all domains", "postmaster:x::::/pm\n", "", "ABUSE@shop.example", "mailbox /pm"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			table, err := route.Load(tree(t, with(map[string]string{"users": c.users + "#\n", "aliases": c.aliases})), "/mail")
			if err != nil {
				t.Fatal(err)
			}
			if got := show(t, table, c.address); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	table, err := route.Load(tree(t, host), "/mail")
	if err != nil {
		t.Fatal(err)
	}
	for login, want := range map[string]string{
		"bob": "bob", "BOB@mx.example": "bob", "bob@localhost": "bob", "bob@example.org": "bob", "ann@shop.example": "ann@shop.example",
		"bob@shop.example": "", "ann": "", "bob@far.example": "", "": "", "@": "", "bob+x": "", "#dora": "",
	} {
		u, ok, err := table.Login(login)
		if u.Name != want || ok != (want != "") || err != nil {
			t.Errorf("%q is %q, %v, %v; want %q", login, u.Name, ok, err, want)
		}
	}
}

// FuzzResolve checks that no address and no files lead out of the mail
// directory, that what is found is what was asked for, and that each member is
// an address that can be resolved again and is then no alias without an owner.
func FuzzResolve(f *testing.F) {
	f.Add("bob", "mx.example", host["users"], host["aliases"], host["virtualdomains"])
	f.Add("../..", "shop.example", "../..@shop.example:x\n", "", "shop.example\n")
	f.Add("a/b", "..", "a/b:x\n", "a: \\../x\n", "..\n")
	f.Add(".x", "shop.example", ".x@shop.example:x\n", "", "shop.example\n")
	f.Add("a%d-b", "v", "a%d:x\n", "a: b\nb: a, c\n", "v:a\n")
	for _, c := range wrongAliases[:12] {
		f.Add("bob", "localhost", "bob:x\n", c.aliases, "")
	}
	f.Fuzz(func(t *testing.T, local, domain, people, aliases, virtual string) {
		if strings.Contains(aliases, "include") {
			return // no file outside is the fuzzer's business
		}
		table, err := route.Load(tree(t, map[string]string{"me": "mx.example\n", "users": people, "aliases": aliases, "virtualdomains": virtual}), "/mail")
		if err != nil {
			return
		}
		target, err := table.Resolve(address.Address{Local: local, Domain: domain})
		if err != nil {
			return
		}
		checkHome(t, target, people)
		for _, m := range target.Members {
			a, err := address.Parse(m, true)
			if err != nil {
				if errors.Is(err, address.ErrTooBig) {
					continue // a backslash made it too long
				}
				t.Fatalf("member %q: %v", m, err)
			}
			again, err := table.Resolve(a)
			if err == nil && again.Kind == route.Alias && again.Owner == "" {
				t.Errorf("member %q of %q is an alias still: %q", m, local, again.Members)
			}
		}
	})
}

// checkHome wants a home below the mail directory, of the name in users alone,
// unless users gives another.
func checkHome(t *testing.T, target route.Target, text string) {
	if target.Kind != route.Mailbox {
		return
	}
	def := users.DefaultHome("/mail", target.User.Name)
	if !strings.HasPrefix(def, "/mail/") || strings.Contains(def, "/.") {
		t.Errorf("%q lives in %q", target.User.Name, def)
	}
	if target.User.Home != def && !strings.Contains(text, ":/") {
		t.Errorf("%q lives in %q, not in %q", target.User.Name, target.User.Home, def)
	}
}
