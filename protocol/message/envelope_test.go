package message

import (
	"fmt"
	"strings"
	"testing"
)

func TestEnvelope(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, header, want string }{
		{"RFC 9051 section 7.5.2: absent fields are NIL", "", `(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)`},
		{"RFC 9051 section 7.5.2: empty texts are empty strings, empty lists NIL",
			"Date:\nSubject: \nFrom:\nTo: ,\nIn-Reply-To:\nMessage-ID:\n", `("" "" NIL NIL NIL NIL NIL NIL "" "")`},
		{"RFC 9051 section 7.5.2: Sender and Reply-To default to From",
			"From: a@b\nSender: \nTo: c@d\n", `(NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "c" "d")) NIL NIL NIL NIL)`},
		{"all fields", "Date: Mon\nSubject: s\nFrom: a@b\nSender: c@d\nReply-To: e@f\nTo: g@h\nCc: i@j\nBcc: k@l\nIn-Reply-To: <m>\nMessage-ID: <n>\n",
			`("Mon" "s" ((NIL NIL "a" "b")) ((NIL NIL "c" "d")) ((NIL NIL "e" "f")) ((NIL NIL "g" "h")) ((NIL NIL "i" "j")) ((NIL NIL "k" "l")) "<m>" "<n>")`},
		{"X02 of two fields the first counts", "Subject: a\nSubject: b\n", `(NIL "a" NIL NIL NIL NIL NIL NIL NIL NIL)`},
		{"folded lines are unfolded", "Subject: a\r\n\tb\r\n c\r\n", "(NIL \"a\tb c\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"quotes and backslashes are escaped", "Subject: a \"b\\c\"\n", `(NIL "a \"b\\c\"" NIL NIL NIL NIL NIL NIL NIL NIL)`},
		{"8-bit text is a literal", "Subject: Gr\xc3\xbc\xc3\x9fe\n", "(NIL {7}\r\nGr\xc3\xbc\xc3\x9fe NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"so is a bare CR", "Subject: a\rb\n", "(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"NUL is dropped", "Subject: a\x00b\nDate: a\r\x00b", "({3}\r\na\rb \"ab\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"X05 encoded words stay", "Subject: =?x?q?a?=\n", `(NIL "=?x?q?a?=" NIL NIL NIL NIL NIL NIL NIL NIL)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := scanned(t, tt.header)
			if got := string(tree.AppendEnvelope(nil, 0, false)); got != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestEnvelopeWithUTF8(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]string{
		"Gr\xc3\xbc\xc3\x9fe": "\"Gr\xc3\xbc\xc3\x9fe\"",
		"Gr\xfc\xdfe":         "{5}\r\nGr\xfc\xdfe", // RFC 9051 section 4.3: a quoted string is valid UTF-8
		"plain":               `"plain"`,
	} {
		got := string(scanned(t, "Subject: "+subject+"\n").AppendEnvelope(nil, 0, true))
		if want = "(NIL " + want + " NIL NIL NIL NIL NIL NIL NIL NIL)"; got != want {
			t.Errorf("%q: %q, want %q", subject, got, want)
		}
	}
}

// listed writes the entries of a field down: name<@route:mailbox|host>, with
// braces around a group.
func listed(value string) string {
	var a Addresses
	a.Reset([]byte("x@y (z)"))
	a.Next()
	a.Reset([]byte(value))
	var out []string
	for {
		e, ok := a.Next()
		switch {
		case !ok:
			return strings.Join(out, " ")
		case e.Kind == GroupStart:
			out = append(out, string(e.Name)+"{")
		case e.Kind == GroupEnd:
			out = append(out, "}")
		default:
			route := ""
			if len(e.Route) > 0 {
				route = string(e.Route) + ":"
			}
			out = append(out, fmt.Sprintf("%s<%s%s|%s>", e.Name, route, e.Mailbox, e.Host))
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"an address", "a@b", "<a|b>"},
		{"several", "a@b, c@d,e@f", "<a|b> <c|d> <e|f>"},
		{"a display name", "John Q. Public <j@x>", "John Q. Public<j|x>"},
		{"a quoted one, escapes undone", `"Public, \"John\" Q." <j@x>`, `Public, "John" Q.<j|x>`},
		{"quoted and not", `"A B" C <j@x>`, "A B C<j|x>"},
		{"blanks within quotes stay, others are one", "\"A  B\"   C <j@x>", "A  B C<j|x>"},
		{"encoded words stay", "=?utf-8?q?J=C3=B6rg?= <j@x>", "=?utf-8?q?J=C3=B6rg?=<j|x>"},
		{"8-bit names stay", "J\xf6rg <j@x>", "J\xf6rg<j|x>"},
		{"no name at all", "<a@b>", "<a|b>"},
		{"RFC 9051 section 7.5.2: a local part loses its quotes", `"a\"b c"@d`, `<a"b c|d>`},
		{"a comment behind is the name of old", "a@b (John \\) (x) Doe)", "John ) (x) Doe<a|b>"},
		{"and behind brackets", "<a@b> (John)", "John<a|b>"},
		{"but a display name goes before", "Doe (x) <a@b> (y)", "Doe<a|b>"},
		{"comments within an address are nothing", "a(x)@(y)b(z).c", "z<a|b.c>"},
		{"RFC 5322 section 4.4: blanks around dots", "a . b@c . d", "<a.b|c.d>"},
		{"RFC 5322 section 4.4: a route", "<@x,@y:a@b>", "<@x,@y:a|b>"},
		{"an address literal", "a@[192.0.2.1], b@[IPv6:::1]", "<a|[192.0.2.1]> <b|[IPv6:::1]>"},
		{"RFC 9051 section 7.5.2: a group", "Team: a@b, C <c@d>; e@f", "Team{ <a|b> C<c|d> } <e|f>"},
		{"an empty group", "Undisclosed recipients:;", "Undisclosed recipients{ }"},
		{"a group that is not closed", "Team: a@b", "Team{ <a|b> }"},
		{"a group without a name", ": a@b;", "{ <a|b> }"},
		{"a group in a group is none", "A: B: c@d;", "A{ <B: c|d> }"},
		{"a semicolon that closes nothing parts addresses", "a@b; c@d", "<a|b> <c|d>"},
		{"an address as a name", "a@b <c@d>", "a@b<c|d>"},
		{"one in a longer name", "a@b via List <c@d>", "a@b via List<c|d>"},
		{"a missing comma", "A <a@b> C <c@d>", "A<a|b> C<c|d>"},
		{"empty entries are none", ",, a@b,,", "<a|b>"},
		{"no domain", "postmaster, Joe <root>", "<postmaster|> Joe<root|>"},
		{"no local part", "@b, <@c>", "<|b> <|c>"},
		{"nothing in brackets", "Joe <>", "Joe<|>"},
		{"brackets not closed", "A <a@b, c@d", "A<a|b> <c|d>"},
		{"brackets not opened", "a@b>, c@d", "<a|b> <c|d>"},
		{"two at signs", "<a@b@c>", "<a|b>"},
		{"a quote not closed is a letter", `"Joe <a@b>, c@d`, `"Joe<a|b> <c|d>`},
		{"a comment not closed", "a@b (Joe, c@d", "Joe, c@d<a|b>"},
		{"a literal not closed", "a@[1.2, c@d", "<a|[1.2> <c|d>"},
		{"a backslash at the end", "\"a\\", "<\"a\\|>"},
		{"a comment alone", "(x)", ""},
		{"nothing", " ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := listed(tt.in); got != tt.want {
				t.Errorf("%q:\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestI17Envelopes(t *testing.T) {
	t.Parallel()
	const n = 100_000
	for _, tt := range []struct {
		name, header string
		most         int // bytes
	}{
		{"10^5 address fields", strings.Repeat("To: a@b\n", n), 1 << 10},
		{"10^5 addresses", "To: " + strings.Repeat("a@b,", n) + "\n", 400 << 10},
		{"10^5 commas", "To: " + strings.Repeat("a,", n) + "\n", 400 << 10},
		{"10^5 groups", "To: " + strings.Repeat("a:;", n) + "\n", 400 << 10},
		{"in a group without end", "To: a:" + strings.Repeat("a,", n) + "\n", 400 << 10},
		{"nested comments", "To: " + strings.Repeat("(", n) + "\n", 1 << 10},
		{"closed ones", "To: a@b " + strings.Repeat("(", n) + strings.Repeat(")", n) + "\n", 80 << 10},
		{"an unclosed quote", "To: \"" + strings.Repeat("\\\"", n) + "\n", 140 << 10},
		{"many of them", "To: " + strings.Repeat("\"a\\\",", n) + "\n", 400 << 10},
		{"brackets without end", "To: " + strings.Repeat("<", n) + "\n", 400 << 10},
		{"routes without end", "To: " + strings.Repeat("<@", n) + "\n", 400 << 10},
		{"at signs", "To: " + strings.Repeat("@", n) + "\n", 80 << 10},
		{"a domain literal of 256 KB", "To: a@[" + strings.Repeat("1", 256<<10) + "]\n", 80 << 10},
		{"all fields full", func() (s string) {
			for _, f := range []string{"From", "Sender", "Reply-To", "To", "Cc", "Bcc"} {
				s += f + ": " + strings.Repeat("a,", n) + "\n"
			}
			return s
		}(), 400 << 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := scanned(t, tt.header)
			got := tree.AppendEnvelope(nil, 0, false)
			if len(got) > tt.most {
				t.Errorf("%d bytes", len(got))
			}
			parseEnvelope(t, mustParse(t, got))
		})
	}
}

func TestI17AddressesAllocateNothing(t *testing.T) {
	value := []byte(strings.Repeat(`"A \" B" <a@b> (c), Team: d@e, @f,<@g:h@i>;`, 1000))
	var a Addresses
	all := func() {
		a.Reset(value)
		for _, ok := a.Next(); ok; _, ok = a.Next() {
		}
	}
	all()
	if n := testing.AllocsPerRun(4, all); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add("From: \"A\" <a@b> (c), Team: d@e;\nTo: <@x:y@z>, (\"\nSubject: \xff\r\x00\n", true)
	f.Add("To: a . b @ [c, d\nCc: <\nBcc: :;,@\n", false)
	f.Fuzz(func(t *testing.T, header string, utf8 bool) {
		tree := scanned(t, header)
		got := tree.AppendEnvelope(nil, 0, utf8)
		parseEnvelope(t, mustParse(t, got))
	})
}
