package message

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// hostile are inputs on which a parser that looks back, or ahead, too often
// takes quadratic time, each for the parser it is meant for.
var hostile = []struct {
	name, head, again string
	parse             func([]byte)
}{
	{"tree of delimiters", "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\n", parseTree},
	{"tree of near delimiters", "Content-Type: multipart/mixed; boundary=b\n\n", "--c\n", parseTree},
	{"tree of multiparts", "", "Content-Type: multipart/mixed; boundary=b\n\n--b\n", parseTree},
	{"tree of messages", "", "Content-Type: message/rfc822\n\n", parseTree},
	{"tree of one line", "\n", "x", parseTree},
	{"tree of empty lines", "\n", "\n", parseTree},
	{"header of fields", "", "To: a\n", parseTree},
	{"header of one field", "To: ", "a\n ", parseTree},
	{"fields", "", "A: b\n", parseFields},
	{"fields of one line", "A: ", "b", parseFields},
	{"wire of LF", "", "\n", parseWire},
	{"wire of CR", "", "\r", parseWire},
	{"addresses of commas", "", "a,", parseAddressList},
	{"addresses of comments", "", "(", parseAddressList},
	{"addresses of quotes", "", "\"a\\", parseAddressList},
	{"addresses of quoted strings", "", "\"a\",", parseAddressList},
	{"addresses of brackets", "", "<@a", parseAddressList},
	{"addresses of blanks", "", "a ", parseAddressList},
	{"addresses of groups", "", "a:;", parseAddressList},
	{"parameters", "a/b", ";n*0=x", parseParameter},
	{"parameters of quotes", "a/b;n=", "\"\\\"", parseParameter},
	{"parameters of comments", "a/b", "(", parseParameter},
	{"parameters of equals signs", "a/b;n", "=", parseParameter},
	{"encoded words", "", "=?utf-8?q?a?= ", parseWords},
	{"encoded words that end not", "", "=?utf-8?q?a", parseWords},
	{"encoded words that begin only", "", "=?", parseWords},
	{"encoded words of blanks", "=?utf-8?q?a?=", " ", parseWords},
	{"subject of blobs", "", "[a]", parseSubject},
	{"subject of open blobs", "", "[", parseSubject},
	{"subject of replies", "", "re[a]:", parseSubject},
	{"subject of forwards", "", "[fwd:", parseSubject},
	{"subject of trailers", "", "(fwd)", parseSubject},
	{"date of comments", "", "(", parseDateField},
	{"date of closed comments", "", "()", parseDateField},
	{"identifiers", "", "<a>", parseIDs},
	{"identifiers that end not", "", "<a", parseIDs},
	{"identifiers of quotes", "", "<\"", parseIDs},
	{"HTML of brackets", "", "<", parseHTML},
	{"HTML of tags", "", "<a", parseHTML},
	{"HTML of comments", "", "<!--", parseHTML},
	{"HTML of styles", "", "<style></x>", parseHTML},
	{"HTML of references", "", "&#", parseHTML},
	{"base64", "", "YQ==", func(b []byte) { parseEncoded(b, Base64) }},
	{"quoted-printable of blanks", "", " ", func(b []byte) { parseEncoded(b, QuotedPrintable) }},
	{"quoted-printable of equals signs", "", "= ", func(b []byte) { parseEncoded(b, QuotedPrintable) }},
}

func parseTree(b []byte) {
	var s Scanner
	t, _ := s.Scan(bytes.NewReader(b))
	t.AppendEnvelope(nil, 0, false)
	t.AppendStructure(nil, true, false)
}

func parseFields(b []byte) {
	var f FieldReader
	f.Reset(bytes.NewReader(b), NewFieldSet("a"), false)
	io.Copy(io.Discard, &f)
}

func parseWire(b []byte) {
	var w Wire
	w.Reset(bytes.NewReader(b))
	w.Size()
}

func parseAddressList(b []byte) {
	var a Addresses
	a.Reset(b)
	for _, ok := a.Next(); ok; _, ok = a.Next() {
	}
}

func parseParameter(b []byte) { AppendParam(nil, b, "n", BasicCharset) }
func parseWords(b []byte)     { AppendDecodedWords(nil, b, nil) }
func parseSubject(b []byte)   { AppendBaseSubject(nil, b, nil) }
func parseDateField(b []byte) { ParseDate(b) }
func parseIDs(b []byte)       { MessageIDs(b, func([]byte) bool { return true }) }

func parseHTML(b []byte) {
	h := htmlText{rest: b}
	for h.next() >= 0 {
	}
}

func parseEncoded(b []byte, e Encoding) {
	var d Decoder
	d.Reset(bytes.NewReader(b), e)
	io.Copy(io.Discard, &d)
}

// BenchmarkX01Doubling has the time of each hostile input at sizes that double:
// that per byte must not grow.
func BenchmarkX01Doubling(b *testing.B) {
	for _, h := range hostile {
		for size := 64 << 10; size <= 8<<20; size *= 2 {
			in := []byte(h.head + strings.Repeat(h.again, size/len(h.again)))
			b.Run(fmt.Sprintf("%s/%dK", strings.ReplaceAll(h.name, " ", "-"), size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(in)))
				for b.Loop() {
					h.parse(in)
				}
			})
		}
	}
}

// Without a clock: a quadratic parser does not come to the end of these.
func TestX01HostileInputsEnd(t *testing.T) {
	t.Parallel()
	for _, h := range hostile {
		h.parse([]byte(h.head + strings.Repeat(h.again, (4<<20)/len(h.again))))
	}
}
