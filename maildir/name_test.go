package maildir_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir"
)

func TestI44_NamesOfEveryKindAreTakenApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about, name string
		want        maildir.Name
	}{
		{"ours", "1.M2P3Q4R5.mx,S=10,W=12:2,FS", maildir.Name{Base: "1.M2P3Q4R5.mx", Fields: ",S=10,W=12", Info: ":2,FS", Size: 10, WireSize: 12, Flags: maildir.Flagged | maildir.Seen}},
		{"flags in any order", "a:2,SZRS", maildir.Name{Base: "a", Info: ":2,SZRS", Size: -1, WireSize: -1, Flags: maildir.Seen | maildir.Replied}},
		{"no flags", "a:2,", maildir.Name{Base: "a", Info: ":2,", Size: -1, WireSize: -1}},
		{"an experimental info", "a:1,S", maildir.Name{Base: "a", Info: ":1,S", Size: -1, WireSize: -1}},
		{"no info", "a,S=5", maildir.Name{Base: "a", Fields: ",S=5", Size: 5, WireSize: -1}},
		{"info twice", "a:2,S:2,F", maildir.Name{Base: "a", Info: ":2,S:2,F", Size: -1, WireSize: -1, Flags: maildir.Seen}},
		{"keywords, and a field behind the flags", "a:2,Sbz,X=S", maildir.Name{Base: "a", Info: ":2,Sbz,X=S", Size: -1, WireSize: -1, Flags: maildir.Seen | maildir.Keyword(1) | maildir.Keyword(25)}},
		{"others' fields", "a,U=7,FMD5=ab12,W=3", maildir.Name{Base: "a", Fields: ",U=7,FMD5=ab12,W=3", Size: -1, WireSize: 3}},
		{"a comma that begins no field", "a,1,S=4", maildir.Name{Base: "a,1", Fields: ",S=4", Size: 4, WireSize: -1}},
		{"the first field of a kind counts", "a,S=1,S=2", maildir.Name{Base: "a", Fields: ",S=1,S=2", Size: 1, WireSize: -1}},
		{"a size that is none", "a,S=-5,W=x", maildir.Name{Base: "a", Fields: ",S=-5,W=x", Size: -1, WireSize: -1}},
		{"a size too large", "a,S=99999999999999999999", maildir.Name{Base: "a", Fields: ",S=99999999999999999999", Size: -1, WireSize: -1}},
		{"a field behind the colon", "a:2,S,S=5", maildir.Name{Base: "a", Info: ":2,S,S=5", Size: -1, WireSize: -1, Flags: maildir.Seen}},
		{"a base is never empty", ":2,S", maildir.Name{Base: ":2,S", Size: -1, WireSize: -1}},
		{"nor without a name before fields", ",S=5", maildir.Name{Base: ",S=5", Size: -1, WireSize: -1}},
		{"bytes that are no text", "\xff\n-,S=1", maildir.Name{Base: "\xff\n-", Fields: ",S=1", Size: 1, WireSize: -1}},
		{"nothing", "", maildir.Name{Size: -1, WireSize: -1}},
	} {
		if got := maildir.ParseName(c.name); got != c.want {
			t.Errorf("%s: %q is\n%+v, want\n%+v", c.about, c.name, got, c.want)
		}
	}
}

func TestFlagsAreSetAndWhatIsNotOursStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about, name string
		flags       maildir.Flags
		want        string
	}{
		{"from new", "a,S=1", maildir.Seen, "a,S=1:2,S"},
		{"in ASCII order", "a:2,", maildir.Trashed | maildir.Draft | maildir.Keyword(0) | maildir.Passed, "a:2,DPTa"},
		{"none left", "a:2,FS", 0, "a:2,"},
		{"foreign letters stay in order", "a:2,QSZ1", maildir.Replied, "a:2,1QRZ"},
		{"foreign bytes stay together", "a:2,Sé", maildir.Draft, "a:2,Dé"},
		{"fields behind the flags stay", "a:2,S,X=S,y", maildir.Draft, "a:2,D,X=S,y"},
		{"letters that stand twice", "a:2,SSQQ", maildir.Seen, "a:2,QS"},
	} {
		n := maildir.ParseName(c.name).WithFlags(c.flags)
		if n.String() != c.want || n.Flags != c.flags {
			t.Errorf("%s: %q with %v is %q with %v, want %q", c.about, c.name, c.flags, n, n.Flags, c.want)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"1.M2P3.mx,S=10,W=12:2,FS", "a:2,S:2,é", ",S=", "a,=,b=:1,", ":2,", "a,S=1,W=2,U=3:2,Sab,X"} {
		f.Add(s, uint32(maildir.Seen|maildir.Keyword(3)))
	}
	f.Fuzz(func(t *testing.T, s string, bits uint32) {
		n := maildir.ParseName(s)
		if n.String() != s || s != "" && n.Base == "" {
			t.Fatalf("%q comes back as %q, base %q", s, n, n.Base)
		}
		if base := maildir.BaseOf([]byte(s)); string(base) != n.Base {
			t.Fatalf("%q has base %q, and by itself %q", s, n.Base, base)
		}
		flags := maildir.Flags(bits)
		if again := maildir.ParseFlags(flags.String()); again != flags || !slices.IsSorted([]byte(flags.String())) {
			t.Fatalf("flags %q come back as %q", flags, again)
		}
		if n.Base == "" || strings.HasPrefix(n.Base, ":") || strings.HasPrefix(n.Base, ",") {
			return // no name that anybody would set flags in
		}
		set := n.WithFlags(flags)
		again := maildir.ParseName(set.String())
		if again != set {
			t.Fatalf("%q with %q is %+v, and read again %+v", s, flags, set, again)
		}
		if twice := again.WithFlags(flags); twice != again {
			t.Fatalf("%q set twice is %q", again, twice)
		}
		if again.Base != n.Base || again.Fields != n.Fields {
			t.Fatalf("%q became %q", n, again)
		}
	})
}

