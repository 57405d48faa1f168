package queue

import (
	"strings"
	"testing"
	"time"
)

func TestEntryNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		claim, name string
		want        Entry
		ok          bool
	}{
		{"an entry not expanded, in new", "1.M2.mx,D=a.example,T=5,A=0", Entry{ID: "1.M2.mx", Domain: "a.example", Next: time.Unix(5, 0)}, true},
		{"a recipient with all fields", "1.mx,R=7,D=a.b,T=5,A=3,N=d:2,", Entry{ID: "1.mx", R: 7, Domain: "a.b", Next: time.Unix(5, 0), Tries: 3, DelaySent: true}, true},
		{"F is held, other flags are a reader's", "1.mx,D=a,T=5,A=0:2,FRS", Entry{ID: "1.mx", Domain: "a", Next: time.Unix(5, 0), Held: true}, true},
		{"T is cancelled", "1.mx,D=a,T=5,A=0:2,ST", Entry{ID: "1.mx", Domain: "a", Next: time.Unix(5, 0), Cancelled: true}, true},
		{"a hashed domain", "1.mx,D=#af63,T=5,A=0:2,", Entry{ID: "1.mx", Domain: "#af63", Next: time.Unix(5, 0)}, true},
		{"no fields", "1.mx", Entry{}, false},
		{"a message of a Maildir", "1.mx,S=5,W=6:2,S", Entry{}, false},
		{"no time", "1.mx,D=a,A=0", Entry{}, false},
		{"fields in another order", "1.mx,T=5,D=a,A=0", Entry{}, false},
		{"a number with a leading zero", "1.mx,D=a,T=05,A=0", Entry{}, false},
		{"a negative number", "1.mx,D=a,T=-5,A=0", Entry{}, false},
		{"a number beyond all bounds", "1.mx,D=a,T=99999999999999999999,A=0", Entry{}, false},
		{"recipient 0", "1.mx,R=0,D=a,T=5,A=0", Entry{}, false},
		{"recipient beyond the bound", "1.mx,R=20001,D=a,T=5,A=0", Entry{}, false},
		{"junk behind the fields", "1.mx,D=a,T=5,A=0,X=1", Entry{}, false},
		{"an unknown note", "1.mx,D=a,T=5,A=0,N=x", Entry{}, false},
		{"another info", "1.mx,D=a,T=5,A=0:1,", Entry{}, false},
		{"hidden", ".1.mx,D=a,T=5,A=0", Entry{}, false},
		{"no ID", ",D=a,T=5,A=0", Entry{}, false},
		{"longer than any name", strings.Repeat("x", 250) + ",D=a,T=5,A=0", Entry{}, false},
	} {
		got, ok := ParseName(c.name, InCur)
		if ok != c.ok {
			t.Errorf("%s: %q: ok is %t", c.claim, c.name, ok)
			continue
		}
		got.name, got.flags, got.where = "", "", 0
		if ok && got != c.want {
			t.Errorf("%s: %q is %+v", c.claim, c.name, got)
		}
	}
}

func TestLongestEntryFitsIntoAName(t *testing.T) {
	t.Parallel()
	e := Entry{ID: strings.Repeat("i", maxID), R: MaxRecipients, Domain: strings.Repeat("d", maxDomain),
		Next: time.Unix(99_999_999_999, 0), Tries: 999_999, DelaySent: true}
	if name := e.curName("DFPRST"); len(name) > 255 {
		t.Errorf("%d bytes", len(name))
	} else if _, ok := ParseName(name, InCur); !ok {
		t.Errorf("%q cannot be read again", name)
	}
}

func TestDomainField(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"bob@Example.NET":                    "example.net",
		`"a@b"@x.example`:                    "x.example",
		"bob@xn--bcher-kva.example":          "xn--bcher-kva.example",
		"bob@[192.0.2.1]":                    "#",
		"postmaster":                         "postmaster",
		"bob@" + strings.Repeat("long.", 20): "#",
	} {
		got := domainField(address)
		if want == "#" {
			// Which hash it is does not matter, only that it is one, and the same
			// in any case of letters.
			if !strings.HasPrefix(got, "#") || got != domainField(strings.ToUpper(address)) {
				t.Errorf("%s: %q", address, got)
			}
		} else if got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
		if strings.ContainsAny(got, ",:/") {
			t.Errorf("%s: %q breaks the name", address, got)
		}
	}
}

func TestSetFlagKeepsOthersInOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flags string
		on    bool
		want  string
	}{{"", true, "F"}, {"DS", true, "DFS"}, {"S", true, "FS"}, {"F", true, "F"}, {"FS", false, "S"}, {"S", false, "S"}, {"D", true, "DF"}} {
		e := Entry{flags: c.flags}
		if e.setFlag('F', c.on); e.flags != c.want {
			t.Errorf("%q %t: %q, want %q", c.flags, c.on, e.flags, c.want)
		}
	}
}

func TestDerivedIDs(t *testing.T) {
	t.Parallel()
	const id = "1767323045.M5P77Q1R0f.mx"
	d := Derive(id, Bounce, 12)
	if d != id+".B12" {
		t.Errorf("derived %q", d)
	}
	parent, kind, n, ok := Underive(d)
	if !ok || parent != id || kind != Bounce || n != 12 {
		t.Errorf("%q is %q %c %d %t", d, parent, kind, n, ok)
	}
	for _, plain := range []string{id, "1.mx.b2", "1.mx.B0", "1.mx.B", "1.mx.X2", ".B2", "B2", "1.mx.B2x"} {
		if _, _, _, ok := Underive(plain); ok {
			t.Errorf("%q counts as derived", plain)
		}
	}
	long := strings.Repeat("x", maxID-2)
	if a, b := Derive(long, Bounce, 1), Derive(long+"y", Bounce, 1); a == b || !validID(a) || a != Derive(long, Bounce, 1) {
		t.Errorf("long IDs derive %q and %q", a, b)
	}
}

func FuzzName(f *testing.F) {
	f.Add("1.mx,R=7,D=a.b,T=5,A=3,N=d:2,FS")
	f.Add("1.mx,D=#1,T=0,A=0")
	f.Add("1.mx,D=a,T=5,A=0:2,:2,")
	f.Fuzz(func(t *testing.T, s string) {
		e, ok := ParseName(s, InCur)
		if !ok {
			return
		}
		name := e.curName(e.flags)
		if !strings.Contains(s, ":") {
			name = strings.TrimSuffix(name, ":2,")
		}
		if name != s {
			t.Fatalf("%q reads as %+v, which is %q", s, e, name)
		}
	})
}
