package address

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		claim, in string
		utf8      bool
		want      Address
		err       error
	}{
		{"a mailbox", "ann@b.example", false, Address{"ann", "b.example"}, nil},
		{"the domain in lower case, the local part as it is", "Ann@B.Example", false, Address{"Ann", "b.example"}, nil},
		{"all of atext", "!#$%&'*+-/=?^_`{|}~@b", false, Address{"!#$%&'*+-/=?^_`{|}~", "b"}, nil},
		{"a quoted string is what it means", `"a b\"c\\"@b`, false, Address{`a b"c\`, "b"}, nil},
		{"quotes that were not needed", `"ann"@b`, false, Address{"ann", "b"}, nil},
		{"an at sign in quotes", `"a@c"@b`, false, Address{"a@c", "b"}, nil},
		{"two at signs", "a@c@b", false, Address{}, ErrDomain},
		{"no local part", "@b", false, Address{}, ErrSyntax},
		{"an empty quoted one", `""@b`, false, Address{}, ErrSyntax},
		{"no domain", "ann", false, Address{}, ErrSyntax},
		{"an empty domain", "ann@", false, Address{}, ErrDomain},
		{"a dot at the start", ".a@b", false, Address{}, ErrSyntax},
		{"a dot at the end", "a.@b", false, Address{}, ErrSyntax},
		{"two dots", "a..c@b", false, Address{}, ErrSyntax},
		{"a blank", "a c@b", false, Address{}, ErrSyntax},
		{"a control character", "a\tc@b", false, Address{}, ErrSyntax},
		{"one in quotes", "\"a\tc\"@b", false, Address{}, ErrSyntax},
		{"an open quote", `"a@b`, false, Address{}, ErrSyntax},
		{"text behind the quote", `"a"c@b`, false, Address{}, ErrSyntax},
		{"IPv4", "a@[192.0.2.1]", false, Address{"a", "[192.0.2.1]"}, nil},
		{"IPv6 has one spelling", "a@[ipv6:2001:DB8:0::1]", false, Address{"a", "[IPv6:2001:db8::1]"}, nil},
		{"IPv6 without its tag", "a@[2001:db8::1]", false, Address{}, ErrDomain},
		{"a literal of another kind", "a@[x:y]", false, Address{}, ErrDomain},
		{"a scope", "a@[IPv6:fe80::1%eth0]", false, Address{}, ErrDomain},
		{"a hyphen at the end", "a@b-.example", false, Address{}, ErrDomain},
		{"a U-label becomes an A-label", "a@MÜLLER.example", true, Address{"a", "xn--mller-kva.example"}, nil},
		{"which needs SMTPUTF8", "a@müller.example", false, Address{}, ErrUTF8},
		{"so does a local part", "ä@b", false, Address{}, ErrUTF8},
		{"UTF-8 in the local part", "ä@b", true, Address{"ä", "b"}, nil},
		{"a full-width dot is none", "a@b。example", true, Address{}, ErrDomain},
		{"an invisible character", "a\u200bb@b", true, Address{}, ErrSyntax},
	} {
		got, err := Parse(c.in, c.utf8)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: Parse(%q) = %+v, %v; want %+v, %v", c.claim, c.in, got, err, c.want, c.err)
		}
	}
}

func TestParsePath(t *testing.T) {
	for _, c := range []struct {
		claim, in string
		want      Address
		rest      string
		ok        bool
	}{
		{"null reverse-path is empty, not <>", "<> SIZE=1", Address{}, " SIZE=1", true},
		{"postmaster in any letters", "<POSTmaster>", Address{Local: "postmaster"}, "", true},
		{"a source route is dropped", "<@a.example,@b.example:ann@c.example>x", Address{"ann", "c.example"}, "x", true},
		{"a route of anything else is an error", "<@a b:ann@c.example>", Address{}, "", false},
		{"a route without its mailbox", "<@a.example>", Address{}, "", false},
		{"a bracket in quotes", `<"a>b"@c> X`, Address{"a>b", "c"}, " X", true},
		{"no brackets", "ann@c", Address{}, "", false},
		{"an open bracket", "<ann@c", Address{}, "", false},
	} {
		got, rest, err := ParsePath(c.in, false)
		if got != c.want || rest != c.rest && c.ok || (err == nil) != c.ok {
			t.Errorf("%s: ParsePath(%q) = %+v, %q, %v", c.claim, c.in, got, rest, err)
		}
	}
}

// Samples of RFC 3492 section 7.1, and some labels of the field.
func TestPunycode(t *testing.T) {
	for in, want := range map[string]string{
		"他们为什么不说中文":                       "ihqwcrb4cv8a8dqg056pqjye",
		"Pročprostěnemluvíčesky":          "Proprostnemluvesky-uyb24dma41a",
		"почемужеонинеговорятпорусски":    "b1abfaaepdrnnbgefbadotcwatmq2g4l",
		"3年B組金八先生":                        "3B-ww4c5e180e575a65lsy2b",
		"안녕하세요":                           "o70b841ad5c9qb763b",
		"MajiでKoiする5秒前":                   "MajiKoi5-783gue6qz075azm5e",
		"müller":                          "mller-kva",
		"bücher":                          "bcher-kva",
		"TạisaohọkhôngthểchỉnóitiếngViệt": "TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g",
	} {
		if got := punycode([]rune(in)); got != want {
			t.Errorf("punycode(%q) = %q, want %q", in, got, want)
		}
	}
}

// What is read and written again is the same address, and harmless.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"<>", "<ann@b.example>", `<"a \"b"@c.example>`, "<@a,@b:c@d>", "<Postmaster>", "<ü@ü.example>", "<a@[IPv6:::1]>", "<\"\"@a>"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, utf8 bool) {
		a, rest, err := ParsePath(s, utf8)
		if err != nil {
			return
		}
		if !strings.HasSuffix(s, rest) {
			t.Fatalf("%q leaves %q", s, rest)
		}
		again, rest, err := ParsePath("<"+a.String()+">", utf8)
		if err != nil || rest != "" || again != a {
			t.Fatalf("%q → %+v → %q → %+v, %q, %v", s, a, a.String(), again, rest, err)
		}
		for _, r := range a.String() {
			if r < ' ' || r == 0x7f || r == 0xfffd && !strings.Contains(s, "\ufffd") {
				t.Fatalf("%q holds %U", a.String(), r)
			}
		}
		if !utf8 && !a.ASCII() {
			t.Fatalf("%q is 8-bit without SMTPUTF8", a.String())
		}
		if len(a.Local) > MaxLocal || len(a.Domain) > MaxDomain {
			t.Fatalf("%q is too long", a.String())
		}
	})
}
