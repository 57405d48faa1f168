package message

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// value is what IMAP syntax says: a list, a string, a number, or NIL.
type value struct {
	list   []value
	isList bool
	text   string
	isText bool
	number bool
}

func (v value) isNil() bool { return !v.isList && !v.isText && !v.number }

// mustParse reads one value of IMAP syntax (RFC 9051 section 9), which must be
// all there is.
func mustParse(t testing.TB, s []byte) value {
	t.Helper()
	p := imapParser{t: t, s: string(s)}
	v := p.value()
	if p.s != "" {
		t.Fatalf("behind the value: %q", p.s)
	}
	return v
}

type imapParser struct {
	t testing.TB
	s string
}

func (p *imapParser) value() value {
	p.t.Helper()
	switch {
	case strings.HasPrefix(p.s, "NIL"):
		p.s = p.s[3:]
		return value{}
	case strings.HasPrefix(p.s, "("):
		return p.listValue()
	case strings.HasPrefix(p.s, `"`):
		return p.quoted()
	case strings.HasPrefix(p.s, "{"):
		head, rest, ok := strings.Cut(p.s[1:], "}\r\n")
		n, err := strconv.Atoi(head)
		if !ok || err != nil || n > len(rest) || strings.Contains(rest[:n], "\x00") {
			p.t.Fatalf("bad literal: %.50q", p.s)
		}
		p.s = rest[n:]
		return value{isText: true, text: rest[:n]}
	}
	n := 0
	for n < len(p.s) && '0' <= p.s[n] && p.s[n] <= '9' {
		n++
	}
	if n == 0 {
		p.t.Fatalf("no value: %.50q", p.s)
	}
	v := value{number: true, text: p.s[:n]}
	p.s = p.s[n:]
	return v
}

func (p *imapParser) listValue() value {
	p.t.Helper()
	v := value{isList: true}
	p.s = p.s[1:]
	for !strings.HasPrefix(p.s, ")") {
		if strings.HasPrefix(p.s, " ") {
			p.s = p.s[1:]
		} else if len(v.list) > 0 && !(v.list[len(v.list)-1].isList && strings.HasPrefix(p.s, "(")) {
			p.t.Fatalf("no blank: %.50q", p.s)
		}
		v.list = append(v.list, p.value())
	}
	p.s = p.s[1:]
	return v
}

func (p *imapParser) quoted() value {
	p.t.Helper()
	var b strings.Builder
	for i := 1; i < len(p.s); i++ {
		switch c := p.s[i]; c {
		case '"':
			p.s = p.s[i+1:]
			if !utf8.ValidString(b.String()) {
				p.t.Fatalf("quoted string is not UTF-8: %q", b.String())
			}
			return value{isText: true, text: b.String()}
		case '\r', '\n', 0:
			p.t.Fatalf("in a quoted string: %.50q", p.s)
		case '\\':
			i++
			if p.s[i] != '"' && p.s[i] != '\\' {
				p.t.Fatalf("bad escape: %.50q", p.s[i:])
			}
			b.WriteByte(p.s[i])
		default:
			b.WriteByte(c)
		}
	}
	p.t.Fatalf("unclosed: %.50q", p.s)
	return value{}
}

func isNString(v value) bool { return v.isText || v.isNil() }

// parseEnvelope holds a value to the grammar of envelope.
func parseEnvelope(t testing.TB, v value) {
	t.Helper()
	if len(v.list) != 10 {
		t.Fatalf("envelope of %d", len(v.list))
	}
	for i, m := range v.list {
		switch {
		case i < 2 || i > 7:
			if !isNString(m) {
				t.Fatalf("member %d is %+v", i, m)
			}
		case m.isNil():
		case len(m.list) == 0:
			t.Fatalf("member %d is empty", i)
		default:
			parseAddresses(t, m)
		}
	}
}

// parseAddresses also holds that groups open and close by turns.
func parseAddresses(t testing.TB, v value) {
	t.Helper()
	inGroup := false
	for _, a := range v.list {
		if len(a.list) != 4 {
			t.Fatalf("address %+v", a)
		}
		for _, s := range a.list {
			if !isNString(s) {
				t.Fatalf("address %+v", a)
			}
		}
		if mailbox, host := a.list[2], a.list[3]; host.isNil() {
			if inGroup == !mailbox.isNil() {
				t.Fatalf("group within %v: %+v", inGroup, a)
			}
			inGroup = !inGroup
		} else if mailbox.isNil() {
			t.Fatalf("a host without a mailbox: %+v", a)
		}
	}
	if inGroup {
		t.Fatal("group not closed")
	}
}

// parseBody holds a value to the grammar of body.
func parseBody(t testing.TB, v value, extended bool) {
	t.Helper()
	if len(v.list) == 0 {
		t.Fatalf("body %+v", v)
	}
	rest := v.list
	if rest[0].isList {
		for len(rest) > 0 && rest[0].isList {
			parseBody(t, rest[0], extended)
			rest = rest[1:]
		}
		if len(rest) == 0 || !rest[0].isText {
			t.Fatal("multipart without subtype")
		}
		parseExtension(t, rest[1:], extended, parseParameters)
		return
	}
	if len(rest) < 7 || !rest[0].isText || !rest[1].isText || !isNString(rest[3]) || !isNString(rest[4]) || !rest[5].isText || !rest[6].number {
		t.Fatalf("body fields %+v", rest)
	}
	parseParameters(t, rest[2])
	name := strings.ToLower(rest[0].text + "/" + rest[1].text)
	rest = rest[7:]
	switch {
	case name == "message/rfc822" || name == "message/global":
		parseEnvelope(t, rest[0])
		parseBody(t, rest[1], extended)
		rest = rest[2:]
		fallthrough
	case strings.HasPrefix(name, "text/"):
		if len(rest) == 0 || !rest[0].number {
			t.Fatalf("%s without lines", name)
		}
		rest = rest[1:]
	}
	parseExtension(t, rest, extended, func(t testing.TB, md5 value) {
		if !isNString(md5) {
			t.Fatalf("md5 %+v", md5)
		}
	})
}

func parseExtension(t testing.TB, rest []value, extended bool, first func(testing.TB, value)) {
	t.Helper()
	if !extended {
		if len(rest) > 0 {
			t.Fatalf("extension data in BODY: %+v", rest)
		}
		return
	}
	if len(rest) != 4 {
		t.Fatalf("extension data %+v", rest)
	}
	first(t, rest[0])
	if d := rest[1]; !d.isNil() {
		if len(d.list) != 2 || !d.list[0].isText {
			t.Fatalf("disposition %+v", d)
		}
		parseParameters(t, d.list[1])
	}
	for _, l := range rest[2].list {
		if !l.isText {
			t.Fatalf("language %+v", rest[2])
		}
	}
	if !isNString(rest[3]) || rest[2].isList && len(rest[2].list) == 0 {
		t.Fatalf("extension data %+v", rest)
	}
}

func parseParameters(t testing.TB, v value) {
	t.Helper()
	if v.isNil() {
		return
	}
	if len(v.list) == 0 || len(v.list)%2 != 0 {
		t.Fatalf("parameters %+v", v)
	}
	for _, s := range v.list {
		if !s.isText {
			t.Fatalf("parameters %+v", v)
		}
	}
}