// namer is a Namer that nothing outside the test decides about.
func namer(host string, now ...time.Time) *maildir.Namer {
	i := 0
	return &maildir.Namer{Host: host, PID: 77, Rand: zeros{}, Now: func() time.Time {
		i++
		return now[min(i, len(now))-1]
	}}
}

// zeros is a source of no randomness at all.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func next(t *testing.T, n *maildir.Namer) string {
	t.Helper()
	s, err := n.Next()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNameIsTimePidCounterRandomAndHost(t *testing.T) {
	t.Parallel()
	n := &maildir.Namer{
		Now:  func() time.Time { return time.Unix(1700000000, 42_000) },
		Host: "MX.example.org", PID: 77,
		Rand: bytes.NewReader([]byte{0, 1, 2, 3, 4, 5, 6, 0xff}),
	}
	if got, want := next(t, n), "1700000000.M000042P77Q1R00010203040506ff.mx.example.org"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if _, err := n.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("without random bits: %v", err)
	}
}

func TestD20_HostIsEscapedAndTheNameStaysShort(t *testing.T) {
	t.Parallel()
	now := time.Unix(1<<40, 0)
	for host, want := range map[string]string{
		"":                       "localhost",
		"a/b":                    `a\057b`,
		"a:b":                    `a\072b`,
		"a,S=5":                  `a\054s=5`,
		`a\b`:                    `a\134b`,
		"a b\n\x7f\xff":          `a\040b\012\177\377`,
		"../..":                  `..\057..`,
		strings.Repeat("x", 255): strings.Repeat("x", 60),
		strings.Repeat("/", 255): strings.Repeat(`\057`, 15),
	} {
		n := namer(host, now)
		n.PID = 1 << 22
		name := next(t, n)
		if _, got, _ := strings.Cut(name[strings.Index(name, "R"):], "."); got != want {
			t.Errorf("host %q is %q, want %q", host, got, want)
		}
		full := name + ",S=9223372036854775807,W=9223372036854775807:2,DFPRSTabcdefghijklmnopqrstuvwxyz"
		if len(full) > 255 {
			t.Errorf("host %q: name of %d bytes", host, len(full))
		}
		if got := maildir.ParseName(name); got.Base != name {
			t.Errorf("host %q: base of %q is %q", host, name, got.Base)
		}
	}
}

func TestD19_D21_NamesDifferAndAscendWhateverTheClockSays(t *testing.T) {
	t.Parallel()
	at := time.Unix(1700000000, 999_999_000)
	n := namer("mx", at, at, at.Add(-time.Hour), time.Unix(0, 0), time.Unix(-5, 0), at.Add(time.Second))
	var last string
	for range 8 {
		name := next(t, n)
		if strings.ToLower(name) <= strings.ToLower(last) {
			t.Errorf("%q follows %q", name, last)
		}
		last = name
	}
	early := namer("mx", time.Unix(-5, 0), time.Unix(-5, 0))
	a, b := next(t, early), next(t, early)
	for _, name := range []string{a, b} {
		if !regexp.MustCompile(`^0\.M00000[12]P`).MatchString(name) {
			t.Errorf("before 1970: %q", name)
		}
	}
	if a == b {
		t.Error("the same name twice")
	}
}

func TestD19_RandomBitsTellApartWhatTimePidAndCounterDoNot(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	a, b := namer("mx", now), namer("mx", now)
	a.Rand, b.Rand = maildir.SystemNamer().Rand, maildir.SystemNamer().Rand
	if x, y := next(t, a), next(t, b); x == y {
		t.Errorf("two processes made %q", x)
	}
}
