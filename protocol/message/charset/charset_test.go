package charset

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"rohrpost/protocol/message"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"utf-8", "ä", "ä"},
		{"UTF8", "ä", "ä"},
		{"us-ascii", "a", "a"},
		{"us-ascii", "ä", "ä"},
		{"iso-8859-1", "\xe4", "ä"},
		{"ISO_8859-1:1987", "\xe4", "ä"},
		{"latin1", "\x80", "€"},
		{"windows-1252", "\x93x\x94", "“x”"},
		{"iso-8859-2", "\xb1", "ą"},
		{"iso-8859-7", "\xe1", "α"},
		{"ISO-8859-8-I", "\xe0", "א"},
		{"iso-8859-15", "\xa4", "€"},
		{"koi8-r", "\xd0\xd2\xc9", "при"},
		{"windows-1251", "\xef\xf0\xe8", "при"},
		{"cp866", "\xaf\xe0\xa8", "при"},
		{"tis-620", "\xa1", "ก"},
		{"iso-2022-jp", "\x1b$B$\"\x1b(B", "あ"},
		{"shift_jis", "\x82\xa0", "あ"},
		{"EUC-JP", "\xa4\xa2", "あ"},
		{"euc-kr", "\xb0\xa1", "가"},
		{"ks_c_5601-1987", "\xb0\xa1", "가"},
		{"gb2312", "\xb0\xa1", "啊"},
		{"gbk", "\xb0\xa1", "啊"},
		{"gb18030", "\x81\x30\x81\x30", "\u0080"},
		{"hz-gb-2312", "~{0!~}", "啊"},
		{"big5", "\xb0\xda", "啊"},
		{"utf-16", "\xfe\xff\x00a", "a"},
		{"utf-16le", "a\x00", "a"},
		{"utf-32be", "\x00\x00\x00a", "a"},
	} {
		got, err := Append([]byte("> "), []byte(tt.name), []byte(tt.in))
		if string(got) != "> "+tt.want || err != nil {
			t.Errorf("%s: %q: %q, %v; want %q", tt.name, tt.in, got, err, tt.want)
		}
	}
}

func TestX05WhatCannotBeDecodedIsAnError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in string }{
		{"", "a"}, {"-", "a"}, {"x-unknown", "a"}, {"utf", "a"}, {"8", "a"}, {" utf-8 csutf8", "a"},
		{strings.Repeat("x", 1<<20), "a"},
		{"utf-8", "\xff"}, {"us-ascii", "\xff"}, {"shift_jis", "\x82"}, {"gbk", "\xff\xff"}, {"iso-2022-jp", "\x1b$B\xff"},
		{"utf-16be", "\xd8\x00"}, {"euc-jp", "\xa4"},
	} {
		got, err := Append([]byte("> "), []byte(tt.name), []byte(tt.in))
		if string(got) != "> " || !errors.Is(err, message.ErrCharset) {
			t.Errorf("%.20s: %q: %q, %v", tt.name, tt.in, got, err)
		}
	}
}

func TestNewReader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, want string
		known          bool
	}{
		{"utf-8", "\xff", "\xff", true},
		{"shift_jis", "\x82\xa0\x82", "あ\uFFFD", true},
		{"x-unknown", "\xff", "\xff", false},
	} {
		r, known := NewReader([]byte(tt.name), iotest.OneByteReader(strings.NewReader(tt.in)))
		got, err := io.ReadAll(r)
		if string(got) != tt.want || known != tt.known || err != nil {
			t.Errorf("%s: %q, %v, %v", tt.name, got, known, err)
		}
		if Known([]byte(tt.name)) != tt.known {
			t.Errorf("%s: known differs", tt.name)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, names := range append([]string{utf8Names}, func() (all []string) {
		for _, c := range charsets {
			all = append(all, c.names)
		}
		return all
	}()...) {
		if !strings.HasPrefix(names, " ") || !strings.HasSuffix(names, " ") {
			t.Errorf("%q is not between spaces", names)
		}
		for _, n := range strings.Fields(names) {
			if seen[n] {
				t.Errorf("%s is there twice", n)
			}
			if fold([]byte(n)) != " "+n+" " {
				t.Errorf("%s is not folded", n)
			}
			seen[n] = true
		}
	}
}

// Every word of a header decodes to UTF-8 or stays.
func FuzzAppend(f *testing.F) {
	f.Add("shift_jis", []byte("\x82\xa0"))
	f.Add("utf-7", []byte("+AOQ-"))
	f.Fuzz(func(t *testing.T, name string, src []byte) {
		before := bytes.Clone(src)
		got, err := Append([]byte("> "), []byte(name), src)
		if !utf8.Valid(got) || !bytes.HasPrefix(got, []byte("> ")) || err != nil && len(got) != 2 {
			t.Fatalf("%s: %q: %q, %v", name, src, got, err)
		}
		if !bytes.Equal(src, before) {
			t.Fatal("the source was changed")
		}
	})
}

func TestDecodedHeaders(t *testing.T) {
	t.Parallel()
	got := message.AppendDecodedWords(nil, []byte("=?shift_jis?b?gg==?= =?Shift_JIS?b?oA==?= =?x?q?a?="), Append)
	if string(got) != "あ =?x?q?a?=" {
		t.Errorf("%q", got)
	}
}
