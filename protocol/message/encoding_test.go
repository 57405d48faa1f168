package message

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/iotest"
)

// decoded decodes s in pieces, which must not change what comes out.
func decoded(t testing.TB, s string, e Encoding) string {
	t.Helper()
	var want []byte
	for i, src := range []io.Reader{strings.NewReader(s), iotest.OneByteReader(strings.NewReader(s)), iotest.DataErrReader(strings.NewReader(s))} {
		var d Decoder
		d.Reset(src, e)
		var r io.Reader = &d
		if i > 0 {
			r = iotest.OneByteReader(r)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = got
		} else if !bytes.Equal(got, want) {
			t.Fatalf("%q: at once %q, in pieces %q", s, want, got)
		}
	}
	return string(want)
}

func TestX04LenientDecoding(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		encoding Encoding
		in, want string
	}{
		{"base64", Base64, "aGVsbG8=", "hello"},
		{"base64 in lines", Base64, "aGVs\r\nbG8=\r\n", "hello"},
		{"base64 without padding", Base64, "aGVsbG8", "hello"},
		{"junk in base64 is passed over", Base64, "a G-V!s\x00bG8=", "hello"},
		{"padding inside ends a group, not the text", Base64, "aGU=bGxv", "hello"},
		{"an equals sign first", Base64, "=aGVsbG8=", "hello"},
		{"only equals signs", Base64, "====", ""},
		{"bits that are no byte are dropped", Base64, "aGVsbG8=Q", "hello"},
		{"lines of any length", Base64, strings.Repeat("aGVsbG8h", 10_000), strings.Repeat("hello!", 10_000)},
		{"quoted-printable", QuotedPrintable, "a=3Db=c3=A4\n", "a=b\xc3\xa4\n"},
		{"a soft line break", QuotedPrintable, "a=\nb=\r\nc= \t\nd", "abcd"},
		{"one at the end", QuotedPrintable, "a=", "a"},
		{"one at the end, with blanks", QuotedPrintable, "a= ", "a"},
		{"an equals sign and a CR alone", QuotedPrintable, "a=\rb", "a=\rb"},
		{"the same at the end", QuotedPrintable, "a=\r", "a=\r"},
		{"an equals sign and no digits", QuotedPrintable, "a=XY=4=", "a=XY=4"},
		{"blanks at the end of a line are dropped", QuotedPrintable, "a \t\nb \r\nc  d ", "a\nb\r\nc  d"},
		{"blanks before a CR alone are not", QuotedPrintable, "a \rb", "a \rb"},
		{"an encoded blank is not", QuotedPrintable, "a=20\n", "a \n"},
		{"a run of blanks without end", QuotedPrintable, "a" + strings.Repeat(" ", 20_000) + "b", "a" + strings.Repeat(" ", 20_000) + "b"},
		{"other encodings are handed on", Unknown, "a=20\n", "a=20\n"},
		{"none too", Identity, "a=20\n", "a=20\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := decoded(t, tt.in, tt.encoding); got != tt.want {
				t.Errorf("%.100q: %.100q, want %.100q", tt.in, got, tt.want)
			}
		})
	}
}

func TestEncodingOfAPart(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]Encoding{
		"7bit": Identity, "8BIT": Identity, "binary": Identity, " Base64 (x)": Base64, "(y) quoted-printable; x=y": QuotedPrintable,
		"x-uuencode": Unknown, "": Identity,
	} {
		if got := scanned(t, "Content-Transfer-Encoding: "+sent+"\n\n").Encoding(0); got != want {
			t.Errorf("%q: %v, want %v", sent, got, want)
		}
	}
}

func FuzzBase64(f *testing.F) {
	f.Add([]byte("hello"), "a=b")
	f.Fuzz(func(t *testing.T, b []byte, junk string) {
		s := base64.StdEncoding.EncodeToString(b)
		if got := decoded(t, s, Base64); got != string(b) {
			t.Fatalf("%q: %q", s, got)
		}
		if got := decoded(t, junk, Base64); len(got) > len(junk)*3/4 {
			t.Fatalf("%q grew to %q", junk, got)
		}
	})
}

func FuzzQuotedPrintable(f *testing.F) {
	f.Add([]byte("h=e \t\nl\r\nlo "), "a=\n=")
	f.Fuzz(func(t *testing.T, b []byte, junk string) {
		var s strings.Builder
		w := quotedprintable.NewWriter(&s)
		w.Binary = true
		w.Write(b)
		w.Close()
		if got := decoded(t, s.String(), QuotedPrintable); got != string(b) {
			t.Fatalf("%q: %q", s.String(), got)
		}
		if got := decoded(t, junk, QuotedPrintable); len(got) > len(junk) {
			t.Fatalf("%q grew to %q", junk, got)
		}
	})
}
