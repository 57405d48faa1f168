package message

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestX05EncodedWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"none", "a =b ?c", "a =b ?c"},
		{"RFC 2047 section 8: a word", "(=?ISO-8859-1?Q?a?=)", "(a)"},
		{"RFC 2047 section 8: text behind a word", "(=?ISO-8859-1?Q?a?= b)", "(a b)"},
		{"RFC 2047 section 8: blanks between words go", "(=?ISO-8859-1?Q?a?= \t =?ISO-8859-1?Q?b?=)", "(ab)"},
		{"RFC 2047 section 8: an underscore is a space", "(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
		{"blanks behind the last word stay", "=?utf-8?q?a?=  ", "a  "},
		{"base64", "=?utf-8?B?w6Q=?=", "ä"},
		{"charsets in any case", "=?UTF-8?q?=C3=A4?= =?Iso-8859-1?q?=E4?=", "ää"},
		{"RFC 2231 section 5: a language", "=?utf-8*de-CH?q?=C3=A4?=", "ä"},
		{"a character cut in two", "=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"},
		{"in base64", "=?utf-8?b?ww==?=\t=?UTF-8?b?pA==?=", "ä"},
		{"one cut between charsets stays", "=?utf-8?q?=C3?= =?us-ascii?q?a?=", "=?utf-8?q?=C3?= a"},
		{"within a word", "a=?utf-8?q?b?=c", "abc"},
		{"with blanks in it", "=?utf-8?q?a b?=", "a b"},
		{"a charset that is not known stays", "=?x?q?a?= b", "=?x?q?a?= b"},
		{"and between others", "=?utf-8?q?a?= =?x?q?b?= =?utf-8?q?c?=", "a =?x?q?b?= c"},
		{"text that is not in its charset stays", "=?utf-8?q?=FF?=", "=?utf-8?q?=FF?="},
		{"an encoding that is none stays", "=?utf-8?z?a?=", "=?utf-8?z?a?="},
		{"no charset", "=??q?a?=", "=??q?a?="},
		{"no end", "=?utf-8?q?a", "=?utf-8?q?a"},
		{"half an end", "=?utf-8?q?a?", "=?utf-8?q?a?"},
		{"no text", "=?utf-8?q??=", ""},
		{"a word in a word stays", "=?utf-8?q?=?utf-8?q?a?=?=", "=?utf-8?q?a?="},
		{"broken escapes are themselves", "=?utf-8?q?=4=zz=?=", "=4=zz="},
		{"10 KB", "=?utf-8?q?" + strings.Repeat("=C3=A4", 2000) + "?=", strings.Repeat("ä", 2000)},
		{"8-bit text stays", "\xe4 =?utf-8?q?a?=", "\xe4 a"},
		{"X06 what is decoded is handed on as it is", "=?utf-8?q?=E2=80=AE=00?=", "\u202e\x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendDecodedWords([]byte("> "), []byte(tt.in), nil)); got != "> "+tt.want {
				t.Errorf("%.100q: %.100q, want %.100q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzEncodedWords(f *testing.F) {
	f.Add("=?utf-8?q?a?= =?x?b?b?=\t=?", "ä", 1)
	f.Fuzz(func(t *testing.T, in, text string, at int) {
		got := AppendDecodedWords(nil, []byte(in), nil)
		if !strings.Contains(in, "=?") && string(got) != in {
			t.Fatalf("%q: %q", in, got)
		}
		if len(got) > 2*len(in) { // ISO-8859-1 doubles at most
			t.Fatalf("%q grew to %q", in, got)
		}
		if utf8.ValidString(in) && !utf8.Valid(got) {
			t.Fatalf("%q: %q", in, got)
		}
		if !utf8.ValidString(text) {
			return
		}
		at = int(uint(at) % uint(len(text)+1))
		word := func(s string) string { return "=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(s)) + "?=" }
		sent := word(text[:at]) + " " + word(text[at:])
		if got := AppendDecodedWords(nil, []byte(sent), nil); string(got) != text {
			t.Fatalf("%q: %q, want %q", sent, got, text)
		}
	})
}
